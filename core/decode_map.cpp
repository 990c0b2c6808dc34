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
  bool copied = false;
};

class MapDecoder {
 public:
  MapDecoder(MapStorage& map, const Program& program, const Instruction& in, const Kernels& kernels,
             const MatmulTask* after, PhaseKind phase)
      : map_(map), program_(program), memory_(program), in_(in), kernels_(kernels), after_(after), phase_(phase) {}

  void decode() {
    normalise();
    choose_domain();
    add_sources();
    add_code();
    pair_up();
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
    for (const MapOutput& out : in_.outputs)
      outputs_.push_back({out.value, fold_of(out.store, one_column, one_row), out.reg});
  }
  static Fold fold_of(Store store, bool one_column, bool one_row) {
    const bool max = store == Store::max_columns || store == Store::max_rows || store == Store::max_all;
    const Fold all = max ? Fold::max_all : Fold::sum_all;
    switch (store) {
      case Store::full: return Fold::none;
      case Store::sum_columns:
      case Store::max_columns:
        return one_column ? Fold::none : one_row ? all : max ? Fold::max_columns : Fold::sum_columns;
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
    map_.by_columns = flat || (down && phase_ != PhaseKind::rows) || split_columns;
    map_.units = map_.by_columns ? map_.columns : map_.rows;
    map_.units_per_row = flat ? in_.m.per_row * in_.n : in_.m.per_row;
    map_.align = map_.by_columns ? 64 : 1;
    map_.divisible = !all && !(down && along);
  }

  // ---- registers
  int new_register(Reach reach) {
    reach_.push_back(reach);
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
      const i64 copies = copies_of(in_.inputs[i].value);
      const bool written_out = s == Spread::row || s == Spread::column || copies > 0;
      map_.operands[copies > 0 ? 4 : static_cast<std::size_t>(s)].push_back(
          {in_.inputs[i].value, reg, written_out ? blocks_++ : -1, copies});
      names_.push_back(reg);
    }
    map_.numbers.reserve(4 * in_.code.size() + 4);  // never moved: registers point here
  }
  i64 copies_of(int value) const { return program_.values[static_cast<std::size_t>(value)].copies; }
  int constant(double number) {
    map_.numbers.push_back(0);
    void* const data = &map_.numbers.back();
    const float narrow = static_cast<float>(number);
    if (kernels_.element == 4) std::memcpy(data, &narrow, 4);
    else std::memcpy(data, &number, 8);
    const int reg = new_register(Reach::one);
    map_.fixed.push_back({reg, -1, data});
    return reg;
  }

  void add_code() {
    for (const CodeOp& code : in_.code) names_.push_back(add_op(code));
  }
  int add_op(const CodeOp& code) {
    const MapRow& row = kernels_.map_rows[code.op];
    MapOp op;
    op.row = code.op;
    op.stream = code.stream;
    op.random = row.arguments == 0;
    Reach widest = op.random ? Reach::all : Reach::one;
    for (const MapArgument& argument : code.arguments) {
      const int reg = argument.constant ? constant(argument.number) : names_[static_cast<std::size_t>(argument.reg)];
      op.arguments[op.count++] = reg;
      widest = std::max(widest, reach(reg));
    }
    choose(op, row.kernels);
    op.single_tall = widest == Reach::one;
    op.single_wide = widest != Reach::all;
    cycles_ += widest == Reach::all ? row.cycles : 0;
    op.out = new_register(widest);
    (widest == Reach::one ? map_.once : map_.each).push_back(op);
    return op.out;
  }
  // The kernel for which of its arguments are single numbers.
  void choose(MapOp& op, const MapKernel* kernels) const {
    int single_tall = 0, single_wide = 0;
    for (int i = 0; i < op.count; ++i) {
      if (reach(op.arguments[i]) == Reach::one) single_tall |= 1 << i;
      if (reach(op.arguments[i]) != Reach::all) single_wide |= 1 << i;
    }
    op.tall = kernels[single_tall];
    op.wide = kernels[single_wide];
  }

