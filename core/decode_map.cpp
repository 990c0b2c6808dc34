// One `map` instruction: its domain brought to the simplest form, a kernel chosen for each operation, registers
// placed in operands, results or blocks.
#include <algorithm>
#include <cstring>

#include "decode.hpp"
#include "memory.hpp"

namespace lamina {
namespace {

// How many numbers a register holds: one for all, one a row, or one an element.
enum class Reach { one, row, all };

struct Output {
  int value;
  Fold fold;
  int reg;
};

class MapDecoder {
 public:
  MapDecoder(MapStorage& map, const Program& program, const Instruction& in, const Kernels& kernels, const MatmulTask* after)
      : map_(map), memory_(program), in_(in), kernels_(kernels), after_(after) {}

  void decode() {
    normalise();
    choose_domain();
    add_sources();
    add_code();
    add_sinks();
    allocate_blocks();
    lay_out_scratch();
    publish();
    estimate();
  }

 private:
  // One column or one row: kinds that coincide become the simpler one.
  void normalise() {
    const bool one_column = in_.n == 1;
    const bool one_row = in_.m == Extent{0, 1};
    for (const MapInput& input : in_.inputs) {
      Spread s = input.spread;
      if (one_column) s = s == Spread::column ? Spread::full : s == Spread::row ? Spread::scalar : s;
      if (one_row) s = s == Spread::row ? Spread::full : s == Spread::column ? Spread::scalar : s;
      spreads_.push_back(s);
    }
    for (const MapOutput& out : in_.outputs) outputs_.push_back({out.value, fold_of(out.store, one_column, one_row), out.reg});
  }
  static Fold fold_of(Store store, bool one_column, bool one_row) {
    const bool max = store == Store::max_columns || store == Store::max_rows || store == Store::max_all;
    const Fold all = max ? Fold::max_all : Fold::sum_all;
    switch (store) {
      case Store::full: return Fold::none;
      case Store::sum_columns:
      case Store::max_columns: return one_column ? Fold::none : one_row ? all : max ? Fold::max_columns : Fold::sum_columns;
      case Store::sum_rows:
      case Store::max_rows: return one_row ? Fold::none : one_column ? all : max ? Fold::max_rows : Fold::sum_rows;
      default: return all;
    }
  }
  bool folds(Fold a, Fold b) const {
    return std::any_of(outputs_.begin(), outputs_.end(), [=](const Output& o) { return o.fold == a || o.fold == b; });
  }
  bool spreads(Spread s) const { return std::find(spreads_.begin(), spreads_.end(), s) != spreads_.end(); }

  void choose_domain() {
    const bool down = folds(Fold::sum_rows, Fold::max_rows), along = folds(Fold::sum_columns, Fold::max_columns);
    const bool all = folds(Fold::sum_all, Fold::max_all);
    const bool split_columns = after_ != nullptr && after_->by_columns;
    const bool flat = !down && !along && !spreads(Spread::row) && !spreads(Spread::column) && !split_columns;
    map_.rows = flat ? Extent{0, 1} : in_.m;
    map_.columns = flat ? Extent{in_.m.per_row * in_.n, in_.m.fixed * in_.n} : Extent{0, in_.n};
    map_.by_columns = flat || down || split_columns;
    map_.units = map_.by_columns ? map_.columns : map_.rows;
    map_.units_per_row = flat ? in_.m.per_row * in_.n : in_.m.per_row;
    map_.align = map_.by_columns ? 64 : 1;
    map_.divisible = !all && !(down && along);
  }

  // ---- registers
  int new_register(Reach reach) {
    reach_.push_back(reach);
    map_.block_of_.push_back(-1);
    last_use_.push_back(-1);
    return static_cast<int>(reach_.size()) - 1;
  }
  Reach reach(int reg) const { return reach_[static_cast<std::size_t>(reg)]; }
  int new_block() {
    if (free_.empty()) return blocks_++;
    const int block = free_.back();
    free_.pop_back();
    return block;
  }

