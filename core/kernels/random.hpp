// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011), several counters at a time.
// Element e of the batch's domain is word e % 4 of counter block e / 4, whatever the thread, block or target.
#pragma once

#include "simd.hpp"

namespace lamina::LAMINA_ISA {

typedef u64 Wide __attribute__((vector_size(LAMINA_VECTOR_BYTES)));  // a 32-bit word in each 64-bit lane
typedef u64 Pair __attribute__((may_alias));                         // two words of the result
constexpr int wide_lanes = LAMINA_VECTOR_BYTES / 8;
constexpr int words_at_once = 2 * 4 * wide_lanes;

LAMINA_INLINE Wide multiply_low(Wide a, Wide b) {
#if defined(LAMINA_ISA_avx512)
  return reinterpret_cast<Wide>(
      _mm512_maskz_mul_epu32(0xff, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(LAMINA_ISA_avx2)
  return reinterpret_cast<Wide>(_mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#else
  return (a & 0xffffffffu) * (b & 0xffffffffu);
#endif
}

struct Philox {
  Wide word[4];
  LAMINA_INLINE void round(u64 key_low, u64 key_high) {
    const Wide p = multiply_low(word[0], 0xD2511F53u + Wide{});
    const Wide q = multiply_low(word[2], 0xCD9E8D57u + Wide{});
    word[0] = (q >> 32) ^ word[1] ^ key_low;
    word[1] = q;
    word[2] = (p >> 32) ^ word[3] ^ key_high;
    word[3] = p;
  }
};

LAMINA_INLINE Wide consecutive(u64 first) {
  Wide v;
  for (int i = 0; i < wide_lanes; ++i) v[i] = first + static_cast<u64>(i);
  return v;
}

LAMINA_INLINE Philox counters(u64 block, u64 step) {
  const Wide index = consecutive(block);
  return {{index & 0xffffffffu, index >> 32, (step & 0xffffffffu) + Wide{}, (step >> 32) + Wide{}}};
}

// Words in the order of the elements: 0 1 2 3 of the first counter, 0 1 2 3 of the next, …
LAMINA_INLINE void write_words(std::uint32_t* out, const Philox& p) {
  const Wide low = (p.word[0] & 0xffffffffu) | (p.word[1] << 32);
  const Wide high = (p.word[2] & 0xffffffffu) | (p.word[3] << 32);
  Pair* const pairs = reinterpret_cast<Pair*>(out);
  for (int i = 0; i < wide_lanes; ++i) {
    pairs[2 * i] = low[i];
    pairs[2 * i + 1] = high[i];
  }
}

inline void philox_words(std::uint32_t* out, u64 block, u64 stream, u64 step) {
  Philox a = counters(block, step);
  Philox b = counters(block + wide_lanes, step);
  u64 low = stream & 0xffffffffu;
  u64 high = stream >> 32;
  for (int i = 0; i < 10; ++i) {
    a.round(low, high);
    b.round(low, high);
    low = (low + 0x9E3779B9u) & 0xffffffffu;
    high = (high + 0xBB67AE85u) & 0xffffffffu;
  }
  write_words(out, a);
  write_words(out + 4 * wide_lanes, b);
}

// Uniform numbers in [0, 1) for elements [element, element + n).
template <class T>
void fill_random(T* out, i64 n, i64 element, u64 stream, u64 step) {
  alignas(64) std::uint32_t words[words_at_once];
  i64 skip = element & 3;
  u64 block = static_cast<u64>(element) >> 2;
  for (i64 done = 0; done < n; block += 2 * wide_lanes) {
    philox_words(words, block, stream, step);
    const i64 count = n - done < words_at_once - skip ? n - done : words_at_once - skip;
    for (i64 i = 0; i < count; ++i) {
      out[done + i] = static_cast<T>(static_cast<std::int32_t>(words[skip + i] >> 8)) * T(0x1p-24);
    }
    done += count;
    skip = 0;
  }
}

}  // namespace lamina::LAMINA_ISA
