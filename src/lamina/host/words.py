"""Words: texts and ids as bytes side by side in one buffer, so that all of them are read at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

ROOM = 64  # zeros around the texts, so that reading 8 bytes anywhere near one stays inside the buffer


class Words:
    """Byte strings in one buffer.

    Args:
        texts: the byte strings.

    Example:
        >>> words = Words([b"ab", b"abcdefgh"]); words.lengths
        array([2, 8], dtype=uint64)
        >>> hex(words.uint64(words.begins)[1])
        '0x6867666564636261'
    """

    def __init__(self, texts: Sequence[bytes]):
        self.lengths = np.fromiter(map(len, texts), np.uint64, len(texts))
        self.begins = np.concatenate([[0], np.cumsum(self.lengths.astype(np.int64))])[: len(texts)] + ROOM
        self._bytes = np.frombuffer(bytes(ROOM) + b"".join(texts) + bytes(ROOM), np.uint8)

    def __len__(self) -> int:
        return len(self.lengths)

    @cached_property
    def ends(self) -> np.ndarray:
        """Where each text ends."""
        return self.begins + self.lengths.astype(np.int64)

    def uint64(self, places: np.ndarray) -> np.ndarray:
        """The 8 bytes from each place on, the first of them the lowest."""
        return self._read(places, 8).view("<u8")[:, 0]

    def uint32(self, places: np.ndarray) -> np.ndarray:
        """The 4 bytes from each place on."""
        return self._read(places, 4).view("<u4")[:, 0].astype(np.uint64)

    def uint8(self, places: np.ndarray) -> np.ndarray:
        """The byte at each place."""
        return self._bytes[places].astype(np.uint64)

    def _read(self, places: np.ndarray, count: int) -> np.ndarray:
        return self._bytes[places[:, None] + np.arange(count)]


def as_words(values: np.ndarray) -> list[bytes]:
    """Texts as UTF-8, whole numbers by their decimal digits, as Keras hashes them."""
    if values.dtype.kind in "iub":
        return values.astype("S21").ravel().tolist()
    return [text.encode() for text in values.ravel().tolist()]


def by_value(function: Callable[[np.ndarray], np.ndarray], values: np.ndarray) -> np.ndarray:
    """``function`` of each value, asked once for each that occurs."""
    flat = values.ravel()
    if flat.dtype.kind == "O":  # sorting text costs more than a table of it
        place = {text: number for number, text in enumerate(dict.fromkeys(flat.tolist()))}
        distinct = np.array([*place, None], object)[:-1]
        where = np.fromiter(map(place.__getitem__, flat.tolist()), np.int64, flat.size)
    else:
        distinct, where = np.unique(flat, return_inverse=True)
    return function(distinct)[where].reshape(values.shape)
