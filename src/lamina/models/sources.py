"""Where the rows of each epoch come from: arrays that are there as a whole (Feed), or batches that come (Stream)."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from math import ceil
from typing import Any, NamedTuple, Protocol

import numpy as np

from lamina import engine
from lamina.errors import DataError
from lamina.executable import Arrays, Executable
from lamina.models.data import Rows


class Span(NamedTuple):
    """Some rows of a data set in an order, to be gone through in batches."""

    rows: Rows
    batch_size: int
    order: np.ndarray | None
    start: int
    stop: int

    @property
    def batches(self) -> int:
        """How many batches it has."""
        return ceil((self.stop - self.start) / self.batch_size)

    def part(self, begin: int, batches: int) -> Span:
        """So many batches from the row ``begin`` on, or what is left."""
        return self._replace(start=begin, stop=min(begin + batches * self.batch_size, self.stop))

    def parts(self, batches: int) -> Iterator[Span]:
        """The span in parts of so many batches."""
        for begin in range(self.start, self.stop, batches * self.batch_size):
            yield self.part(begin, batches)

    def run(self, executable: Executable, state: Arrays, step: int) -> dict[str, np.ndarray]:
        """What an executable makes of the rows; its first step is number ``step``."""
        return executable.run(
            self.rows.arrays, state, rows=self.rows.count, batch_size=self.batch_size, order=self.order,
            start=self.start, stop=self.stop, step=step,
        )  # fmt: skip


class Source(Protocol):
    """What a pass over data asks for."""

    steps: int | None

    @property
    def epoch_steps(self) -> int | None:
        """Batches of an epoch, None where nobody knows."""
        ...

    def first(self) -> Rows | None:
        """Rows like those that come next, without taking them; None if no more come."""
        ...

    def epoch(self, anew: bool = False) -> Iterable[Span]:
        """The next epoch; ``anew`` from the first row on, as Keras validates."""
        ...


class Feed:
    """Arrays: which rows each epoch takes, and in what order.

    Args:
        rows: the data.
        batch_size: rows a step; by default 32, or what gives ``steps`` batches.
        steps: batches an epoch, all by default; what an epoch leaves over the next one begins with.
        shuffle: False, True, or ``"batch"`` to shuffle inside each batch only.
        generator: where the order comes from.
    """

    def __init__(
        self, rows: Rows, batch_size: int | None, steps: int | None = None, shuffle: bool | str = False,
        generator: np.random.Generator | None = None,
    ):  # fmt: skip
        if shuffle not in (True, False, "batch"):
            raise ValueError(f"`shuffle` must be True, False or 'batch', got {shuffle!r}")
        self.rows = rows
        self.steps = None if steps is None else whole("steps", steps)
        if batch_size is None:
            batch_size = 32 if self.steps is None else ceil(rows.count / self.steps)
        self.batch_size = whole("batch_size", batch_size)
        self.batches = ceil(rows.count / self.batch_size)
        self.shuffle = shuffle if generator is not None else False
        self._generator = generator
        self._order: np.ndarray | None = None
        self._at = 0

    @property
    def epoch_steps(self) -> int:
        """Batches of an epoch, as many as were asked for."""
        return self.steps or self.batches

    def first(self) -> Rows:
        """The data."""
        return self.rows

    def epoch(self, anew: bool = False) -> list[Span]:
        """The next epoch as one span, whose order holds until the next call: that draws another one in its place."""
        count = self.rows.count
        if anew:
            self._at = 0
        if self._at == 0:
            self._order = self._new_order()
        start = self._at
        stop = count if self.steps is None else min(count, start + self.steps * self.batch_size)
        self._at = 0 if stop == count else stop
        span = Span(self.rows, self.batch_size, self._order, start, stop)
        if self.steps is not None and self.steps > span.batches:
            warn_of_the_end(self.steps, span.batches)
        return [span]

    def _new_order(self) -> np.ndarray | None:
        count, generator = self.rows.count, self._generator
        if not self.shuffle or generator is None:
            return None
        order = np.empty(count, np.int64) if self._order is None else self._order
        if self.shuffle is True:
            engine.shuffle(order, generator)
            return order
        order[:] = np.arange(count)
        for begin in range(0, count, self.batch_size):
            generator.shuffle(order[begin : begin + self.batch_size])
        return order


class Stream:
    """Batches that come one by one: from a generator, a data loader, a ``tf.data.Dataset``, a ``PyDataset``.

    Args:
        batches: an iterable of x, (x, y) or (x, y, sample_weight), or a PyDataset. What can be iterated again begins
            anew when it has ended; a generator cannot, and training stops there.
        convert: makes Rows of a batch.
        steps: batches an epoch, all by default; what an epoch leaves over the next one begins with.
        generator: where the order of a PyDataset's batches comes from; their own order without it.
    """

    def __init__(
        self, batches: Any, convert: Callable[[Any], Rows], steps: int | None = None,
        generator: np.random.Generator | None = None,
    ):  # fmt: skip
        self.batches = batches
        self.steps = None if steps is None else whole("steps", steps)
        self._convert = convert
        self._generator = generator
        self._number = 0  # of the batch, since the pass over the data began
        self._coming: Iterator[Any] | None = None
        self._next: deque[Rows] = deque()
        self._sample: Rows | None = None  # of a PyDataset

    @property
    def epoch_steps(self) -> int | None:
        """Batches of an epoch, as far as the data say."""
        return _length(self.batches) if self.steps is None else self.steps

    def first(self) -> Rows | None:
        """The next batch, which the next epoch begins with; of a PyDataset the first, which is made once more then."""
        if is_indexed(self.batches) and self._coming is None:
            if self._sample is None and _length(self.batches) != 0:
                self._sample = self._rows(self.batches[0])
            return self._sample
        if not self._next and (rows := self._draw() or self._draw()) is not None:
            self._next.append(rows)
        if not self._next:
            warn_of_the_end(self.steps, None)
        return self._next[0] if self._next else None

    def epoch(self, anew: bool = False) -> Iterator[Span]:
        """The next epoch, a span for each batch."""
        if anew and not self._next:
            self._coming = None
        _tell(self.batches, "on_epoch_begin")
        done = 0
        try:
            while self.steps is None or done < self.steps:
                rows = self._next.popleft() if self._next else self._draw()
                if rows is None:
                    break
                done += 1
                yield Span(rows, rows.count, None, 0, rows.count)
            else:
                return
            if not done or self.steps is not None:
                warn_of_the_end(self.steps, done)
        finally:
            _tell(self.batches, "on_epoch_end")

    def _draw(self) -> Rows | None:
        """The next batch; None at the end of the data, after which they begin anew."""
        if self._coming is None:
            self._coming, self._number = iter(self._pass()), 0
        for batch in self._coming:
            self._number += 1
            return self._rows(batch)
        self._coming = None
        return None

    def _pass(self) -> Iterable[Any]:
        return _items(self.batches, self._generator) if is_indexed(self.batches) else self.batches

    def _rows(self, batch: Any) -> Rows:
        try:
            return self._convert(batch)
        except DataError as error:
            raise DataError(f"batch {max(self._number, 1)} of x: {error}") from error


def is_stream(x: Any) -> bool:
    """Whether x gives batches, and is no array or nest of arrays itself."""
    if isinstance(x, list | tuple | dict | str | bytes) or hasattr(x, "__array__") or hasattr(x, "toarray"):
        return False
    return is_indexed(x) or hasattr(x, "__iter__")


def is_indexed(x: Any) -> bool:
    """Whether x is a PyDataset, Keras's own among them: something that gives batches by their numbers."""
    return any(of.__name__ == "PyDataset" for of in type(x).__mro__)


