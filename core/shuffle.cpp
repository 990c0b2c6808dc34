#include "shuffle.hpp"

#include <utility>

namespace lamina {
namespace {

__extension__ typedef unsigned __int128 u128;

u64 random_number(u64 seed, i64 i) {
  u64 z = seed + static_cast<u64>(i) * 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

// The place in [0, i] that changes with place i.
i64 partner(u64 seed, i64 i) {
  return static_cast<i64>(static_cast<u128>(random_number(seed, i)) * static_cast<u64>(i + 1) >> 64);
}

}  // namespace

void shuffle(i64* order, i64 n, u64 seed) {
  constexpr i64 ahead = 16;  // places asked for before they are needed: an order may be larger than the cache
  i64 next[ahead];
  for (i64 i = 0; i < n; ++i) order[i] = i;
  const auto ask = [&](i64 i) {
    if (i < 0) return;
    next[i % ahead] = partner(seed, i);
    __builtin_prefetch(order + next[i % ahead], 1);
  };
  for (i64 i = n - 1; i >= n - ahead; --i) ask(i);
  for (i64 i = n - 1; i > 0; --i) {
    std::swap(order[i], order[next[i % ahead]]);
    ask(i - ahead);
  }
}

}  // namespace lamina
