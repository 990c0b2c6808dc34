// A matrix put into panels: `out[k][j] = in[k * row + j * column]`, contiguous vectors of columns.
#pragma once

#include "map.hpp"

namespace lamina::LAMINA_ISA {

// A vector of 16-byte chunks that lie `distance` elements apart.
#if defined(LAMINA_ISA_avx512)
LAMINA_INLINE VecF load_chunks(const float* p, i64 distance) {
  const __m512 v = _mm512_castps128_ps512(_mm_loadu_ps(p));
  const __m512 w = _mm512_insertf32x4(v, _mm_loadu_ps(p + distance), 1);
  return _mm512_insertf32x4(_mm512_insertf32x4(w, _mm_loadu_ps(p + 2 * distance), 2), _mm_loadu_ps(p + 3 * distance),
                            3);
}
LAMINA_INLINE VecD load_chunks(const double* p, i64 distance) {
  const __m512d v = _mm512_castpd128_pd512(_mm_loadu_pd(p));
  const __m512d w = _mm512_insertf64x2(v, _mm_loadu_pd(p + distance), 1);
  return _mm512_insertf64x2(_mm512_insertf64x2(w, _mm_loadu_pd(p + 2 * distance), 2), _mm_loadu_pd(p + 3 * distance),
                            3);
}
#elif defined(LAMINA_ISA_avx2)
LAMINA_INLINE VecF load_chunks(const float* p, i64 distance) { return _mm256_loadu2_m128(p + distance, p); }
LAMINA_INLINE VecD load_chunks(const double* p, i64 distance) { return _mm256_loadu2_m128d(p + distance, p); }
#else
template <class T>
LAMINA_INLINE Vec<T> load_chunks(const T* p, i64) {
  return load(p);
}
#endif

// Lane i of each chunk: alternately from a and b, beginning in the chunk's lower or upper half.
template <class T, bool Upper>
LAMINA_INLINE Vec<T> interleave_chunks(Vec<T> a, Vec<T> b) {
  constexpr int E = 16 / static_cast<int>(sizeof(T));
  Int<T> index;
  for (int i = 0; i < width<T>; ++i) index[i] = i / E * E + (i % E) / 2 + (Upper ? E / 2 : 0) + (i % 2) * width<T>;
  return __builtin_shuffle(a, b, index);
}

// W columns that each lie along k, for W values of k: chunks come to their place by loading, the rest within chunks.
template <class T>
LAMINA_INLINE void pack_square(T* out, i64 stride, const T* in, i64 column) {
  constexpr int E = 16 / static_cast<int>(sizeof(T));
#pragma GCC unroll 4
  for (int q = 0; q < width<T>; q += E) {
    Vec<T> v[E];
#pragma GCC unroll 4
    for (int i = 0; i < E; ++i) v[i] = load_chunks(in + i * column + q, E * column);
    if constexpr (E == 4) {
      const Vec<T> low = interleave_chunks<T, false>(v[0], v[2]), high = interleave_chunks<T, true>(v[0], v[2]);
      const Vec<T> low1 = interleave_chunks<T, false>(v[1], v[3]), high1 = interleave_chunks<T, true>(v[1], v[3]);
      store(out + (q + 0) * stride, interleave_chunks<T, false>(low, low1));
      store(out + (q + 1) * stride, interleave_chunks<T, true>(low, low1));
      store(out + (q + 2) * stride, interleave_chunks<T, false>(high, high1));
      store(out + (q + 3) * stride, interleave_chunks<T, true>(high, high1));
    } else {
      store(out + (q + 0) * stride, interleave_chunks<T, false>(v[0], v[1]));
      store(out + (q + 1) * stride, interleave_chunks<T, true>(v[0], v[1]));
    }
  }
}

// The same at the edges: `count` values of k and `columns` columns, zeros beyond.
template <class T>
void pack_edge(T* out, i64 stride, const T* in, i64 column, i64 count, i64 columns) {
  constexpr int W = width<T>;
  alignas(64) T from[W * W], to[W * W];
  for (int j = 0; j < W; ++j) store(from + j * W, j < columns ? load_first(in + j * column, count) : Vec<T>{});
  pack_square<T>(to, W, from, W);
  for (int i = 0; i < count; ++i) store(out + i * stride, load(to + i * W));
}

template <class T>
void pack_transposed(T* out, i64 stride, const T* in, i64 column, i64 depth, i64 columns) {
  constexpr i64 W = width<T>;
  for (i64 k = 0; k < depth; k += W) {
    for (i64 j = 0; j < columns; j += W) {
      T* const to = out + k * stride + j;
      const T* const from = in + j * column + k;
      if (depth - k >= W && columns - j >= W) pack_square<T>(to, stride, from, column);
      else pack_edge<T>(to, stride, from, column, depth - k < W ? depth - k : W, columns - j);
    }
  }
}

template <class T>
void pack_rows(T* out, i64 stride, const T* in, i64 row, i64 depth, i64 columns) {
  for (i64 k = 0; k < depth; ++k) {
    for (i64 j = 0; j < columns; j += width<T>) {
      const i64 left = columns - j;
      store(out + k * stride + j, left < width<T> ? load_first(in + k * row + j, left) : load(in + k * row + j));
    }
  }
}

template <class T>
void pack_any(T* out, i64 stride, const T* in, i64 row, i64 column, i64 depth, i64 columns) {
  for (i64 k = 0; k < depth; ++k) {
    for (i64 j = 0; j < columns; ++j) out[k * stride + j] = in[k * row + j * column];
  }
}

// Elements between the rows of the panel that begins at column j of n: whole vectors, at most a panel.
template <class T>
LAMINA_INLINE i64 panel_stride(i64 n, i64 j, i64 panel) {
  const i64 vectors = (n - j + width<T> - 1) / width<T>;
  return vectors * width<T> < panel ? vectors * width<T> : panel;
}

// `stride` leaves room for whole vectors of columns.
template <class T>
void pack_panel(T* out, i64 stride, const T* in, i64 row, i64 column, i64 depth, i64 columns) {
  if (column == 1) return pack_rows<T>(out, stride, in, row, depth, columns);
  if (row == 1) return pack_transposed<T>(out, stride, in, column, depth, columns);
  pack_any<T>(out, stride, in, row, column, depth, columns);
}

}  // namespace lamina::LAMINA_ISA
