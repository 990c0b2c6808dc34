// One instruction: its operands exist, have the sizes it says, stay inside their memory and do not clash.
#include <algorithm>

#include "verify.hpp"

namespace lamina {
namespace {

Extent times(Extent e, i64 n, int line) {
  Extent product;
  if (__builtin_mul_overflow(e.per_row, n, &product.per_row) || __builtin_mul_overflow(e.fixed, n, &product.fixed)) {
    throw ProgramError(line, "sizes are too large");
  }
  return product;
}

class InstructionCheck {
 public:
  InstructionCheck(const Program& program, const Memory& memory, PhaseKind phase, const Instruction& instruction,
                   const Instruction* before)
      : program_(program), memory_(memory), rows_(phase == PhaseKind::rows), in_(instruction), before_(before) {}

  Access check() {
    for (int id : in_.operands) value(id);
    switch (in_.op) {
      case Op::load: load(); break;
      case Op::matmul: matmul(); break;
      case Op::then: then(); break;
      case Op::map: map(); break;
      case Op::copy: copy(); break;
      case Op::fill: fill(); break;
      case Op::take: take(); break;
      case Op::scatter_add: scatter_add(); break;
      case Op::argmax: argmax(); break;
    }
    for (int id : access_.writes) writable(id);
    for (int id : access_.reads) readable(id);
    return access_;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw ProgramError(in_.line, what); }
  static std::string name(int id) { return "value " + std::to_string(id); }

  const Value& value(int id) const {
    const auto& values = program_.values;
    if (static_cast<std::size_t>(id) >= values.size() || values[static_cast<std::size_t>(id)].line == 0)
      fail(name(id) + " is not declared");
    return values[static_cast<std::size_t>(id)];
  }
  void expect(int id, Extent wanted, const char* what) const {
    const Extent got = value(id).count;
    if (got != wanted)
      fail(name(id) + " has " + describe(got) + " elements, expected " + describe(wanted) + " (" + what + ")");
  }
  void fixed(int id, const char* what) const {
    if (rows_ && batch(value(id).count)) fail(name(id) + " as " + what + " must be of fixed size in a phase of rows");
  }
  void per_row(Extent size, const char* what) const {
    if (rows_ && !batch(size))
      fail(std::string("in a phase of rows ") + what + " is B or B*<integer>, got " + describe(size));
  }
  void disjoint(int a, int b) const {
    if (memory_.overlap(a, b)) fail(name(a) + " and " + name(b) + " share memory");
  }
  bool partial(int id) const { return value(id).copies > 0; }
  void writable(int id) const {
    if (memory_.of(id).space < 0) fail(name(id) + " cannot be written");
    const bool map = in_.op == Op::map || in_.op == Op::then;  // whose outputs are looked at one by one
    if (partial(id) && rows_ && !map && !sums_rows_) fail("partial " + name(id) + " takes sums over the rows of a phase of rows");
    if (rows_ && !partial(id) && !batch(value(id).count))
      fail("in a phase of rows only values with a part for each row are written, " + name(id) + " has " +
           describe(value(id).count) + " elements");
  }
  void readable(int id) const {
    if (value(id).kind == ValueKind::input) fail(name(id) + " is an input; only `load` reads it");
    if (partial(id) && (rows_ || (in_.op != Op::map && in_.op != Op::then)))
      fail("partial " + name(id) + " is read by maps outside phases of rows");
  }

  // The largest index must lie inside for every B >= 1; it grows with B by `last.per_row`.
  void inside(int id, Extent last, const char* what) const {
    const Extent count = value(id).count;
    if (last.per_row > count.per_row || last.per_row + last.fixed >= count.per_row + count.fixed) {
      fail(std::string(what) + " reaches element " + describe(last) + " of " + name(id) + ", which has " +
           describe(count));
    }
  }
  // In a phase of rows, row r of the batch touches only its own `per_row` elements of a value.
  void own_rows(int id, i64 repeat, i64 stride, i64 reach, const char* what) const {
    const Extent count = value(id).count;
    if (!rows_ || !batch(count)) return;
    if (stride * repeat != count.per_row || reach >= count.per_row)
      fail(std::string(what) + " must stay within its row of " + std::to_string(count.per_row) +
           " elements in a phase of rows");
  }

  void load() {
    const int target = in_.operands[0], input = in_.operands[1];
    if (!rows_) fail("load belongs in a phase of rows");
    if (value(input).kind != ValueKind::input) fail(name(input) + " is not an input");
    expect(target, value(input).count, "as the input");
    access_.writes = {target};
  }

