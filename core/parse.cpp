// The words of a Program: text to lines to values and instructions. Their meaning is checked in verify.cpp.
#include "program.hpp"
#include "words.hpp"

namespace lamina {

const std::vector<OpName>& map_ops() {
  static const std::vector<OpName> names{
#define LAMINA_MAP_OP(name, arguments, cycles) {#name, arguments, cycles},
#include "ops.def"
  };
  return names;
}

const std::vector<std::string_view>& instruction_names() {
  static const std::vector<std::string_view> names{
#define LAMINA_INSTRUCTION(name) #name,
#include "ops.def"
  };
  return names;
}

std::string describe(Extent e) {
  if (e.per_row == 0) return std::to_string(e.fixed);
  const std::string rows = e.per_row == 1 ? "B" : "B*" + std::to_string(e.per_row);
  return e.fixed == 0 ? rows : rows + "+" + std::to_string(e.fixed);
}

namespace {

template <class Names, class Get>
int find(const Line& line, const Names& names, std::string_view word, const char* what, Get get) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (get(names[i]) == word) return static_cast<int>(i);
  }
  std::string known;
  for (const auto& name : names) known += (known.empty() ? "" : ", ") + std::string(get(name));
  line.fail("unknown " + std::string(what) + " " + quoted(word) + "; known: " + known);
}
int find(const Line& line, const std::vector<std::string_view>& names, std::string_view word, const char* what) {
  return find(line, names, word, what, [](std::string_view name) { return name; });
}

// ---- declarations

Slot parse_slot(Line& line) {
  Slot slot;
  slot.line = line.number();
  slot.count.per_row = line.count("elements a row");
  slot.count.fixed = line.count("fixed elements");
  return slot;
}

const std::vector<std::string_view> value_kinds{"input", "state", "constant", "temp", "partial",
                                                "part",  "rows",  "step",     "output"};

void parse_extent(Line& line, Value& value) {
  value.count.per_row = line.count("elements a row");
  value.count.fixed = line.count("fixed elements");
}

void parse_window(Line& line, Value& value) {
  value.offset = line.count("an offset");
  value.count.fixed = line.count("a count");
}

Value parse_value(Line& line) {
  Value value;
  value.line = line.number();
  value.kind = static_cast<ValueKind>(find(line, value_kinds, line.word("a kind of value"), "kind of value"));
  switch (value.kind) {
    case ValueKind::input:
      value.name = line.word("the name of an array");
      value.count.per_row = line.count("elements a row");
      break;
    case ValueKind::state:
      value.name = line.word("the name of a buffer");
      parse_window(line, value);
      break;
    case ValueKind::constant:
      while (!line.done()) value.numbers.push_back(line.real_of(line.word("a number")));
      value.count.fixed = static_cast<i64>(value.numbers.size());
      break;
    case ValueKind::temp:
      value.slot = line.id("a slot");
      parse_extent(line, value);
      break;
    case ValueKind::partial: value.count.fixed = line.count("a count"); break;
    case ValueKind::part:
      value.base = line.id("a value");
      parse_window(line, value);
      break;
    case ValueKind::output:
      value.name = line.word("the name of an array");
      parse_extent(line, value);
      break;
    case ValueKind::rows:
    case ValueKind::step: value.count.fixed = 1; break;
  }
  return value;
}

template <class T>
T& declare(Line& line, std::vector<T>& table, const char* what) {
  const int id = line.id(what);
  if (static_cast<std::size_t>(id) >= table.size()) table.resize(static_cast<std::size_t>(id) + 1);
  T& entry = table[static_cast<std::size_t>(id)];
  if (entry.line != 0)
    line.fail(std::string(what) + " " + std::to_string(id) + " is declared on line " + std::to_string(entry.line) +
              " already");
  return entry;
}

// ---- instructions

const std::vector<std::string_view> spreads{"full", "row", "column", "scalar"};
const std::vector<std::string_view> stores{"full",     "sum_cols", "max_cols", "sum_rows",
                                           "max_rows", "sum_all",  "max_all"};

