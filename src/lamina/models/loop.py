"""Running a compiled step over data: whole epochs in one call, or in parts where somebody watches."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from math import ceil
from typing import Any, NamedTuple

import numpy as np

from lamina import engine
from lamina.models.data import Rows
from lamina.models.steps import Step


class Part(NamedTuple):
    """What one call computed: so many steps, and their outputs."""

    steps: int
    outputs: dict[str, np.ndarray]


Execute = Callable[[int, int], list[Part]]
Watch = Callable[[int, int, int, Execute], None]  # (start, stop, batch size, execute(begin, end))


class Feed:
    """Which rows each epoch takes, and in what order.

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
        """Batches of an epoch."""
        return min(self.steps or self.batches, self.batches)

    def epoch(self, anew: bool = False) -> tuple[np.ndarray | None, int, int]:
        """(order, start, stop) of the next epoch; ``anew`` from the first row on, as Keras validates.

        The order holds until the next call, which draws another one in its place.
        """
        count = self.rows.count
        if anew:
            self._at = 0
        if self._at == 0:
            self._order = self._new_order()
        start = self._at
        stop = count if self.steps is None else min(count, start + self.steps * self.batch_size)
        self._at = 0 if stop == count else stop
        if self.steps is not None and self.steps > self.batches:
            warnings.warn(
                "Your input ran out of data; interrupting training. Make sure that your dataset can generate at "
                f"least `steps_per_epoch * epochs` batches: an epoch of {self.steps} steps was asked for, the data "
                f"have {self.batches}.",
                stacklevel=4,
            )
        return self._order, start, stop

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


def whole(name: str, value: Any, least: int = 1) -> int:
    """An argument that must be a whole number, not below ``least``."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or int(value) < least:
        kind = "a positive whole number" if least else "a whole number, 0 or more"
        raise ValueError(f"`{name}` must be {kind}, got {value!r}")
    return int(value)


def run(step: Step, feed: Feed, span: tuple[np.ndarray | None, int, int], first_step: int, watch: Watch) -> list[Part]:
    """Run a compiled step over a part of the data.

    Args:
        step: what to run.
        feed: the data.
        span: (order, start, stop).
        first_step: number of the first step, for the optimizer and random numbers.
        watch: how to divide the work; the numbers do not depend on it.

    Returns:
        What each call computed.
    """
    order, start, stop = span
    parts: list[Part] = []

    def execute(begin: int, end: int) -> list[Part]:
        outputs = step.executable.run(
            feed.rows.arrays, step.state(), rows=feed.rows.count, batch_size=feed.batch_size, order=order,
            start=begin, stop=end, step=first_step + (begin - start) // feed.batch_size,
        )  # fmt: skip
        parts.append(Part(ceil((end - begin) / feed.batch_size), outputs))
        return parts

    watch(start, stop, feed.batch_size, execute)
    return parts


def at_once(start: int, stop: int, batch_size: int, execute: Execute) -> None:
    """Everything in one call."""
    execute(start, stop)


def in_pieces(tell: Callable[[int], None], seconds: float = 0.1) -> Watch:
    """Parts of about so many seconds; ``tell`` hears how many batches are done."""

    def watch(start: int, stop: int, batch_size: int, execute: Execute) -> None:
        begin, size, clock = start, batch_size, time.perf_counter()
        while begin < stop:
            end = min(begin + size, stop)
            execute(begin, end)
            tell(ceil((end - start) / batch_size))
            spent = (time.perf_counter() - clock) / (end - start)  # seconds a row
            size, begin = max(1, int(seconds / (spent * batch_size))) * batch_size, end

    return watch


def batch_by_batch(
    begin_hook: Callable[[int], None], end_hook: Callable[[int, list[Part]], bool], group: int = 1
) -> Watch:
    """Groups of batches with a call before and after each; the hook after says whether to go on."""

    def watch(start: int, stop: int, batch_size: int, execute: Execute) -> None:
        for begin in range(start, stop, batch_size * group):
            end = min(begin + batch_size * group, stop)
            begin_hook((begin - start) // batch_size)
            if not end_hook(ceil((end - start) / batch_size) - 1, execute(begin, end)):
                break

    return watch
