// C = A B in tiles of registers. Each element of C is one chain of fused multiply-adds in the order of k, however
// the work is cut, so the cut (tiles, blocks of k, panels, threads) never changes a bit.
#pragma once

#include "pack.hpp"

namespace lamina::LAMINA_ISA {

template <class T>
struct Tiling {
#if defined(LAMINA_ISA_avx512)
  static constexpr int vectors = 4;                 // of a row of the widest tile
  static constexpr int rows[] = {0, 12, 12, 8, 6};  // of a tile by its vectors
#else
  static constexpr int vectors = 2;
  static constexpr int rows[] = {0, 8, 6};
#endif
  static constexpr int most_rows = rows[1];
  static constexpr i64 panel = vectors * width<T>;
  static constexpr i64 depth = 1024;  // of a block of k, at the most: a panel of it stays in the second-level cache
  static constexpr i64 group = 48;    // rows of A packed together: whole tiles and whole vectors
  static constexpr i64 rows_together = 2 * group;
  static_assert(group % rows[vectors] == 0);
};

template <class T>
struct TileJob {
  i64 k;
  const T* a;
  i64 a_row, a_column;
  const T* b;
  i64 b_row;
  T* c;
  i64 c_row;
  i64 last;    // columns in the last vector
  bool start;  // from zero, else from C
};

template <class T, int Rows, int Vectors, bool Masked>
void tile(const TileJob<T>& job) {
  constexpr int W = width<T>;
  const auto get = [&](const T* p, int v) {
    return Masked && v == Vectors - 1 ? load_first(p + v * W, job.last) : load(p + v * W);
  };
  Vec<T> sum[Rows][Vectors];
  if (job.start) {
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) sum[r][v] = Vec<T>{};
    }
  } else {
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) sum[r][v] = get(job.c + r * job.c_row, v);
    }
  }
  const T* a = job.a;
  const T* b = job.b;
  const i64 a_row = job.a_row, a_column = job.a_column, b_row = job.b_row;
  for (i64 k = job.k; k > 0; --k) {
    Vec<T> y[Vectors];
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) y[v] = get(b, v);
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
      const Vec<T> x = splat<T>(a[r * a_row]);
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) sum[r][v] = fma(x, y[v], sum[r][v]);
    }
    a += a_column;
    b += b_row;
  }
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      T* const out = job.c + r * job.c_row + v * W;
      if (Masked && v == Vectors - 1) store_first(out, sum[r][v], job.last);
      else store(out, sum[r][v]);
    }
  }
}

template <class T>
using TileKernel = void (*)(const TileJob<T>&);

// tiles[vectors][masked][rows]
template <class T>
struct Tiles {
  TileKernel<T> at[Tiling<T>::vectors + 1][2][Tiling<T>::most_rows + 1] = {};
  constexpr Tiles() { add_vectors<1>(); }
  template <int Vectors>
  constexpr void add_vectors() {
    add_rows<Vectors, 1>();
    if constexpr (Vectors < Tiling<T>::vectors) add_vectors<Vectors + 1>();
  }
  template <int Vectors, int Rows>
  constexpr void add_rows() {
    at[Vectors][0][Rows] = tile<T, Rows, Vectors, false>;
    at[Vectors][1][Rows] = tile<T, Rows, Vectors, true>;
    if constexpr (Rows < Tiling<T>::rows[Vectors]) add_rows<Vectors, Rows + 1>();
  }
};
template <class T>
constexpr Tiles<T> tiles{};

// Rows [0, rows) of one panel: `job` describes its first row; the panel has `columns` columns.
template <class T>
void panel_rows(TileJob<T> job, i64 rows, i64 columns) {
  const i64 vectors = (columns + width<T> - 1) / width<T>;
  const i64 height = Tiling<T>::rows[vectors];
  job.last = columns - (vectors - 1) * width<T>;
  const bool masked = job.last < width<T>;
  const auto& kernels = tiles<T>.at[vectors][masked];
  for (i64 r = 0; r < rows; r += height) {
    kernels[rows - r < height ? rows - r : height](job);
    job.a += height * job.a_row;
    job.c += height * job.c_row;
  }
}

