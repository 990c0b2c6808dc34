// The interpreter of `map`: a block of a few hundred elements at a time goes through all operations while it
// lies in the first-level cache. A register is a pointer: into an operand, into the result, or to a block.
// "Tall" blocks are several whole rows one after another, "wide" blocks a piece of one row.
#pragma once

#include "operations.hpp"
#include "random.hpp"
#include "reduce.hpp"

namespace lamina::LAMINA_ISA {

template <class T> constexpr i64 block_elements = block_bytes / static_cast<i64>(sizeof(T));

template <class T> void copy_block(void* out, const void* a, const void*, const void*, i64 n) {
  sweep<T>(out, n, [&](i64 i) { return load(static_cast<const T*>(a) + i); },
           [&](i64 i, i64 left) { return load_first(static_cast<const T*>(a) + i, left); });
}

template <class T> void splat_block(void* out, const void* a, const void*, const void*, i64 n) {
  const Vec<T> v = splat<T>(*static_cast<const T*>(a));
  sweep<T>(out, n, [=](i64) { return v; }, [=](i64, i64) { return v; });
}

// These two store whole vectors, past the end of a row: the next row, or the block's slack, takes that.
template <class T> void repeat_row(T* out, const T* row, i64 rows, i64 n) {
  for (i64 i = 0; i < n; i += width<T>) store(out + i, load_first(row + i, n - i < width<T> ? n - i : width<T>));
  for (i64 r = 1; r < rows; ++r) {
    for (i64 i = 0; i < n; i += width<T>) store(out + r * n + i, load(out + i));
  }
}
template <class T> void spread_column(T* out, const T* column, i64 rows, i64 n) {
  for (i64 r = 0; r < rows; ++r) {
    const Vec<T> v = splat<T>(column[r]);
    for (i64 i = 0; i < n; i += width<T>) store(out + r * n + i, v);
  }
}

template <class T> class MapRun {
 public:
  MapRun(const MapTask& task, Context& context)
      : task_(task), step_(*context.step), n_(task.columns.at(context.step->rows)), scratch_(context.scratch),
        registers_(reinterpret_cast<char**>(context.scratch)) {}

  void area(Share rows, Share columns) {
    place_blocks();
    place_constants();
    for (int i = 0; i < task_.uniform_count; ++i) call(task_.uniform[i], task_.uniform[i].wide, 1, 0);
    start_lanes(true);
    start_folds(columns);
    const bool tall = columns.end - columns.begin == n_ && 2 * n_ <= block_elements<T> && rows.end - rows.begin > 1;
    tall ? tall_blocks(rows) : wide_blocks(rows, columns);
    finish_folds(columns);
    finish_lanes(0, true);
  }

 private:
  char* address(int value) const { return step_.address[value]; }
  T* reg(int i) const { return reinterpret_cast<T*>(registers_[i]); }
  T* block(int i) const {
    return reinterpret_cast<T*>(scratch_ + task_.blocks_offset + i * block_stride);
  }
  T* sums(const MapSink& sink) const { return reinterpret_cast<T*>(scratch_ + sink.scratch); }

  void place_blocks() {
    for (i64 i = 0; i < task_.registers; ++i) {
      if (task_.block_of[i] >= 0) registers_[i] = reinterpret_cast<char*>(block(task_.block_of[i]));
    }
  }
  void place_constants() {
    for (int i = 0; i < task_.constant_count; ++i) registers_[task_.constants[i].reg] = const_cast<char*>(task_.constants[i].data);
    for (int i = 0; i < task_.source_count; ++i) {
      if (task_.sources[i].spread == Spread::scalar) registers_[task_.sources[i].reg] = address(task_.sources[i].value);
    }
  }

  void call(const MapOp& op, MapKernel kernel, i64 n, i64 element) {
    if (op.random) return fill_random<T>(reg(op.out), n, element, op.stream, step_.number);
    kernel(reg(op.out), reg(op.arguments[0]), reg(op.arguments[1]), reg(op.arguments[2]), n);
  }

  void place_full(i64 element) {
    for (int i = 0; i < task_.source_count; ++i) {
      const MapSource& s = task_.sources[i];
      if (s.spread == Spread::full) registers_[s.reg] = address(s.value) + element * static_cast<i64>(sizeof(T));
    }
    for (int i = 0; i < task_.sink_count; ++i) {
      const MapSink& s = task_.sinks[i];
      if (s.fold == Fold::none && !s.copied) registers_[s.reg] = address(s.value) + element * static_cast<i64>(sizeof(T));
    }
  }

  void tall_blocks(Share rows) {
    const i64 height = block_elements<T> / n_;
    const i64 total = rows.end - rows.begin;
    for (int i = 0; i < task_.source_count; ++i) {
      const MapSource& s = task_.sources[i];
      if (s.spread != Spread::row) continue;
      registers_[s.reg] = reinterpret_cast<char*>(block(s.block));
      repeat_row<T>(block(s.block), reinterpret_cast<const T*>(address(s.value)), total < height ? total : height, n_);
    }
    for (i64 r = rows.begin; r < rows.end; r += height) {
      tall_block(r, rows.end - r < height ? rows.end - r : height);
    }
  }
  void tall_block(i64 row, i64 rows) {
    const i64 count = rows * n_;
    place_full(row * n_);
    for (int i = 0; i < task_.source_count; ++i) {
      const MapSource& s = task_.sources[i];
      if (s.spread != Spread::column) continue;
      registers_[s.reg] = reinterpret_cast<char*>(block(s.block));
      spread_column<T>(block(s.block), reinterpret_cast<const T*>(address(s.value)) + row, rows, n_);
    }
    for (int i = 0; i < task_.op_count; ++i) {
      const MapOp& op = task_.ops[i];
      call(op, op.tall, op.single_tall ? 1 : count, row * n_);
    }
    for (int i = 0; i < task_.sink_count; ++i) tall_sink(task_.sinks[i], row, rows);
  }
  void tall_sink(const MapSink& s, i64 row, i64 rows) {
    T* const out = reinterpret_cast<T*>(address(s.value));
    switch (s.fold) {
      case Fold::none:
        if (s.copied) copy_block<T>(out + row * n_, reg(s.reg), nullptr, nullptr, rows * n_);
        break;
      case Fold::sum_columns: fold_rows<T, Sum>(out + row, reg(s.reg), rows, n_); break;
      case Fold::max_columns: fold_rows<T, Max>(out + row, reg(s.reg), rows, n_); break;
      case Fold::sum_all:
      case Fold::max_all: add_lanes(s, row * n_, rows * n_); break;
      default: join_rows(s, row, rows, 0, n_);
    }
  }

  void wide_blocks(Share rows, Share columns) {
    for (i64 r = rows.begin; r < rows.end; ++r) {
      for (int i = 0; i < task_.source_count; ++i) {
        const MapSource& s = task_.sources[i];
        if (s.spread == Spread::column) registers_[s.reg] = address(s.value) + r * static_cast<i64>(sizeof(T));
      }
      start_lanes(false);
      for (i64 c = columns.begin; c < columns.end; c += block_elements<T>) {
        const i64 left = columns.end - c;
        wide_block(r, c, left < block_elements<T> ? left : block_elements<T>);
      }
      finish_lanes(r, false);
    }
  }
  void wide_block(i64 row, i64 column, i64 count) {
    place_full(row * n_ + column);
    for (int i = 0; i < task_.source_count; ++i) {
      const MapSource& s = task_.sources[i];
      if (s.spread == Spread::row) registers_[s.reg] = address(s.value) + column * static_cast<i64>(sizeof(T));
    }
    for (int i = 0; i < task_.op_count; ++i) {
      const MapOp& op = task_.ops[i];
      call(op, op.wide, op.single_wide ? 1 : count, row * n_ + column);
    }
    for (int i = 0; i < task_.sink_count; ++i) wide_sink(task_.sinks[i], row, column, count);
  }
  void wide_sink(const MapSink& s, i64 row, i64 column, i64 count) {
    switch (s.fold) {
      case Fold::none:
        if (s.copied) copy_block<T>(reinterpret_cast<T*>(address(s.value)) + row * n_ + column, reg(s.reg), nullptr, nullptr, count);
        break;
      case Fold::sum_rows:
      case Fold::max_rows: join_rows(s, row, 1, column, count); break;
      case Fold::sum_all:
      case Fold::max_all: add_lanes(s, row * n_ + column, count); break;
      default: add_lanes(s, column, count);
    }
  }

  // ---- sums along a row, or over all: 64 lanes by the number of the element
  static bool summing(const MapSink& s) { return s.fold == Fold::sum_columns || s.fold == Fold::sum_rows || s.fold == Fold::sum_all; }
  static bool lanes_of(const MapSink& s, bool all) {
    return all ? s.fold == Fold::sum_all || s.fold == Fold::max_all : s.fold == Fold::sum_columns || s.fold == Fold::max_columns;
  }
  void add_lanes(const MapSink& s, i64 first, i64 count) {
    (summing(s) ? Lanes<T, Sum>::add : Lanes<T, Max>::add)(sums(s), first, reg(s.reg), count);
  }
  void start_lanes(bool all) {
    for (int i = 0; i < task_.sink_count; ++i) {
      const MapSink& s = task_.sinks[i];
      if (lanes_of(s, all)) (summing(s) ? Lanes<T, Sum>::reset : Lanes<T, Max>::reset)(sums(s));
    }
  }
  void finish_lanes(i64 row, bool all) {
    for (int i = 0; i < task_.sink_count; ++i) {
      const MapSink& s = task_.sinks[i];
      if (!lanes_of(s, all)) continue;
      reinterpret_cast<T*>(address(s.value))[row] = (summing(s) ? Lanes<T, Sum>::finish : Lanes<T, Max>::finish)(sums(s));
    }
  }

  // ---- sums down the columns: accumulators (interleave, n)
  static bool down(const MapSink& s) { return s.fold == Fold::sum_rows || s.fold == Fold::max_rows; }
  void start_folds(Share columns) {
    for (int i = 0; i < task_.sink_count; ++i) {
      const MapSink& s = task_.sinks[i];
      if (!down(s)) continue;
      const T start = s.fold == Fold::sum_rows ? Sum::start<T>() : Max::start<T>();
      for (i64 j = 0; j < interleave(n_); ++j) {
        for (i64 c = columns.begin; c < columns.end; ++c) sums(s)[j * n_ + c] = start;
      }
    }
  }
  void join_rows(const MapSink& s, i64 row, i64 rows, i64 column, i64 count) {
    const auto join = s.fold == Fold::sum_rows ? (interleave(n_) == 4 ? fold_columns<T, Sum, 4> : fold_columns<T, Sum, 1>)
                                               : (interleave(n_) == 4 ? fold_columns<T, Max, 4> : fold_columns<T, Max, 1>);
    join(sums(s) + column, n_, reg(s.reg), n_, rows, count, row);
  }
  void finish_folds(Share columns) {
    for (int i = 0; i < task_.sink_count; ++i) {
      const MapSink& s = task_.sinks[i];
      if (!down(s)) continue;
      const auto finish = s.fold == Fold::sum_rows ? finish_columns<T, Sum> : finish_columns<T, Max>;
      finish(reinterpret_cast<T*>(address(s.value)) + columns.begin, sums(s) + columns.begin, n_, interleave(n_) == 4,
             columns.end - columns.begin);
    }
  }

  const MapTask& task_;
  const Step& step_;
  const i64 n_;
  char* const scratch_;
  char** const registers_;
};

template <class T> void map(const Task& task, Context& context, Share part) {
  const MapTask& map = static_cast<const MapTask&>(task);
  const i64 rows = context.step->rows;
  const Share all_rows{0, map.rows.at(rows)};
  const Share all_columns{0, map.columns.at(rows)};
  MapRun<T>(map, context).area(map.by_columns ? all_rows : part, map.by_columns ? part : all_columns);
}

}  // namespace lamina::LAMINA_ISA