MapInput parse_input(const Line& line, std::string_view text) {
  const Words words = split(text, ':');
  if (words.size() != 2) line.fail("an input is <value>:<kind>, got " + quoted(text));
  return {line.id_of(words[0], "a value"), static_cast<Spread>(find(line, spreads, words[1], "kind of input"))};
}

MapOutput parse_output(const Line& line, std::string_view text) {
  const Words words = split(text, ':');
  if (words.size() != 3) line.fail("an output is <value>:<kind>:<register>, got " + quoted(text));
  return {line.id_of(words[0], "a value"), static_cast<Store>(find(line, stores, words[1], "kind of output")),
          line.id_of(words[2], "a register")};
}

MapArgument parse_argument(const Line& line, std::string_view word) {
  if (const auto number = line.constant_of(word)) return {true, 0, *number};
  return {false, line.id_of(word, "a register"), 0};
}

CodeOp parse_code(const Line& line, const Words& words) {
  CodeOp op;
  op.op = find(line, map_ops(), words[0], "operation", [](const OpName& row) { return row.name; });
  const OpName& row = map_ops()[static_cast<std::size_t>(op.op)];
  const bool random = row.name == "random";
  const std::size_t wanted = random ? 1 : static_cast<std::size_t>(row.arguments);
  if (words.size() != wanted + 1)
    line.fail(quoted(words[0]) + " takes " + std::to_string(wanted) + " argument(s), got " +
              std::to_string(words.size() - 1));
  if (random) op.stream = line.number_of<u64>(words[1], "a stream");
  else
    for (std::size_t i = 1; i < words.size(); ++i) op.arguments.push_back(parse_argument(line, words[i]));
  return op;
}

// `code=add 0 1;exp 2` holds spaces, hence the words up to `out=`.
void parse_codes(Line& line, Instruction& map, std::string_view first) {
  Words op;
  for (std::string_view word = first;; word = line.word("out=…")) {
    if (word.starts_with("out=")) {
      if (!op.empty()) map.code.push_back(parse_code(line, op));
      for (std::string_view out : split(word.substr(4), ',')) map.outputs.push_back(parse_output(line, out));
      return;
    }
    const Words pieces = split(word, ';');
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      if (i > 0) {
        map.code.push_back(parse_code(line, op));
        op.clear();
      }
      if (!pieces[i].empty()) op.push_back(pieces[i]);
    }
  }
}

void parse_map(Line& line, Instruction& map) {
  map.m = line.extent_of(line.key("m"));
  map.n = line.positive("n");
  for (std::string_view input : split(line.key("in"), ',')) map.inputs.push_back(parse_input(line, input));
  parse_codes(line, map, line.key("code"));
}

void parse_matmul(Line& line, Instruction& matmul) {
  for (const char* what : {"the value C", "the value A", "the value B"}) matmul.operands.push_back(line.id(what));
  matmul.m = line.extent_of(line.key("m"));
  matmul.n = line.positive("n");
  matmul.k = line.extent_of(line.key("k"));
  matmul.a = line.strides("a");
  matmul.b = line.strides("b");
}

Side parse_side(Line& line, const char* name, std::size_t rank) {
  const Words halves = split(line.key(name), ':');
  if (halves.size() != 2) line.fail(std::string(name) + " needs <offset>:<strides>");
  Side side;
  side.offset = line.count_of(halves[0], "an offset");
  for (std::string_view word : split(halves[1], ',')) side.strides.push_back(line.count_of(word, "a stride"));
  if (side.strides.size() != rank)
    line.fail(std::string(name) + " has " + std::to_string(side.strides.size()) + " strides for " +
              std::to_string(rank) + " sizes");
  return side;
}

