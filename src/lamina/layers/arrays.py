"""Arrays as the engine takes them: what counts as one, how a graph sees it, which whole numbers stay exact."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.errors import DataError
from lamina.graph.node import TEXT, Node
from lamina.host.texts import is_text
from lamina.variables import Variable

# The engine keeps int32 numbers in the model's float type: the greatest that both hold exactly.
LARGEST_WHOLE = {"float32": 2**24, "float64": 2**31 - 1}


def is_array(x: Any) -> bool:
    """Whether x holds numbers of its own: a NumPy array, a data frame, a variable."""
    return isinstance(x, np.ndarray | np.generic | Variable) or (hasattr(x, "__array__") and not isinstance(x, Node))


def kind_of(array: np.ndarray, dtype: str) -> str:
    """How a graph sees an array: as text, floats in ``dtype``, booleans, or whole numbers."""
    if is_text(array):
        return TEXT
    return {"f": dtype, "b": "bool"}.get(array.dtype.kind, "int32")


def numbers(x: Any, dtype: str) -> np.ndarray:
    """An array as the engine takes it: floats in ``dtype``, whole numbers as int32.

    Raises:
        DataError: it does not hold numbers, or whole numbers that float32 cannot hold exactly.
    """
    array = np.asarray(x)
    if array.dtype.kind == "f":
        return array.astype(dtype, copy=False)
    if array.dtype.kind == "b":
        return array
    if array.dtype.kind not in "iu":
        raise DataError(f"Invalid dtype: {dtype_name(array)}; numbers are needed")
    if not is_exact(array, dtype):
        raise DataError(
            f"whole numbers beyond {LARGEST_WHOLE[dtype]} (here {largest(array)}) are not exact in {dtype}: "
            "convert them to floats yourself, or number them from 0"
        )
    return array.astype("int32")


def is_exact(array: np.ndarray, dtype: str) -> bool:
    """Whether a float type holds the whole numbers of an array as they are; floats are what they are."""
    return array.dtype.kind not in "iu" or largest(array) <= LARGEST_WHOLE[dtype]


def largest(array: np.ndarray) -> int:
    """The greatest magnitude in an array of integers."""
    return max(abs(int(array.min())), abs(int(array.max()))) if array.size else 0


def dtype_name(array: np.ndarray) -> str:
    """The element type's name in Keras's messages."""
    return f"str{8 * array.dtype.itemsize}" if array.dtype.kind in "US" else str(array.dtype)
