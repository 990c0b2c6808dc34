// Runs the steps of an epoch: for each batch gather, then phase by phase. Nothing of Python is known here.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "arena.hpp"
#include "decode.hpp"
#include "threads.hpp"

namespace lamina {

// The caller's arrays for some steps, in the order of the program's inputs, states and outputs by name.
struct Bound {
  std::vector<char*> inputs, states, outputs;
  const i64* order = nullptr;  // rows in the order of the pass, or null
};

struct Interrupted {};

class Workspace {
 public:
  // `profile`: keep the time that each instruction takes.
  Workspace(std::shared_ptr<const Program> program, i64 batch, int threads, const std::string& isa, bool profile);

  const Program& program() const { return *program_; }
  const std::string& isa() const { return isa_; }
  i64 batch() const { return batch_; }
  int threads() const { return threads_.count(); }

  // Rows [start, stop) of the pass in batches, the first of them step number `step`; returns the number of steps.
  // `interrupted` is asked now and then; if it says yes, Interrupted is thrown between two steps.
  i64 run(const Bound& bound, i64 start, i64 stop, u64 step, const std::function<bool()>& interrupted);

  // Seconds of all runs so far by the line of each instruction (an epilogue's with its product), all threads
  // together, and the seconds that passed under 0.
  std::map<int, double> seconds() const;

 private:
  void place_contexts();
  static void place_registers(const MapStorage& map, const Context& context);
  void place_temps();
  void place_partials();
  void place_constants();
  void bind(const Bound& bound, i64 start);
  void run_step();
  bool may_share(const CodePhase& phase, double cycles) const;
  int parts_for(double cycles) const;
  void keep_company(Threads::Shift& shift, bool worth_it);
  void run_phase(const CodePhase& phase);
  void run_part(const CodePhase& phase, int part, int parts, Context& context);
  static void do_task(const Task& task, Context& context, Share units);
  void run_in_order(const CodePhase& phase, Context& context);
  void run_rows(const CodePhase& phase, Context& context, Share rows);
  void set_number(char* cell, double number) const;
  void raise_fault();

  std::shared_ptr<const Program> program_;
  const std::string isa_;
  const Kernels& kernels_;
  const i64 batch_;
  Threads threads_;
  std::unique_ptr<Code> code_;
  Arena slots_, partials_, constants_, packed_, scratch_;
  std::vector<char*> address_;
  struct Moving {  // an output with a part for each row
    int value;
    i64 bytes_per_row;
  };
  std::vector<Moving> moving_;
  char* rows_cell_ = nullptr;
  char* step_cell_ = nullptr;
  std::chrono::steady_clock::time_point alone_until_;
  std::vector<Context> contexts_;
  std::vector<u64> packed_at_;
  std::vector<std::vector<i64>> ticks_;  // of each thread, if profiled
  i64 ticks_passed_ = 0;
  Step step_{};
  const CodePhase* phase_ = nullptr;  // that the threads are in
  double interrupted_ = 0;            // seconds that a phase took longer since other programs had a thread's processor
  bool alone_ = false;                // for a while after that
};

}  // namespace lamina