void parse_copy(Line& line, Instruction& copy) {
  for (const char* what : {"the target", "the source"}) copy.operands.push_back(line.id(what));
  const Words sizes = split(line.key("sizes"), ',');
  if (sizes.empty() || sizes.size() > max_rank)
    line.fail("a copy has 1 to 6 sizes, got " + std::to_string(sizes.size()));
  copy.outer = line.extent_of(sizes[0]);
  for (std::size_t i = 1; i < sizes.size(); ++i) {
    const i64 size = line.count_of(sizes[i], "a size");
    if (size < 1) line.fail("a size must be at least 1");
    copy.sizes.push_back(size);
  }
  copy.target = parse_side(line, "dst", sizes.size());
  copy.source = parse_side(line, "src", sizes.size());
}

void parse_fill(Line& line, Instruction& fill) {
  fill.operands.push_back(line.id("the target"));
  const std::string_view word = line.word("const:<number>");
  const auto number = line.constant_of(word);
  if (!number) line.fail("expected const:<number>, got " + quoted(word));
  fill.number = *number;
}

void parse_lookup(Line& line, Instruction& lookup) {
  const int operands = lookup.op == Op::argmax ? 2 : 3;
  for (int i = 0; i < operands; ++i) lookup.operands.push_back(line.id("a value"));
  lookup.m = line.extent_of(line.key("m"));
  lookup.n = line.positive("n");
  if (lookup.op != Op::argmax) lookup.size = line.positive("size");
}

Instruction parse_instruction(Line& line, std::string_view name) {
  Instruction instruction;
  instruction.op = static_cast<Op>(find(line, instruction_names(), name, "instruction"));
  instruction.line = line.number();
  instruction.label = line.label();
  switch (instruction.op) {
    case Op::load: instruction.operands = {line.id("the target"), line.id("the input")}; break;
    case Op::matmul: parse_matmul(line, instruction); break;
    case Op::then:
    case Op::map: parse_map(line, instruction); break;
    case Op::copy: parse_copy(line, instruction); break;
    case Op::fill: parse_fill(line, instruction); break;
    case Op::take:
    case Op::scatter_add:
    case Op::argmax: parse_lookup(line, instruction); break;
  }
  return instruction;
}

// ---- the whole

void parse_header(Line& line, Program& program) {
  const std::string_view name = line.word("'lamina 1 float32'");
  const std::string_view format = line.word("'lamina 1 float32'");
  const std::string_view type = line.word("float32 or float64");
  if (name != "lamina" || format != "1") line.fail("expected 'lamina 1', got " + quoted(name) + " " + quoted(format));
  if (type != "float32" && type != "float64") line.fail("expected float32 or float64, got " + quoted(type));
  program.is_double = type == "float64";
}

void parse_line(Line& line, Program& program) {
  const std::string_view first = line.word("a declaration or an instruction");
  const bool declaring = program.phases.empty();
  if (first == "slot" || first == "value") {
    if (!declaring) line.fail("declarations come before the first phase");
    if (first == "slot") {
      Slot& slot = declare(line, program.slots, "slot");
      slot = parse_slot(line);
    } else {
      Value& value = declare(line, program.values, "value");
      value = parse_value(line);
    }
  } else if (first == "phase") {
    static const std::vector<std::string_view> kinds{"rows", "split", "one"};
    const int kind = find(line, kinds, line.word("rows, split or one"), "kind of phase");
    program.phases.push_back({static_cast<PhaseKind>(kind), line.number(), {}});
  } else {
    if (declaring) line.fail("expected slot, value or phase, got " + quoted(first));
    program.phases.back().instructions.push_back(parse_instruction(line, first));
  }
  line.end();
}

}  // namespace

Program parse(std::string_view text) {
  Program program;
  bool header = false;
  int number = 0;
  for (std::string_view row : split(text, '\n')) {
    Line line(++number, row);
    if (line.empty()) continue;
    if (header) {
      parse_line(line, program);
    } else {
      parse_header(line, program);
      line.end();
      header = true;
    }
  }
  if (!header) throw ProgramError(1, "expected 'lamina 1 float32', the text is empty");
  verify(program);
  return program;
}

}  // namespace lamina
