// Aligned, zeroed memory that is freed with its owner; on large pages where there is much of it.
#pragma once

#include <cstdlib>
#include <cstring>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "task.hpp"

namespace lamina {

class Arena {
 public:
  explicit Arena(i64 bytes = 0) : data_(bytes == 0 ? nullptr : allocate(bytes)) {}
  Arena(Arena&& other) noexcept : data_(other.data_) { other.data_ = nullptr; }
  Arena& operator=(Arena&& other) noexcept {
    std::swap(data_, other.data_);
    return *this;
  }
  ~Arena() { std::free(data_); }
  char* data() const { return data_; }

 private:
  static char* allocate(i64 bytes) {
    constexpr std::size_t line = 64, large_page = std::size_t{1} << 21;
    const std::size_t align = static_cast<std::size_t>(bytes) >= large_page ? large_page : line;
    const std::size_t size = (static_cast<std::size_t>(bytes) + align - 1) / align * align;
    void* const data = std::aligned_alloc(align, size);
    if (data == nullptr) throw std::bad_alloc();
#if defined(__linux__)
    if (align == large_page) madvise(data, size, MADV_HUGEPAGE);
#endif
    std::memset(data, 0, size);
    return static_cast<char*>(data);
  }
  char* data_;
};

}  // namespace lamina
