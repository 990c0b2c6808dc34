// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011), several counters at a time.
// Element e of the batch's domain is word e % 4 of counter block e / 4, whatever the thread, block or target.
#pragma once

#include "simd.hpp"

namespace lamina::LAMINA_ISA {

typedef u64 Wide __attribute__((vector_size(LAMINA_VECTOR_BYTES)));  // a 32-bit word in each 64-bit lane
constexpr int wide_lanes = LAMINA_VECTOR_BYTES / 8;
constexpr int states = 4;  // side by side, which hides the latency of multiplying
constexpr int words_at_once = states * 4 * wide_lanes;

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

// The upper half of each lane in its lower half; what is then above does not matter to Philox. A shuffle, since
// shifts wait for the unit that multiplies.
LAMINA_INLINE Wide upper_half(Wide a) {
#if defined(LAMINA_ISA_avx512)
  return reinterpret_cast<Wide>(
      _mm512_maskz_shuffle_epi32(0xffff, reinterpret_cast<__m512i>(a), static_cast<_MM_PERM_ENUM>(0xf5)));
#elif defined(LAMINA_ISA_avx2)
  return reinterpret_cast<Wide>(_mm256_shuffle_epi32(reinterpret_cast<__m256i>(a), 0xf5));
#else
  return a >> 32;
#endif
}

// The lower halves of a's lanes, and above them those of b's.
LAMINA_INLINE Wide beside(Wide a, Wide b) {
#if defined(LAMINA_ISA_avx512)
  return reinterpret_cast<Wide>(_mm512_mask_shuffle_epi32(
      reinterpret_cast<__m512i>(a), 0xaaaa, reinterpret_cast<__m512i>(b), static_cast<_MM_PERM_ENUM>(0xa0)));
#else
  return (a & 0xffffffffu) | (b << 32);
#endif
}

struct Philox {
  Wide word[4];  // in the lower halves
  LAMINA_INLINE void round(u64 key_low, u64 key_high) {
    const Wide p = multiply_low(word[0], 0xD2511F53u + Wide{});
    const Wide q = multiply_low(word[2], 0xCD9E8D57u + Wide{});
    word[0] = upper_half(q) ^ word[1] ^ key_low;
    word[1] = q;
    word[2] = upper_half(p) ^ word[3] ^ key_high;
    word[3] = p;
  }
};

// The first half of some counters in the even lanes, the second in the odd ones.
LAMINA_INLINE Philox counters(u64 block, u64 step) {
  Wide index;
  for (int i = 0; i < wide_lanes; ++i) index[i] = block + static_cast<u64>(i / 2 + i % 2 * (wide_lanes / 2));
  return {{index & 0xffffffffu, index >> 32, (step & 0xffffffffu) + Wide{}, (step >> 32) + Wide{}}};
}

// Words as numbers in [0, 1).
template <class T>
LAMINA_INLINE void write_uniform(T* out, Wide words) {
  const Bits<float> upper = reinterpret_cast<Bits<float>>(words) >> 8;
  for (int i = 0; i < 2 * wide_lanes; ++i) out[i] = static_cast<T>(static_cast<std::int32_t>(upper[i])) * T(0x1p-24);
}

// In the order of the elements: words 0 1 2 3 of the first counter, 0 1 2 3 of the next, …
template <class T>
LAMINA_INLINE void write_uniform(T* out, const Philox& p) {
  const Wide low = beside(p.word[0], p.word[1]), high = beside(p.word[2], p.word[3]);
  Wide even;
  for (int i = 0; i < wide_lanes; ++i) even[i] = static_cast<u64>(i % 2 == 0 ? i : i - 1 + wide_lanes);
  write_uniform<T>(out, __builtin_shuffle(low, high, even));
  write_uniform<T>(out + 2 * wide_lanes, __builtin_shuffle(low, high, even + 1));
}

constexpr int rounds = 10;
struct Keys {
  u64 low[rounds], high[rounds];
  explicit Keys(u64 stream) {
    u64 a = stream & 0xffffffffu, b = stream >> 32;
    for (int i = 0; i < rounds; ++i) {
      low[i] = a;
      high[i] = b;
      a = (a + 0x9E3779B9u) & 0xffffffffu;
      b = (b + 0xBB67AE85u) & 0xffffffffu;
    }
  }
};

template <class T>
LAMINA_INLINE void write_uniform(T* out, u64 block, const Keys& keys, u64 step) {
  Philox state[states];
#pragma GCC unroll 8
  for (int j = 0; j < states; ++j) state[j] = counters(block + static_cast<u64>(j * wide_lanes), step);
#pragma GCC unroll 10
  for (int i = 0; i < rounds; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < states; ++j) state[j].round(keys.low[i], keys.high[i]);
  }
#pragma GCC unroll 8
  for (int j = 0; j < states; ++j) write_uniform<T>(out + j * 4 * wide_lanes, state[j]);
}

// Uniform numbers in [0, 1) for elements [element, element + n).
template <class T>
void fill_random(T* out, i64 n, i64 element, u64 stream, u64 step) {
  const Keys keys(stream);
  u64 block = static_cast<u64>(element) >> 2;
  i64 skip = element & 3;
  alignas(64) T some[words_at_once];
  for (; n > 0; block += states * wide_lanes) {
    const i64 count = n < words_at_once - skip ? n : words_at_once - skip;
    const bool whole = count == words_at_once;
    write_uniform<T>(whole ? out : some, block, keys, step);
    if (!whole) __builtin_memcpy(out, some + skip, static_cast<std::size_t>(count) * sizeof(T));
    out += count;
    n -= count;
    skip = 0;
  }
}

}  // namespace lamina::LAMINA_ISA
