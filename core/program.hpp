// A Program: what the planner writes as text. `parse` reads and verifies it once; nothing unverified ever runs.
// The format is described in README.md.
#pragma once

#include <array>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "task.hpp"

namespace lamina {

// A mistake in the text, with its line.
class ProgramError : public std::runtime_error {
 public:
  ProgramError(int line, const std::string& what)
      : std::runtime_error("program line " + std::to_string(line) + ": " + what) {}
};

struct Slot {
  int line = 0;  // 0: not declared
  Extent count;
};

enum class ValueKind { input, state, constant, temp, partial, part, rows, step, output };

struct Value {
  int line = 0;  // 0: not declared
  ValueKind kind = ValueKind::constant;
  std::string name;  // of the caller's array or buffer
  Extent count;
  int slot = -1;                // of a temp
  int base = -1;                // of a part
  i64 offset = 0;               // of a part or a window
  i64 copies = 0;               // partial, or part of one: elements from one shard's sums to the next's
  std::vector<double> numbers;  // of a constant
};

enum class Op {
#define LAMINA_INSTRUCTION(name) name,
#include "ops.def"
};

struct MapInput {
  int value;
  Spread spread;
};
struct MapArgument {
  bool constant = false;
  int reg = 0;
  double number = 0;
};
struct CodeOp {
  int op = 0;  // row of ops.def
  std::vector<MapArgument> arguments;
  u64 stream = 0;
};
enum class Store : int { full, sum_columns, max_columns, sum_rows, max_rows, sum_all, max_all };
struct MapOutput {
  int value;
  Store store;
  int reg;
};

struct Side {  // of a copy
  i64 offset = 0;
  std::vector<i64> strides;
};

struct Instruction {
  Op op = Op::fill;
  int line = 0;
  std::string label;
  std::vector<int> operands;  // in the order of the text
  Extent m, k;
  i64 n = 0;
  std::array<i64, 2> a{}, b{};  // strides of a matmul's factors
  std::vector<MapInput> inputs;
  std::vector<CodeOp> code;
  std::vector<MapOutput> outputs;
  Extent outer;            // copy: the first size
  std::vector<i64> sizes;  // copy: the others
  Side target, source;
  double number = 0;  // fill
  i64 size = 0;       // take, scatter_add: rows of the table
};

enum class PhaseKind { rows, split, one };

struct Phase {
  PhaseKind kind;
  int line;
  std::vector<Instruction> instructions;
};

struct OutputShape {
  i64 per_row;
  i64 fixed;
};

struct Program {
  bool is_double = false;
  std::vector<Slot> slots;
  std::vector<Value> values;
  std::vector<Phase> phases;
  std::map<std::string, i64> inputs;  // elements a row
  std::map<std::string, i64> states;  // least number of elements
  std::map<std::string, OutputShape> outputs;
};

struct OpName {
  std::string_view name;
  int arguments;
  double cycles;
};
const std::vector<OpName>& map_ops();
const std::vector<std::string_view>& instruction_names();

Program parse(std::string_view text);  // parse.cpp: the words
void verify(Program& program);         // verify.cpp: what they mean; fills inputs, states, outputs

// Text and numbers of an extent as in the format: 16, B, B*3.
std::string describe(Extent extent);

}  // namespace lamina
