"""Running compiled steps over data: whole epochs in one call, or in parts where somebody watches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from lamina.models.data import Rows
from lamina.models.sources import Span
from lamina.models.steps import Step

Outputs = dict[str, np.ndarray]
Execute = Callable[[Span], None]
Watch = Callable[[Iterable[Span], Execute], None]


class Chosen:
    """The step that fits some rows, looked up once for each data set."""

    def __init__(self, look_up: Callable[[Rows], Step]):
        self._look_up = look_up
        self._rows: Rows | None = None

    def __call__(self, rows: Rows) -> Step:
        """The step for these rows."""
        if rows is not self._rows:
            self._step, self._rows = self._look_up(rows), rows
        return self._step


class Run:
    """One pass over data.

    Args:
        step_for: the step for some rows.
        first_step: number of the first step, for the optimizer and random numbers.
        begin: hears of the step before the first span is done.
        keep: whether outputs of all spans are kept, or the last ones alone.
    """

    def __init__(
        self, step_for: Callable[[Rows], Step], first_step: int = 0, begin: Callable[[Step], object] = Step.reset,
        keep: bool = False,
    ):  # fmt: skip
        self.outputs: list[Outputs] = []
        self.first_step = first_step
        self.done = 0  # steps
        self._step_for = step_for
        self._begin = begin
        self._keep = keep
        self._step: Step | None = None

    @property
    def step(self) -> Step:
        """The step of the span that was done last."""
        assert self._step is not None
        return self._step

    def execute(self, span: Span) -> None:
        """Go through the batches of a span."""
        step = self._step_for(span.rows)
        if self._step is None:
            self._begin(step)
        self._step = step
        if not self._keep:
            self.outputs.clear()
        self.outputs.append(step.run(span, self.first_step + self.done))
        self.done += span.batches

    def logs(self) -> dict[str, Any]:
        """What the pass has given so far; nothing before its first step."""
        return {} if self._step is None else self._step.logs()


def at_once(spans: Iterable[Span], execute: Execute) -> None:
    """Each span in one call."""
    for span in spans:
        execute(span)


def in_pieces(tell: Callable[[int], None], seconds: float = 0.1) -> Watch:
    """Parts of about so many seconds; ``tell`` hears how many batches are done."""

    def watch(spans: Iterable[Span], execute: Execute) -> None:
        done, size, clock = 0, 1, time.perf_counter()
        for span in spans:
            begin = span.start
            while begin < span.stop:
                part = span.part(begin, size)
                execute(part)
                done, begin = done + part.batches, part.stop
                tell(done)
                size = max(1, int(seconds * done / (time.perf_counter() - clock)))

    return watch


def batch_by_batch(begin_hook: Callable[[int], None], end_hook: Callable[[int], bool], group: int = 1) -> Watch:
    """Groups of batches with a call before and after each; the hook after says whether to go on.

    As in Keras a short last group ends with the number that a whole one would have.
    """

    def watch(spans: Iterable[Span], execute: Execute) -> None:
        for number, parts in enumerate(_groups(spans, group)):
            begin_hook(number * group)
            for part in parts:
                execute(part)
            if not end_hook(number * group + group - 1):
                break

    return watch


def _groups(spans: Iterable[Span], group: int) -> Iterator[list[Span]]:
    """The spans in parts of ``group`` batches together: parts of a long one, or several short ones."""
    waiting: list[Span] = []
    for span in spans:
        for part in span.parts(group):
            waiting.append(part)
            if sum(part.batches for part in waiting) >= group:
                yield waiting
                waiting = []
    if waiting:
        yield waiting
