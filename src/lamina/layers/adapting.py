"""Adapting: how a layer reads the data that it takes its statistics from: whole tables, or one batch after another."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from lamina.errors import DataError
from lamina.layers.layer import Layer


class Adaptable(Layer):
    """Base of the layers with ``adapt``: state from all batches, in place of what was learned before."""

    lists_are_batches = False  # whether a list holds batches, or is itself an array
    is_given = False  # whether what it would learn was said when it was made

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learn from data, in place of what was learned before.

        Args:
            data: an array, a data frame, a Series; or batches: a ``tf.data.Dataset``, a generator, any iterable.
            steps: at most so many batches of a stream.

        Raises:
            DataError: there are no data, or they are of another kind than the layer takes.
        """
        self.reset_state()
        is_empty = True
        for batch in batches(data, steps, self.lists_are_batches):
            self.update_state(batch)
            is_empty = False
        if is_empty:
            raise DataError(f"layer {self.name!r}: adapt() received no data")
        self.finalize_state()

    @abstractmethod
    def reset_state(self) -> None:
        """Forget the batches seen so far."""

    @abstractmethod
    def update_state(self, data: Any) -> None:
        """Take one batch into account."""

    @abstractmethod
    def finalize_state(self) -> None:
        """From now on the layer works with what it has seen."""


def batches(data: Any, steps: int | None = None, lists_are_batches: bool = False) -> Iterator[np.ndarray]:
    """The arrays in data for ``adapt``; an array, a data frame or a Series is one of them.

    Args:
        data: see ``Adaptable.adapt``.
        steps: at most so many batches of a stream.
        lists_are_batches: whether a list or tuple is a stream of batches, not an array.
    """
    whole = isinstance(data, np.ndarray) or hasattr(data, "__array__")
    if whole or (isinstance(data, list | tuple) and not lists_are_batches):
        yield _as_table(data)
    else:
        yield from map(_array, islice(_stream(data), steps))


def _as_table(data: Any) -> np.ndarray:
    """An array whose rows are examples: of a single column, one value each."""
    array = np.asarray(data)
    return array[:, None] if array.ndim == 1 else array


def _stream(data: Any) -> Iterator[Any]:
    if hasattr(data, "num_batches"):  # a PyDataset says how many it has, and iterating over it would not end
        return (data[index] for index in range(data.num_batches))
    if not hasattr(data, "__iter__") or isinstance(data, str | bytes | dict):
        raise DataError(
            f"Unsupported data type: {type(data).__name__}. `adapt` takes a NumPy array, a data frame, or batches: a "
            "tf.data.Dataset, a generator or another iterable of arrays"
        )
    return iter(data)


def _array(batch: Any) -> np.ndarray:
    """A batch as an array; of (x, y) it is x."""
    x = batch[0] if isinstance(batch, tuple) else batch
    if hasattr(x, "to_tensor"):
        raise DataError("ragged batches are not supported: give rows of equal length, or one value a row")
    return np.asarray(x)
