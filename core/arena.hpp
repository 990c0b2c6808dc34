// Aligned, zeroed memory that is freed with its owner.
#pragma once

#include <cstdlib>
#include <cstring>
#include <new>

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
    const std::size_t size = (static_cast<std::size_t>(bytes) + 63) / 64 * 64;
    void* const data = std::aligned_alloc(64, size);
    if (data == nullptr) throw std::bad_alloc();
    std::memset(data, 0, size);
    return static_cast<char*>(data);
  }
  char* data_;
};

}  // namespace lamina
