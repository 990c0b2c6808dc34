"""Philox4x32-10, the counter-based generator of Salmon et al. (2011), for any array namespace with uint64.

The same numbers come out on every target, thread count and batch split, because a number depends only on its
stream, the step and its place in the batch.
"""

from __future__ import annotations

from math import prod
from typing import Any

_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
_MASK = 0xFFFFFFFF


def words(xp: Any, counter: tuple[Any, Any, Any, Any], key: tuple[int, int]) -> tuple[Any, Any, Any, Any]:
    """Four 32-bit words for each counter: arrays of uint64 that hold 32-bit values."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        high0, low0 = _product(xp, _MULTIPLIERS[0], c0)
        high1, low1 = _product(xp, _MULTIPLIERS[1], c2)
        c0, c1, c2, c3 = high1 ^ c1 ^ xp.uint64(k0), low1, high0 ^ c3 ^ xp.uint64(k1), low0
        k0, k1 = (k0 + _KEY_STEPS[0]) & _MASK, (k1 + _KEY_STEPS[1]) & _MASK
    return c0, c1, c2, c3


def _product(xp: Any, a: int, b: Any) -> tuple[Any, Any]:
    low, high = _halves(xp, xp.uint64(a) * b)
    return high, low


def uniform(xp: Any, shape: tuple[int, ...], stream: int, step: Any, dtype: str) -> Any:
    """Numbers in [0, 1) with 24 random bits, shaped ``shape``; element e takes word e mod 4 of block e div 4."""
    size = prod(shape)
    block, step = xp.arange((size + 3) // 4, dtype="uint64"), xp.asarray(step, "uint64")
    fixed = xp.zeros_like(block)
    counter = (*_halves(xp, block), *(fixed + half for half in _halves(xp, step)))
    four = xp.stack(words(xp, counter, (stream & _MASK, stream >> 32)), axis=1)
    bits = xp.right_shift(xp.reshape(four, (-1,))[:size], xp.uint64(8))
    return xp.reshape(xp.asarray(bits, dtype) * xp.asarray(2.0**-24, dtype), shape)


def _halves(xp: Any, x: Any) -> tuple[Any, Any]:
    """The low and the high 32 bits."""
    return x & xp.uint64(_MASK), xp.right_shift(x, xp.uint64(32))
