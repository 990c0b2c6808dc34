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

template <class Reached> void wait(std::atomic<std::uint32_t>& counter, Reached reached) {
  for (int i = 0; i < spins; ++i) {
    if (reached(counter.load(std::memory_order_acquire))) return;
    relax();
  }
  for (std::uint32_t seen = counter.load(); !reached(seen); seen = counter.load()) counter.wait(seen);
}

constexpr Job stop = nullptr;

}  // namespace

Threads::Threads(int count) {
  for (int t = 1; t < count; ++t) workers_.emplace_back([this, t] { work(t); });
}

Threads::~Threads() {
  job_ = stop;
  started_.fetch_add(1);
  started_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void Threads::run(Job job, void* owner) {
  job_ = job;
  owner_ = owner;
  const std::uint32_t all = finished_.load() + static_cast<std::uint32_t>(workers_.size());
  started_.fetch_add(1, std::memory_order_release);
  started_.notify_all();
  job(owner, 0);
  wait(finished_, [all](std::uint32_t done) { return done == all; });
}

void Threads::work(int thread) {
  const FlushSubnormals flush;
  for (std::uint32_t next = 1;; ++next) {
    wait(started_, [next](std::uint32_t started) { return started == next; });
    if (job_ == stop) return;
    job_(owner_, thread);
    finished_.fetch_add(1, std::memory_order_release);
    finished_.notify_one();
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
