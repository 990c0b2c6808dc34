// Threads that wait for one job at a time. The caller is thread 0. Waiting spins shortly, then sleeps.
#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include "task.hpp"

namespace lamina {

using Job = void (*)(void* owner, int thread);

class Threads {
 public:
  explicit Threads(int count);
  ~Threads();
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  int count() const { return static_cast<int>(workers_.size()) + 1; }
  // job(owner, t) on every thread t; returns when all are done.
  void run(Job job, void* owner);

 private:
  void work(int thread);

  std::vector<std::thread> workers_;
  Job job_ = nullptr;
  void* owner_ = nullptr;
  alignas(64) std::atomic<std::uint32_t> started_{0};   // jobs given out
  alignas(64) std::atomic<std::uint32_t> finished_{0};  // worker parts done
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
