// The rows of an epoch in a random order.
#pragma once

#include "task.hpp"

namespace lamina {

// order[0, n) becomes a permutation of 0 … n - 1 that depends on n and the seed alone: Fisher and Yates's shuffle with
// the numbers of SplitMix64 (Steele et al. 2014), each scaled to its range by its upper half (Lemire 2019), which
// favours no place by more than n in 2^64.
void shuffle(i64* order, i64 n, u64 seed);

}  // namespace lamina
