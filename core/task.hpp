// What the machine runs: a Program decoded into flat tasks with resolved operands. Written once by decode.cpp,
// read by the kernels of every instruction set, so nothing here may emit code of its own (only always_inline).
#pragma once

#include <cstddef>
#include <cstdint>

namespace lamina {

using i64 = std::int64_t;
using u64 = std::uint64_t;

// A count that may depend on the number of rows of the batch.
struct Extent {
  i64 per_row = 0;
  i64 fixed = 0;
  [[gnu::always_inline]] i64 at(i64 rows) const { return per_row * rows + fixed; }
  bool operator==(const Extent&) const = default;
};

struct Share {
  i64 begin;
  i64 end;
};

// `total` in pieces of at most `most`, a multiple of `unit`, all alike and in whole units: how much a piece is.
[[gnu::always_inline]] inline i64 evenly(i64 total, i64 most, i64 unit) {
  if (total <= most) return total;
  const i64 pieces = (total + most - 1) / most;
  return ((total + pieces - 1) / pieces + unit - 1) / unit * unit;
}

// The first index that a table does not have, found by a thread.
struct Fault {
  const struct Task* task = nullptr;
  i64 row = 0;
  i64 index = 0;
};

// What all threads share while a phase runs.
struct Step {
  char* const* address;  // of each value
  const i64* order;      // permutation of the caller's rows, or null
  i64 rows;              // of this batch
  int shards;            // that its rows are cut into where sums are partial
  i64 first;             // position in the pass of the batch's first row
  u64 number;            // of the step
  u64 serial;            // of the step among all that this memory has seen, from 1
};

// What one thread has for itself.
struct Context {
  const Step* step;
  char* registers;  // tables of pointers, one for each map
  char* scratch;
  char* panels;    // of the block of a product that it works on
  char* packed;    // whole factors of products in panels, each packed when the thread first needs it in a step
  u64* packed_at;  // the serial of the step that each was packed in
  Fault fault;
  int shard;   // in a phase with partial sums: the part of the batch that it works on,
  bool first;  // and whether these are the first rows of it
  i64* ticks;  // spent on each task, by its number; null unless somebody profiles
};

// Time in the processor's own unit; what a tick lasts is found by comparing with a clock.
[[gnu::always_inline]] inline i64 ticks_now() {
#if defined(__x86_64__)
  return static_cast<i64>(__builtin_ia32_rdtsc());
#elif defined(__aarch64__)
  i64 now;
  asm volatile("mrs %0, cntvct_el0" : "=r"(now));
  return now;
#else
  return static_cast<i64>(__builtin_clock());
#endif
}

using Kernel = void (*)(const Task&, Context&, Share);

// One instruction. Its work is a range of `units`, any part of which can run on its own.
struct Task {
  Kernel run = nullptr;
  Extent units;
  i64 units_per_row = 0;  // in a phase of rows: units of one row of the batch
  i64 align = 1;          // a part begins at a multiple of this
  bool divisible = true;
  int number = 0;  // among all tasks
  int line = 0;
  const char* label = "";
  double cycles_fixed = 0;  // rough cost, for deciding about threads
  double cycles_per_row = 0;
};

// ---- map ------------------------------------------------------------------------------------------------

constexpr i64 block_bytes = 2048;               // of one register of the map interpreter
constexpr i64 block_stride = block_bytes + 64;  // with slack for a whole vector

using MapKernel = void (*)(void* out, const void* a, const void* b, const void* c, const void* d, i64 n);

struct MapOp {
  MapKernel tall = nullptr;  // when a block is several whole rows
  MapKernel wide = nullptr;  // when a block is a piece of one row: columns are then single numbers
  int out = 0;
  int row = -1;  // of the table of operations; after its last, of a pair
  int count = 0;
  int arguments[4] = {0, 0, 0, 0};
  bool single_tall = false;  // works on one element
  bool single_wide = false;
  bool random = false;
  u64 stream = 0;
};

enum class Spread : int { full, row, column, scalar };
enum class Fold : int { none, sum_columns, max_columns, sum_rows, max_rows, sum_all, max_all };

template <class T>
struct Span {
  const T* data = nullptr;
  int count = 0;
  [[gnu::always_inline]] const T* begin() const { return data; }
  [[gnu::always_inline]] const T* end() const { return data + count; }
};

struct MapOperand {
  int value;
  int reg;
  int block;   // scratch block of a row or column written out, or of the total of partial sums
  i64 copies;  // partial: elements from one shard's sums to the next's
};

struct MapSink {
  int value;
  int reg;
  bool max;     // else a sum
  i64 scratch;  // bytes: running sums
  i64 copies;   // partial: elements from one shard's sums to the next's; else 0
};

struct MapTask : Task {
  Extent rows;
  Extent columns;
  bool by_columns = false;   // units are columns, else rows
  i64 registers_offset = 0;  // bytes into a thread's registers: pointers, those to blocks and constants already set
  i64 scratch_bytes = 0;
  Span<MapOperand> full;  // operands and results with a place for each element
  Span<MapOperand> row, column, scalar, partial;
  Span<MapOp> uniform;             // once
  Span<MapOp> ops;                 // for each block
  Span<MapSink> along, down, all;  // sums and maxima: along rows, down columns, over all
  Span<MapSink> copies;            // results that are not computed in place, stored last
};

// ---- matmul ---------------------------------------------------------------------------------------------

// How B comes into panels, contiguous vectors of columns.
enum class Packing : int {
  none,   // it is read where it lies
  block,  // some panels when they are used, and again for other rows of C: what is large stays in the near caches
  whole,  // all panels, once a step
};

// Of a thread: a factor that it packs once a step.
struct PackedFactor {
  i64 offset = 0;  // bytes
  int number = 0;  // among all of them
};

struct MatmulTask : Task {
  int a, b, c;
  Extent m, k;
  i64 n;
  i64 a_row, a_column, b_row, b_column;
  bool by_columns = false;
  Packing packing = Packing::none;
  bool packs_a = false;  // in groups of rows, the whole of it once a step
  PackedFactor packed_a, packed_b;
  i64 block_columns = 0;  // the most columns of C in one block; 0: all
  i64 chunk = 0;          // the most rows of C that are computed together, with their epilogue; 0: all
  i64 align_rows = 1;     // of such a piece: whole tiles, or groups of packed rows
  i64 copies = 0;         // of a C that is partial: elements from one shard's to the next's; units are then rows of k
  const MapTask* then = nullptr;
};

// ---- moving data ----------------------------------------------------------------------------------------

struct LoadTask : Task {
  int target, input;
  i64 per_row;
};

constexpr int max_rank = 6;

struct CopyTask : Task {
  int target, source;
  int rank;
  Extent outer;
  i64 sizes[max_rank];
  i64 target_offset, source_offset;
  i64 target_strides[max_rank], source_strides[max_rank];
};

struct FillTask : Task {
  int target;
  double number;
};

struct LookupTask : Task {  // take, scatter_add, argmax
  int target, table, index;
  Extent m;
  i64 n, size;
  i64 copies = 0;  // of a partial target
};

// ---- the kernels of one instruction set and element type --------------------------------------------------

struct MapRow {
  const char* name;
  int arguments;
  double cycles;
  MapKernel kernels[8];  // bit i of the index: argument i is a single number
};

struct MapPair {
  int first, second;  // rows of the table of operations
  int at;             // the argument of the second that the first makes
  MapKernel kernels[16];
};

struct Kernels {
  const char* isa;
  i64 element;  // bytes
  const MapRow* map_rows;
  int map_row_count;
  const MapPair* map_pairs;
  int map_pair_count;
  i64 panel;        // columns of a packed panel
  i64 tile_rows;    // rows of the widest tile
  i64 depth;        // the most of k in one block
  i64 group;         // rows of A that are packed together
  i64 rows_together;  // the most rows of C that are computed together
  Kernel load, matmul, matmul_partial, map, copy, fill, take, scatter_add, scatter_add_partial, argmax;
  MapKernel copy_block, splat_block;
};

}  // namespace lamina
