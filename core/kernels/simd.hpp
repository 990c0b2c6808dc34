// A small vector type: GCC's vector extension plus the few operations it lacks. Everything lies in the
// namespace of the instruction set being built, so that three builds of this source live in one library.
#pragma once

#include <cstdint>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#if defined(LAMINA_ISA_avx512)
#define LAMINA_ISA avx512
#define LAMINA_VECTOR_BYTES 64
#elif defined(LAMINA_ISA_avx2)
#define LAMINA_ISA avx2
#define LAMINA_VECTOR_BYTES 32
#else
#define LAMINA_ISA portable
#define LAMINA_VECTOR_BYTES 16
#endif

#define LAMINA_INLINE [[gnu::always_inline]] inline

namespace lamina::LAMINA_ISA {

using i64 = std::int64_t;
using u64 = std::uint64_t;

template <class T>
struct Types;
template <>
struct Types<float> {
  typedef float Vec __attribute__((vector_size(LAMINA_VECTOR_BYTES)));
  typedef std::int32_t Int __attribute__((vector_size(LAMINA_VECTOR_BYTES)));
  typedef std::uint32_t Bits __attribute__((vector_size(LAMINA_VECTOR_BYTES)));
  typedef float Unaligned __attribute__((vector_size(LAMINA_VECTOR_BYTES), aligned(4), may_alias));
  using Word = std::uint32_t;
  using Signed = std::int32_t;
  static constexpr int mantissa = 23;
  static constexpr int bias = 127;
};
template <>
struct Types<double> {
  typedef double Vec __attribute__((vector_size(LAMINA_VECTOR_BYTES)));
  typedef std::int64_t Int __attribute__((vector_size(LAMINA_VECTOR_BYTES)));
  typedef std::uint64_t Bits __attribute__((vector_size(LAMINA_VECTOR_BYTES)));
  typedef double Unaligned __attribute__((vector_size(LAMINA_VECTOR_BYTES), aligned(8), may_alias));
  using Word = std::uint64_t;
  using Signed = std::int64_t;
  static constexpr int mantissa = 52;
  static constexpr int bias = 1023;
};

template <class T>
using Vec = typename Types<T>::Vec;
template <class T>
using Int = typename Types<T>::Int;
template <class T>
using Bits = typename Types<T>::Bits;
template <class T>
using Word = typename Types<T>::Word;
template <class T>
constexpr int width = LAMINA_VECTOR_BYTES / static_cast<int>(sizeof(T));

using VecF = Vec<float>;
using VecD = Vec<double>;

template <class T>
LAMINA_INLINE Vec<T> splat(T x) {
  return x - Vec<T>{};
}
template <class T>
LAMINA_INLINE Bits<T> splat_bits(Word<T> x) {
  return x + Bits<T>{};
}
template <class T>
LAMINA_INLINE Vec<T> load(const T* p) {
  return *reinterpret_cast<const typename Types<T>::Unaligned*>(p);
}
template <class T>
LAMINA_INLINE void store(T* p, Vec<T> v) {
  *reinterpret_cast<typename Types<T>::Unaligned*>(p) = v;
}
template <class T>
LAMINA_INLINE Bits<T> bits(Vec<T> v) {
  return reinterpret_cast<Bits<T>>(v);
}
template <class T>
LAMINA_INLINE Vec<T> from_bits(Bits<T> b) {
  return reinterpret_cast<Vec<T>>(b);
}

// The first n (0 < n <= width) elements at p, zeros after them; nothing beyond p[n - 1] is touched.
#if defined(LAMINA_ISA_avx512)
LAMINA_INLINE VecF load_first(const float* p, i64 n) {
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p);
}
LAMINA_INLINE VecD load_first(const double* p, i64 n) {
  return _mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << n) - 1), p);
}
LAMINA_INLINE void store_first(float* p, VecF v, i64 n) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), v);
}
LAMINA_INLINE void store_first(double* p, VecD v, i64 n) {
  _mm512_mask_storeu_pd(p, static_cast<__mmask8>((1u << n) - 1), v);
}
#else
#if defined(LAMINA_ISA_avx2)
LAMINA_INLINE VecF load_first(const float* p, i64 n) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), lane));
}
LAMINA_INLINE VecD load_first(const double* p, i64 n) {
  const __m256i lane = _mm256_setr_epi64x(0, 1, 2, 3);
  return _mm256_maskload_pd(p, _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), lane));
}
#else
template <class T>
LAMINA_INLINE Vec<T> load_first(const T* p, i64 n) {
  Vec<T> v{};
  for (i64 i = 0; i < n; ++i) v[i] = p[i];
  return v;
}
#endif
// Masked stores are slow on several AVX2 machines; these few elements go through a stack buffer.
template <class T, class V>
LAMINA_INLINE void store_first(T* p, V v, i64 n) {
  alignas(LAMINA_VECTOR_BYTES) T lanes[width<T>];
  store<T>(lanes, v);
  for (i64 i = 0; i < n; ++i) p[i] = lanes[i];
}
#endif

