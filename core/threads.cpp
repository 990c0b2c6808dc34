#include "threads.hpp"

#include <chrono>

#if defined(__SSE2__)
#include <immintrin.h>
#endif
#if defined(__linux__)
#include <sched.h>
#endif

namespace lamina {
namespace {

constexpr int awake = 4000;  // looks before sleeping or yielding: some tens of microseconds

// Between two looks: at first only a pause; after a while whoever else wants this processor may have it.
void relax(int looks) {
  if (looks >= awake) return std::this_thread::yield();
#if defined(__SSE2__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

constexpr std::uint64_t number_of(std::uint64_t job) { return job >> 16; }
constexpr int parts_of(std::uint64_t job) { return static_cast<int>(job & 0xffffu); }

// A thread that wakes on the processor of the one that woke it can stay there for milliseconds, waiting for its
// turn beside an idle processor; this moves it.
#if defined(__linux__)
int this_cpu() { return sched_getcpu(); }
void step_aside(int cpu) {
  cpu_set_t all, others;
  if (sched_getcpu() != cpu || sched_getaffinity(0, sizeof all, &all) != 0) return;
  others = all;
  CPU_CLR(cpu, &others);
  if (CPU_COUNT(&others) > 0 && sched_setaffinity(0, sizeof others, &others) == 0)
    sched_setaffinity(0, sizeof all, &all);
}
#else
int this_cpu() { return -1; }
void step_aside(int) {}
#endif

}  // namespace

Threads::Threads(int count) : parts_(new Part[static_cast<std::size_t>(count * most_parts_a_thread)]) {
  for (int t = 1; t < count; ++t) workers_.emplace_back([this, t] { work(t); });
}

Threads::~Threads() {
  stopping_.store(true);
  announce(0);
  for (std::thread& worker : workers_) worker.join();
}

void Threads::announce(std::uint64_t parts) {
  job_.store((number_of(job_.load(std::memory_order_relaxed)) + 1) << 16 | parts);
  if (asleep_.load() > 0) job_.notify_all();
}

Threads::Shift::Shift(Threads& threads, bool worth_it) : threads_(threads) {
  if (worth_it) resume();
}

void Threads::Shift::resume() {
  threads_.caller_cpu_.store(this_cpu(), std::memory_order_relaxed);
  threads_.on_shift_.store(true, std::memory_order_relaxed);
  threads_.announce(0);
}

double Threads::run(Job function, void* owner, int parts) {
  function_ = function;
  owner_ = owner;
  announce(static_cast<std::uint64_t>(parts));
  const std::uint64_t job = job_.load(std::memory_order_relaxed), number = number_of(job);
  take_parts(job, 0);
  int looks = 0;
  std::chrono::steady_clock::time_point since;
  for (int p = 0; p < parts; ++p) {
    const std::atomic<std::uint64_t>& state = parts_[static_cast<std::size_t>(p)].state;
    for (; state.load(std::memory_order_acquire) != 2 * number + 1; ++looks) {
      if (looks == awake) since = std::chrono::steady_clock::now();
      relax(looks);
    }
  }
  return looks <= awake ? 0 : std::chrono::duration<double>(std::chrono::steady_clock::now() - since).count();
}

// Only a successful exchange gives a right to function_ and owner_: they change when all parts are done, and a part
// of a job that is over is taken already.
void Threads::take_parts(std::uint64_t job, int thread) {
  const std::uint64_t taken = 2 * number_of(job);
  const int parts = parts_of(job);
  for (int i = 0; i < parts; ++i) {
    const int part = (thread + i) % parts;
    std::atomic<std::uint64_t>& state = parts_[static_cast<std::size_t>(part)].state;
    std::uint64_t seen = state.load(std::memory_order_relaxed);
    if (seen >= taken || !state.compare_exchange_strong(seen, taken, std::memory_order_acq_rel)) continue;
    function_(owner_, part, parts, thread);
    state.store(taken + 1, std::memory_order_release);
  }
}

// Asleep only after it was seen that no job came since; the caller gives out the job before it looks for sleepers.
std::uint64_t Threads::wait_for_job(std::uint64_t seen) {
  for (int looks = 0; looks < awake || on_shift_.load(std::memory_order_relaxed); ++looks) {
    const std::uint64_t job = job_.load(std::memory_order_acquire);
    if (job != seen) return job;
    relax(looks);
  }
  asleep_.fetch_add(1);
  job_.wait(seen);
  asleep_.fetch_sub(1);
  step_aside(caller_cpu_.load(std::memory_order_relaxed));
  return job_.load(std::memory_order_acquire);
}

void Threads::work(int thread) {
  const FlushSubnormals flush;
  std::uint64_t seen = 0;
  for (;;) {
    seen = wait_for_job(seen);
    if (stopping_.load()) return;
    take_parts(seen, thread);
  }
}

#if defined(__SSE2__)
FlushSubnormals::FlushSubnormals() : before_(_mm_getcsr()) { _mm_setcsr(static_cast<unsigned>(before_) | 0x8040u); }
FlushSubnormals::~FlushSubnormals() { _mm_setcsr(static_cast<unsigned>(before_)); }
#elif defined(__aarch64__)
FlushSubnormals::FlushSubnormals() {
  asm volatile("mrs %0, fpcr" : "=r"(before_));
  asm volatile("msr fpcr, %0" ::"r"(before_ | (std::uint64_t{1} << 24)));
}
FlushSubnormals::~FlushSubnormals() { asm volatile("msr fpcr, %0" ::"r"(before_)); }
#else
FlushSubnormals::FlushSubnormals() : before_(0) {}
FlushSubnormals::~FlushSubnormals() = default;
#endif

}  // namespace lamina
