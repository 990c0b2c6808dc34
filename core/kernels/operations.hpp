// The operations of `map`: a functor each, and the loop that applies one to a run of elements.
#pragma once

#include <utility>

#include "vecmath.hpp"

namespace lamina::LAMINA_ISA {

namespace op {

#define LAMINA_UNARY(name, expression)            \
  struct name {                                   \
    template <class T>                            \
    LAMINA_INLINE static Vec<T> apply(Vec<T> a) { \
      return expression;                          \
    }                                             \
  };
#define LAMINA_BINARY(name, expression)                     \
  struct name {                                             \
    template <class T>                                      \
    LAMINA_INLINE static Vec<T> apply(Vec<T> a, Vec<T> b) { \
      return expression;                                    \
    }                                                       \
  };
#define LAMINA_TERNARY(name, expression)                              \
  struct name {                                                       \
    template <class T>                                                \
    LAMINA_INLINE static Vec<T> apply(Vec<T> a, Vec<T> b, Vec<T> c) { \
      return expression;                                              \
    }                                                                 \
  };

template <class T>
LAMINA_INLINE Vec<T> truth(Int<T> mask) {
  return mask ? splat<T>(1) : Vec<T>{};
}
template <class T>
LAMINA_INLINE Vec<T> sign_of(Vec<T> a) {
  const Vec<T> y = a > T{0} ? splat<T>(1) : a;  // keeps zeros and NaN
  return a < T{0} ? splat<T>(-1) : y;
}
template <class T>
LAMINA_INLINE Vec<T> larger(Vec<T> a, Vec<T> b) {
  return (a > b) | (a != a) ? a : b;
}
template <class T>
LAMINA_INLINE Vec<T> smaller(Vec<T> a, Vec<T> b) {
  return (a < b) | (a != a) ? a : b;
}

LAMINA_UNARY(negative, from_bits<T>(bits<T>(a) ^ splat_bits<T>(sign_bit<T>)))
LAMINA_UNARY(absolute, ::lamina::LAMINA_ISA::absolute<T>(a))
LAMINA_UNARY(sign, sign_of<T>(a))
LAMINA_UNARY(exp, ::lamina::LAMINA_ISA::exp<T>(a))
LAMINA_UNARY(expm1, ::lamina::LAMINA_ISA::expm1<T>(a))
LAMINA_UNARY(log, ::lamina::LAMINA_ISA::log<T>(a))
LAMINA_UNARY(log1p, ::lamina::LAMINA_ISA::log1p<T>(a))
LAMINA_UNARY(sqrt, ::lamina::LAMINA_ISA::sqrt(a))
LAMINA_UNARY(sin, sine<T>(a, 0))
LAMINA_UNARY(cos, sine<T>(a, 1))
LAMINA_UNARY(tanh, ::lamina::LAMINA_ISA::tanh<T>(a))
LAMINA_UNARY(sigmoid, ::lamina::LAMINA_ISA::sigmoid<T>(a))
LAMINA_UNARY(softplus, ::lamina::LAMINA_ISA::softplus<T>(a))
LAMINA_UNARY(erf, ::lamina::LAMINA_ISA::erf<T>(a))
LAMINA_UNARY(floor, ::lamina::LAMINA_ISA::floor(a))
LAMINA_UNARY(ceil, ::lamina::LAMINA_ISA::ceil(a))
LAMINA_UNARY(round, ::lamina::LAMINA_ISA::round(a))
LAMINA_UNARY(isfinite, truth<T>(::lamina::LAMINA_ISA::absolute<T>(a) < T(__builtin_inf())))
LAMINA_UNARY(square, a* a)
LAMINA_BINARY(add, a + b)
LAMINA_BINARY(subtract, a - b)
LAMINA_BINARY(multiply, a* b)
LAMINA_BINARY(divide, a / b)
LAMINA_BINARY(maximum, larger<T>(a, b))
LAMINA_BINARY(minimum, smaller<T>(a, b))
LAMINA_BINARY(equal, truth<T>(a == b))
LAMINA_BINARY(less, truth<T>(a < b))
LAMINA_BINARY(less_equal, truth<T>(a <= b))
LAMINA_TERNARY(where, a != T{0} ? b : c)
LAMINA_TERNARY(clip, smaller<T>(larger<T>(a, b), c))
LAMINA_TERNARY(fma, ::lamina::LAMINA_ISA::fma(a, b, c))
struct power {};   // element by element, below
struct random {};  // has no registers to read; see random.hpp

#undef LAMINA_UNARY
#undef LAMINA_BINARY
#undef LAMINA_TERNARY

}  // namespace op

// A run of elements, or one number repeated.
template <class T, bool Single>
struct Operand {
  const T* data;
  LAMINA_INLINE explicit Operand(const void* p) : data(static_cast<const T*>(p)) {}
  LAMINA_INLINE Vec<T> at(i64 i) const { return load(data + i); }
  LAMINA_INLINE Vec<T> first(i64 i, i64 n) const { return load_first(data + i, n); }
};
template <class T>
struct Operand<T, true> {
  Vec<T> value;
  LAMINA_INLINE explicit Operand(const void* p) : value(splat<T>(*static_cast<const T*>(p))) {}
  LAMINA_INLINE Vec<T> at(i64) const { return value; }
  LAMINA_INLINE Vec<T> first(i64, i64) const { return value; }
};

template <class T, class Compute, class Last>
LAMINA_INLINE void sweep(void* out, i64 n, Compute compute, Last last) {
  T* const y = static_cast<T*>(out);
  i64 i = 0;
  for (; i + 2 * width<T> <= n; i += 2 * width<T>) {  // two at a time hide the latency of the longer operations
    const Vec<T> u = compute(i);
    const Vec<T> v = compute(i + width<T>);
    store(y + i, u);
    store(y + i + width<T>, v);
  }
  for (; i + width<T> <= n; i += width<T>) store(y + i, compute(i));
  if (i < n) store_first(y + i, last(i, n - i), n - i);
}

template <class T, class F, int Arguments, int Single>
void apply(void* out, const void* a, const void* b, const void* c, const void* d, i64 n) {
  const auto over = [&](const auto&... x) {
    sweep<T>(
        out, n, [&](i64 i) { return F::template apply<T>(x.at(i)...); },
        [&](i64 i, i64 left) { return F::template apply<T>(x.first(i, left)...); });
  };
  const Operand<T, (Single & 1) != 0> w(a);
  if constexpr (Arguments == 1) return over(w);
  else {
    const Operand<T, (Single & 2) != 0> x(b);
    if constexpr (Arguments == 2) return over(w, x);
    else {
      const Operand<T, (Single & 4) != 0> y(c);
      if constexpr (Arguments == 3) return over(w, x, y);
      else return over(w, x, y, Operand<T, (Single & 8) != 0>(d));
    }
  }
}

// The C library's power is exact to the last place but one, and has no vectors. Squares are common.
template <class T, int Single>
void apply_power(void* out, const void* a, const void* b, const void*, const void*, i64 n) {
  T* const y = static_cast<T*>(out);
  const T* const base = static_cast<const T*>(a);
  const T* const exponent = static_cast<const T*>(b);
  if ((Single & 2) != 0 && *exponent == T{2}) return apply<T, op::square, 1, Single & 1>(out, a, nullptr, nullptr, nullptr, n);
  for (i64 i = 0; i < n; ++i)
    y[i] = power((Single & 1) != 0 ? *base : base[i], (Single & 2) != 0 ? *exponent : exponent[i]);
}

// The kernels of an operation for every choice of single arguments. All single: worked out once with n = 1.
template <class T, class F, int Arguments>
struct Row {
  static constexpr MapRow make(const char* name, double cycles) {
    if constexpr (Arguments == 0) {
      return {name, 0, cycles, {}};
    } else if constexpr (Arguments == 1) {
      return {name, 1, cycles, {apply<T, F, 1, 0>, apply<T, F, 1, 0>}};
    } else if constexpr (Arguments == 2) {
      return {name, 2, cycles, {apply<T, F, 2, 0>, apply<T, F, 2, 1>, apply<T, F, 2, 2>, apply<T, F, 2, 0>}};
    } else {
      return {name,
              3,
              cycles,
              {apply<T, F, 3, 0>, apply<T, F, 3, 1>, apply<T, F, 3, 2>, apply<T, F, 3, 3>, apply<T, F, 3, 4>,
               apply<T, F, 3, 5>, apply<T, F, 3, 6>, apply<T, F, 3, 0>}};
    }
  }
};

template <class T>
struct Row<T, op::power, 2> {
  static constexpr MapRow make(const char* name, double cycles) {
    return {name, 2, cycles, {apply_power<T, 0>, apply_power<T, 1>, apply_power<T, 2>, apply_power<T, 0>}};
  }
};

template <class T>
struct Table {
  static constexpr MapRow rows[] = {
#define LAMINA_MAP_OP(name, arguments, cycles) Row<T, op::name, arguments>::make(#name, cycles),
#include "../ops.def"
  };
  static constexpr int count = sizeof(rows) / sizeof(rows[0]);
};

// Which row an operation has, and how many arguments; pairs come after the operations.
enum class RowOf : int {
#define LAMINA_MAP_OP(name, arguments, cycles) name,
#include "../ops.def"
#define LAMINA_MAP_PAIR(first, second, at) first##_##second##_##at,
#include "../ops.def"
};
template <class F>
constexpr int arguments_of = 0;
#define LAMINA_MAP_OP(name, arguments, cycles) \
  template <>                                  \
  constexpr int arguments_of<op::name> = arguments;
#include "../ops.def"

template <class T, class F, int... I>
LAMINA_INLINE Vec<T> apply_to(const Vec<T>* x, std::integer_sequence<int, I...>) {
  return F::template apply<T>(x[I]...);
}

// Two operations (the first may be a pair) in one pass, each rounding as on its own; the first's arguments come first.
template <class F, class G, int At>
struct Pair {
  static constexpr int first = arguments_of<F>, second = arguments_of<G>, arguments = first + second - 1;
  template <class T, class... V>
  LAMINA_INLINE static Vec<T> apply(V... all) {
    const Vec<T> x[] = {all...};
    Vec<T> y[second];
    for (int i = 0; i < second; ++i) {
      if (i != At) y[i] = x[first + (i < At ? i : i - 1)];
    }
    y[At] = apply_to<T, F>(x, std::make_integer_sequence<int, first>());
    return apply_to<T, G>(y, std::make_integer_sequence<int, second>());
  }
};

template <class F, class G, int At>
constexpr int arguments_of<Pair<F, G, At>> = Pair<F, G, At>::arguments;

template <class T, class P, int... Single>
constexpr MapPair pair_of(RowOf first, RowOf second, int at, std::integer_sequence<int, Single...>) {
  return {static_cast<int>(first), static_cast<int>(second), at,
          {apply<T, P, P::arguments, Single & ((1 << P::arguments) - 1)>...}};
}

template <class T>
struct Pairs {
  static constexpr MapPair rows[] = {
#define LAMINA_MAP_PAIR(first, second, at)                                                   \
  pair_of<T, Pair<op::first, op::second, at>>(RowOf::first, RowOf::second, at,               \
                                              std::make_integer_sequence<int, 16>()),
#define LAMINA_MAP_TRIPLE(first, second, at, third, third_at)                                  \
  pair_of<T, Pair<Pair<op::first, op::second, at>, op::third, third_at>>(                      \
      RowOf::first##_##second##_##at, RowOf::third, third_at, std::make_integer_sequence<int, 16>()),
#include "../ops.def"
  };
  static constexpr int count = sizeof(rows) / sizeof(rows[0]);
};

}  // namespace lamina::LAMINA_ISA