// Rounding, roots and fused multiply-add, one rounding where the machine has it.
#if defined(LAMINA_ISA_avx512)
LAMINA_INLINE VecF fma(VecF a, VecF b, VecF c) { return _mm512_fmadd_ps(a, b, c); }
LAMINA_INLINE VecD fma(VecD a, VecD b, VecD c) { return _mm512_fmadd_pd(a, b, c); }
LAMINA_INLINE VecF sqrt(VecF a) { return _mm512_maskz_sqrt_ps(0xffff, a); }
LAMINA_INLINE VecD sqrt(VecD a) { return _mm512_maskz_sqrt_pd(0xff, a); }
LAMINA_INLINE VecF floor(VecF a) { return _mm512_maskz_roundscale_ps(0xffff, a, 1 | 8); }
LAMINA_INLINE VecD floor(VecD a) { return _mm512_maskz_roundscale_pd(0xff, a, 1 | 8); }
LAMINA_INLINE VecF ceil(VecF a) { return _mm512_maskz_roundscale_ps(0xffff, a, 2 | 8); }
LAMINA_INLINE VecD ceil(VecD a) { return _mm512_maskz_roundscale_pd(0xff, a, 2 | 8); }
LAMINA_INLINE VecF round(VecF a) { return _mm512_maskz_roundscale_ps(0xffff, a, 8); }
LAMINA_INLINE VecD round(VecD a) { return _mm512_maskz_roundscale_pd(0xff, a, 8); }
#elif defined(LAMINA_ISA_avx2)
LAMINA_INLINE VecF fma(VecF a, VecF b, VecF c) { return _mm256_fmadd_ps(a, b, c); }
LAMINA_INLINE VecD fma(VecD a, VecD b, VecD c) { return _mm256_fmadd_pd(a, b, c); }
LAMINA_INLINE VecF sqrt(VecF a) { return _mm256_sqrt_ps(a); }
LAMINA_INLINE VecD sqrt(VecD a) { return _mm256_sqrt_pd(a); }
LAMINA_INLINE VecF floor(VecF a) { return _mm256_floor_ps(a); }
LAMINA_INLINE VecD floor(VecD a) { return _mm256_floor_pd(a); }
LAMINA_INLINE VecF ceil(VecF a) { return _mm256_ceil_ps(a); }
LAMINA_INLINE VecD ceil(VecD a) { return _mm256_ceil_pd(a); }
LAMINA_INLINE VecF round(VecF a) { return _mm256_round_ps(a, 8); }
LAMINA_INLINE VecD round(VecD a) { return _mm256_round_pd(a, 8); }
#else
template <class V>
LAMINA_INLINE V fma(V a, V b, V c) {
  return a * b + c;
}
#define LAMINA_LANEWISE(name)                                                \
  LAMINA_INLINE VecF name(VecF a) {                                          \
    for (int i = 0; i < width<float>; ++i) a[i] = __builtin_##name##f(a[i]); \
    return a;                                                                \
  }                                                                          \
  LAMINA_INLINE VecD name(VecD a) {                                          \
    for (int i = 0; i < width<double>; ++i) a[i] = __builtin_##name(a[i]);   \
    return a;                                                                \
  }
LAMINA_LANEWISE(sqrt)
LAMINA_LANEWISE(floor)
LAMINA_LANEWISE(ceil)
LAMINA_LANEWISE(rint)
#undef LAMINA_LANEWISE
template <class V>
LAMINA_INLINE V round(V a) {
  return rint(a);
}
#endif

template <class T>
constexpr Word<T> sign_bit = Word<T>{1} << (8 * sizeof(T) - 1);
template <class T>
LAMINA_INLINE Vec<T> absolute(Vec<T> a) {
  return from_bits<T>(bits<T>(a) & splat_bits<T>(~sign_bit<T>));
}
template <class T>
LAMINA_INLINE Vec<T> copy_sign(Vec<T> size, Vec<T> sign) {
  return from_bits<T>((bits<T>(size) & splat_bits<T>(~sign_bit<T>)) | (bits<T>(sign) & splat_bits<T>(sign_bit<T>)));
}
template <class T>
LAMINA_INLINE bool any(Int<T> mask) {
  Word<T> seen = 0;
  for (int i = 0; i < width<T>; ++i) seen |= static_cast<Word<T>>(mask[i]);
  return seen != 0;
}

// Lane i of the result is lane (i xor distance) of v: the step of every tree over lanes.
template <class T>
LAMINA_INLINE Vec<T> swap_lanes(Vec<T> v, int distance) {
  Int<T> index;
  for (int i = 0; i < width<T>; ++i) index[i] = i ^ distance;
  return __builtin_shuffle(v, index);
}

}  // namespace lamina::LAMINA_ISA
