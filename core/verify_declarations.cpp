// Values and slots: sizes, windows and names.
#include <algorithm>

#include "verify.hpp"

namespace lamina {
namespace {

class Declarations {
 public:
  explicit Declarations(Program& program) : program_(program) {}

  void check() {
    for (std::size_t i = 0; i < program_.values.size(); ++i) {
      Value& value = program_.values[i];
      if (value.line == 0) continue;
      if (value.kind == ValueKind::part && static_cast<std::size_t>(value.base) >= i)
        fail(value, "a part has a larger number than the value it belongs to");
      check_value(value);
    }
  }

 private:
  [[noreturn]] static void fail(const Value& value, const std::string& what) { throw ProgramError(value.line, what); }

  void check_value(Value& value) {
    if ((value.count.per_row > 0) == (value.count.fixed > 0)) {
      fail(value, "a value has elements a row or fixed elements, one of the two; got " +
                      std::to_string(value.count.per_row) + " and " + std::to_string(value.count.fixed));
    }
    switch (value.kind) {
      case ValueKind::input: return check_input(value);
      case ValueKind::state: return check_state(value);
      case ValueKind::temp: return check_temp(value);
      case ValueKind::partial: return space_copies(value);
      case ValueKind::part: return check_part(value);
      case ValueKind::output: return check_output(value);
      default: return;
    }
  }
  void check_input(const Value& value) {
    const auto [entry, added] = program_.inputs.emplace(value.name, value.count.per_row);
    if (entry->second != value.count.per_row)
      fail(value, "input '" + value.name + "' has " + std::to_string(entry->second) + " elements a row elsewhere");
  }
  void check_state(const Value& value) {
    i64& least = program_.states[value.name];
    least = std::max(least, value.offset + value.count.fixed);
  }
  void check_output(const Value& value) {
    const auto [entry, added] =
        program_.outputs.emplace(value.name, OutputShape{value.count.per_row, value.count.fixed});
    if (!added) fail(value, "output '" + value.name + "' is declared already");
  }
  void check_temp(const Value& value) {
    const auto& slots = program_.slots;
    if (static_cast<std::size_t>(value.slot) >= slots.size() || slots[static_cast<std::size_t>(value.slot)].line == 0)
      fail(value, "slot " + std::to_string(value.slot) + " is not declared");
    const Extent room = slots[static_cast<std::size_t>(value.slot)].count;
    const bool fits = value.count.per_row <= room.per_row && value.count.fixed <= std::max(room.fixed, room.per_row);
    if (!fits)
      fail(value, describe(value.count) + " elements do not fit slot " + std::to_string(value.slot) + " of max(" +
                      std::to_string(room.per_row) + "*B, " + std::to_string(room.fixed) + ")");
  }
  // Each shard's sums begin on a line of the cache of their own.
  static void space_copies(Value& value) {
    if (value.count.fixed > i64{1} << 40) fail(value, "sizes are too large");
    value.copies = (value.count.fixed + 15) / 16 * 16;
  }
  void check_part(Value& value) {
    const auto& values = program_.values;
    const bool known =
        static_cast<std::size_t>(value.base) < values.size() && values[static_cast<std::size_t>(value.base)].line != 0;
    if (!known) fail(value, "value " + std::to_string(value.base) + " is not declared");
    const Extent base = values[static_cast<std::size_t>(value.base)].count;
    if (batch(base))
      fail(value, "a part belongs to a value of fixed size, value " + std::to_string(value.base) + " has " +
                      describe(base) + " elements");
    value.copies = values[static_cast<std::size_t>(value.base)].copies;
    if (value.offset + value.count.fixed > base.fixed)
      fail(value, "elements " + std::to_string(value.offset) + ".." + std::to_string(value.offset + value.count.fixed) +
                      " reach beyond the " + std::to_string(base.fixed) + " of value " + std::to_string(value.base));
  }

  Program& program_;
};

}  // namespace

void check_declarations(Program& program) { Declarations(program).check(); }

}  // namespace lamina
