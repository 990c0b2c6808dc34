"""Progbar: a line that says how far a loop of one's own has come."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any

FULL, EMPTY = "━", "─"


class Progbar:
    """Shows how many steps are done, the time a step takes, and means of numbers.

    Args:
        target: how many steps there are; None if nobody knows.
        width: of the bar, in letters.
        verbose: 0 nothing, 1 a line that changes, 2 a line at the end.
        interval: least seconds between two pictures of the line.
        stateful_metrics: names whose numbers are shown as they are.
        stateless_metrics: names whose numbers are averaged; all others are then shown as they are.
        unit_name: what a step is called.
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ):
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError("Only one of `stateful_metrics` or `stateless_metrics` can be provided.")
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self.stateful_metrics = None if stateless_metrics is not None else set(stateful_metrics or ())
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self._sums: dict[str, list[float]] = {}  # name → [sum of values, sum of steps]
        self._seen, self._begin, self._shown = 0, time.perf_counter(), 0.0

    def update(
        self, current: int, values: Sequence[tuple[str, Any]] | None = None, finalize: bool | None = None
    ) -> None:
        """Say how many steps are done.

        Args:
            current: steps done.
            values: (name, number) of this step.
            finalize: whether it was the last; if None, whether the target is reached.
        """
        for name, value in values or ():
            self._take(name, float(value), max(current - self._seen, 1))
        self._seen = current
        last = (self.target is not None and current >= self.target) if finalize is None else finalize
        now = time.perf_counter()
        if self.verbose == 1 and (last or now - self._shown >= self.interval):
            self._shown = now
            sys.stdout.write(f"\r{self._line(now)}" + ("\n" if last else ""))
        elif self.verbose == 2 and last:
            sys.stdout.write(f"{self._line(now)}\n")
        sys.stdout.flush()

    def add(self, n: int, values: Sequence[tuple[str, Any]] | None = None) -> None:
        """Say that n more steps are done."""
        self.update(self._seen + n, values)

    def _take(self, name: str, value: float, steps: int) -> None:
        averaged = name not in self.stateful_metrics if self.stateful_metrics is not None else (
            name in (self.stateless_metrics or ()))  # fmt: skip
        total, count = self._sums.get(name, [0.0, 0]) if averaged else (0.0, 0)
        self._sums[name] = [total + value * steps, count + steps]

    def _line(self, now: float) -> str:
        spent = now - self._begin
        each = f"{spent / max(self._seen, 1) * 1000:.0f}ms/{self.unit_name}"
        numbers = "".join(f" - {name}: {total / count:.4f}" for name, (total, count) in self._sums.items())
        return f"{self._bar()} {spent:.0f}s {each}{numbers}"

    def _bar(self) -> str:
        if self.target is None:
            return f"{self._seen}/Unknown"
        done = self.width if not self.target else int(self.width * min(self._seen / self.target, 1.0))
        return f"{self._seen}/{self.target} {FULL * done}{EMPTY * (self.width - done)}"
