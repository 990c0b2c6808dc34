"""What the losses and metrics of a step ask of the targets, looked at before the step runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lamina import losses, metrics
from lamina.errors import warn_once
from lamina.graph.node import Node
from lamina.models.data import Rows, check_labels

SEEN = 1000  # rows of which a metric's targets are looked at


class Use(NamedTuple):
    """A loss or a metric of a step, and what it reads."""

    thing: Any
    y: Node
    y_pred: Node


class Labels(NamedTuple):
    """Class numbers that a sparse loss reads: the array, how many classes, and which number is no class."""

    array: str
    classes: int
    ignored: int | None

    def check(self, rows: Rows) -> None:
        """Refuse class numbers that the outputs do not have."""
        check_labels(rows.arrays[self.array], self.classes, self.ignored, "y")


@dataclass
class Meaning:
    """Targets that a metric takes for something: the array, whether it is that, and what to say if not."""

    array: str
    holds: Callable[[np.ndarray], bool]
    message: str
    seen: bool = False

    def check(self, rows: Rows) -> None:
        """Look at the first rows of the first data."""
        if not self.seen:
            self.seen = True
            if not self.holds(rows.arrays[self.array][:SEEN]):
                warn_once(self.message, stacklevel=4)


def _zero_or_one(y: np.ndarray) -> bool:
    return bool(np.isin(y, (0, 1)).all())


def _one_hot(y: np.ndarray) -> bool:
    return bool((y >= 0).all() and np.allclose(y.sum(-1), 1, atol=1e-3))


def _whole(y: np.ndarray) -> bool:
    return bool((y == np.rint(y)).all())


# metric → what its targets must be, in numbers and in words, and what to do if they are not
MEANT: dict[type, tuple[Callable[[np.ndarray], bool], str, str]] = {
    metrics.BinaryAccuracy: (
        _zero_or_one, "0 or 1", "for numbers use 'mae', for several classes one output each and a categorical loss",
    ),
    metrics.CategoricalAccuracy: (
        _one_hot, "one 1 a row", "for labels that do not exclude each other use 'binary_accuracy', for numbers 'mae'",
    ),
    metrics.SparseCategoricalAccuracy: (_whole, "class numbers", "for numbers use 'mae'"),
}  # fmt: skip


def checks(where: str, of_losses: Sequence[Use], of_metrics: Sequence[Use]) -> Iterator[Labels | Meaning]:
    """What is asked of targets that the data hold as they are.

    Args:
        where: the model, for messages.
        of_losses, of_metrics: what the step uses.
    """
    for loss, y, y_pred in of_losses:
        if y.op == "input" and is_sparse(loss):
            yield Labels(y.attrs["name"], int(y_pred.shape[-1] or 0), getattr(loss, "ignore_class", None))
    for metric, y, _ in of_metrics:
        if y.op == "input" and type(metric) in MEANT:
            holds, words, advice = MEANT[type(metric)]
            message = (
                f"{where}: the metric {metric.name!r} is {type(metric).__name__}, whose targets are {words}; "
                f"these are not, and its figure says nothing: {advice}"
            )
            yield Meaning(y.attrs["name"], holds, message)


def is_sparse(loss: Any) -> bool:
    """Whether a loss takes class numbers."""
    function = getattr(loss, "fn", None)
    return isinstance(loss, losses.SparseCategoricalCrossentropy) or function is losses.sparse_categorical_crossentropy
