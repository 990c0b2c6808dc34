// The interpreter of `map`: a block of a few hundred elements at a time goes through all operations while it
// lies in the first-level cache. A register is a pointer: into an operand, into the result, or to a block.
// "Tall" blocks are several whole rows one after another, "wide" blocks a piece of one row.
#pragma once

#include "operations.hpp"
#include "random.hpp"
#include "reduce.hpp"

namespace lamina::LAMINA_ISA {

template <class T>
constexpr i64 block_elements = block_bytes / static_cast<i64>(sizeof(T));

template <class T>
void copy_block(void* out, const void* a, const void*, const void*, const void*, i64 n) {
  sweep<T>(
      out, n, [&](i64 i) { return load(static_cast<const T*>(a) + i); },
      [&](i64 i, i64 left) { return load_first(static_cast<const T*>(a) + i, left); });
}

template <class T>
void splat_block(void* out, const void* a, const void*, const void*, const void*, i64 n) {
  const Vec<T> v = splat<T>(*static_cast<const T*>(a));
  sweep<T>(out, n, [=](i64) { return v; }, [=](i64, i64) { return v; });
}

// These two store whole vectors, past the end of a row: the next row, or the block's slack, takes that.
template <class T>
void repeat_row(T* out, const T* row, i64 rows, i64 n) {
  if (n == width<T>) {
    const Vec<T> v = load(row);
    for (i64 r = 0; r < rows; ++r) store(out + r * n, v);
    return;
  }
  for (i64 i = 0; i < n; i += width<T>) store(out + i, load_first(row + i, n - i < width<T> ? n - i : width<T>));
  for (i64 r = 1; r < rows; ++r) {
    for (i64 i = 0; i < n; i += width<T>) store(out + r * n + i, load(out + i));
  }
}
template <class T>
void spread_column(T* out, const T* column, i64 rows, i64 n) {
  for (i64 r = 0; r < rows; ++r) {
    const Vec<T> v = splat<T>(column[r]);
    for (i64 i = 0; i < n; i += width<T>) store(out + r * n + i, v);
  }
}

template <class T>
class MapRun {
 public:
  MapRun(const MapTask& task, Context& context)
      : task_(task),
        step_(*context.step),
        shard_(context.shard),
        first_(context.first),
        n_(task.columns.at(context.step->rows)),
        scratch_(context.scratch),
        registers_(reinterpret_cast<void**>(context.registers + task.registers_offset)) {}

  void area(Share rows, Share columns) {
    for (const MapOperand& o : task_.scalar) registers_[o.reg] = address(o.value);
    for (const MapOp& op : task_.uniform) call(op, op.wide, 1, 0);
    for (const MapSink& s : task_.all) start_lanes(s);
    for (const MapSink& s : task_.down) start_columns(s, columns);
    const bool tall = columns.end - columns.begin == n_ && 2 * n_ <= block_elements<T> && rows.end - rows.begin > 1;
    tall ? tall_blocks(rows) : wide_blocks(rows, columns);
    for (const MapSink& s : task_.down) finish_down(s, columns);
    for (const MapSink& s : task_.all) finish_lanes(s, 0);
  }

 private:
  LAMINA_INLINE T* reg(int i) const { return static_cast<T*>(registers_[i]); }
  LAMINA_INLINE T* address(int value) const { return reinterpret_cast<T*>(step_.address[value]); }
  LAMINA_INLINE T* block(int i) const { return reinterpret_cast<T*>(scratch_ + i * block_stride); }
  LAMINA_INLINE T* sums(const MapSink& sink) const { return reinterpret_cast<T*>(scratch_ + sink.scratch); }

  LAMINA_INLINE void call(const MapOp& op, MapKernel kernel, i64 n, i64 element) {
    void** const r = registers_;
    if (op.random) return fill_random<T>(reg(op.out), n, element, op.stream, step_.number);
    const int* const a = op.arguments;
    kernel(r[op.out], r[a[0]], r[a[1]], r[a[2]], r[a[3]], n);
  }
  LAMINA_INLINE void place_full(i64 element, i64 count) {
    for (const MapOperand& o : task_.full) registers_[o.reg] = address(o.value) + element;
    for (const MapOperand& o : task_.partial) registers_[o.reg] = total(o, element, count);
  }
  // The sums of all shards, in their order.
  T* total(const MapOperand& o, i64 element, i64 count) {
    T* const first = address(o.value) + element;
    if (step_.shards == 1) return first;
    T* const sum = block(o.block);
    for (int s = 1; s < step_.shards; ++s)
      apply<T, op::add, 2, 0>(sum, s == 1 ? first : sum, first + s * o.copies, nullptr, nullptr, count);
    return sum;
  }

