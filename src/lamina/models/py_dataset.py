"""PyDataset: batches by their numbers, made when they are needed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any


class PyDataset:
    """Base of data sets that make each batch when it is asked for; a subclass writes ``__getitem__`` and ``__len__``.

    Args:
        workers: threads that make batches ahead; with 1 each is made when its turn comes.
        use_multiprocessing: taken for Keras's sake; threads do the work.
        max_queue_size: batches that may wait.

    Example:
        >>> class Squares(PyDataset):
        ...     def __len__(self):
        ...         return 4
        ...
        ...     def __getitem__(self, index):
        ...         x = np.arange(8.0)[2 * index : 2 * index + 2]
        ...         return x, x**2
        >>> [y.tolist() for x, y in Squares()]
        [[0.0, 1.0], [4.0, 9.0], [16.0, 25.0], [36.0, 49.0]]
    """

    workers = 1
    use_multiprocessing = False
    max_queue_size = 10

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10):
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> Any:
        """The batch of this number: x, (x, y) or (x, y, sample_weight)."""
        raise TypeError(f"{type(self).__name__} must define __getitem__(index)")

    @property
    def num_batches(self) -> int | None:
        """How many batches there are; None where they never end."""
        if not hasattr(self, "__len__"):
            raise TypeError(f"{type(self).__name__} must define __len__, or `num_batches` (None where it never ends)")
        return len(self)

    def on_epoch_begin(self) -> None:
        """An epoch begins."""

    def on_epoch_end(self) -> None:
        """An epoch has ended."""

    def __iter__(self) -> Iterator[Any]:
        length = self.num_batches
        return map(self.__getitem__, count() if length is None else range(length))