  void add_sources() {
    for (std::size_t i = 0; i < in_.inputs.size(); ++i) {
      const Spread s = spreads_[i];
      const int reg = new_register(s == Spread::scalar ? Reach::one : s == Spread::column ? Reach::row : Reach::all);
      const bool written_out = s == Spread::row || s == Spread::column;
      map_.sources_.push_back({in_.inputs[i].value, reg, s, written_out ? blocks_++ : -1});
    }
    const std::size_t most = 4 * (in_.code.size() + in_.outputs.size()) + 4;
    map_.numbers_.reserve(most);
    map_.constants_.reserve(most);
    for (std::size_t i = 0; i < in_.inputs.size(); ++i) names_.push_back(static_cast<int>(i));
  }
  int constant(double number) {
    map_.numbers_.push_back(0);
    char* const data = reinterpret_cast<char*>(&map_.numbers_.back());
    const float narrow = static_cast<float>(number);
    if (kernels_.element == 4) std::memcpy(data, &narrow, 4);
    else std::memcpy(data, &number, 8);
    const int reg = new_register(Reach::one);
    map_.constants_.push_back({reg, data});
    return reg;
  }

  void add_code() {
    for (const CodeOp& code : in_.code) names_.push_back(add_op(code));
  }
  int add_op(const CodeOp& code) {
    const MapRow& row = kernels_.map_rows[code.op];
    MapOp op;
    op.stream = code.stream;
    op.random = row.arguments == 0;
    int single_tall = 0, single_wide = 0, count = 0;
    Reach widest = op.random ? Reach::all : Reach::one;
    for (const MapArgument& argument : code.arguments) {
      const int reg = argument.constant ? constant(argument.number) : names_[static_cast<std::size_t>(argument.reg)];
      op.arguments[count] = reg;
      if (reach(reg) == Reach::one) single_tall |= 1 << count;
      if (reach(reg) != Reach::all) single_wide |= 1 << count;
      widest = std::max(widest, reach(reg));
      ++count;
    }
    op.tall = row.kernels[single_tall];
    op.wide = row.kernels[single_wide];
    op.single_tall = widest == Reach::one;
    op.single_wide = widest != Reach::all;
    cycles_ += widest == Reach::all ? row.cycles : 0;
    op.out = new_register(widest);
    (widest == Reach::one ? map_.uniform_ : map_.ops_).push_back(op);
    return op.out;
  }
  // The same numbers in a register of their own, one an element.
  int spread_out(int reg) {
    MapOp op;
    op.arguments[0] = op.arguments[1] = op.arguments[2] = reg;
    op.tall = reach(reg) == Reach::one ? kernels_.splat_block : kernels_.copy_block;
    op.wide = reach(reg) == Reach::all ? kernels_.copy_block : kernels_.splat_block;
    op.out = new_register(Reach::all);
    map_.ops_.push_back(op);
    return op.out;
  }

  // ---- results
  bool is_source(int reg) const { return reg < static_cast<int>(in_.inputs.size()); }
  bool is_direct(int reg) const {
    return std::any_of(map_.sinks_.begin(), map_.sinks_.end(), [=](const MapSink& s) { return s.fold == Fold::none && s.reg == reg; });
  }
  void add_sinks() {
    for (const Output& out : outputs_) {
      int reg = names_[static_cast<std::size_t>(out.reg)];
      const bool full = out.fold == Fold::none;
      if (reach(reg) != Reach::all || (full && (is_source(reg) || is_direct(reg)))) reg = spread_out(reg);
      map_.sinks_.push_back({out.value, reg, out.fold, false, 0});
    }
    for (MapSink& sink : map_.sinks_) sink.copied = sink.fold == Fold::none && read_after(sink);
    // What is summed may be an operand that a copied result overwrites.
    std::stable_partition(map_.sinks_.begin(), map_.sinks_.end(), [](const MapSink& s) { return s.fold != Fold::none; });
  }
  // Is the old content of the result's memory read after the operation that makes the result?
  bool read_after(const MapSink& sink) const {
    bool made = false;
    for (const MapOp& op : map_.ops_) {
      if (made && std::any_of(op.arguments, op.arguments + 3, [&](int reg) { return reads(reg, sink.value); })) return true;
      made = made || op.out == sink.reg;
    }
    return std::any_of(map_.sinks_.begin(), map_.sinks_.end(), [&](const MapSink& s) { return s.fold != Fold::none && reads(s.reg, sink.value); });
  }
  bool reads(int reg, int value) const {
    return is_source(reg) && memory_.overlap(in_.inputs[static_cast<std::size_t>(reg)].value, value);
  }