  // ---- pairs: an operation (or a pair) whose result only the next one needs goes through its elements with it
  void pair_up() {
    for (std::size_t i = 0; i < map_.each.size(); ++i) {
      const MapOp& second = map_.each[i];
      for (int at = 0; second.row < kernels_.map_row_count && at < second.count; ++at) {
        const auto first = std::find_if(map_.each.begin(), map_.each.end(),
                                        [&](const MapOp& op) { return op.out == second.arguments[at]; });
        if (first == map_.each.end()) continue;
        const MapPair* const pair = pair_for(*first, second, at);
        if (pair == nullptr || uses(first->out) != 1 || first->single_wide != second.single_wide) continue;
        map_.each[i] = joined(*first, second, *pair);
        map_.each.erase(first);
        --i;
        break;
      }
    }
  }
  const MapPair* pair_for(const MapOp& first, const MapOp& second, int at) const {
    const MapPair* const end = kernels_.map_pairs + kernels_.map_pair_count;
    const MapPair* const found = std::find_if(kernels_.map_pairs, end, [&](const MapPair& pair) {
      return pair.first == first.row && pair.second == second.row && pair.at == at;
    });
    return found == end ? nullptr : found;
  }
  MapOp joined(const MapOp& first, const MapOp& second, const MapPair& pair) const {
    MapOp op = second;
    op.row = kernels_.map_row_count + static_cast<int>(&pair - kernels_.map_pairs);
    op.count = 0;
    for (int i = 0; i < first.count; ++i) op.arguments[op.count++] = first.arguments[i];
    for (int i = 0; i < second.count; ++i) {
      if (i != pair.at) op.arguments[op.count++] = second.arguments[i];
    }
    for (int i = op.count; i < 4; ++i) op.arguments[i] = op.arguments[0];
    choose(op, pair.kernels);
    return op;
  }
  int uses(int reg) const {
    int found = 0;
    for (const MapOp& op : map_.each) found += static_cast<int>(std::count(op.arguments, op.arguments + op.count, reg));
    for (const Output& out : outputs_) found += names_[static_cast<std::size_t>(out.reg)] == reg;
    return found;
  }

  // The same numbers in a register of their own, one an element.
  int spread_out(int reg) {
    MapOp op;
    std::fill(op.arguments, op.arguments + 4, reg);
    op.count = 1;
    op.tall = reach(reg) == Reach::one ? kernels_.splat_block : kernels_.copy_block;
    op.wide = reach(reg) == Reach::all ? kernels_.copy_block : kernels_.splat_block;
    op.out = new_register(Reach::all);
    map_.each.push_back(op);
    return op.out;
  }

  // ---- results
  bool is_source(int reg) const { return reg < static_cast<int>(in_.inputs.size()); }
  bool is_result(int reg) const {
    return std::any_of(results_.begin(), results_.end(),
                       [=](const Output& r) { return r.fold == Fold::none && r.reg == reg; });
  }
  void add_sinks() {
    for (const Output& out : outputs_) {
      int reg = names_[static_cast<std::size_t>(out.reg)];
      const bool full = out.fold == Fold::none;
      if (reach(reg) != Reach::all || (full && (is_source(reg) || is_result(reg)))) reg = spread_out(reg);
      results_.push_back({out.value, out.fold, reg});
    }
    for (Output& result : results_) {
      result.copied = result.fold == Fold::none && read_after(result);
      if (result.fold == Fold::none && !result.copied) map_.operands[0].push_back({result.value, result.reg, -1, 0});
    }
  }
  // Is the old content of the result's memory read after the operation that makes the result?
  bool read_after(const Output& result) const {
    bool made = false;
    for (const MapOp& op : map_.each) {
      if (made && std::any_of(op.arguments, op.arguments + op.count, [&](int reg) { return reads(reg, result.value); }))
        return true;
      made = made || op.out == result.reg;
    }
    return std::any_of(results_.begin(), results_.end(),
                       [&](const Output& r) { return r.fold != Fold::none && reads(r.reg, result.value); });
  }
  bool reads(int reg, int value) const {
    return is_source(reg) && memory_.overlap(in_.inputs[static_cast<std::size_t>(reg)].value, value);
  }

