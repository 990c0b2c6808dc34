"""Data sets in parts: a left and a right one, or windows of a series."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from lamina.errors import DataError
from lamina.models import PyDataset
from lamina.tree import flatten, map_structure

Size = int | float | None


def split_dataset(
    dataset: Any, left_size: Size = None, right_size: Size = None, shuffle: bool = False, seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Any, Any]:  # fmt: skip
    """The first rows and the last rows of a data set.

    Args:
        dataset: an array, a list, tuple or dictionary of arrays of as many rows, or a ``tf.data.Dataset``.
        left_size, right_size: how many rows, or which share of them; what the other leaves by default.
        shuffle: whether rows are mixed first.
        seed: fixes the mixing.
        preferred_backend: ``"tensorflow"`` for data sets of TensorFlow's from arrays.

    Returns:
        Two data sets of the same kind: arrays for arrays, ``tf.data.Dataset`` for one.

    Raises:
        ValueError: sizes that leave a side without rows, or do not fit.
        DataError: the arrays have different numbers of rows.

    Example:
        >>> left, right = split_dataset(np.arange(10), left_size=0.8)
        >>> left.shape, right.tolist()
        ((8,), [8, 9])
    """
    if hasattr(dataset, "element_spec"):
        return _split_stream(dataset, left_size, right_size, shuffle, seed)
    arrays = map_structure(np.asarray, dataset)
    count = _rows(flatten(arrays))
    left, right = _sizes(left_size, right_size, count)
    order = _order(count, shuffle, seed)
    parts = (order[:left], order[count - right :])
    halves = [map_structure(lambda a, at=at: a[at], arrays) for at in parts]
    if preferred_backend == "tensorflow":
        from tensorflow import data

        halves = [data.Dataset.from_tensor_slices(tuple(h) if isinstance(h, list) else h) for h in halves]
    return halves[0], halves[1]


def _split_stream(dataset: Any, left_size: Size, right_size: Size, shuffle: bool, seed: int | None) -> tuple[Any, Any]:
    """TensorFlow's data sets, which may be streams, are read once and made anew from their elements."""
    from tensorflow import data, nest

    elements = list(dataset.as_numpy_iterator())
    left, right = _sizes(left_size, right_size, len(elements))
    order = _order(len(elements), shuffle, seed)
    halves = ([elements[i] for i in at] for at in (order[:left], order[len(elements) - right :]))
    made = [
        data.Dataset.from_tensor_slices(nest.map_structure(lambda *parts: np.stack(parts), *half)) for half in halves
    ]
    return made[0], made[1]


def _rows(arrays: list[np.ndarray]) -> int:
    counts = {len(a) for a in arrays}
    if len(counts) != 1:
        raise DataError(f"the arrays must have one number of rows, got {sorted(counts)}")
    return counts.pop()


def _order(count: int, shuffle: bool, seed: int | None) -> np.ndarray:
    """Python's own generator, as in Keras, so that the same seed mixes the same way."""
    places = list(range(count))
    if shuffle:
        random.seed(random.randint(0, int(1e6)) if seed is None else seed)
        random.shuffle(places)
    return np.array(places, int)


def _sizes(left: Size, right: Size, total: int) -> tuple[int, int]:
    """Both sizes as numbers of rows.

    Raises:
        ValueError: no size, or sizes that do not fit.
    """
    if left is None and right is None:
        raise ValueError("At least one of `left_size` or `right_size` must be specified. Received: None and None")
    rows = [None if size is None else _count(name, size, total) for name, size in
            (("left_size", left), ("right_size", right))]  # fmt: skip
    first = total - (rows[1] or 0) if rows[0] is None else rows[0]
    last = total - first if rows[1] is None else rows[1]
    if not (first and last and first + last <= total):
        raise ValueError(
            f"left_size={left} and right_size={right} of {total} rows are {first} and {last}: both sides need rows, "
            "together no more than there are"
        )
    return first, last


def _count(name: str, size: Any, total: int) -> int:
    if isinstance(size, bool) or not isinstance(size, int | float):
        raise TypeError(f"Invalid `{name}` Type. Expected: int or float or None, Received: {type(size)}")
    if not 0 < size < (1 if isinstance(size, float) else total):
        raise ValueError(
            f"`{name}` should be either a positive integer smaller than {total}, or a float within the range `[0, 1]`. "
            f"Received: {name}={size}"
        )
    return round(size * total) if isinstance(size, float) else size


class Windows(PyDataset):
    """Batches of windows of a series, and the targets at their begins; see ``timeseries_dataset_from_array``."""

    def __init__(self, data: Any, targets: Any, places: np.ndarray, offsets: np.ndarray, batch_size: int | None):
        super().__init__()
        self.data, self.targets, self.places, self.offsets = data, targets, places, offsets
        self.batch_size = batch_size

    def __len__(self) -> int:
        return -(-len(self.places) // (self.batch_size or 1))

    def __getitem__(self, index: int) -> Any:
        """The batch of this number: windows (rows, length, …), with their targets if there are any."""
        size = self.batch_size or 1
        at = self.places[index * size : (index + 1) * size]
        at = at if self.batch_size else at[0]
        windows = self.data[at[..., None] + self.offsets]
        return windows if self.targets is None else (windows, self.targets[at])


def timeseries_dataset_from_array(
    data: Any, targets: Any, sequence_length: int, sequence_stride: int = 1, sampling_rate: int = 1,
    batch_size: int | None = 128, shuffle: bool = False, seed: int | None = None, start_index: int | None = None,
    end_index: int | None = None, format: str = "tf",
) -> Windows:  # fmt: skip
    """Sliding windows of a series, in batches that ``fit`` takes.

    Args:
        data: (time, …).
        targets: one for each window, at the place where it begins; None for windows alone.
        sequence_length: steps of a window.
        sequence_stride: steps from one window to the next.
        sampling_rate: steps between two rows of a window.
        batch_size: windows a batch; None for single windows.
        shuffle: whether the windows are mixed.
        seed: fixes the mixing.
        start_index, end_index: rows before and from here on are left out.
        format: taken for Keras's sake; batches are NumPy arrays.

    Returns:
        A data set of batches: windows, or (windows, targets).

    Raises:
        ValueError: an argument is not above 0, or the bounds lie outside.

    Example:
        >>> batches = timeseries_dataset_from_array(np.arange(6), np.arange(6), sequence_length=3, batch_size=2)
        >>> [x.tolist() for x, y in batches]
        [[[0, 1, 2], [1, 2, 3]], [[2, 3, 4], [3, 4, 5]]]
    """
    data = np.asarray(data)
    first, end = start_index or 0, len(data) if end_index is None else end_index
    if not 0 <= first < end <= len(data):
        raise ValueError(f"`start_index` and `end_index` must be in order inside 0..{len(data)}, got {first} and {end}")
    for name, value in (("sequence_length", sequence_length), ("sequence_stride", sequence_stride),
                        ("sampling_rate", sampling_rate)):  # fmt: skip
        if not 0 < value <= len(data):
            raise ValueError(f"`{name}` must be higher than 0 and not above {len(data)}. Received: {name}={value}")
    count = end - first - (sequence_length - 1) * sampling_rate
    wanted = None if targets is None else np.asarray(targets)[first:end]
    places = np.arange(0, count if wanted is None else min(count, len(np.asarray(targets))), sequence_stride)
    if shuffle:
        np.random.RandomState(seed).shuffle(places)
    offsets = np.arange(0, sequence_length * sampling_rate, sampling_rate)
    return Windows(data[first:end], wanted, places, offsets, batch_size)
