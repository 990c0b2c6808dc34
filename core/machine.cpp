#include "machine.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "isa.hpp"

namespace lamina {
namespace {

constexpr double worth_sharing = 5e3;    // cycles of a phase: below, telling another thread costs more than it saves
constexpr double long_wait = 300e-6;     // seconds for another thread, beyond what its work can last
constexpr double cycles_a_second = 2e9;  // at the least
constexpr double alone_after = 10;       // times as long as such a wait: sharing then costs a tenth at most
constexpr double worth_waking = 300e3;  // of a run: below, threads that sleep are left asleep
constexpr double worth_a_part = 100e3;   // where there are more than threads: they even out what other programs take
constexpr i64 rows_a_shard = 64;                   // of partial sums: enough for a product, few enough to share
constexpr int most_shards = Threads::most_parts_a_thread;
constexpr i64 row_align = 24;                      // a multiple of every tile's height
constexpr i64 rows_together = 288;                 // of a long batch: what they hold stays in the second-level cache
constexpr i64 rows_summed_together = 192;          // of a long shard: they make one run of its sums
constexpr double cycles_between_polls = 1e6;
constexpr auto poll_interval = std::chrono::milliseconds(20);

i64 aligned(i64 bytes) { return (bytes + 63) / 64 * 64; }

// Into how many shards the rows of a batch are cut where sums are partial: by their number alone, not by the threads.
int shards_of(i64 rows) {
  return static_cast<int>(std::clamp<i64>((rows + rows_a_shard / 2) / rows_a_shard, 1, most_shards));
}

// How many of a part's rows go through the phase together.
i64 rows_at_once(i64 rows, bool sharded) {
  if (sharded) return rows > 2 * rows_summed_together ? rows_summed_together : rows;
  return evenly(rows, rows_together, row_align);
}

// Part t of `total` units, cut at multiples of `align`.
Share share(i64 total, i64 align, int t, int parts) {
  const i64 pieces = (total + align - 1) / align;
  const auto cut = [&](int i) { return std::min(total, pieces * i / parts * align); };
  return {cut(t), cut(t + 1)};
}

double seconds_of_tick() {
  const auto begin = std::chrono::steady_clock::now();
  const i64 ticks = ticks_now();
  std::chrono::duration<double> passed{};
  while (passed.count() < 0.01) passed = std::chrono::steady_clock::now() - begin;
  return passed.count() / static_cast<double>(ticks_now() - ticks);
}

}  // namespace

Workspace::Workspace(std::shared_ptr<const Program> program, i64 batch, int threads, const std::string& isa,
                     bool profile)
    : program_(std::move(program)),
      isa_(isa),
      kernels_(kernels_of(isa, program_->is_double)),
      batch_(batch),
      threads_(threads),
      code_(decode(*program_, kernels_, batch, threads)),
      address_(program_->values.size()) {
  place_temps();
  place_partials();
  place_constants();
  if (profile) ticks_.assign(static_cast<std::size_t>(threads), std::vector<i64>(static_cast<std::size_t>(code_->tasks)));
  place_contexts();
  step_.address = address_.data();
}

void Workspace::place_contexts() {
  const i64 registers = aligned(code_->registers_bytes) + 64;
  const i64 each = registers + aligned(code_->scratch_bytes) + 64;
  const i64 panels = aligned(code_->panels_bytes) + 64, packed = aligned(code_->packed_bytes) + 64;
  const std::size_t factors = static_cast<std::size_t>(code_->packed_factors) + 8;  // a line of the cache for each thread
  scratch_ = Arena(each * threads_.count());
  packed_ = Arena((panels + packed) * threads_.count());
  packed_at_.assign(factors * static_cast<std::size_t>(threads_.count()), 0);
  for (int t = 0; t < threads_.count(); ++t) {
    char* const own = scratch_.data() + t * each;
    i64* const ticks = ticks_.empty() ? nullptr : ticks_[static_cast<std::size_t>(t)].data();
    char* const factors_of_t = packed_.data() + t * (panels + packed);
    contexts_.push_back({&step_, own, own + registers, factors_of_t, factors_of_t + panels,
                         packed_at_.data() + factors * static_cast<std::size_t>(t), {}, 0, true, ticks});
    for (const MapStorage& map : code_->maps) place_registers(map, contexts_.back());
  }
}

void Workspace::place_registers(const MapStorage& map, const Context& context) {
  const void** const table = reinterpret_cast<const void**>(context.registers + map.registers_offset);
  for (const MapStorage::Fixed& fixed : map.fixed) {
    table[fixed.reg] = fixed.block < 0 ? fixed.data : context.scratch + fixed.block * block_stride;
  }
}

void Workspace::place_temps() {
  std::vector<i64> offsets;
  i64 bytes = 0;
  for (const Slot& slot : program_->slots) {
    offsets.push_back(bytes);
    i64 rows = 0;
    if (__builtin_mul_overflow(slot.count.per_row, batch_ * kernels_.element, &rows)) throw std::bad_alloc();
    bytes += aligned(std::max(rows, slot.count.fixed * kernels_.element)) + 64;
  }
  slots_ = Arena(bytes + 64);
  for (std::size_t i = 0; i < address_.size(); ++i) {
    const Value& value = program_->values[i];
    if (value.line != 0 && value.kind == ValueKind::temp)
      address_[i] = slots_.data() + offsets[static_cast<std::size_t>(value.slot)];
  }
}

void Workspace::place_partials() {
  std::vector<i64> offsets;
  i64 bytes = 0;
  for (const Value& value : program_->values) {
    offsets.push_back(bytes);
    if (value.line == 0 || value.kind != ValueKind::partial) continue;
    i64 all = 0;
    if (__builtin_mul_overflow(value.copies, shards_of(batch_) * kernels_.element, &all)) throw std::bad_alloc();
    bytes += aligned(all);
  }
  partials_ = Arena(bytes + 64);
  for (std::size_t i = 0; i < address_.size(); ++i) {
    const Value& value = program_->values[i];
    if (value.line != 0 && value.kind == ValueKind::partial) address_[i] = partials_.data() + offsets[i];
  }
}

void Workspace::set_number(char* cell, double number) const {
  if (program_->is_double) *reinterpret_cast<double*>(cell) = number;
  else *reinterpret_cast<float*>(cell) = static_cast<float>(number);
}

void Workspace::place_constants() {
  i64 bytes = 128;
  for (const Value& value : program_->values)
    bytes += aligned(static_cast<i64>(value.numbers.size()) * kernels_.element);
  constants_ = Arena(bytes);
  rows_cell_ = constants_.data();
  step_cell_ = constants_.data() + 64;
  char* next = constants_.data() + 128;
  for (std::size_t i = 0; i < address_.size(); ++i) {
    const Value& value = program_->values[i];
    if (value.kind == ValueKind::rows) address_[i] = rows_cell_;
    if (value.kind == ValueKind::step) address_[i] = step_cell_;
    if (value.kind != ValueKind::constant) continue;
    address_[i] = next;
    for (std::size_t j = 0; j < value.numbers.size(); ++j)
      set_number(next + static_cast<i64>(j) * kernels_.element, value.numbers[j]);
    next += aligned(static_cast<i64>(value.numbers.size()) * kernels_.element);
  }
}

namespace {
template <class Table>
char* array_of(const Table& table, const std::vector<char*>& arrays, const std::string& name) {
  return arrays[static_cast<std::size_t>(std::distance(table.begin(), table.find(name)))];
}
}  // namespace

void Workspace::bind(const Bound& bound, i64 start) {
  moving_.clear();
  for (std::size_t i = 0; i < address_.size(); ++i) {
    const Value& value = program_->values[i];
    if (value.line == 0) continue;
    const i64 element = kernels_.element;
    if (value.kind == ValueKind::input) address_[i] = array_of(program_->inputs, bound.inputs, value.name);
    if (value.kind == ValueKind::state)
      address_[i] = array_of(program_->states, bound.states, value.name) + value.offset * element;
    if (value.kind == ValueKind::part)
      address_[i] = address_[static_cast<std::size_t>(value.base)] + value.offset * element;
    if (value.kind != ValueKind::output) continue;
    address_[i] = array_of(program_->outputs, bound.outputs, value.name);
    if (value.count.per_row > 0) moving_.push_back({static_cast<int>(i), value.count.per_row * element});
  }
  step_.order = bound.order;
  step_.first = start;
}

i64 Workspace::run(const Bound& bound, i64 start, i64 stop, u64 step, const std::function<bool()>& interrupted) {
  const FlushSubnormals flush;
  const i64 begin = ticks_now();
  bind(bound, start);
  double cycles = 0, shared = 0;
  for (const CodePhase& phase : code_->phases) {
    const double of_phase = phase.cycles(batch_);
    cycles += of_phase;
    if (may_share(phase, of_phase)) shared += of_phase;
  }
  const double batches = static_cast<double>(stop - start) / static_cast<double>(batch_);
  const bool worth_it = shared * batches > worth_waking;
  Threads::Shift shift(threads_, worth_it && !alone_);
  const i64 steps_between_polls = std::max<i64>(1, static_cast<i64>(cycles_between_polls / cycles));
  auto polled = std::chrono::steady_clock::now();
  i64 done = 0;
  for (i64 row = start; row < stop; row += batch_, ++done) {
    if (done > 0 && done % steps_between_polls == 0 && std::chrono::steady_clock::now() - polled > poll_interval) {
      if (interrupted()) throw Interrupted{};
      polled = std::chrono::steady_clock::now();
    }
    step_.rows = std::min(batch_, stop - row);
    step_.first = row;
    step_.number = step + static_cast<u64>(done);
    run_step();
    keep_company(shift, worth_it);
    for (const Moving& output : moving_)
      address_[static_cast<std::size_t>(output.value)] += output.bytes_per_row * step_.rows;
  }
  ticks_passed_ += ticks_now() - begin;
  return done;
}

std::map<int, double> Workspace::seconds() const {
  static const double tick = seconds_of_tick();
  std::map<int, double> found{{0, tick * static_cast<double>(ticks_passed_)}};
  for (const CodePhase& phase : code_->phases) {
    for (const Task* task : phase.tasks) {
      for (const auto& of_thread : ticks_)
        found[task->line] += tick * static_cast<double>(of_thread[static_cast<std::size_t>(task->number)]);
    }
  }
  return found;
}

void Workspace::do_task(const Task& task, Context& context, Share units) {
  if (context.ticks == nullptr) return task.run(task, context, units);
  const i64 before = ticks_now();
  task.run(task, context, units);
  context.ticks[task.number] += ticks_now() - before;
}

void Workspace::run_step() {
  ++step_.serial;
  step_.shards = shards_of(step_.rows);
  set_number(rows_cell_, static_cast<double>(step_.rows));
  set_number(step_cell_, static_cast<double>(step_.number));
  for (const CodePhase& phase : code_->phases) run_phase(phase);
}

bool Workspace::may_share(const CodePhase& phase, double cycles) const {
  return threads_.count() > 1 && phase.kind != PhaseKind::one && cycles > worth_sharing;
}

// Where other programs want the processors too, a thread may be stopped in the middle of its part while all others wait
// for it. Work goes on alone then, and in company again when that has cost little next to the time since.
void Workspace::keep_company(Threads::Shift& shift, bool worth_it) {
  if (!alone_ && interrupted_ == 0) return;
  const auto now = std::chrono::steady_clock::now();
  if (interrupted_ > 0) {
    alone_ = true;
    alone_until_ = now + std::chrono::microseconds(static_cast<i64>(1e6 * alone_after * interrupted_));
    interrupted_ = 0;
    shift.pause();
  } else if (now > alone_until_) {
    alone_ = false;
    if (worth_it) shift.resume();
  }
}

int Workspace::parts_for(double cycles) const {
  const double most = threads_.count() * Threads::most_parts_a_thread;
  return static_cast<int>(std::clamp(cycles / worth_a_part, static_cast<double>(threads_.count()), most));
}

void Workspace::run_phase(const CodePhase& phase) {
  const double cycles = phase.cycles(step_.rows);
  const bool shared = !alone_ && may_share(phase, cycles);
  const int parts = phase.sharded ? step_.shards : shared ? parts_for(cycles) : 1;
  if (shared) {
    phase_ = &phase;
    const double waited = threads_.run(
        [](void* owner, int part, int all, int thread) {
          Workspace& self = *static_cast<Workspace*>(owner);
          self.run_part(*self.phase_, part, all, self.contexts_[static_cast<std::size_t>(thread)]);
        },
        this, parts);
    if (waited > long_wait + cycles / cycles_a_second) interrupted_ += waited;
  } else {
    for (int part = 0; part < parts; ++part) run_part(phase, part, parts, contexts_[0]);
  }
  raise_fault();
}

void Workspace::run_part(const CodePhase& phase, int part, int parts, Context& context) {
  if (phase.kind == PhaseKind::rows) {
    context.shard = part;
    return run_rows(phase, context, share(step_.rows, phase.sharded || parts == 1 ? 1 : row_align, part, parts));
  }
  context.shard = 0;
  context.first = true;
  if (phase.kind == PhaseKind::one) return run_in_order(phase, context);
  for (const Task* task : phase.tasks) {
    const i64 total = task->units.at(step_.rows);
    const bool whole = parts == 1 || !task->divisible;
    const Share units = whole ? Share{0, part == 0 ? total : 0} : share(total, task->align, part, parts);
    if (units.begin < units.end) do_task(*task, context, units);
  }
}

void Workspace::run_in_order(const CodePhase& phase, Context& context) {
  for (const Task* task : phase.tasks) do_task(*task, context, {0, task->units.at(step_.rows)});
}

void Workspace::run_rows(const CodePhase& phase, Context& context, Share rows) {
  const i64 together = rows_at_once(rows.end - rows.begin, phase.sharded);
  for (i64 r = rows.begin; r < rows.end; r += together) {
    const i64 end = std::min(r + together, rows.end);
    context.first = r == rows.begin;
    for (const Task* task : phase.tasks)
      do_task(*task, context, {r * task->units_per_row, end * task->units_per_row});
  }
}

// Of several faults the one in the earliest row is reported, whatever the number of threads.
void Workspace::raise_fault() {
  const Fault* first = nullptr;
  for (Context& context : contexts_) {
    const Fault& fault = context.fault;
    if (fault.task != nullptr && (first == nullptr || fault.row < first->row)) first = &fault;
  }
  if (first == nullptr) return;
  const auto& task = static_cast<const LookupTask&>(*first->task);
  const std::string label = *task.label == '\0' ? "" : std::string(task.label) + ", ";
  const std::string index = first->index == INT64_MIN ? "not a finite number" : std::to_string(first->index);
  const std::string what = label + "row " +
                           std::to_string(step_.first + first->row / std::max<i64>(task.m.per_row, 1)) + ": index is " +
                           index + ", expected " + std::to_string(-task.size) + ".." + std::to_string(task.size - 1) +
                           " (program line " + std::to_string(task.line) + ")";
  for (Context& context : contexts_) context.fault = {};
  throw std::out_of_range(what);
}

}  // namespace lamina