  void factor(int id, Extent rows, Extent columns, std::array<i64, 2> strides, const char* what) const {
    const Extent down = times({rows.per_row, rows.fixed - 1}, strides[0], in_.line);
    const Extent along = times({columns.per_row, columns.fixed - 1}, strides[1], in_.line);
    inside(id, {down.per_row + along.per_row, down.fixed + along.fixed}, what);
  }
  void matmul() {
    const int c = in_.operands[0], a = in_.operands[1], b = in_.operands[2];
    sums_rows_ = partial(c) && batch(in_.k);
    if (!sums_rows_) {
      per_row(in_.m, "m");
      if (rows_ && batch(in_.k)) fail("in a phase of rows k is an integer, but for a partial C");
      fixed(b, "B");
    }
    if (batch(in_.m) && batch(in_.k)) fail("m and k cannot both depend on B");
    expect(c, times(in_.m, in_.n, in_.line), "m*n");
    factor(a, in_.m, in_.k, in_.a, "A");
    factor(b, in_.k, {0, in_.n}, in_.b, "B");
    if (sums_rows_) {
      own_rows(a, in_.k.per_row, in_.a[1], (in_.m.fixed - 1) * in_.a[0] + (in_.k.per_row - 1) * in_.a[1], "A");
      own_rows(b, in_.k.per_row, in_.b[0], (in_.n - 1) * in_.b[1] + (in_.k.per_row - 1) * in_.b[0], "B");
    } else {
      own_rows(a, in_.m.per_row, in_.a[0], (in_.k.fixed - 1) * in_.a[1] + (in_.m.per_row - 1) * in_.a[0], "A");
    }
    disjoint(c, a);
    disjoint(c, b);
    access_ = {{a, b}, {c}};
  }

  void then() {
    if (before_ == nullptr || before_->op != Op::matmul) fail("then follows the matmul whose result it reads");
    if (before_->m != in_.m || before_->n != in_.n)
      fail("then has the matmul's m and n: " + describe(before_->m) + " and " + std::to_string(before_->n));
    map();
    const int c = before_->operands[0];
    for (const MapInput& input : in_.inputs) {
      if (memory_.overlap(input.value, c) && !(input.value == c && input.spread == Spread::full))
        fail("then reads the matmul's result as a full input");
    }
    for (int out : access_.writes) {
      for (int factor : {before_->operands[1], before_->operands[2]}) disjoint(out, factor);
    }
  }

  Extent input_count(Spread spread) const {
    switch (spread) {
      case Spread::full: return times(in_.m, in_.n, in_.line);
      case Spread::row: return {0, in_.n};
      case Spread::column: return in_.m;
      default: return {0, 1};
    }
  }
  Extent output_count(Store store) const {
    switch (store) {
      case Store::full: return times(in_.m, in_.n, in_.line);
      case Store::sum_columns:
      case Store::max_columns: return in_.m;
      case Store::sum_rows:
      case Store::max_rows: return {0, in_.n};
      default: return {0, 1};
    }
  }
  void map() {
    per_row(in_.m, "m");
    for (const MapInput& input : in_.inputs) {
      value(input.value);
      expect(input.value, input_count(input.spread), "its kind of input for this m and n");
      if (partial(input.value) && input.spread != Spread::full) fail("partial " + name(input.value) + " is read in full");
      access_.reads.push_back(input.value);
    }
    map_registers();
    if (in_.outputs.empty()) fail("a map has at least one output");
    for (const MapOutput& out : in_.outputs) map_output(out);
  }
  void map_registers() const {
    std::size_t defined = in_.inputs.size();
    for (const CodeOp& op : in_.code) {
      for (const MapArgument& argument : op.arguments) {
        if (!argument.constant && static_cast<std::size_t>(argument.reg) >= defined)
          fail("register " + std::to_string(argument.reg) + " is read before it is defined");
      }
      ++defined;
    }
    for (const MapOutput& out : in_.outputs) {
      if (static_cast<std::size_t>(out.reg) >= defined) fail("register " + std::to_string(out.reg) + " is not defined");
    }
  }
  void map_output(const MapOutput& out) {
    value(out.value);
    const bool by_row = out.store == Store::full || out.store == Store::sum_columns || out.store == Store::max_columns;
    if (partial(out.value)) {
      const bool sum = out.store == Store::sum_rows || out.store == Store::sum_all;
      if (rows_ && !sum) fail("partial " + name(out.value) + " takes sums over the rows of a phase of rows");
    } else if (rows_ && !by_row) {
      fail("a phase of rows has only full, sum_cols and max_cols outputs, and sums in partial values");
    }
    expect(out.value, output_count(out.store), "its kind of output for this m and n");
    for (const MapInput& input : in_.inputs) {
      if (!memory_.same(input.value, out.value) || !in_place(input.spread, out.store)) disjoint(out.value, input.value);
    }
    for (int other : access_.writes) disjoint(out.value, other);
    access_.writes.push_back(out.value);
  }

