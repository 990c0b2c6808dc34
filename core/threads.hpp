// Threads that share jobs. A job is cut into parts; each thread begins with the part of its own number and goes on
// with whatever nobody has taken yet: if the machine gives a worker no time, the caller does its parts. Workers wait
// for jobs awake while a Shift lasts and some microseconds longer, then asleep.
#pragma once

#include <atomic>
#include <memory>
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

  static constexpr int most_parts_a_thread = 4;

  int count() const { return static_cast<int>(workers_.size()) + 1; }
  // While it lives, jobs are near and workers stay awake.
  class Shift {
   public:
    Shift(Threads& threads, bool worth_it);
    ~Shift() { pause(); }
    void pause() { threads_.on_shift_.store(false, std::memory_order_relaxed); }
    void resume();
    Shift(const Shift&) = delete;
    Shift& operator=(const Shift&) = delete;

   private:
    Threads& threads_;
  };

  // All parts (at most `most_parts_a_thread` for each thread) of a job, on the caller (thread 0) and the workers;
  // returns when they are done: the seconds that the caller waited for the others, 0 if it was not long.
  double run(Job job, void* owner, int parts);

 private:
  // Of the last job that had this part: its number, doubled, plus one when the part is done. A line of its own in
  // the cache, which stays with the thread that usually takes the part.
  struct alignas(64) Part {
    std::atomic<std::uint64_t> state{0};
  };

  void announce(std::uint64_t parts);
  void work(int thread);
  void take_parts(std::uint64_t job, int thread);
  std::uint64_t wait_for_job(std::uint64_t seen);

  std::vector<std::thread> workers_;
  std::unique_ptr<Part[]> parts_;
  std::atomic<bool> stopping_{false};
  alignas(64) std::atomic<std::uint64_t> job_{0};  // number << 16 | parts
  Job function_ = nullptr;
  void* owner_ = nullptr;
  alignas(64) std::atomic<int> asleep_{0};
  std::atomic<bool> on_shift_{false};
  std::atomic<int> caller_cpu_{-1};
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
