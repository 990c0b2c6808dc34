// Program → tasks. Every choice here (which way to cut, whether to pack) changes speed only, never a bit.
#include "decode.hpp"

#include <algorithm>

namespace lamina {
namespace {

constexpr i64 cache_bytes = 1024 * 1024;  // what the rows of C between two epilogues may take, or a whole packed B
constexpr i64 unpacked_bytes = 32 * 1024;
constexpr i64 panels_together = 4;  // of a large product that one thread takes: they share the rows of A that they read

bool has_fold(const Instruction& map, std::initializer_list<Store> stores) {
  return std::any_of(map.outputs.begin(), map.outputs.end(), [&](const MapOutput& out) {
    return std::find(stores.begin(), stores.end(), out.store) != stores.end();
  });
}

class Decoder {
 public:
  Decoder(const Program& program, const Kernels& kernels, i64 batch, int threads)
      : program_(program), kernels_(kernels), batch_(batch), threads_(threads), code_(std::make_unique<Code>()) {}

  std::unique_ptr<Code> decode() {
    for (const Phase& phase : program_.phases) add_phase(phase);
    return std::move(code_);
  }

 private:
  // A large product in a phase of rows becomes a phase of its own, so that its factor is packed once and not by each
  // thread; but not among partial sums, whose shards stay on their threads.
  void add_phase(const Phase& phase) {
    begin(phase.kind);
    packed_ = 0;
    const auto& all = phase.instructions;
    const bool sharded = std::any_of(all.begin(), all.end(), [&](const Instruction& in) { return writes_partial(in); });
    for (std::size_t i = 0; i < all.size(); ++i) {
      const bool joined = i + 1 < all.size() && all[i + 1].op == Op::then;
      const Instruction* const then = joined ? &all[i + 1] : nullptr;
      const bool apart = phase.kind == PhaseKind::rows && !sharded && is_large(all[i], then);
      if (apart) begin(PhaseKind::split);
      add(all[i], then, apart ? PhaseKind::split : phase.kind);
      if (apart) begin(phase.kind);
      if (joined) ++i;
    }
    code_->packed_bytes = std::max(code_->packed_bytes, packed_);
  }
  void begin(PhaseKind kind) {
    if (!code_->phases.empty() && code_->phases.back().tasks.empty()) code_->phases.pop_back();
    code_->phases.push_back({kind, {}});
  }
  bool writes_partial(const Instruction& in) const {
    return (!in.operands.empty() && partial(in.operands[0])) ||
           std::any_of(in.outputs.begin(), in.outputs.end(), [&](const MapOutput& out) { return partial(out.value); });
  }
  void add(const Instruction& in, const Instruction* then, PhaseKind phase) {
    switch (in.op) {
      case Op::load: return add_load(in);
      case Op::matmul: return add_matmul(in, then, phase);
      case Op::map: return add_map(in, phase);
      case Op::copy: return add_copy(in);
      case Op::fill: return add_fill(in);
      case Op::take: return add_lookup(in, kernels_.take, in.operands[1], in.operands[2]);
      case Op::scatter_add:
        return add_lookup(in, sharded(in, phase) ? kernels_.scatter_add_partial : kernels_.scatter_add, in.operands[2],
                          in.operands[1], sharded(in, phase));
      case Op::argmax: return add_lookup(in, kernels_.argmax, in.operands[1], -1);
      case Op::then: return;  // went with its matmul
    }
  }

  void finish(Task& task, const Instruction& in) {
    task.number = code_->tasks++;
    task.line = in.line;
    task.label = in.label.c_str();
    CodePhase& phase = code_->phases.back();
    phase.tasks.push_back(&task);
    phase.cycles_fixed += task.cycles_fixed;
    phase.cycles_per_row += task.cycles_per_row;
    for (int id : in.operands) phase.sharded |= phase.kind == PhaseKind::rows && partial(id);
    for (const MapOutput& out : in.outputs) phase.sharded |= phase.kind == PhaseKind::rows && partial(out.value);
  }
  bool partial(int id) const { return value(id).copies > 0; }
  void moving(Task& task, const Instruction& in, Extent units, i64 per_unit) {
    task.units = units;
    task.units_per_row = units.per_row;
    task.cycles_fixed = 40 + static_cast<double>(units.fixed * per_unit) / 4;
    task.cycles_per_row = static_cast<double>(units.per_row * per_unit) / 4;
    finish(task, in);
  }
  const Value& value(int id) const { return program_.values[static_cast<std::size_t>(id)]; }

