// Threads that share jobs. A job is cut into parts, and whoever is free takes the next one: if the machine gives
// a worker no time, the caller does its parts. Waiting spins shortly, then sleeps.
#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include "task.hpp"

namespace lamina {

// One part of a job, on behalf of `thread`.
using Job = void (*)(void* owner, int part, int parts, int thread);

class Threads {
 public:
  explicit Threads(int count);
  ~Threads();
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  int count() const { return static_cast<int>(workers_.size()) + 1; }
  // All parts (fewer than 2^16) of a job, on the caller (thread 0) and the workers; returns when they are done.
  void run(Job job, void* owner, int parts);

 private:
  void work(int thread);
  void take_parts(std::uint32_t number, int thread);

  std::vector<std::thread> workers_;
  Job job_ = nullptr;
  void* owner_ = nullptr;
  std::atomic<bool> stopping_{false};
  alignas(64) std::atomic<std::uint32_t> number_{0};    // of the job given out last
  alignas(64) std::atomic<std::uint64_t> next_{0};      // number << 32 | parts << 16 | next part
  alignas(64) std::atomic<std::uint32_t> finished_{0};  // parts of that job
};

// Subnormal numbers count as zero while this lives; the thread's own setting comes back afterwards.
class FlushSubnormals {
 public:
  FlushSubnormals();
  ~FlushSubnormals();

 private:
  std::uint64_t before_;
};

}  // namespace lamina
