// The parts of verification: declarations, one instruction at a time, and how instructions follow each other.
#pragma once

#include <vector>

#include "memory.hpp"
#include "program.hpp"

namespace lamina {

inline bool batch(Extent count) { return count.per_row > 0; }

struct Access {
  std::vector<int> reads;
  std::vector<int> writes;
};

void check_declarations(Program& program);  // fills inputs, states, outputs
Access check_instruction(const Program& program, const Memory& memory, PhaseKind phase, const Instruction& instruction,
                         const Instruction* before);

}  // namespace lamina