  // ---- blocks: a register keeps one from its operation to its last use
  void allocate_blocks() {
    for (const MapOp& op : map_.once) fix_block(op.out, blocks_++);
    const int end = static_cast<int>(map_.each.size());
    for (int i = 0; i < end; ++i) {
      for (int reg : map_.each[static_cast<std::size_t>(i)].arguments) last_use_[static_cast<std::size_t>(reg)] = i;
    }
    std::vector<bool> direct(reach_.size());
    for (const Output& result : results_) {
      last_use_[static_cast<std::size_t>(result.reg)] = end;
      if (result.fold == Fold::none && !result.copied) direct[static_cast<std::size_t>(result.reg)] = true;
    }
    std::vector<int> held(reach_.size(), -1);
    for (int i = 0; i < end; ++i) {
      const MapOp& op = map_.each[static_cast<std::size_t>(i)];
      for (int reg : op.arguments)
        release(held[static_cast<std::size_t>(reg)], last_use_[static_cast<std::size_t>(reg)] == i);
      if (direct[static_cast<std::size_t>(op.out)]) continue;
      held[static_cast<std::size_t>(op.out)] = new_block();
      fix_block(op.out, held[static_cast<std::size_t>(op.out)]);
    }
  }
  void fix_block(int reg, int block) { map_.fixed.push_back({reg, block, nullptr}); }
  void release(int& block, bool done) {
    if (block < 0 || !done) return;
    free_.push_back(block);
    block = -1;
  }

  void lay_out_scratch() {
    const auto aligned = [](i64 bytes) { return (bytes + 63) / 64 * 64; };
    map_.registers = static_cast<i64>(reach_.size());
    i64 bytes = blocks_ * block_stride;
    for (const Output& result : results_) {
      const bool down = result.fold == Fold::sum_rows || result.fold == Fold::max_rows;
      const bool all = result.fold == Fold::sum_all || result.fold == Fold::max_all;
      const bool max =
          result.fold == Fold::max_columns || result.fold == Fold::max_rows || result.fold == Fold::max_all;
      const MapSink sink{result.value, result.reg, max, bytes,
                         phase_ == PhaseKind::rows ? copies_of(result.value) : 0};
      if (result.copied) map_.last.push_back(sink);
      if (result.fold == Fold::none) continue;
      map_.folds[down ? 1 : all ? 2 : 0].push_back(sink);
      bytes += aligned((down ? 4 * in_.n : 64) * kernels_.element) + 64;  // at most four accumulators a column
    }
    map_.scratch_bytes = bytes;
  }

  template <class T>
  static Span<T> span(const std::vector<T>& items) {
    return {items.data(), static_cast<int>(items.size())};
  }
  void publish() {
    map_.full = span(map_.operands[0]);
    map_.row = span(map_.operands[1]);
    map_.column = span(map_.operands[2]);
    map_.scalar = span(map_.operands[3]);
    map_.partial = span(map_.operands[4]);
    map_.uniform = span(map_.once);
    map_.ops = span(map_.each);
    map_.along = span(map_.folds[0]);
    map_.down = span(map_.folds[1]);
    map_.all = span(map_.folds[2]);
    map_.copies = span(map_.last);
    map_.run = kernels_.map;
  }
  void estimate() {
    const double moves = 2.0 * static_cast<double>(in_.inputs.size() + in_.outputs.size());
    const double row = (cycles_ + moves) * static_cast<double>(in_.n * kernels_.element) / 64;
    map_.cycles_fixed = 60 + row * static_cast<double>(in_.m.fixed);
    map_.cycles_per_row = row * static_cast<double>(in_.m.per_row);
  }

  MapStorage& map_;
  const Program& program_;
  const Memory memory_;
  const Instruction& in_;
  const Kernels& kernels_;
  const MatmulTask* after_;
  const PhaseKind phase_;
  std::vector<Spread> spreads_;
  std::vector<Output> outputs_, results_;  // of the text; with the registers here
  std::vector<Reach> reach_;
  std::vector<int> last_use_;
  std::vector<int> names_;  // register of the text → register here
  std::vector<int> free_;
  int blocks_ = 0;
  double cycles_ = 0;
};

}  // namespace

void decode_map(MapStorage& map, const Program& program, const Instruction& instruction, const Kernels& kernels,
                const MatmulTask* after, PhaseKind phase) {
  MapDecoder(map, program, instruction, kernels, after, phase).decode();
}

}  // namespace lamina