  // ---- blocks: a register keeps one from its operation to its last use
  void allocate_blocks() {
    for (const MapOp& op : map_.uniform_) map_.block_of_[static_cast<std::size_t>(op.out)] = blocks_++;
    const int end = static_cast<int>(map_.ops_.size());
    for (int i = 0; i < end; ++i) {
      for (int reg : map_.ops_[static_cast<std::size_t>(i)].arguments) last_use_[static_cast<std::size_t>(reg)] = i;
    }
    for (const MapSink& sink : map_.sinks_) last_use_[static_cast<std::size_t>(sink.reg)] = end;
    std::vector<bool> direct(reach_.size());
    for (const MapSink& sink : map_.sinks_) {
      if (sink.fold == Fold::none && !sink.copied) direct[static_cast<std::size_t>(sink.reg)] = true;
    }
    std::vector<bool> ours(reach_.size());
    for (int i = 0; i < end; ++i) {
      const MapOp& op = map_.ops_[static_cast<std::size_t>(i)];
      for (int reg : op.arguments) release(reg, i, ours);
      if (direct[static_cast<std::size_t>(op.out)]) continue;
      map_.block_of_[static_cast<std::size_t>(op.out)] = new_block();
      ours[static_cast<std::size_t>(op.out)] = true;
    }
  }
  void release(int reg, int at, std::vector<bool>& ours) {
    const auto r = static_cast<std::size_t>(reg);
    if (!ours[r] || last_use_[r] != at) return;
    ours[r] = false;
    free_.push_back(map_.block_of_[r]);
  }

  void lay_out_scratch() {
    const auto aligned = [](i64 bytes) { return (bytes + 63) / 64 * 64; };
    map_.registers = static_cast<i64>(reach_.size());
    map_.blocks_offset = aligned(map_.registers * static_cast<i64>(sizeof(char*)));
    i64 bytes = map_.blocks_offset + blocks_ * block_stride;
    for (MapSink& sink : map_.sinks_) {
      if (sink.fold == Fold::none) continue;
      sink.scratch = bytes;
      const bool down = sink.fold == Fold::sum_rows || sink.fold == Fold::max_rows;
      bytes += aligned((down ? 4 * in_.n : 64) * kernels_.element) + 64;  // at most four accumulators a column
    }
    map_.scratch_bytes = bytes;
  }

  void publish() {
    map_.sources = map_.sources_.data();
    map_.source_count = static_cast<int>(map_.sources_.size());
    map_.constants = map_.constants_.data();
    map_.constant_count = static_cast<int>(map_.constants_.size());
    map_.uniform = map_.uniform_.data();
    map_.uniform_count = static_cast<int>(map_.uniform_.size());
    map_.ops = map_.ops_.data();
    map_.op_count = static_cast<int>(map_.ops_.size());
    map_.sinks = map_.sinks_.data();
    map_.sink_count = static_cast<int>(map_.sinks_.size());
    map_.block_of = map_.block_of_.data();
    map_.run = kernels_.map;
  }
  void estimate() {
    const double moves = 2.0 * static_cast<double>(in_.inputs.size() + in_.outputs.size());
    const double row = (cycles_ + moves) * static_cast<double>(in_.n * kernels_.element) / 64;
    map_.cycles_fixed = 60 + row * static_cast<double>(in_.m.fixed);
    map_.cycles_per_row = row * static_cast<double>(in_.m.per_row);
  }

  MapStorage& map_;
  const Memory memory_;
  const Instruction& in_;
  const Kernels& kernels_;
  const MatmulTask* after_;
  std::vector<Spread> spreads_;
  std::vector<Output> outputs_;
  std::vector<Reach> reach_;
  std::vector<int> last_use_;
  std::vector<int> names_;  // register of the text → register here
  std::vector<int> free_;
  int blocks_ = 0;
  double cycles_ = 0;
};

}  // namespace

void decode_map(MapStorage& map, const Program& program, const Instruction& instruction, const Kernels& kernels,
                const MatmulTask* after) {
  MapDecoder(map, program, instruction, kernels, after).decode();
}

}  // namespace lamina
