// A verified Program as flat tasks for one instruction set: normalised domains, chosen kernels, scratch laid out.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "program.hpp"

namespace lamina {

struct MapStorage : MapTask {
  // What the task's spans point into.
  std::vector<MapOperand> operands[5];  // full, row, column, scalar, partial
  std::vector<MapOp> once, each;
  std::vector<MapSink> folds[3], last;  // along, down, all; copies
  std::vector<double> numbers;          // room for constants of either type
  // Registers that never change: a scratch block, or a constant.
  struct Fixed {
    int reg;
    int block;         // or -1
    const void* data;  // of a constant
  };
  std::vector<Fixed> fixed;
  i64 registers = 0;
};

struct CodePhase {
  PhaseKind kind;
  std::vector<const Task*> tasks;
  bool sharded = false;  // it writes partial sums
  double cycles_fixed = 0;
  double cycles_per_row = 0;
  double cycles(i64 rows) const { return cycles_fixed + cycles_per_row * static_cast<double>(rows); }
};

struct Code {
  std::vector<CodePhase> phases;
  int tasks = 0;
  i64 registers_bytes = 0;  // of a thread
  i64 scratch_bytes = 0;
  i64 panels_bytes = 0;
  i64 packed_bytes = 0;
  int packed_factors = 0;

  std::deque<MapStorage> maps;
  std::deque<MatmulTask> matmuls;
  std::deque<LoadTask> loads;
  std::deque<CopyTask> copies;
  std::deque<FillTask> fills;
  std::deque<LookupTask> lookups;
};

// Addresses inside the program's instructions are numbers of values; `batch` is the largest batch.
std::unique_ptr<Code> decode(const Program& program, const Kernels& kernels, i64 batch, int threads);

// decode_map.cpp: `after` is the matmul whose epilogue this is.
void decode_map(MapStorage& map, const Program& program, const Instruction& instruction, const Kernels& kernels,
                const MatmulTask* after, PhaseKind phase);

}  // namespace lamina