  // ---- several whole rows a block
  void tall_blocks(Share rows) {
    const i64 total = rows.end - rows.begin;
    const i64 height = block_elements<T> / n_ < total ? block_elements<T> / n_ : total;
    for (const MapOperand& o : task_.row) {
      registers_[o.reg] = block(o.block);
      repeat_row<T>(block(o.block), address(o.value), height, n_);
    }
    for (const MapOperand& o : task_.column) registers_[o.reg] = block(o.block);
    for (i64 r = rows.begin; r < rows.end; r += height) {
      tall_block(r, rows.end - r < height ? rows.end - r : height);
    }
  }
  void tall_block(i64 row, i64 rows) {
    const i64 count = rows * n_;
    place_full(row * n_, count);
    for (const MapOperand& o : task_.column) spread_column<T>(block(o.block), address(o.value) + row, rows, n_);
    for (const MapOp& op : task_.ops) call(op, op.tall, op.single_tall ? 1 : count, row * n_);
    for (const MapSink& s : task_.along)
      (s.max ? fold_rows<T, Max> : fold_rows<T, Sum>)(address(s.value) + row, reg(s.reg), rows, n_);
    for (const MapSink& s : task_.down) join_rows(s, row, rows, 0, n_);
    for (const MapSink& s : task_.all) add_lanes(s, row * n_, count);
    for (const MapSink& s : task_.copies)
      copy_block<T>(address(s.value) + row * n_, registers_[s.reg], nullptr, nullptr, nullptr, count);
  }

  // ---- a piece of one row a block
  void wide_blocks(Share rows, Share columns) {
    for (i64 r = rows.begin; r < rows.end; ++r) {
      for (const MapOperand& o : task_.column) registers_[o.reg] = address(o.value) + r;
      for (const MapSink& s : task_.along) start_lanes(s);
      for (i64 c = columns.begin; c < columns.end; c += block_elements<T>) {
        const i64 left = columns.end - c;
        wide_block(r, c, left < block_elements<T> ? left : block_elements<T>);
      }
      for (const MapSink& s : task_.along) finish_lanes(s, r);
    }
  }
  void wide_block(i64 row, i64 column, i64 count) {
    const i64 element = row * n_ + column;
    place_full(element, count);
    for (const MapOperand& o : task_.row) registers_[o.reg] = address(o.value) + column;
    for (const MapOp& op : task_.ops) call(op, op.wide, op.single_wide ? 1 : count, element);
    for (const MapSink& s : task_.along) add_lanes(s, column, count);
    for (const MapSink& s : task_.down) join_rows(s, row, 1, column, count);
    for (const MapSink& s : task_.all) add_lanes(s, element, count);
    for (const MapSink& s : task_.copies)
      copy_block<T>(address(s.value) + element, registers_[s.reg], nullptr, nullptr, nullptr, count);
  }

  // ---- sums along a row, or over all: 64 lanes by the number of the element
  void start_lanes(const MapSink& s) { (s.max ? Lanes<T, Max>::reset : Lanes<T, Sum>::reset)(sums(s)); }
  void add_lanes(const MapSink& s, i64 first, i64 count) {
    (s.max ? Lanes<T, Max>::add : Lanes<T, Sum>::add)(sums(s), first, reg(s.reg), count);
  }
  void finish_lanes(const MapSink& s, i64 row) {
    const T found = (s.max ? Lanes<T, Max>::finish : Lanes<T, Sum>::finish)(sums(s));
    T* const out = address(s.value) + shard_ * s.copies + row;
    *out = continues(s) ? *out + found : found;
  }
  bool continues(const MapSink& s) const { return s.copies > 0 && !first_; }

  // ---- sums down the columns: accumulators (interleave, n)
  void start_columns(const MapSink& s, Share columns) {
    const T start = s.max ? Max::start<T>() : Sum::start<T>();
    for (i64 j = 0; j < interleave(n_); ++j) {
      for (i64 c = columns.begin; c < columns.end; ++c) sums(s)[j * n_ + c] = start;
    }
  }
  void join_rows(const MapSink& s, i64 row, i64 rows, i64 column, i64 count) {
    const bool four = interleave(n_) == 4;
    const auto join = s.max ? (four ? fold_columns<T, Max, 4> : fold_columns<T, Max, 1>)
                            : (four ? fold_columns<T, Sum, 4> : fold_columns<T, Sum, 1>);
    join(sums(s) + column, n_, reg(s.reg), n_, rows, count, row);
  }
  void finish_down(const MapSink& s, Share columns) {
    const auto finish = s.max ? finish_columns<T, Max> : finish_columns<T, Sum>;
    finish(address(s.value) + shard_ * s.copies + columns.begin, sums(s) + columns.begin, n_, interleave(n_) == 4,
           columns.end - columns.begin, continues(s));
  }

  const MapTask& task_;
  const Step& step_;
  const int shard_;
  const bool first_;
  const i64 n_;
  char* const scratch_;
  void** const registers_;
};

template <class T>
void map(const Task& task, Context& context, Share part) {
  const MapTask& map = static_cast<const MapTask&>(task);
  const i64 rows = context.step->rows;
  const Share all_rows{0, map.rows.at(rows)};
  const Share all_columns{0, map.columns.at(rows)};
  MapRun<T>(map, context).area(map.by_columns ? all_rows : part, map.by_columns ? part : all_columns);
}

}  // namespace lamina::LAMINA_ISA