  // A result may replace an operand of its own kind: each of its elements is stored after the last use.
  static bool in_place(Spread in, Store out) {
    switch (out) {
      case Store::full: return in == Spread::full;
      case Store::sum_columns:
      case Store::max_columns: return in == Spread::column;
      case Store::sum_rows:
      case Store::max_rows: return in == Spread::row;
      default: return in == Spread::scalar;
    }
  }

  i64 inner_reach(const Side& side) const {
    i64 reach = side.offset;
    for (std::size_t i = 0; i < in_.sizes.size(); ++i)
      reach += times({0, in_.sizes[i] - 1}, side.strides[i + 1], in_.line).fixed;
    return reach;
  }
  void copy_side(int id, const Side& side, const char* what) const {
    const i64 reach = inner_reach(side);
    const Extent outer = times({in_.outer.per_row, in_.outer.fixed - 1}, side.strides[0], in_.line);
    inside(id, {outer.per_row, outer.fixed + reach}, what);
    own_rows(id, in_.outer.per_row, side.strides[0], reach + (in_.outer.per_row - 1) * side.strides[0], what);
  }
  // Sorted by stride, each dimension must step over all that the smaller ones cover.
  void distinct(const Side& side) const {
    std::vector<std::pair<i64, i64>> dims;  // stride, size
    for (std::size_t i = 0; i < in_.sizes.size(); ++i) dims.emplace_back(side.strides[i + 1], in_.sizes[i]);
    std::sort(dims.begin(), dims.end());
    i64 covered = 0;
    for (const auto& [stride, size] : dims) {
      if (size > 1 && stride <= covered) fail("dst writes an element twice");
      covered += (size - 1) * stride;
    }
    const bool one = !batch(in_.outer) && in_.outer.fixed == 1;
    if (!one && side.strides[0] <= covered && !steps_within(dims, side.strides[0])) fail("dst writes an element twice");
  }
  // The outermost size may also be the finer one (a transposed target of fixed size).
  bool steps_within(std::vector<std::pair<i64, i64>> dims, i64 stride) const {
    if (batch(in_.outer) || stride == 0) return false;
    dims.emplace_back(stride, in_.outer.fixed);
    std::sort(dims.begin(), dims.end());
    i64 covered = 0;
    for (const auto& [step, size] : dims) {
      if (size > 1 && step <= covered) return false;
      covered += (size - 1) * step;
    }
    return true;
  }
  void copy() {
    const int target = in_.operands[0], source = in_.operands[1];
    per_row(in_.outer, "the first size");
    copy_side(target, in_.target, "dst");
    copy_side(source, in_.source, "src");
    distinct(in_.target);
    disjoint(target, source);
    access_ = {{source}, {target}};
  }

  void fill() { access_.writes = {in_.operands[0]}; }

  void take() {
    const int target = in_.operands[0], table = in_.operands[1], index = in_.operands[2];
    per_row(in_.m, "m");
    fixed(table, "the table");
    expect(target, times(in_.m, in_.n, in_.line), "m*n");
    expect(table, times({0, in_.size}, in_.n, in_.line), "size*n");
    expect(index, in_.m, "m");
    disjoint(target, table);
    disjoint(target, index);
    access_ = {{table, index}, {target}};
  }
  void scatter_add() {
    const int target = in_.operands[0], index = in_.operands[1], source = in_.operands[2];
    sums_rows_ = rows_ && partial(target) && batch(in_.m);
    if (rows_ && !sums_rows_) fail("scatter_add belongs in a phase of rows only with a partial target");
    expect(target, times({0, in_.size}, in_.n, in_.line), "size*n");
    expect(index, in_.m, "m");
    expect(source, times(in_.m, in_.n, in_.line), "m*n");
    disjoint(target, index);
    disjoint(target, source);
    access_ = {{index, source}, {target}};
  }
  void argmax() {
    const int target = in_.operands[0], source = in_.operands[1];
    per_row(in_.m, "m");
    expect(target, in_.m, "m");
    expect(source, times(in_.m, in_.n, in_.line), "m*n");
    disjoint(target, source);
    access_ = {{source}, {target}};
  }

  const Program& program_;
  const Memory& memory_;
  const bool rows_;
  const Instruction& in_;
  const Instruction* before_;
  bool sums_rows_ = false;  // what it writes last are sums over the rows
  Access access_;
};

}  // namespace

Access check_instruction(const Program& program, const Memory& memory, PhaseKind phase, const Instruction& instruction,
                         const Instruction* before) {
  return InstructionCheck(program, memory, phase, instruction, before).check();
}

}  // namespace lamina