def _length(batches: Any) -> int | None:
    """The number of batches, where it is known."""
    if is_indexed(batches):
        length: int | None = batches.num_batches
        return length
    try:
        return len(batches)
    except TypeError:
        return None


def _tell(batches: Any, name: str) -> None:
    if is_indexed(batches):
        getattr(batches, name)()


def _items(batches: Any, generator: np.random.Generator | None) -> Iterator[Any]:
    """A PyDataset's batches, in another order each time where a generator is given; endless without a length."""
    length = _length(batches)
    order: Iterable[int] = count() if length is None else range(length)
    if generator is not None and length is not None:
        order = generator.permutation(length).tolist()
    return map(batches.__getitem__, order) if batches.workers <= 1 else _prefetched(batches, order)


def _prefetched(batches: Any, indices: Iterable[int]) -> Iterator[Any]:
    """The items in order, made ahead by threads."""
    from concurrent.futures import Future, ThreadPoolExecutor  # it loads `logging`, which takes a while

    waiting: deque[Future[Any]] = deque()
    with ThreadPoolExecutor(batches.workers, "lamina.PyDataset") as pool:
        try:
            for index in indices:
                waiting.append(pool.submit(batches.__getitem__, index))
                if len(waiting) > max(batches.max_queue_size, batches.workers):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def warn_of_the_end(steps: int | None, found: int | None) -> None:
    """Keras's warning where data end before training does."""
    asked = "" if steps is None else f": an epoch of {steps} steps was asked for"
    there = "" if found is None or steps is None else f", with {found} left"
    warnings.warn(
        "Your input ran out of data; interrupting training. Make sure that your dataset or generator can generate at "
        f"least `steps_per_epoch * epochs` batches{asked}{there}.",
        stacklevel=6,
    )


def whole(name: str, value: Any, least: int = 1) -> int:
    """An argument that must be a whole number, not below ``least``."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or int(value) < least:
        kind = "a positive whole number" if least else "a whole number, 0 or more"
        raise ValueError(f"`{name}` must be {kind}, got {value!r}")
    return int(value)
