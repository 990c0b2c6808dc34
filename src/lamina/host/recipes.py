"""Recipes: what a layer does on the host, as a small description that can be computed here and written elsewhere.

A recipe is called with arrays and returns one of their shape. Exporters read its fields: a ``Table`` becomes a lookup
table, a ``Hash`` or ``Cross`` the target's own operation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from lamina.errors import DataError
from lamina.host.farmhash import fingerprint64, fingerprint_cat64
from lamina.host.siphash import siphash
from lamina.host.texts import is_text, texts, whole_numbers
from lamina.host.words import Words, as_words, by_value

Recipe = Callable[..., np.ndarray]
_CROSS_START = 0xDECAFCAFFE  # where TensorFlow begins a cross


@dataclass(frozen=True)
class Hash:
    """Text, or whole numbers by their decimal digits, → bins.

    Attributes:
        bins: how many.
        salt: the key of SipHash-2-4; None hashes with FarmHash's Fingerprint64.
        first: the number of the first bin.
        mask: a value that becomes 0 instead.

    Example:
        >>> Hash(5)(np.array(["A", "B", "C"])).tolist()
        [4, 3, 2]
    """

    bins: int
    salt: tuple[int, int] | None = None
    first: int = 0
    mask: Any = None

    def __call__(self, values: np.ndarray) -> np.ndarray:
        values = texts(values) if is_text(values) else whole_numbers(values)
        bins = by_value(self._bins, values)
        return bins if self.mask is None else np.where(values == self.mask, 0, bins)

    def _bins(self, values: np.ndarray) -> np.ndarray:
        words = Words(as_words(values))
        numbers = fingerprint64(words) if self.salt is None else siphash(words, self.salt)
        return (numbers % np.uint64(self.bins)).astype(np.int64) + self.first


@dataclass(frozen=True)
class Modulo:
    """Whole numbers → the remainder of a division, from ``first`` on."""

    bins: int
    first: int = 0

    def __call__(self, values: np.ndarray) -> np.ndarray:
        return values % self.bins + self.first


@dataclass(frozen=True, eq=False)
class Table:
    """Keys → values.

    Attributes:
        keys: text (an array of str) or int64, each once.
        values: the value of each key, int64 or text.
        default: what any other value becomes: a number or a text, what a recipe makes of it, or None, an error.
    """

    keys: np.ndarray
    values: np.ndarray
    default: int | str | Hash | Modulo | None

    @cached_property
    def _places(self) -> dict[Any, int]:
        return {key: place for place, key in enumerate(self.keys.tolist())}

    def __call__(self, values: np.ndarray) -> np.ndarray:
        flat = self._standard(values).ravel()
        find = self._places.get
        places = np.fromiter((find(value, -1) for value in flat.tolist()), np.int64, flat.size)
        found = np.append(self.values, 0)[places]  # −1 reads what stands in for the default
        unknown = places < 0
        if unknown.any():
            found[unknown] = self._default_of(flat[unknown])
        return found.reshape(values.shape)

    def _standard(self, values: np.ndarray) -> np.ndarray:
        if self.keys.dtype.kind != "O":
            return whole_numbers(values)
        if not is_text(values):
            raise DataError(f"text is needed, got an array of dtype {values.dtype}")
        return texts(values)

    def _default_of(self, unknown: np.ndarray) -> Any:
        if isinstance(self.default, Hash | Modulo):
            return self.default(unknown)
        if self.default is None:
            listed = ", ".join(map(repr, dict.fromkeys(unknown.tolist()[:5])))
            raise DataError(
                f"When `num_oov_indices=0` all inputs should be in vocabulary, found OOV values {listed}, consider "
                "setting `num_oov_indices=1`."
            )
        return self.default


@dataclass(frozen=True)
class Cross:
    """Several texts or whole numbers of a row → one bin, as ``tf.sparse.cross_hashed``.

    Attributes:
        bins: how many.

    Example:
        >>> Cross(5)(np.array(["a", "b"]), np.array([0, 1])).tolist()
        [4, 3]
    """

    bins: int

    def __call__(self, *arrays: np.ndarray) -> np.ndarray:
        crossed = np.full(arrays[0].shape, _CROSS_START, np.uint64)
        for values in arrays:
            crossed = fingerprint_cat64(crossed, _fingerprints(values))
        return (crossed % np.uint64(self.bins)).astype(np.int64)


def _fingerprints(values: np.ndarray) -> np.ndarray:
    if is_text(values):
        return by_value(lambda distinct: fingerprint64(Words(as_words(distinct))), texts(values))
    return whole_numbers(values).astype(np.uint64)


def tokens_array(tokens: Iterable[Any], text: bool) -> np.ndarray:
    """Tokens as an array of str, or of int64."""
    return np.array([*tokens, None], object)[:-1] if text else np.array([*tokens], np.int64)
