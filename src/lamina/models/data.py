"""Training data: arrays, data frames and nests of them, checked once and converted to what the engine reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import Any

import numpy as np

from lamina.errors import DataError, ShapeError
from lamina.host.texts import is_text, texts
from lamina.layers.arrays import LARGEST_WHOLE, dtype_name, is_exact, largest
from lamina.tree import flatten, map_leaves, paths


@dataclass(frozen=True)
class Leaf:
    """One input of a graph: its name, its shape (None is the batch) and its dtype there."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str


@dataclass(frozen=True)
class Rows:
    """A checked data set.

    ``arrays`` are what the engine reads, by name; ``x``, ``y`` and ``weight`` are the user's structures with a Leaf
    in the place of each array.
    """

    arrays: dict[str, np.ndarray]
    count: int
    x: Any
    y: Any = None
    weight: Any = None

    @property
    def key(self) -> str:
        """The same for data sets that one compiled step serves."""
        return repr((self.x, self.y, self.weight))


def check_rows(x: Any, y: Any, weight: Any) -> int:
    """The number of rows, which all arrays must share.

    Raises:
        DataError: no data, or arrays of different lengths.
    """
    named = [("x", x), ("y", y), ("sample_weight", weight)]
    sizes = {name: [len(array) for array in flatten(part) if array is not None] for name, part in named}
    counts = sorted({size for listed in sizes.values() for size in listed})
    if not sizes["x"]:
        raise DataError("there are no data: x holds no array")
    if len(counts) > 1:
        listed = "\n".join(f"'{name}' sizes: {', '.join(map(str, s))}" for name, s in sizes.items() if s)
        raise DataError(
            f"Data cardinality is ambiguous. Make sure all arrays contain the same number of samples. {listed}"
        )
    if counts[0] == 0:
        raise DataError("there are no data: the arrays have no rows")
    return counts[0]


def as_arrays(value: Any, what: str, text: bool = False) -> Any:
    """The structure with each leaf a NumPy array of numbers, or of text where that is taken.

    Args:
        value: an array, a data frame, or a list, tuple or dictionary of them; None stays.
        what: its name for messages.
        text: whether arrays of text are taken, for layers that look it up.

    Raises:
        DataError: a leaf is no array, or holds something else than numbers.
    """
    for path, leaf in paths(value):
        if not (leaf is None or hasattr(leaf, "__array__")):
            raise DataError(_unrecognized(value, what, path, leaf))
    return map_leaves(lambda leaf: None if leaf is None else _array(leaf, what, text), value)


def _unrecognized(value: Any, what: str, path: tuple[Any, ...], leaf: Any) -> str:
    shown = repr(value) if len(repr(value)) < 200 else f"{repr(value)[:200]}…"
    hint = "it must be a NumPy array, a data frame, or a list or dictionary of arrays"
    if isinstance(leaf, int | float):
        hint = f"Python numbers are not arrays: give numpy.array({what})"
    elif hasattr(leaf, "toarray"):
        hint = f"a sparse matrix becomes an array by {what}.toarray()"
    elif hasattr(leaf, "__iter__") and not isinstance(leaf, str | bytes):
        hint += "; what gives batches is given alone, as x, and each batch is (x, y) or (x, y, sample_weight)"
    return f"Unrecognized data type: {what}={shown} (of type {type(value).__name__}): {hint}"


def _array(x: Any, what: str, text: bool) -> np.ndarray:
    array = _frame(x, what, text) if hasattr(x, "columns") else np.asarray(x)
    if text and is_text(array):
        return _checked_texts(array, what)
    if array.dtype.kind not in "fiub":
        raise DataError(
            f"Invalid dtype: {dtype_name(array)}. {what} must hold numbers; "
            "encode text and missing values first"
        )
    if array.ndim == 0:
        raise DataError(f"{what} is a single number; arrays with a row for each example are needed")
    return array


def _checked_texts(array: np.ndarray, what: str) -> np.ndarray:
    try:
        return texts(array)
    except DataError as error:
        raise DataError(f"Invalid dtype: {array.dtype}. {what} must hold numbers or text alone: {error}") from None


def _frame(frame: Any, what: str, text: bool) -> np.ndarray:
    columns = [np.asarray(frame[name]) for name in frame.columns]
    if text and columns and all(map(is_text, columns)):
        return np.column_stack(columns)
    for name, column in zip(frame.columns, columns, strict=True):
        if column.ndim != 1:
            raise DataError(f"{what} has more than one column named {name!r}")
        if column.dtype.kind not in "fiub":
            raise DataError(
                f"Invalid dtype: {column.dtype}. Column {name!r} of {what} does not hold numbers; encode it first"
            )
    return np.column_stack(columns) if columns else np.empty((len(frame), 0))


def engine_array(array: np.ndarray, kind: str, dtype: str, what: str) -> np.ndarray:
    """An array as the engine reads it: C-contiguous, in the model's float type, whole where the graph sees integers.

    Args:
        array: numbers.
        kind: dtype of the graph's input, ``"int32"`` or a float type.
        dtype: the model's float type.
        what: its name for messages.

    Raises:
        DataError: integers that the float type cannot hold exactly.
    """
    if kind == "int32":
        if array.dtype.kind == "f":
            array = np.trunc(array)
        _check_exact(array, dtype, what)
    return np.ascontiguousarray(array, dtype=dtype)


