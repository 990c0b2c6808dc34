"""Text as users give it (NumPy, pandas, polars, lists; str or UTF-8 bytes) → arrays of str."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.errors import DataError

_KINDS = "OUST"


def is_text(array: np.ndarray) -> bool:
    """Whether an array may hold text."""
    return array.dtype.kind in _KINDS


def texts(array: np.ndarray) -> np.ndarray:
    """The array with a str in each place.

    Args:
        array: text of any NumPy type, or UTF-8 bytes.

    Raises:
        DataError: a place holds something else; the first such is named.

    Example:
        >>> texts(np.array([b"a", b"b"])).tolist()
        ['a', 'b']
    """
    found = array.astype(object).ravel()
    kinds = set(map(type, found.tolist()))
    if not kinds <= {str, np.str_}:
        found = np.array([*map(_text, found.tolist(), range(found.size)), None], object)[:-1]
    return found.reshape(array.shape)


def _text(value: Any, place: int) -> str:
    if isinstance(value, bytes):
        return _decoded(value, place)
    if isinstance(value, str):
        return str(value)
    missing = value is None or value != value
    hint = "fill missing values with a text of their own first" if missing else "text is needed"
    raise DataError(f"value {place} is {value!r} (of type {type(value).__name__}): {hint}")


def _decoded(value: bytes, place: int) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        hint = "decode it first, as by .decode('latin-1')"
        raise DataError(f"value {place} is {value!r}, which is no UTF-8: {hint}") from None


def whole_numbers(array: np.ndarray) -> np.ndarray:
    """The array as int64; floats lose what stands after the point, as in Keras.

    Raises:
        DataError: it holds no numbers, a nan, or a number beyond those of int64.
    """
    if array.dtype.kind not in "fiub":
        raise DataError(f"whole numbers are needed, got an array of dtype {array.dtype}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        at = int(np.flatnonzero(~np.isfinite(array.ravel()))[0])
        raise DataError(f"value {at} is {array.ravel()[at]}, which is no whole number: fill missing values first")
    size = np.abs(array.astype(np.float64)) if array.dtype.kind == "f" else array
    if array.dtype.kind in "fu" and (size >= 2**63).any():
        at = int(np.flatnonzero(size >= 2**63)[0])
        raise DataError(f"value {at} is {array.ravel()[at]}, beyond the whole numbers of int64: number the ids from 0")
    return array.astype(np.int64)
