#include "threads.hpp"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace lamina {
namespace {

constexpr int spins = 2000;  // some tens of microseconds: longer than the gap between two phases of a step

void relax() {
#if defined(__SSE2__)
  _mm_pause();
#endif
}

template <class Reached>
void wait(std::atomic<std::uint32_t>& counter, Reached reached) {
  for (int i = 0; i < spins; ++i) {
    if (reached(counter.load(std::memory_order_acquire))) return;
    relax();
  }
  for (std::uint32_t seen = counter.load(); !reached(seen); seen = counter.load()) counter.wait(seen);
}

}  // namespace

Threads::Threads(int count) {
  for (int t = 1; t < count; ++t) workers_.emplace_back([this, t] { work(t); });
}

Threads::~Threads() {
  stopping_.store(true);
  number_.fetch_add(1);
  number_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void Threads::run(Job job, void* owner, int parts) {
  job_ = job;
  owner_ = owner;
  finished_.store(0, std::memory_order_relaxed);
  const std::uint32_t number = number_.load(std::memory_order_relaxed) + 1;
  next_.store(std::uint64_t{number} << 32 | static_cast<std::uint64_t>(parts) << 16, std::memory_order_release);
  number_.store(number, std::memory_order_release);
  number_.notify_all();
  take_parts(number, 0);
  wait(finished_, [parts](std::uint32_t done) { return done == static_cast<std::uint32_t>(parts); });
}

// Only a successful exchange gives a right to job_ and owner_: they change when all parts are finished.
void Threads::take_parts(std::uint32_t number, int thread) {
  std::uint64_t next = next_.load(std::memory_order_acquire);
  while ((next >> 32) == number) {
    const int part = static_cast<int>(next & 0xffffu);
    const int parts = static_cast<int>(next >> 16 & 0xffffu);
    if (part >= parts) return;
    if (!next_.compare_exchange_weak(next, next + 1, std::memory_order_acq_rel)) continue;
    job_(owner_, part, parts, thread);
    finished_.fetch_add(1, std::memory_order_release);
    finished_.notify_one();
    next = next_.load(std::memory_order_acquire);
  }
}

void Threads::work(int thread) {
  const FlushSubnormals flush;
  std::uint32_t seen = 0;
  for (;;) {
    wait(number_, [seen](std::uint32_t number) { return number != seen; });
    seen = number_.load(std::memory_order_acquire);
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