  void add_load(const Instruction& in) {
    LoadTask& task = code_->loads.emplace_back();
    task.run = kernels_.load;
    task.target = in.operands[0];
    task.input = in.operands[1];
    task.per_row = value(task.input).count.per_row;
    moving(task, in, {1, 0}, task.per_row);
  }

  void add_copy(const Instruction& in) {
    CopyTask& task = code_->copies.emplace_back();
    task.run = kernels_.copy;
    task.target = in.operands[0];
    task.source = in.operands[1];
    task.rank = static_cast<int>(in.sizes.size()) + 1;
    task.outer = in.outer;
    std::copy(in.sizes.begin(), in.sizes.end(), task.sizes + 1);
    task.target_offset = in.target.offset;
    task.source_offset = in.source.offset;
    std::copy(in.target.strides.begin(), in.target.strides.end(), task.target_strides);
    std::copy(in.source.strides.begin(), in.source.strides.end(), task.source_strides);
    i64 inner = 1;
    for (i64 size : in.sizes) inner *= size;
    moving(task, in, in.outer, inner);
  }

  void add_fill(const Instruction& in) {
    FillTask& task = code_->fills.emplace_back();
    task.run = kernels_.fill;
    task.target = in.operands[0];
    task.number = in.number;
    moving(task, in, value(task.target).count, 1);
  }

  bool sharded(const Instruction& in, PhaseKind phase) const { return phase == PhaseKind::rows && partial(in.operands[0]); }
  void add_lookup(const Instruction& in, Kernel run, int table, int index, bool sharded = false) {
    LookupTask& task = code_->lookups.emplace_back();
    task.run = run;
    task.target = in.operands[0];
    task.table = table;
    task.index = index;
    task.m = in.m;
    task.n = in.n;
    task.size = in.size;
    task.copies = sharded ? value(task.target).copies : 0;
    const bool by_columns = in.op == Op::scatter_add && !sharded;
    moving(task, in, by_columns ? Extent{0, in.n} : in.m, by_columns ? in.m.at(batch_) + in.size : in.n);
  }

  void place_map(MapStorage& map, const Instruction& in, const MatmulTask* after, PhaseKind phase) {
    decode_map(map, program_, in, kernels_, after, phase);
    map.registers_offset = code_->registers_bytes;
    code_->registers_bytes += map.registers * static_cast<i64>(sizeof(void*));
    code_->scratch_bytes = std::max(code_->scratch_bytes, map.scratch_bytes);
  }
  void add_map(const Instruction& in, PhaseKind phase) {
    MapStorage& map = code_->maps.emplace_back();
    place_map(map, in, nullptr, phase);
    finish(map, in);
  }

