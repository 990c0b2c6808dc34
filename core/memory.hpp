// Where a value lies, for telling whether two values share memory.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "program.hpp"

namespace lamina {

struct Place {
  int space = -1;  // a slot, a buffer or an array of the caller; -1: nothing that can be written
  i64 begin = 0;
  Extent count;
  bool operator==(const Place&) const = default;
};

class Memory {
 public:
  explicit Memory(const Program& program) : slots_(static_cast<int>(program.slots.size())) {
    for (const Value& value : program.values) places_.push_back(value.line == 0 ? Place{} : place(value));
  }
  const Place& of(int value) const { return places_[static_cast<std::size_t>(value)]; }

  bool overlap(int a, int b) const {
    const Place& x = of(a);
    const Place& y = of(b);
    if (x.space < 0 || x.space != y.space) return false;
    if (x.count.per_row > 0 || y.count.per_row > 0) return true;
    return x.begin < y.begin + y.count.fixed && y.begin < x.begin + x.count.fixed;
  }
  bool same(int a, int b) const { return of(a).space >= 0 && of(a) == of(b); }

 private:
  Place place(const Value& value) {
    switch (value.kind) {
      case ValueKind::temp: return {value.slot, 0, value.count};
      case ValueKind::state: return {space("state " + value.name), value.offset, value.count};
      case ValueKind::output: return {space("output " + value.name), 0, value.count};
      case ValueKind::partial: return {space("partial " + std::to_string(places_.size())), 0, value.count};
      case ValueKind::part: {
        const Place base = of(value.base);
        return {base.space, base.begin + value.offset, value.count};
      }
      default: return {};
    }
  }
  int space(const std::string& name) {
    return names_.emplace(name, slots_ + static_cast<int>(names_.size())).first->second;
  }

  int slots_;
  std::map<std::string, int> names_;
  std::vector<Place> places_;
};

}  // namespace lamina