template <class T>
class MatmulRun {
 public:
  MatmulRun(const MatmulTask& task, Context& context)
      : task_(task),
        context_(context),
        m_(task.m.at(context.step->rows)),
        k_(task.k.at(context.step->rows)),
        a_(operand(task.a)),
        b_(operand(task.b)),
        c_(const_cast<T*>(operand(task.c))),
        start_(true) {}

  // Of a partial C: what rows `k` add to the sums of the context's shard.
  MatmulRun(const MatmulTask& task, Context& context, Share k)
      : task_(task),
        context_(context),
        m_(task.m.fixed),
        k_(k.end - k.begin),
        a_(operand(task.a) + k.begin * task.a_column),
        b_(operand(task.b) + k.begin * task.b_row),
        c_(const_cast<T*>(operand(task.c)) + context.shard * task.copies),
        start_(context.first) {}

  void run_partial() { area({0, m_}, {0, task_.n}); }

  void run(Share part) {
    const Share rows = task_.by_columns ? Share{0, m_} : part;
    const Share columns = task_.by_columns ? part : Share{0, task_.n};
    area(rows, columns);
    if (task_.then != nullptr && task_.chunk == 0) epilogue(rows, columns);
  }

 private:
  const T* operand(int value) const { return reinterpret_cast<const T*>(context_.step->address[value]); }

  void epilogue(Share rows, Share columns) {
    const MapTask& map = *task_.then;
    const bool flat = map.by_columns && !task_.by_columns;  // the map sees one long row
    const Share flat_columns{rows.begin * task_.n, rows.end * task_.n};
    MapRun<T>(map, context_).area(flat ? Share{0, 1} : rows, flat ? flat_columns : columns);
  }

  void area(Share rows, Share columns) {
    packs_b_ = task_.packing == Packing::block || (task_.packing == Packing::whole && is_new(task_.packed_b));
    packs_a_ = task_.packs_a && (!task_.by_columns || is_new(task_.packed_a));
    const i64 wide = task_.block_columns > 0 ? task_.block_columns : columns.end - columns.begin;
    for (i64 j = columns.begin; j < columns.end; j += wide) {
      block(rows, {j, j + wide < columns.end ? j + wide : columns.end});
      packs_a_ = false;
    }
  }

  // Whether this thread has not yet packed this factor in this step.
  bool is_new(const PackedFactor& factor) {
    u64& at = context_.packed_at[factor.number];
    const bool found = at != context_.step->serial;
    at = context_.step->serial;
    return found;
  }

  // These columns of C: one block of k after the other, each for some rows after the others.
  void block(Share rows, Share columns) {
    const i64 depth = evenly(k_, Tiling<T>::depth, width<T>), count = rows.end - rows.begin;
    const i64 high = task_.chunk > 0 ? evenly(count, task_.chunk, task_.align_rows) : count;
    for (i64 k = 0; k == 0 || k < k_; k += depth) {
      const i64 deep = k_ - k < depth ? k_ - k : depth;
      if (packs_b_) pack_b(columns, k, deep);
      for (i64 r = rows.begin; r < rows.end; r += high) {
        const Share some{r, r + high < rows.end ? r + high : rows.end};
        task_.n == 1 ? one_column(some, k, deep) : panels(some, columns, k, deep);
        if (task_.then != nullptr && task_.chunk > 0 && k + deep == k_) epilogue(some, columns);
      }
    }
  }

  // ---- packed factors
  T* panel_of_b(Share columns, i64 j, i64 k, i64 depth, i64 stride) const {
    if (task_.packing == Packing::block) return reinterpret_cast<T*>(context_.panels) + (j - columns.begin) * depth;
    return reinterpret_cast<T*>(context_.packed + task_.packed_b.offset) + j * k_ + k * stride;
  }
  void pack_b(Share columns, i64 k, i64 depth) {
    for (i64 j = columns.begin; j < columns.end; j += Tiling<T>::panel) {
      const i64 stride = panel_stride<T>(task_.n, j, Tiling<T>::panel);
      const i64 wide = columns.end - j < Tiling<T>::panel ? columns.end - j : Tiling<T>::panel;
      pack_panel<T>(panel_of_b(columns, j, k, depth, stride), stride, b_ + k * task_.b_row + j * task_.b_column,
                    task_.b_row, task_.b_column, depth, wide);
    }
  }

