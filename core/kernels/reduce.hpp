// Sums and maxima in one fixed order, the same for every instruction set and number of threads.
// Along a row: element i goes to lane i % 64, then lanes are folded in halves (l with l + 32, l + 16, … l + 1).
// Down the columns: row r goes to accumulator r % interleave, then ((0 + 1) + (2 + 3)).
#pragma once

#include "simd.hpp"

namespace lamina::LAMINA_ISA {

constexpr int fold_lanes = 64;

struct Sum {
  template <class T>
  static constexpr T start() {
    return 0;
  }
  template <class T>
  LAMINA_INLINE static Vec<T> join(Vec<T> a, Vec<T> b) {
    return a + b;
  }
};
struct Max {
  template <class T>
  static constexpr T start() {
    return -__builtin_inf();
  }
  template <class T>
  LAMINA_INLINE static Vec<T> join(Vec<T> a, Vec<T> b) {
    return (a > b) | (a != a) ? a : b;
  }
};

// Elements of a tail that are not there count as `start`.
template <class T, class F>
LAMINA_INLINE Vec<T> load_padded(const T* p, i64 n) {
  if (F::template start<T>() == T{0}) return load_first(p, n);
  Int<T> lane;
  for (int i = 0; i < width<T>; ++i) lane[i] = i;
  const Int<T> count = Int<T>{} + static_cast<typename Types<T>::Signed>(n);
  return lane < count ? load_first(p, n) : splat<T>(F::template start<T>());
}

template <class T, class F, int Count>
LAMINA_INLINE T fold_vectors(Vec<T> (&v)[Count]) {
#pragma GCC unroll 8
  for (int half = Count / 2; half > 0; half /= 2) {
#pragma GCC unroll 32
    for (int i = 0; i < half; ++i) v[i] = F::template join<T>(v[i], v[i + half]);
  }
  Vec<T> x = v[0];
#pragma GCC unroll 4
  for (int distance = width<T> / 2; distance > 0; distance /= 2) x = F::template join<T>(x, swap_lanes<T>(x, distance));
  return x[0];
}

// A reduction that may come in pieces.
template <class T, class F>
struct Lanes {
  static constexpr int vectors = fold_lanes / width<T>;
  static void reset(T* lanes) {
    for (int i = 0; i < fold_lanes; ++i) lanes[i] = F::template start<T>();
  }
  // Elements that belong to the lanes from `lane` on, all before the last lane.
  static void add_few(T* lanes, i64 lane, const T* v, i64 n) {
    for (i64 i = 0; i < n; i += width<T>) {
      const i64 left = n - i < width<T> ? n - i : width<T>;
      T* const sum = lanes + lane + i;
      store_first(sum, F::template join<T>(load_first(sum, left), load_first(v + i, left)), left);
    }
  }
  // Elements of which the first has the number `first`.
  static void add(T* lanes, i64 first, const T* v, i64 n) {
    const i64 lane = first % fold_lanes;
    if (lane == 0) return add_aligned(lanes, v, n);
    const i64 few = n < fold_lanes - lane ? n : fold_lanes - lane;
    add_few(lanes, lane, v, few);
    add_aligned(lanes, v + few, n - few);
  }
  static void add_aligned(T* lanes, const T* v, i64 n) {
    Vec<T> acc[vectors];
#pragma GCC unroll 32
    for (int j = 0; j < vectors; ++j) acc[j] = load(lanes + j * width<T>);
    i64 i = 0;
    for (; i + fold_lanes <= n; i += fold_lanes) {
#pragma GCC unroll 32
      for (int j = 0; j < vectors; ++j) acc[j] = F::template join<T>(acc[j], load(v + i + j * width<T>));
    }
#pragma GCC unroll 32
    for (int j = 0; j < vectors; ++j) store(lanes + j * width<T>, acc[j]);
    add_few(lanes, 0, v + i, n - i);
  }
  static T finish(const T* lanes) {
    Vec<T> v[vectors];
#pragma GCC unroll 32
    for (int j = 0; j < vectors; ++j) v[j] = load(lanes + j * width<T>);
    return fold_vectors<T, F>(v);
  }
};

// A short row in registers: its 16 lanes, the others holding only `start`, folded to one vector.
template <class T, class F>
LAMINA_INLINE Vec<T> fold_short(const T* v, i64 n) {
  constexpr int count = 16 / width<T>;
  Vec<T> acc[count];
#pragma GCC unroll 8
  for (int j = 0; j < count; ++j) {
    const i64 left = n - j * width<T>;
    const Vec<T> empty = splat<T>(F::template start<T>());
    if (left <= 0) acc[j] = empty;
    else
      acc[j] = F::template join<T>(
          empty, left >= width<T> ? load(v + j * width<T>) : load_padded<T, F>(v + j * width<T>, left));
  }
#pragma GCC unroll 4
  for (int half = count / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
    for (int i = 0; i < half; ++i) acc[i] = F::template join<T>(acc[i], acc[i + half]);
  }
  return acc[0];
}

// W rows at once: two rows share a vector as soon as half of its lanes suffice for each; lane r ends as row r.
template <class T, class F, int Distance, int Count>
LAMINA_INLINE void fold_pairs(Vec<T> (&v)[Count]) {
  constexpr int W = width<T>;
  Int<T> near, far;
  for (int i = 0; i < W; ++i) near[i] = i & Distance ? i - Distance + W : i;
  for (int i = 0; i < W; ++i) far[i] = i & Distance ? i + W : i + Distance;
#pragma GCC unroll 16
  for (int i = 0; i < Distance; ++i) {
    v[i] = F::template join<T>(__builtin_shuffle(v[i], v[i + Distance], near),
                               __builtin_shuffle(v[i], v[i + Distance], far));
  }
  if constexpr (Distance > 1) fold_pairs<T, F, Distance / 2>(v);
}
template <class T, class F>
LAMINA_INLINE void fold_short_rows(T* out, const T* v, i64 rows, i64 n) {
  constexpr int W = width<T>;
  Vec<T> acc[W];
#pragma GCC unroll 16
  for (int r = 0; r < W; ++r) acc[r] = fold_short<T, F>(v + (r < rows ? r : 0) * n, n);
  fold_pairs<T, F, W / 2>(acc);
  store_first(out, acc[0], rows);
}

// out[r] = reduction of row r of v (rows, n).
template <class T, class F>
void fold_rows(T* out, const T* v, i64 rows, i64 n) {
  if (n <= 16) {
    for (i64 r = 0; r < rows; r += width<T>)
      fold_short_rows<T, F>(out + r, v + r * n, rows - r < width<T> ? rows - r : width<T>, n);
    return;
  }
  alignas(64) T lanes[fold_lanes];
  for (i64 r = 0; r < rows; ++r) {
    Lanes<T, F>::reset(lanes);
    Lanes<T, F>::add_aligned(lanes, v + r * n, n);
    out[r] = Lanes<T, F>::finish(lanes);
  }
}

// Narrow columns keep four sums apart, which hides the latency of adding; wide ones have enough columns for that.
constexpr i64 interleave(i64 n) { return n < 128 ? 4 : 1; }

// One vector of columns: rows of v (rows, stride) joined onto accumulators that lie acc_stride apart.
template <class T, class F, int Count, class Load, class Store>
LAMINA_INLINE void add_rows(T* acc, i64 acc_stride, const T* v, i64 stride, i64 rows, i64 row, Load get, Store put) {
  Vec<T> sum[Count];  // sum[j] is the accumulator of row + j
#pragma GCC unroll 4
  for (int j = 0; j < Count; ++j) sum[j] = get(acc + ((row + j) % Count) * acc_stride);
  i64 r = 0;
  for (; r + Count <= rows; r += Count) {
#pragma GCC unroll 4
    for (int j = 0; j < Count; ++j) sum[j] = F::template join<T>(sum[j], get(v + (r + j) * stride));
  }
#pragma GCC unroll 4
  for (int j = 0; j < Count; ++j) {
    if (r + j < rows) sum[j] = F::template join<T>(sum[j], get(v + (r + j) * stride));
  }
#pragma GCC unroll 4
  for (int j = 0; j < Count; ++j) put(acc + ((row + j) % Count) * acc_stride, sum[j]);
}

// Rows of v (rows, n), `row` the number of the first, joined onto the accumulators.
template <class T, class F, int Count>
void fold_columns(T* acc, i64 acc_stride, const T* v, i64 stride, i64 rows, i64 n, i64 row) {
  i64 i = 0;
  for (; i + width<T> <= n; i += width<T>) {
    add_rows<T, F, Count>(
        acc + i, acc_stride, v + i, stride, rows, row, [](const T* p) { return load(p); },
        [](T* p, Vec<T> x) { store(p, x); });
  }
  if (const i64 left = n - i; left > 0) {
    add_rows<T, F, Count>(
        acc + i, acc_stride, v + i, stride, rows, row, [=](const T* p) { return load_first(p, left); },
        [=](T* p, Vec<T> x) { store_first(p, x, left); });
  }
}

template <class T, class F>
void finish_columns(T* out, const T* acc, i64 acc_stride, bool interleaved, i64 n, bool onto) {
  for (i64 i = 0; i < n; i += width<T>) {
    const i64 count = n - i < width<T> ? n - i : width<T>;
    const auto at = [&](i64 j) { return load_first(acc + j * acc_stride + i, count); };
    const Vec<T> sum =
        interleaved ? F::template join<T>(F::template join<T>(at(0), at(1)), F::template join<T>(at(2), at(3))) : at(0);
    store_first(out + i, onto ? F::template join<T>(load_first(out + i, count), sum) : sum, count);
  }
}

}  // namespace lamina::LAMINA_ISA