  // ---- matmul
  void add_matmul(const Instruction& in, const Instruction* then, PhaseKind phase) {
    MatmulTask& task = code_->matmuls.emplace_back();
    task.run = kernels_.matmul;
    task.c = in.operands[0];
    task.a = in.operands[1];
    task.b = in.operands[2];
    task.m = in.m;
    task.k = in.k;
    task.n = in.n;
    task.a_row = in.a[0];
    task.a_column = in.a[1];
    task.b_row = in.b[0];
    task.b_column = in.b[1];
    task.copies = phase == PhaseKind::rows ? value(task.c).copies : 0;
    if (task.copies > 0) {
      task.run = kernels_.matmul_partial;
      task.units = task.k;
      task.units_per_row = task.k.per_row;
    } else {
      cut(task, in, then, phase);
    }
    pack(task);
    const double work = static_cast<double>(in.n * kernels_.element) / 64;
    task.cycles_fixed = 100 + work * static_cast<double>(in.m.fixed * in.k.fixed);
    task.cycles_per_row = work * static_cast<double>(in.m.per_row * in.k.fixed + in.m.fixed * in.k.per_row);
    if (then != nullptr) add_then(task, *then, phase);
    finish(task, in);
  }
  void cut(MatmulTask& task, const Instruction& in, const Instruction* then, PhaseKind phase) {
    const bool large = is_large(in, then), along = folds_along(then);
    const bool down = then != nullptr && has_fold(*then, {Store::sum_rows, Store::max_rows});
    const bool flat = task.m.at(batch_) < 2 * threads_ * kernels_.tile_rows && task.n >= 2 * kernels_.panel;
    task.by_columns = phase != PhaseKind::rows && task.n > 1 && (down || large || (flat && !along));
    task.units = task.by_columns ? Extent{0, task.n} : task.m;
    task.units_per_row = task.m.per_row;
    task.align = large ? panels_together * kernels_.panel : task.by_columns ? kernels_.panel : kernels_.tile_rows;
  }
  // Its B does not stay in a cache while threads go through rows; each of them takes columns of it.
  bool is_large(const Instruction& in, const Instruction* then) const {
    return in.op == Op::matmul && in.n * in.k.at(batch_) * kernels_.element > cache_bytes &&
           in.n >= 2 * panels_together * kernels_.panel && !folds_along(then);
  }
  static bool folds_along(const Instruction* then) {
    return then != nullptr && has_fold(*then, {Store::sum_columns, Store::max_columns});
  }
  void pack(MatmulTask& task) {
    const i64 k = task.k.at(batch_), m = task.m.at(batch_), panels = (task.n + kernels_.panel - 1) / kernels_.panel;
    const i64 element = kernels_.element, panel_bytes = std::min(k, kernels_.depth) * kernels_.panel * element;
    const bool partial = task.copies > 0, much = m >= 64 && k * task.n * element > unpacked_bytes;
    const i64 together = partial ? 1 : std::clamp(cache_bytes / std::max(panel_bytes, i64{1}), i64{1}, panels);
    if (task.n > 1 && (task.b_column != 1 || (partial ? panels > 1 : much)))
      task.packing = partial || task.by_columns ? Packing::block : Packing::whole;
    if (task.packing == Packing::block) task.block_columns = together * kernels_.panel;
    task.packs_a = task.n > 1 && k > 1 && task.a_row == 1 && !partial && panels >= panels_together;
    task.align_rows = task.packs_a ? kernels_.group : kernels_.tile_rows;
    if (task.packs_a && !task.by_columns) task.align = kernels_.group;
    const i64 wide = task.block_columns > 0 ? task.block_columns : task.n;
    const i64 fitting = std::clamp(cache_bytes / (wide * element), task.align_rows, kernels_.rows_together);
    task.chunk = fitting / task.align_rows * task.align_rows;
    if (task.n == 1 || task.packing == Packing::block)
      code_->panels_bytes = std::max(code_->panels_bytes, together * panel_bytes);
    if (task.packing == Packing::whole) task.packed_b = packed_factor(panels * kernels_.panel * k);
    if (task.packs_a) task.packed_a = packed_factor((m + kernels_.group) * k);
  }
  PackedFactor packed_factor(i64 elements) {
    const i64 at = packed_;
    packed_ += (elements * kernels_.element + 127) / 64 * 64;
    return {at, code_->packed_factors++};
  }
  void add_then(MatmulTask& task, const Instruction& then, PhaseKind phase) {
    MapStorage& map = code_->maps.emplace_back();
    place_map(map, then, &task, phase);
    for (const MapOutput& out : then.outputs)
      code_->phases.back().sharded |= phase == PhaseKind::rows && partial(out.value);
    task.then = &map;
    task.divisible = map.divisible;
    // Sums over rows want all rows at once.
    if (has_fold(then, {Store::sum_rows, Store::max_rows, Store::sum_all, Store::max_all})) task.chunk = 0;
    task.cycles_fixed += map.cycles_fixed;
    task.cycles_per_row += map.cycles_per_row;
  }

  const Program& program_;
  const Kernels& kernels_;
  const i64 batch_;
  const int threads_;
  i64 packed_ = 0;
  std::unique_ptr<Code> code_;
};

}  // namespace

std::unique_ptr<Code> decode(const Program& program, const Kernels& kernels, i64 batch, int threads) {
  return Decoder(program, kernels, batch, threads).decode();
}

}  // namespace lamina
