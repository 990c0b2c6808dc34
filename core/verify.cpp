// The rules of the format (README.md): every count, window and dependence is checked before anything runs.
#include "verify.hpp"

#include <algorithm>
#include <set>

namespace lamina {
namespace {

// ---- phases: what is written before it is read, and what may run side by side

class Flow {
 public:
  Flow(const Program& program, const Memory& memory)
      : program_(program), memory_(memory), owner_(program.slots.size(), -1) {}

  void check() {
    for (const Phase& phase : program_.phases) check_phase(phase);
  }

 private:
  struct Step {  // a matmul and its epilogue are one
    const Instruction* in;
    Access access;
  };

  void check_phase(const Phase& phase) {
    std::vector<Step> done;
    const Instruction* before = nullptr;
    for (const Instruction& in : phase.instructions) {
      const Access access = check_instruction(program_, memory_, phase.kind, in, before);
      for (int id : access.reads) check_defined(in, id);
      for (int id : access.writes) define(id);
      if (in.op == Op::then) join(done.back().access, access);
      else done.push_back({&in, access});
      before = &in;
    }
    for (const Step& step : done) {
      for (int id : step.access.writes) complete_.insert(root(id));
    }
    if (phase.kind == PhaseKind::split) independent(done);
    if (phase.kind == PhaseKind::rows) even_slots(done);
  }

  static void join(Access& to, const Access& from) {
    to.reads.insert(to.reads.end(), from.reads.begin(), from.reads.end());
    to.writes.insert(to.writes.end(), from.writes.begin(), from.writes.end());
  }

  int root(int id) const {
    const Value& value = program_.values[static_cast<std::size_t>(id)];
    return value.kind == ValueKind::part ? root(value.base) : id;
  }
  const Value& rooted(int id) const { return program_.values[static_cast<std::size_t>(root(id))]; }

  void define(int id) {
    if (rooted(id).kind == ValueKind::temp) owner_[static_cast<std::size_t>(rooted(id).slot)] = root(id);
  }
  void check_defined(const Instruction& in, int id) const {
    if (rooted(id).kind == ValueKind::partial && !complete_.contains(root(id)))
      throw ProgramError(in.line, "partial value " + std::to_string(id) + " is read before a phase has written it");
    if (rooted(id).kind != ValueKind::temp) return;
    const int owner = owner_[static_cast<std::size_t>(rooted(id).slot)];
    if (owner == root(id)) return;
    throw ProgramError(in.line, "value " + std::to_string(id) +
                                    (owner < 0 ? " is read before it is written"
                                               : " has been overwritten by value " + std::to_string(owner) +
                                                     " in slot " + std::to_string(rooted(id).slot)));
  }

  void independent(const std::vector<Step>& all) const {
    for (const Step& step : all) {
      for (const Step& other : all) {
        if (step.in == other.in) continue;
        for (int write : step.access.writes) {
          refuse_shared(step, other, write, other.access.reads);
          refuse_shared(step, other, write, other.access.writes);
        }
      }
    }
  }
  void refuse_shared(const Step& step, const Step& other, int write, const std::vector<int>& touched) const {
    for (int id : touched) {
      if (!memory_.overlap(write, id)) continue;
      throw ProgramError(std::max(step.in->line, other.in->line),
                         "instructions of a split phase are independent; value " + std::to_string(write) +
                             " written on line " + std::to_string(step.in->line) + " shares memory with value " +
                             std::to_string(id) + " on line " + std::to_string(other.in->line));
    }
  }
  // Threads run through a phase of rows at their own pace: a slot must give every row the same place throughout.
  void even_slots(const std::vector<Step>& all) const {
    std::map<int, int> first;  // space → a value written there
    for (const auto& [in, access] : all) {
      for (int id : access.writes) {
        if (rooted(id).kind != ValueKind::partial) first.emplace(memory_.of(id).space, id);
      }
    }
    for (const auto& [in, access] : all) {
      Access both = access;
      join(both, {access.writes, {}});
      for (int id : both.reads) {
        const auto found = first.find(memory_.of(id).space);
        if (found == first.end() || memory_.of(id).count == memory_.of(found->second).count) continue;
        throw ProgramError(in->line, "values " + std::to_string(found->second) + " and " + std::to_string(id) +
                                         " share memory in a phase of rows and differ in size: " +
                                         describe(memory_.of(found->second).count) + " and " +
                                         describe(memory_.of(id).count));
      }
    }
  }

  const Program& program_;
  const Memory& memory_;
  std::vector<int> owner_;  // the value that a slot holds
  std::set<int> complete_;  // what earlier phases wrote
};

}  // namespace

void verify(Program& program) {
  check_declarations(program);
  Flow(program, Memory(program)).check();
}

}  // namespace lamina