  // Of a transposed A each k is elsewhere in memory, and many panels need it: groups of rows are copied.
  T* group_of_a(i64 row, i64 k, i64 depth) const {
    const i64 high = (m_ + Tiling<T>::group - 1) / Tiling<T>::group * Tiling<T>::group;
    return reinterpret_cast<T*>(context_.packed + task_.packed_a.offset) + k * high + row * depth;
  }
  void pack_a(Share rows, i64 k, i64 depth) {
    for (i64 r = rows.begin; r < rows.end; r += Tiling<T>::group) {
      const i64 high = rows.end - r < Tiling<T>::group ? rows.end - r : Tiling<T>::group;
      pack_panel<T>(group_of_a(r, k, depth), Tiling<T>::group, a_ + r * task_.a_row + k * task_.a_column, task_.a_column,
                    task_.a_row, depth, high);
    }
  }
  void packed_rows(TileJob<T> job, Share rows, i64 k, i64 columns) {
    job.a_row = 1;
    job.a_column = Tiling<T>::group;
    for (i64 r = rows.begin; r < rows.end; r += Tiling<T>::group) {
      job.a = group_of_a(r, k, job.k);
      panel_rows<T>(job, rows.end - r < Tiling<T>::group ? rows.end - r : Tiling<T>::group, columns);
      job.c += Tiling<T>::group * job.c_row;
    }
  }

  // ---- one block of k
  void panels(Share rows, Share columns, i64 k, i64 depth) {
    if (packs_a_) pack_a(rows, k, depth);
    for (i64 j = columns.begin; j < columns.end; j += Tiling<T>::panel) {
      const i64 wide = columns.end - j < Tiling<T>::panel ? columns.end - j : Tiling<T>::panel;
      const T* const a = a_ + rows.begin * task_.a_row + k * task_.a_column;
      const T* const b = b_ + k * task_.b_row + j * task_.b_column;
      T* const c = c_ + rows.begin * task_.n + j;
      TileJob<T> job{depth, a, task_.a_row, task_.a_column, b, task_.b_row, c, task_.n, 0, start_ && k == 0};
      if (task_.packing != Packing::none) {
        job.b_row = panel_stride<T>(task_.n, j, Tiling<T>::panel);
        job.b = panel_of_b(columns, j, k, depth, job.b_row);
      }
      task_.packs_a ? packed_rows(job, rows, k, wide) : panel_rows<T>(job, rows.end - rows.begin, wide);
    }
  }

  // A single column: its rows are the vector's lanes, so A is read transposed (packed unless it lies that way).
  void one_column(Share rows, i64 k, i64 depth) {
    const bool lies = task_.a_row == 1;
    T* const packed = reinterpret_cast<T*>(context_.panels);
    for (i64 r = rows.begin; r < rows.end; r += Tiling<T>::panel) {
      const i64 wide = rows.end - r < Tiling<T>::panel ? rows.end - r : Tiling<T>::panel;
      const T* const a = a_ + r * task_.a_row + k * task_.a_column;
      if (!lies) pack_panel<T>(packed, Tiling<T>::panel, a, task_.a_column, task_.a_row, depth, wide);
      panel_rows<T>({depth, b_ + k * task_.b_row, 0, task_.b_row, lies ? a : packed,
                     lies ? task_.a_column : Tiling<T>::panel, c_ + r, 0, 0, start_ && k == 0},
                    1, wide);
    }
  }

  const MatmulTask& task_;
  Context& context_;
  const i64 m_, k_;
  const T* const a_;
  const T* const b_;
  T* const c_;
  const bool start_;  // from zero, else from C
  bool packs_a_ = false, packs_b_ = false;
};

template <class T>
void matmul(const Task& task, Context& context, Share part) {
  MatmulRun<T>(static_cast<const MatmulTask&>(task), context).run(part);
}

template <class T>
void matmul_partial(const Task& task, Context& context, Share k) {
  MatmulRun<T>(static_cast<const MatmulTask&>(task), context, k).run_partial();
}

}  // namespace lamina::LAMINA_ISA
