"""A fit never ends with weights that are not finite: the last good ones come back, and the error says what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import isfinite
from typing import Any, NoReturn

import numpy as np

from lamina.errors import NonFiniteError
from lamina.graph.node import Graph
from lamina.lower.to_numpy import NumpyExecutable
from lamina.models.data import Rows
from lamina.models.sources import Span
from lamina.models.steps import Step

ADVICE = "Try a smaller learning rate, gradient clipping (clipnorm=1.0), or standardised inputs."


class Guard:
    """The state of a training step at the start of an epoch."""

    def __init__(self) -> None:
        self.saved: dict[str, np.ndarray] = {}
        self.calls = 0
        self.last: tuple[int, Span]

    def begin(self, step: Step) -> None:
        """An epoch begins: its metrics start anew, and this is the state to come back to."""
        step.reset()
        self.step = step
        state = step.state()
        if self.saved.keys() != state.keys():
            self.saved = {name: np.empty_like(buffer) for name, buffer in state.items()}
        for name, buffer in state.items():
            self.saved[name][...] = buffer
        self.calls = 0 if step.optimizer is None else int(step.optimizer.calls.value)

    def restore(self) -> None:
        """Everything that the epoch changed is as it was before."""
        for name, buffer in self.step.state().items():
            buffer[...] = self.saved[name]
        if self.step.optimizer is not None:
            self.step.optimizer.advance(self.calls)

    @contextmanager
    def kept(self, loss: Callable[[], float]) -> Iterator[None]:
        """Whatever ends the block, an error of a callback or Ctrl-C, leaves weights that are finite."""
        try:
            yield
        except BaseException:
            if hasattr(self, "step") and not self.good(loss()):
                self.restore()
            raise

    def good(self, loss: float) -> bool:
        """Whether the loss and all weights are finite."""
        return isfinite(loss) and all(map(finite, self.step.watched()))

    def until_bad(self, spans: Iterable[Span], loss: Callable[[], float]) -> Iterator[Span]:
        """Batches that come only once, up to the first after which the loss is not finite."""
        for number, span in enumerate(spans, 1):
            self.last = (number, span)
            yield span
            if not isfinite(loss()):
                return

    def refuse(self, loss: float, epoch: int, spans: Sequence[Span], first_step: int, history: Any) -> NoReturn:
        """Put the weights of the epoch's start back in place, and raise.

        Args:
            loss: the epoch's loss.
            epoch: its number.
            spans: what it trained on; empty where that came only once.
            first_step: number of its first step.
            history: what was recorded.

        Raises:
            NonFiniteError: always.
        """
        self.restore()
        layer, where = _diagnose(self.step, spans, first_step) if spans else (None, f"in batch {self.last[0]}")
        self.restore()
        bad = _bad_input((spans[0] if spans else self.last[1]).rows)
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


def _diagnose(step: Step, spans: Sequence[Span], first_step: int) -> tuple[str | None, str]:
    """The first layer with a number that is not finite, and a sentence about it; runs the epoch again, by batches."""
    for index, part in enumerate(part for span in spans for part in span.parts(1)):
        before = {name: buffer.copy() for name, buffer in step.state().items()}
        step.run(part, first_step + index)
        if np.isfinite(step.logs().get("loss", 0.0)) and all(map(finite, step.watched())):
            continue
        layer = _first_bad_layer(step, part, before, first_step + index) or _first_bad_weight(step)
        found = f"layer {layer!r} is the first with a number that is not finite" if layer else "it is the loss itself"
        return layer, f"in batch {index + 1}, {found}"
    return None, "the sum of its batches is too large"


def _first_bad_layer(step: Step, span: Span, state: dict[str, np.ndarray], number: int) -> str | None:
    calls = step.trace.calls
    graph = Graph({str(i): node for i, (_, node) in enumerate(calls)})
    values = span.run(NumpyExecutable(graph), state, number)
    return next((name for i, (name, _) in enumerate(calls) if not finite(values[str(i)])), None)


def _first_bad_weight(step: Step) -> str | None:
    return next((v.path.split("/")[-2] for v in step.weights if not finite(v.value)), None)


def _bad_input(rows: Rows) -> str:
    """A sentence about data that are themselves not finite."""
    for name, array in rows.arrays.items():
        if array.dtype.kind == "f" and not finite(array):
            at = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
            column = f", column {', '.join(map(str, at[1:]))}" if at[1:] else ""
            what = {"x": "x", "y": "y", "w": "sample_weight"}[name[0]]
            return f"{what} itself is {array[at]} in row {at[0]}{column}: remove or fill such values."
    return ""
