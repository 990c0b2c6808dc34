// Instructions that only move data: load, copy, fill, take, scatter_add, argmax.
#pragma once

#include "map.hpp"

namespace lamina::LAMINA_ISA {

template <class T>
LAMINA_INLINE T* at(const Context& context, int value) {
  return reinterpret_cast<T*>(context.step->address[value]);
}

template <class T>
LAMINA_INLINE void copy_run(T* out, const T* in, i64 n) {
  i64 i = 0;
  for (; i + width<T> <= n; i += width<T>) store(out + i, load(in + i));
  if (i < n) store_first(out + i, load_first(in + i, n - i), n - i);
}

// Gathered rows; the next ones are asked for ahead of their use.
template <class T, class Copy>
LAMINA_INLINE void gather(T* out, const T* data, const i64* order, Share rows, i64 n, Copy copy) {
  constexpr i64 ahead = 8;
  i64 r = rows.begin;
  for (; r < rows.end - ahead; ++r) {
    __builtin_prefetch(data + order[r + ahead] * n);
    copy(out + r * n, data + order[r] * n);
  }
  for (; r < rows.end; ++r) copy(out + r * n, data + order[r] * n);
}

template <class T>
void load_rows(const Task& task, Context& context, Share rows) {
  const LoadTask& t = static_cast<const LoadTask&>(task);
  const Step& step = *context.step;
  const T* const data = at<const T>(context, t.input);
  T* const out = at<T>(context, t.target);
  const i64 n = t.per_row;
  if (step.order == nullptr)
    return copy_run<T>(out + rows.begin * n, data + (step.first + rows.begin) * n, (rows.end - rows.begin) * n);
  const i64* const order = step.order + step.first;
  if (n == 1) return gather<T>(out, data, order, rows, 1, [](T* to, const T* from) { *to = *from; });
  if (n <= width<T>)
    return gather<T>(out, data, order, rows, n, [=](T* to, const T* from) { store_first(to, load_first(from, n), n); });
  gather<T>(out, data, order, rows, n, [=](T* to, const T* from) { copy_run<T>(to, from, n); });
}

template <class T>
LAMINA_INLINE void fill_run(T* out, T number, i64 n) {
  for (i64 i = 0; i < n; ++i) out[i] = number;
}

template <class T>
void copy_level(const CopyTask& t, T* out, const T* in, int level, i64 count) {
  const i64 to = t.target_strides[level];
  const i64 from = t.source_strides[level];
  if (level + 1 == t.rank) {
    if (to == 1 && from == 1) return copy_run<T>(out, in, count);
    if (to == 1 && from == 0 && count > 0) return fill_run<T>(out, *in, count);
    for (i64 i = 0; i < count; ++i) out[i * to] = in[i * from];
    return;
  }
  for (i64 i = 0; i < count; ++i) copy_level<T>(t, out + i * to, in + i * from, level + 1, t.sizes[level + 1]);
}

template <class T>
void copy(const Task& task, Context& context, Share part) {
  const CopyTask& t = static_cast<const CopyTask&>(task);
  T* const out = at<T>(context, t.target) + t.target_offset + part.begin * t.target_strides[0];
  const T* const in = at<const T>(context, t.source) + t.source_offset + part.begin * t.source_strides[0];
  copy_level<T>(t, out, in, 0, part.end - part.begin);
}

template <class T>
void fill(const Task& task, Context& context, Share part) {
  const FillTask& t = static_cast<const FillTask&>(task);
  fill_run<T>(at<T>(context, t.target) + part.begin, static_cast<T>(t.number), part.end - part.begin);
}

// A row of the table for an index as NumPy reads it, or -1. NaN and infinity are no index either.
template <class T>
LAMINA_INLINE i64 row_of(T index, i64 size) {
  if (!(index > T(-0x1p62) && index < T(0x1p62))) return -1;
  const i64 i = static_cast<i64>(index);
  const i64 row = i < 0 ? i + size : i;
  return row >= 0 && row < size ? row : -1;
}
template <class T>
LAMINA_INLINE void report(Context& context, const Task& task, i64 row, T index) {
  if (context.fault.task != nullptr) return;
  const bool finite = index > T(-0x1p62) && index < T(0x1p62);
  context.fault = {&task, row, finite ? static_cast<i64>(index) : INT64_MIN};
}

template <class T>
void take(const Task& task, Context& context, Share rows) {
  const LookupTask& t = static_cast<const LookupTask&>(task);
  const T* const table = at<const T>(context, t.table);
  const T* const index = at<const T>(context, t.index);
  T* const out = at<T>(context, t.target);
  for (i64 i = rows.begin; i < rows.end; ++i) {
    const i64 row = row_of<T>(index[i], t.size);
    if (row < 0) return report<T>(context, task, i, index[i]);
    copy_run<T>(out + i * t.n, table + row * t.n, t.n);
  }
}

template <class T>
void scatter_rows(const LookupTask& t, Context& context, T* out, Share columns, Share rows) {
  const i64 n = columns.end - columns.begin;
  const T* const index = at<const T>(context, t.index);
  const T* const in = at<const T>(context, t.table) + columns.begin;
  for (i64 i = rows.begin; i < rows.end; ++i) {
    const i64 row = row_of<T>(index[i], t.size);
    if (row < 0) return report<T>(context, t, i, index[i]);
    if (t.n == 1) out[row] += in[i];
    else
      for (i64 j = 0; j < n; ++j) out[row * t.n + j] += in[i * t.n + j];
  }
}

template <class T>
void scatter_add(const Task& task, Context& context, Share columns) {
  const LookupTask& t = static_cast<const LookupTask&>(task);
  T* const out = at<T>(context, t.target) + columns.begin;
  for (i64 r = 0; r < t.size; ++r) fill_run<T>(out + r * t.n, T{0}, columns.end - columns.begin);
  scatter_rows<T>(t, context, out, columns, {0, t.m.at(context.step->rows)});
}

template <class T>
void scatter_add_partial(const Task& task, Context& context, Share rows) {
  const LookupTask& t = static_cast<const LookupTask&>(task);
  T* const out = at<T>(context, t.target) + context.shard * t.copies;
  if (context.first) fill_run<T>(out, T{0}, t.size * t.n);
  scatter_rows<T>(t, context, out, {0, t.n}, rows);
}

// The first maximum; a NaN is the largest of all, as in NumPy.
template <class T>
void argmax(const Task& task, Context& context, Share rows) {
  const LookupTask& t = static_cast<const LookupTask&>(task);
  const T* const in = at<const T>(context, t.table);
  T* const out = at<T>(context, t.target);
  for (i64 i = rows.begin; i < rows.end; ++i) {
    const T* const row = in + i * t.n;
    i64 best = 0;
    for (i64 j = 1; j < t.n && row[best] == row[best]; ++j) best = row[j] > row[best] || row[j] != row[j] ? j : best;
    out[i] = static_cast<T>(best);
  }
}

}  // namespace lamina::LAMINA_ISA
