"""FarmHash's Fingerprint64 and what TensorFlow builds on it, for many texts at once.

Source: G. Pike, FarmHash (Google 2014), farmhashna; the same numbers as ``tf.strings.to_hash_bucket_fast``.
"""

from __future__ import annotations

import numpy as np

from lamina.host.words import Words

K0, K1, K2 = map(np.uint64, (0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F))
_CAT = np.uint64(0xC6A4A7935BD1E995)
_SEED = 81  # of texts beyond 64 bytes
Pair = tuple[np.ndarray, np.ndarray]


def fingerprint64(words: Words) -> np.ndarray:
    """A number of 64 bits for each text, (texts,) uint64.

    Example:
        >>> fingerprint64(Words([b"a", b"hello"])).tolist()
        [12917804110809363939, 13009744463427800296]
    """
    result = np.empty(len(words), np.uint64)
    least = np.uint64(0)
    with np.errstate(over="ignore"):  # all of this is arithmetic modulo 2⁶⁴
        for most, rule in _RULES:
            chosen = np.flatnonzero((words.lengths >= least) & (words.lengths <= most))
            if chosen.size:
                result[chosen] = rule(words, words.begins[chosen], words.ends[chosen], words.lengths[chosen])
            least = most + np.uint64(1)
    return result


def fingerprint_cat64(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """One number of 64 bits from two, as TensorFlow crosses features."""
    with np.errstate(over="ignore"):
        result = a ^ _CAT ^ (_shift_mix(b * _CAT) * _CAT)
        return _shift_mix(_shift_mix(result * _CAT) * _CAT)


def _rotate(x: np.ndarray, bits: int) -> np.ndarray:
    return (x >> np.uint64(bits)) | (x << np.uint64(64 - bits))


def _shift_mix(x: np.ndarray) -> np.ndarray:
    return x ^ (x >> np.uint64(47))


def _mix(u: np.ndarray, v: np.ndarray, factor: np.ndarray) -> np.ndarray:
    a = _shift_mix((u ^ v) * factor)
    return _shift_mix((v ^ a) * factor) * factor


def _empty(words: Words, begin: np.ndarray, end: np.ndarray, length: np.ndarray) -> np.ndarray:
    return np.full(len(begin), K2)


def _to_3(words: Words, begin: np.ndarray, end: np.ndarray, length: np.ndarray) -> np.ndarray:
    a, b, c = (words.uint8(at) for at in (begin, begin + (length >> np.uint64(1)).astype(np.int64), end - 1))
    y = a + (b << np.uint64(8))
    z = length + (c << np.uint64(2))
    return _shift_mix(y * K2 ^ z * K0) * K2


def _to_7(words: Words, begin: np.ndarray, end: np.ndarray, length: np.ndarray) -> np.ndarray:
    first, last = words.uint32(begin), words.uint32(end - 4)
    return _mix(length + (first << np.uint64(3)), last, K2 + length * np.uint64(2))


def _to_16(words: Words, begin: np.ndarray, end: np.ndarray, length: np.ndarray) -> np.ndarray:
    factor = K2 + length * np.uint64(2)
    a, b = words.uint64(begin) + K2, words.uint64(end - 8)
    c = _rotate(b, 37) * factor + a
    d = (_rotate(a, 25) + b) * factor
    return _mix(c, d, factor)


def _to_32(words: Words, begin: np.ndarray, end: np.ndarray, length: np.ndarray) -> np.ndarray:
    factor = K2 + length * np.uint64(2)
    a, b = words.uint64(begin) * K1, words.uint64(begin + 8)
    c, d = words.uint64(end - 8) * factor, words.uint64(end - 16) * K2
    return _mix(_rotate(a + b, 43) + _rotate(c, 30) + d, a + _rotate(b + K2, 18) + c, factor)


def _to_64(words: Words, begin: np.ndarray, end: np.ndarray, length: np.ndarray) -> np.ndarray:
    factor = K2 + length * np.uint64(2)
    a, b = words.uint64(begin) * K2, words.uint64(begin + 8)
    c, d = words.uint64(end - 8) * factor, words.uint64(end - 16) * K2
    y = _rotate(a + b, 43) + _rotate(c, 30) + d
    z = _mix(y, a + _rotate(b + K2, 18) + c, factor)
    e, f = words.uint64(begin + 16) * factor, words.uint64(begin + 24)
    g, h = (y + words.uint64(end - 32)) * factor, (z + words.uint64(end - 24)) * factor
    return _mix(_rotate(e + f, 43) + _rotate(g, 30) + h, e + _rotate(f + a, 18) + g, factor)


class _State:
    """What is kept from one block of 64 bytes to the next: x, y, z and two pairs, for each text."""

    def __init__(self, words: Words, begin: np.ndarray):
        count, seed = len(begin), np.array([_SEED], np.uint64)
        self.words = words
        self.x = seed * K2 + words.uint64(begin)
        self.y = np.repeat(seed * K1 + np.uint64(113), count)
        self.z = _shift_mix(self.y * K2 + np.uint64(113)) * K2
        self.v: Pair = (np.zeros(count, np.uint64), np.zeros(count, np.uint64))
        self.w: Pair = (np.zeros(count, np.uint64), np.zeros(count, np.uint64))

    def part(self, rows: np.ndarray) -> _State:
        """The same for some of the texts."""
        part = object.__new__(_State)
        part.words = self.words
        part.x, part.y, part.z = self.x[rows], self.y[rows], self.z[rows]
        part.v, part.w = (self.v[0][rows], self.v[1][rows]), (self.w[0][rows], self.w[1][rows])
        return part

    def put(self, rows: np.ndarray, part: _State) -> None:
        """Take over what ``part`` says of some of the texts."""
        for mine, theirs in zip(self._arrays(), part._arrays(), strict=True):
            mine[rows] = theirs

    def _arrays(self) -> tuple[np.ndarray, ...]:
        return (self.x, self.y, self.z, *self.v, *self.w)

    def block(self, at: np.ndarray, factor: np.ndarray | np.uint64, w1: int, v0: int) -> None:
        """Mix 64 bytes in; the last block weighs two of the numbers otherwise."""
        read = self.words.uint64
        x = _rotate(self.x + self.y + self.v[0] + read(at + 8), 37) * factor
        y = _rotate(self.y + self.v[1] + read(at + 48), 42) * factor
        x = x ^ (self.w[1] * np.uint64(w1))
        y = y + self.v[0] * np.uint64(v0) + read(at + 40)
        z = _rotate(self.z + self.w[0], 33) * factor
        v = self._weak(at, self.v[1] * factor, x + self.w[0])
        w = self._weak(at + 32, z + self.w[1], y + read(at + 16))
        self.x, self.y, self.z, self.v, self.w = z, y, x, v, w

    def _weak(self, at: np.ndarray, a: np.ndarray, b: np.ndarray) -> Pair:
        """A quick mixture of 32 bytes and two seeds."""
        w, x, y, z = (self.words.uint64(at + 8 * i) for i in range(4))
        a = a + w
        b = _rotate(b + a + z, 21)
        c, a = a, a + x + y
        return a + z, b + _rotate(a, 44) + c


def _beyond_64(words: Words, begin: np.ndarray, end: np.ndarray, length: np.ndarray) -> np.ndarray:
    state = _State(words, begin)
    blocks = (length.astype(np.int64) - 1) // 64
    for block in range(int(blocks.max())):
        rows = np.flatnonzero(blocks > block)
        part = state.part(rows)
        part.block(begin[rows] + 64 * block, K1, 1, 1)
        state.put(rows, part)
    factor = K1 + ((state.z & np.uint64(0xFF)) << np.uint64(1))
    w0 = state.w[0] + ((length - np.uint64(1)) & np.uint64(63))
    v0 = state.v[0] + w0
    state.v, state.w = (v0, state.v[1]), (w0 + v0, state.w[1])
    state.block(end - 64, factor, 9, 9)
    low = _mix(state.v[0], state.w[0], factor) + _shift_mix(state.y) * K0 + state.z
    return _mix(low, _mix(state.v[1], state.w[1], factor) + state.x, factor)


# The rule for texts up to so many bytes.
_RULES = tuple(
    (np.uint64(most), rule)
    for most, rule in (
        (0, _empty), (3, _to_3), (7, _to_7), (16, _to_16), (32, _to_32), (64, _to_64), (2**63, _beyond_64),
    )
)  # fmt: skip
