"""A fit never ends with weights that are not finite: the last good ones come back, and the error says what happened."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np

from lamina.errors import NonFiniteError
from lamina.graph.node import Graph
from lamina.lower.to_numpy import NumpyExecutable
from lamina.models.data import Rows
from lamina.models.loop import Feed
from lamina.models.steps import Step

Span = tuple[np.ndarray | None, int, int]
ADVICE = "Try a smaller learning rate, gradient clipping (clipnorm=1.0), or standardised inputs."


class Guard:
    """The state of a training step at the start of an epoch."""

    def __init__(self, step: Step):
        self.step = step
        self.saved: dict[str, np.ndarray] = {}
        self.calls = 0

    def keep(self) -> None:
        """An epoch begins: this is the state to come back to."""
        state = self.step.state()
        if not self.saved:
            self.saved = {name: np.empty_like(buffer) for name, buffer in state.items()}
        for name, buffer in state.items():
            self.saved[name][...] = buffer
        self.calls = 0 if self.step.optimizer is None else int(self.step.optimizer.calls.value)

    def restore(self) -> None:
        """Everything that the epoch changed is as it was before."""
        for name, buffer in self.step.state().items():
            buffer[...] = self.saved[name]
        if self.step.optimizer is not None:
            self.step.optimizer.advance(self.calls)

    def check(self, loss: float, epoch: int, feed: Feed, span: Span, first_step: int, history: Any) -> None:
        """Raise a NonFiniteError, with the weights of the epoch's start back in place, if something is not finite."""
        if isfinite(loss) and all(map(finite, self.step.watched())):
            return
        self.restore()
        layer, where = _diagnose(self.step, feed, span, first_step)
        self.restore()
        bad = _bad_input(feed.rows)
        what = f"the loss became {loss}" if not np.isfinite(loss) else "a weight became infinite or nan"
        raise NonFiniteError(
            f"{what} in epoch {epoch + 1}: {where}. {bad or ADVICE} "
            "The model holds the weights from before this epoch.",
            epoch=epoch, layer=layer, history=history,
        )  # fmt: skip


def finite(array: np.ndarray) -> bool:
    """Whether all numbers of an array are finite; one pass without a temporary in the usual case."""
    with np.errstate(all="ignore"):
        return isfinite(np.add.reduce(array, axis=None)) or bool(np.isfinite(array).all())


def _diagnose(step: Step, feed: Feed, span: Span, first_step: int) -> tuple[str | None, str]:
    """The first layer with a number that is not finite, and a sentence about it; runs the epoch again, by batches."""
    order, start, stop = span
    for index, begin in enumerate(range(start, stop, feed.batch_size)):
        before = {name: buffer.copy() for name, buffer in step.state().items()}
        end = min(begin + feed.batch_size, stop)
        step.executable.run(
            feed.rows.arrays, step.state(), rows=feed.rows.count, batch_size=feed.batch_size, order=order,
            start=begin, stop=end, step=first_step + index,
        )  # fmt: skip
        if np.isfinite(step.logs().get("loss", 0.0)) and all(map(finite, step.watched())):
            continue
        where = slice(begin, end) if order is None else order[begin:end]
        batch = {name: array[where] for name, array in feed.rows.arrays.items()}
        layer = _first_bad_layer(step, batch, before, end - begin, first_step + index) or _first_bad_weight(step)
        found = f"layer {layer!r} is the first with a number that is not finite" if layer else "it is the loss itself"
        return layer, f"in batch {index + 1}, {found}"
    return None, "the sum of its batches is too large"


def _first_bad_layer(
    step: Step, batch: dict[str, np.ndarray], state: dict[str, np.ndarray], rows: int, number: int
) -> str | None:
    calls = step.trace.calls
    graph = Graph({str(i): node for i, (_, node) in enumerate(calls)})
    executable = NumpyExecutable(graph)
    typed = {name: batch[name].astype(dtype, copy=False) for name, dtype in executable._dtypes.items()}
    values = executable.step(typed, state, rows, number)
    return next((name for i, (name, _) in enumerate(calls) if not finite(np.asarray(values[str(i)]))), None)


def _first_bad_weight(step: Step) -> str | None:
    return next((v.path.split("/")[0] for v in step.weights if not finite(v.value)), None)


def _bad_input(rows: Rows) -> str:
    """A sentence about data that are themselves not finite."""
    for name, array in rows.arrays.items():
        if not finite(array):
            at = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
            column = f", column {', '.join(map(str, at[1:]))}" if at[1:] else ""
            what = {"x": "x", "y": "y", "w": "sample_weight"}[name[0]]
            return f"{what} itself is {array[at]} in row {at[0]}{column}: remove or fill such values."
    return ""
