// A matrix put into panels: `out[k][j] = in[k * row + j * column]`, contiguous vectors of columns.
#pragma once

#include "map.hpp"

namespace lamina::LAMINA_ISA {

// A square of vectors transposed by exchanging ever larger off-diagonal blocks.
template <class T> LAMINA_INLINE void transpose(Vec<T> (&v)[width<T>]) {
  constexpr int W = width<T>;
#pragma GCC unroll 4
  for (int s = 1; s < W; s *= 2) {
    Int<T> low, high;
    for (int i = 0; i < W; ++i) low[i] = i & s ? i - s + W : i;
    for (int i = 0; i < W; ++i) high[i] = i & s ? i + W : i + s;
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) {
      if (i & s) continue;
      const Vec<T> a = v[i];
      const Vec<T> b = v[i + s];
      v[i] = __builtin_shuffle(a, b, low);
      v[i + s] = __builtin_shuffle(a, b, high);
    }
  }
}

// W columns that each lie along k, for `count` <= W values of k; columns from `columns` on are zero.
template <class T> LAMINA_INLINE void pack_square(T* out, i64 stride, const T* in, i64 column, i64 count, i64 columns) {
  constexpr int W = width<T>;
  Vec<T> v[W];
  if (count == W && columns >= W) {
#pragma GCC unroll 16
    for (int j = 0; j < W; ++j) v[j] = load(in + j * column);
  } else {
    for (int j = 0; j < W; ++j) v[j] = j < columns ? load_first(in + j * column, count) : Vec<T>{};
  }
  transpose<T>(v);
  if (count == W) {
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) store(out + i * stride, v[i]);
  } else {
    for (int i = 0; i < count; ++i) store(out + i * stride, v[i]);
  }
}

template <class T> void pack_transposed(T* out, i64 stride, const T* in, i64 column, i64 depth, i64 columns) {
  constexpr i64 W = width<T>;
  for (i64 k = 0; k < depth; k += W) {
    for (i64 j = 0; j < columns; j += W) {
      pack_square<T>(out + k * stride + j, stride, in + j * column + k, column, depth - k < W ? depth - k : W, columns - j);
    }
  }
}

template <class T> void pack_rows(T* out, i64 stride, const T* in, i64 row, i64 depth, i64 columns) {
  for (i64 k = 0; k < depth; ++k) {
    for (i64 j = 0; j < columns; j += width<T>) {
      const i64 left = columns - j;
      store(out + k * stride + j, left < width<T> ? load_first(in + k * row + j, left) : load(in + k * row + j));
    }
  }
}

template <class T> void pack_any(T* out, i64 stride, const T* in, i64 row, i64 column, i64 depth, i64 columns) {
  for (i64 k = 0; k < depth; ++k) {
    for (i64 j = 0; j < columns; ++j) out[k * stride + j] = in[k * row + j * column];
  }
}

// Elements between the rows of the panel that begins at column j of n: whole vectors, at most a panel.
template <class T> LAMINA_INLINE i64 panel_stride(i64 n, i64 j, i64 panel) {
  const i64 vectors = (n - j + width<T> - 1) / width<T>;
  return vectors * width<T> < panel ? vectors * width<T> : panel;
}

// `stride` leaves room for whole vectors of columns.
template <class T> void pack_panel(T* out, i64 stride, const T* in, i64 row, i64 column, i64 depth, i64 columns) {
  if (column == 1) return pack_rows<T>(out, stride, in, row, depth, columns);
  if (row == 1) return pack_transposed<T>(out, stride, in, column, depth, columns);
  pack_any<T>(out, stride, in, row, column, depth, columns);
}

}  // namespace lamina::LAMINA_ISA
