// Elementary functions on vectors, float and double, within 2 units in the last place.
// The polynomials are minimax fits (Remez exchange at 60 digits) of the expressions named above each table.
// Only additions, multiplications, fused multiply-adds and divisions are used, each lane for itself, so that
// AVX2 and AVX-512 give the same bits. Subnormal results are zero: the threads that run flush them anyway.
#pragma once

#include "simd.hpp"

namespace lamina::LAMINA_ISA {

template <class T>
struct Constants;

template <>
struct Constants<float> {
  // (exp(r) - 1 - r) / r^2,  |r| <= log(2) / 2
  static constexpr float exp[] = {0x1p-1f,        0x1.555556p-3f,  0x1.5554e4p-5f,
                                  0x1.1110a8p-7f, 0x1.6d4922p-10f, 0x1.a1856cp-13f};
  // (log((1 + s) / (1 - s)) / s - 2) / s^2 in s^2,  |s| <= (sqrt(2) - 1) / (sqrt(2) + 1)
  static constexpr float log[] = {0x1.555556p-1f, 0x1.9999eep-2f, 0x1.245afp-2f, 0x1.de14a4p-3f};
  // (sin(r) - r) / r^3 and (cos(r) - 1 + r^2 / 2) / r^4 in r^2,  |r| <= pi / 4
  static constexpr float sin[] = {-0x1.555556p-3f, 0x1.11110ep-7f, -0x1.a01388p-13f, 0x1.6db3ccp-19f};
  static constexpr float cos[] = {0x1.555556p-5f, -0x1.6c16cp-10f, 0x1.a015bp-16f, -0x1.251d72p-22f};
  // erf(x) / x - 1 in x^2,  |x| <= 1;   log(erfc(x)) in x - erf_center,  1 <= x <= erf_end
  static constexpr float erf[] = {0x1.06eba8p-3f, -0x1.81273ep-2f, 0x1.ce2d2p-4f,  -0x1.b7fbb4p-6f,
                                  0x1.5419fap-8f, -0x1.a486p-11f,  0x1.4ae544p-14f};
  static constexpr float log_erfc[] = {0x1.a7c944p-13f, -0x1.2130b4p+0f,  -0x1.44212cp-1f,
                                       -0x1.bcda76p-4f, 0x1.9f51acp-6f,   -0x1.17e284p-8f,
                                       0x1.e2bdcep-12f, -0x1.9f5d4ep-16f, 0x1.c7fb12p-23f};
  static constexpr float erf_center = 0, erf_end = 4.1f;
  static constexpr float shift = 0x1.8p23f;  // adding it rounds to an integer held in the low bits
  static constexpr float exponent_shift = 0x1p23f;
  static constexpr float exp_low = -88, exp_high = 89;  // beyond: 0 and infinity
  static constexpr float tanh_end = 10;
  static constexpr float log2_e = 0x1.715476p+0f, ln2_high = 0x1.62e4p-1f, ln2_low = 0x1.7f7d1cp-20f;
  static constexpr float half_pi[] = {0x1.92p+0f, 0x1.fb4p-12f, 0x1.444p-24f, 0x1.68c234p-39f};
  static constexpr float two_over_pi = 0x1.45f306p-1f, trigonometric_end = 8192;
};

template <>
struct Constants<double> {
  static constexpr double exp[] = {0x1p-1,
                                   0x1.5555555555557p-3,
                                   0x1.5555555555558p-5,
                                   0x1.111111110ff87p-7,
                                   0x1.6c16c16c14fd9p-10,
                                   0x1.a01a01aca02e0p-13,
                                   0x1.a01a01adc30b2p-16,
                                   0x1.71ddffef5811ap-19,
                                   0x1.27e4caef52edcp-22,
                                   0x1.af5290da75090p-26,
                                   0x1.1f8e6d6e67576p-29};
  static constexpr double log[] = {0x1.5555555555558p-1, 0x1.9999999994db3p-2, 0x1.2492492e80935p-2,
                                   0x1.c71c6232752f0p-3, 0x1.7462e6bf475f3p-3, 0x1.39f7f8db89cd0p-3,
                                   0x1.2ba663f767af4p-3};
  static constexpr double sin[] = {-0x1.5555555555555p-3, 0x1.1111111111110p-7,   -0x1.a01a01a0198dfp-13,
                                   0x1.71de3a5455d1ep-19, -0x1.ae64540026d70p-26, 0x1.6121705a0f508p-33,
                                   -0x1.ab0f346bda0d6p-41};
  static constexpr double cos[] = {0x1.5555555555555p-5,   -0x1.6c16c16c16c16p-10, 0x1.a01a01a019ce3p-16,
                                   -0x1.27e4fb770e0b8p-22, 0x1.1eed8de34de1cp-29,  -0x1.9394acf85762dp-37,
                                   0x1.ab70ade1372e7p-45};
  static constexpr double erf[] = {0x1.06eba8214db69p-3,   -0x1.812746b0379e6p-2,  0x1.ce2f21a042b34p-4,
                                   -0x1.b82ce31284f35p-6,  0x1.565bcd0dbd8a6p-8,   -0x1.c02db3db482f7p-11,
                                   0x1.f9a321e495a17p-14,  -0x1.f4d1e4324cd0dp-17, 0x1.b9df303f67ab7p-20,
                                   -0x1.5f1f401201801p-23, 0x1.f7b9944aef2b6p-27,  -0x1.38ac07dd293bdp-30,
                                   0x1.062715e4184edp-34};
  static constexpr double log_erfc[] = {-0x1.575b329b1f514p+2,  -0x1.1ac3258a8dc2cp+2,  -0x1.d8f5dece929a7p-1,
                                        -0x1.0dc3b5fb2eff4p-6,  0x1.d406b3791e2cap-9,   -0x1.7ffcfb031fefap-11,
                                        0x1.1bc3a4ab97628p-13,  -0x1.5b659d4546f4ep-16, 0x1.0604bbdbc5e7fp-19,
                                        0x1.b580bbea044c6p-23,  -0x1.73e47f7a0c32cp-23, 0x1.ef982a7d0984ap-25,
                                        -0x1.e0936a89f9c14p-27, 0x1.66c1872e50545p-29,  -0x1.1c1a1709fb713p-32,
                                        -0x1.3ab2af6686919p-34, 0x1.44c3f96cc41c7p-35,  -0x1.5ac9607d3ff08p-38};
  static constexpr double erf_center = 2, erf_end = 6.1;
  static constexpr double shift = 0x1.8p52;
  static constexpr double exponent_shift = 0x1p52;
  static constexpr double exp_low = -709, exp_high = 710;
  static constexpr double tanh_end = 20;
  static constexpr double log2_e = 0x1.71547652b82fep+0, ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33;
  static constexpr double half_pi[] = {0x1.921fb544p+0, 0x1.0b4611a6p-34, 0x1.3198a2ep-69, 0x1.b839a252049c1p-104};
  static constexpr double two_over_pi = 0x1.45f306dc9c883p-1, trigonometric_end = 1 << 20;
};

template <class T, int N>
LAMINA_INLINE Vec<T> polynomial(Vec<T> x, const T (&c)[N]) {
  Vec<T> sum = splat<T>(c[N - 1]);
#pragma GCC unroll 32
  for (int i = N - 2; i >= 0; --i) sum = fma(sum, x, splat<T>(c[i]));
  return sum;
}

// x as n * log(2) + r for x within [low, exp_high].
template <class T>
struct Reduced {
  Bits<T> n;        // in the low bits
  Int<T> positive;  // n > 0, as a mask
  Vec<T> r;
};
template <class T>
LAMINA_INLINE Reduced<T> reduced(Vec<T> x, T low) {
  using C = Constants<T>;
  x = x > C::exp_high ? splat<T>(C::exp_high) : x;
  x = x < low ? splat<T>(low) : x;
  const Vec<T> shifted = fma(x, splat<T>(C::log2_e), splat<T>(C::shift));
  const Vec<T> n = shifted - C::shift;
  const Vec<T> r = fma(n, splat<T>(-C::ln2_high), x);
  return {bits<T>(shifted), n > 0, fma(n, splat<T>(-C::ln2_low), r)};
}
// exp(r)
template <class T>
LAMINA_INLINE Vec<T> exp_reduced(Vec<T> r) {
  return fma(r * r, polynomial<T>(r, Constants<T>::exp), r) + T{1};
}
// 2^n for an n that is an exact exponent; n sits in the low bits.
template <class T>
LAMINA_INLINE Vec<T> power_of_two(Bits<T> n) {
  return from_bits<T>((n + static_cast<Word<T>>(Types<T>::bias)) << Types<T>::mantissa);
}

template <class T>
LAMINA_INLINE Vec<T> exp(Vec<T> x) {
  const auto e = reduced<T>(x, Constants<T>::exp_low);
  const Vec<T> value = exp_reduced<T>(e.r);
  // Half the power first where n may be one beyond the largest exponent.
  const Vec<T> scale = power_of_two<T>(e.n + reinterpret_cast<Bits<T>>(e.positive));
  return (e.positive ? value + value : value) * scale;
}

// exp(-|x|)
template <class T>
LAMINA_INLINE Vec<T> exp_decay(Vec<T> x) {
  const auto e = reduced<T>(-absolute<T>(x), Constants<T>::exp_low);
  return exp_reduced<T>(e.r) * power_of_two<T>(e.n);
}

// (exp(x) - 1) / 2
template <class T>
LAMINA_INLINE Vec<T> half_expm1(Vec<T> x) {
  const auto e = reduced<T>(x, T{-50});
  const Vec<T> half = power_of_two<T>(e.n - Word<T>{1});  // 2^(n-1), never beyond the largest exponent
  const Vec<T> level = half - T{0.5};
  const Vec<T> line = fma(half, e.r, level);
  const Vec<T> lost = fma(half, e.r, level - line);  // by rounding
  return line + fma(half, e.r * e.r * polynomial<T>(e.r, Constants<T>::exp), lost);
}

template <class T>
LAMINA_INLINE Vec<T> expm1(Vec<T> x) {
  const Vec<T> y = half_expm1<T>(x);
  return x == T{0} ? x : y + y;
}

// log(1 + f) for 1 + f in [sqrt(1/2), sqrt(2)), times 2^exponent.
template <class T>
LAMINA_INLINE Vec<T> log_positive(Vec<T> x) {
  using C = Constants<T>;
  constexpr int m = Types<T>::mantissa;
  constexpr Word<T> one = Word<T>(Types<T>::bias) << m;
  constexpr Word<T> root_half = sizeof(T) == 4 ? Word<T>(0x3f3504f3) : Word<T>(0x3fe6a09e667f3bcdull);
  const Bits<T> moved = bits<T>(x) + (one - root_half);
  const Bits<T> magic = bits<T>(splat<T>(C::exponent_shift));
  const Vec<T> exponent = from_bits<T>((moved >> m) | magic) - (C::exponent_shift + T(Types<T>::bias));
  const Vec<T> f = from_bits<T>((moved & ((Word<T>{1} << m) - 1)) + root_half) - T{1};
  const Vec<T> s = f / (f + T{2});
  const Vec<T> z = s * s;
  const Vec<T> half_square = f * f * T{0.5};
  const Vec<T> tail = fma(s, fma(z, polynomial<T>(z, C::log), half_square), exponent * C::ln2_low);
  return fma(exponent, splat<T>(C::ln2_high), f - (half_square - tail));
}

template <class T>
LAMINA_INLINE Vec<T> log(Vec<T> x) {
  constexpr T infinity = __builtin_inf();
  Vec<T> y = log_positive<T>(x);
  y = x == infinity ? x : y;
  y = x == T{0} ? splat<T>(-infinity) : y;
  return (x < T{0}) | (x != x) ? splat<T>(__builtin_nan("")) : y;
}

template <class T>
LAMINA_INLINE Vec<T> log1p(Vec<T> x) {
  const Vec<T> u = x + T{1};
  const Vec<T> lost = x - (u - T{1});  // what rounding took from 1 + x
  const Vec<T> y = log<T>(u);
  const Vec<T> better = y + lost / u;
  const Vec<T> size = absolute<T>(y);
  const Vec<T> result = size < T(__builtin_inf()) ? better : y;
  return x == T{0} ? x : result;
}

template <class T>
LAMINA_INLINE Vec<T> sigmoid(Vec<T> x) {
  const Vec<T> e = exp_decay<T>(x);
  const Vec<T> share = e / (e + T{1});
  const Vec<T> whole = x < T{0} ? e : splat<T>(1);
  return fma(-share, whole, whole);  // the smaller the share, the less its rounding weighs
}

template <class T>
LAMINA_INLINE Vec<T> softplus(Vec<T> x) {
  const Vec<T> above = x < T{0} ? Vec<T>{} : x;  // keeps NaN
  return above + log1p<T>(exp_decay<T>(x));
}

template <class T>
LAMINA_INLINE Vec<T> tanh(Vec<T> x) {
  const Vec<T> size = absolute<T>(x);
  const Vec<T> bounded = size > Constants<T>::tanh_end ? splat<T>(Constants<T>::tanh_end) : size;
  const Vec<T> y = half_expm1<T>(bounded + bounded);
  const Vec<T> share = y / (y + T{1});
  return copy_sign<T>(y < T{0.5} ? fma(-share, y, y) : share, x);  // both are y / (y + 1)
}

template <class T>
LAMINA_INLINE Vec<T> erf(Vec<T> x) {
  using C = Constants<T>;
  const Vec<T> size = absolute<T>(x);
  const Vec<T> bounded = size > C::erf_end ? splat<T>(C::erf_end) : size;
  const Vec<T> near = fma(x, polynomial<T>(x * x, C::erf), x);
  const Vec<T> far = T{1} - exp<T>(polynomial<T>(bounded - C::erf_center, C::log_erfc));
  return size <= T{1} ? near : copy_sign<T>(far, x);
}

template <class T>
T sine_of_large(T x, int quadrant) {
  return static_cast<T>(quadrant ? __builtin_cos(x) : __builtin_sin(x));
}

// sin(x + quadrant * pi / 2); arguments too large for the reduction go to the C library, lane by lane.
template <class T>
LAMINA_INLINE Vec<T> sine(Vec<T> x, Word<T> quadrant) {
  using C = Constants<T>;
  const Vec<T> shifted = fma(x, splat<T>(C::two_over_pi), splat<T>(C::shift));
  const Vec<T> n = shifted - C::shift;
  Vec<T> r = x;
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) r = fma(n, splat<T>(-C::half_pi[i]), r);
  const Vec<T> z = r * r;
  const Vec<T> sin = fma(r * z, polynomial<T>(z, C::sin), r);
  const Vec<T> cos = fma(z * z, polynomial<T>(z, C::cos), fma(z, splat<T>(T{-0.5}), splat<T>(T{1})));
  const Bits<T> turn = bits<T>(shifted) + quadrant;
  const Vec<T> chosen = (turn & Word<T>{1}) != Word<T>{0} ? cos : sin;
  Vec<T> y = from_bits<T>(bits<T>(chosen) ^ ((turn & Word<T>{2}) << (8 * sizeof(T) - 2)));
  const Int<T> large = absolute<T>(x) > C::trigonometric_end;
  if (any<T>(large)) {
    for (int i = 0; i < width<T>; ++i) {
      if (large[i]) y[i] = sine_of_large<T>(x[i], static_cast<int>(quadrant));
    }
  }
  return y;
}

LAMINA_INLINE float power(float base, float exponent) { return __builtin_powf(base, exponent); }
LAMINA_INLINE double power(double base, double exponent) { return __builtin_pow(base, exponent); }

}  // namespace lamina::LAMINA_ISA
