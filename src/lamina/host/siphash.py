"""SipHash-2-4 for many texts at once: bins that nobody can crowd who does not know the key.

Source: Aumasson and Bernstein, SipHash: a fast short-input PRF (2012); as ``tf.strings.to_hash_bucket_strong``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lamina.host.words import Words

# "somepseudorandomlygeneratedbytes"
_START = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
_MASK = 0xFFFF_FFFF_FFFF_FFFF


def siphash(words: Words, key: Sequence[int]) -> np.ndarray:
    """A number of 64 bits for each text, (texts,) uint64.

    Args:
        words: the texts.
        key: two whole numbers, taken modulo 2⁶⁴.

    Example:
        >>> hex(siphash(Words([bytes(range(15))]), (0x0706050403020100, 0x0F0E0D0C0B0A0908))[0])
        '0xa129ca6149be45e5'
    """
    first, second = (int(part) & _MASK for part in key)
    state = [
        np.full(len(words), start ^ part, np.uint64)
        for start, part in zip(_START, (first, second, first, second), strict=True)
    ]
    blocks = (words.lengths >> np.uint64(3)).astype(np.int64)
    with np.errstate(over="ignore"):
        for block in range(int(blocks.max(initial=0))):
            rows = np.flatnonzero(blocks > block)
            mixed = _compressed([v[rows] for v in state], words.uint64(words.begins[rows] + 8 * block))
            for v, new in zip(state, mixed, strict=True):
                v[rows] = new
        state = _compressed(state, _last_block(words, blocks))
        state[2] = state[2] ^ np.uint64(0xFF)
        state = _rounds(state, 4)
        return state[0] ^ state[1] ^ state[2] ^ state[3]


def _last_block(words: Words, blocks: np.ndarray) -> np.ndarray:
    """The bytes left over, and the length in the highest byte."""
    left = words.lengths & np.uint64(7)
    tail = words.uint64(words.begins + 8 * blocks) & ((np.uint64(1) << (left * np.uint64(8))) - np.uint64(1))
    return tail | (words.lengths << np.uint64(56))


def _compressed(state: list[np.ndarray], block: np.ndarray) -> list[np.ndarray]:
    v0, v1, v2, v3 = state
    v0, v1, v2, v3 = _rounds([v0, v1, v2, v3 ^ block], 2)
    return [v0 ^ block, v1, v2, v3]


def _rounds(state: list[np.ndarray], count: int) -> list[np.ndarray]:
    v0, v1, v2, v3 = state
    for _ in range(count):
        v0, v2 = v0 + v1, v2 + v3
        v1, v3 = _rotate(v1, 13) ^ v0, _rotate(v3, 16) ^ v2
        v0, v2 = _rotate(v0, 32) + v3, v2 + v1
        v1, v3 = _rotate(v1, 17) ^ v2, _rotate(v3, 21) ^ v0
        v2 = _rotate(v2, 32)
    return [v0, v1, v2, v3]


def _rotate(x: np.ndarray, bits: int) -> np.ndarray:
    return (x << np.uint64(bits)) | (x >> np.uint64(64 - bits))