def ready(array: np.ndarray, dtype: str) -> bool:
    """Whether the engine can have an array at once: no text, no ids that its float type does not hold exactly."""
    return not is_text(array) and is_exact(array, dtype)


def _check_exact(array: np.ndarray, dtype: str, what: str) -> None:
    if not is_exact(array, dtype):
        raise DataError(
            f"{what} has the whole number {largest(array)}; {dtype} is exact only up to {LARGEST_WHOLE[dtype]}: "
            "number the categories from 0"
        )


def target_kind(array: np.ndarray, dtype: str) -> str:
    """How a graph sees targets: integers as int32, unless float32 could not hold them; all else as floats."""
    return "int32" if array.dtype.kind in "iu" and is_exact(array, dtype) else dtype


def fit_rank(array: np.ndarray, shape: tuple[int | None, ...], name: str) -> np.ndarray:
    """The array in the rank of an input: (n,) → (n, 1) and (n, d, 1) → (n, d), as Keras does.

    Raises:
        ShapeError: its shape is another.
    """
    if array.ndim == len(shape) + 1 and array.shape[-1] == 1:
        array = array[..., 0]
    elif array.ndim == len(shape) - 1 and shape[-1] == 1:
        array = array[..., None]
    if array.ndim != len(shape):
        raise ShapeError(
            f"Invalid input shape for input {name!r}. Expected shape {shape}, but input has incompatible "
            f"shape {array.shape}"
        )
    for axis, (size, expected) in enumerate(zip(array.shape, shape, strict=True)):
        if expected not in (None, size):
            raise ShapeError(
                f"Input {name!r} is incompatible with the model: expected axis {axis - array.ndim} of input shape to "
                f"have value {expected}, but received input with shape {array.shape}"
            )
    return array


def split(arrays: Sequence[Any], validation_split: float) -> tuple[list[Any], list[Any]]:
    """The first and the last rows of some structures of arrays; the last ``validation_split`` share validates.

    Raises:
        DataError: one of the two would be empty.
    """
    count = check_rows(*arrays)
    if not 0 < validation_split < 1:
        raise DataError(f"`validation_split` must be between 0 and 1, got {validation_split}")
    at = floor(count * (1.0 - validation_split))
    if at in (0, count):
        raise DataError(
            f"Training data contains {count} samples, which is not sufficient to split it into a validation and "
            f"training set as specified by `validation_split={validation_split}`. Either provide more data, or a "
            "different value for the `validation_split` argument."
        )
    return [_part(a, slice(0, at)) for a in arrays], [_part(a, slice(at, count)) for a in arrays]


def _part(value: Any, rows: slice) -> Any:
    return map_leaves(lambda array: None if array is None else array[rows], value)


def class_weights(y: Any, class_weight: Mapping[Any, float]) -> np.ndarray:
    """A weight for each row from its class; classes that are not named weigh 1.

    Args:
        y: class numbers (n,) or (n, 1), or one column a class.
        class_weight: weight for each class number.

    Raises:
        DataError: several targets, or a key that is no class number.
    """
    targets = [array for array in flatten(y) if array is not None]
    if len(targets) != 1:
        raise DataError("`class_weight` is only supported for models with a single output.")
    keys = [k for k in class_weight if isinstance(k, bool) or not isinstance(k, int | np.integer)]
    if keys:
        raise DataError(
            f"the keys of `class_weight` must be class numbers, got {keys[0]!r} of type {type(keys[0]).__name__}"
        )
    y = targets[0]
    classes = np.argmax(y, axis=-1) if y.ndim > 1 and y.shape[-1] > 1 else np.round(y.reshape(len(y), -1)[:, 0])
    weights = np.ones(len(y))
    for number, weight in class_weight.items():
        weights[classes == number] = weight
    return weights


def check_labels(array: np.ndarray, classes: int, ignored: int | None, what: str) -> None:
    """Raise a DataError if a class number is outside [0, classes): a sparse loss has no meaning for it."""
    if array.size == 0 or (array.min() >= 0 and array.max() < classes):
        return
    wrong = ~((array >= 0) & (array < classes))
    if ignored is not None:
        wrong &= array != ignored
    if wrong.any():
        row = int(np.argwhere(wrong)[0][0])
        value = array[tuple(np.argwhere(wrong)[0])]
        raise DataError(
            f"Received a label value of {value:g} which is outside the valid range of [0, {classes}) "
            f"({what}, row {row}): the output has {classes} classes"
        )


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """(x, y, sample_weight) of what one batch of data is; None for what is not there.

    Args:
        data: x alone, or a tuple or list (x,), (x, y) or (x, y, sample_weight).

    Raises:
        DataError: a tuple or list of more.
    """
    if not isinstance(data, list | tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise DataError(f"data must be x, (x, y) or (x, y, sample_weight), got {len(data)} parts")
    x, y, weight = (*data, None, None)[:3]
    return x, y, weight
