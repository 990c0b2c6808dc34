"""How good answers are: the figures of a task, for a model and for the simplest answer, which it should beat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lamina import metrics
from lamina.tables.names import counted, short, word
from lamina.tables.schema import BINARY, MULTICLASS, REGRESSION, Schema


@dataclass(frozen=True)
class Figure:
    """One figure of a model, and the same figure of the simplest answer."""

    name: str
    model: float
    simplest: float


_FIGURES: dict[str, dict[str, Callable[..., Any]]] = {
    BINARY: {
        "accuracy": metrics.BinaryAccuracy,
        "cross-entropy": metrics.BinaryCrossentropy,
        "AUC": metrics.AUC,
    },
    MULTICLASS: {
        "accuracy": metrics.SparseCategoricalAccuracy,
        "cross-entropy": metrics.SparseCategoricalCrossentropy,
    },
    REGRESSION: {
        "root mean squared error": metrics.RootMeanSquaredError,
        "mean absolute error": metrics.MeanAbsoluteError,
        "R²": metrics.R2Score,
    },
}


def figures(schema: Schema, y: np.ndarray, answers: np.ndarray) -> list[Figure]:
    """The task's figures.

    Args:
        schema: of the model.
        y: (rows,) class numbers or values.
        answers: (rows, outputs): what the model says.
    """
    # A regression's figures do not depend on where 0 is; near the mean they lose no digits.
    zero = 0.0 if schema.target.classes else schema.target.usual[0]
    targets, said, simple = (a.astype(np.float64) - zero for a in (y[:, None], answers, simplest(schema, len(y))))
    return [
        Figure(name, float(make(dtype="float64")(targets, said)), float(make(dtype="float64")(targets, simple)))
        for name, make in _FIGURES[schema.task].items()
        if not (name in ("AUC", "R²") and len(np.unique(y)) < 2)  # not defined where all targets are the same
    ]


def simplest(schema: Schema, rows: int) -> np.ndarray:
    """What one would say without looking at the columns: the shares of the classes, or the mean."""
    usual = np.array(schema.target.usual, np.float32)
    return np.tile(usual[-1:] if schema.task == BINARY else usual, (rows, 1))


def simplest_name(schema: Schema) -> str:
    """The simplest answer in words."""
    target = schema.target
    if not target.classes:
        return f"always {short(target.usual[0])}"
    return f"always {word(target.classes[int(np.argmax(target.usual))])}"


def class_numbers(schema: Schema, answers: np.ndarray) -> np.ndarray:
    """The most probable class of each row."""
    if schema.task == BINARY:
        return (answers[:, 0] > 0.5).astype(int)
    return np.argmax(answers, axis=1)


def verdict(schema: Schema, y: np.ndarray, answers: np.ndarray) -> str:
    """One sentence: how the model compares with the simplest answer."""
    rows, simple = counted(len(y), "row"), simplest(schema, len(y))
    always = simplest_name(schema).replace("always", "always answering")
    mine, other = (_errors(schema, y, a) for a in (answers, simple))
    if schema.target.classes:
        text = f"The model is wrong in {mine:,.0f} of {rows}; {always} is wrong in {other:,.0f}."
    else:
        text = f"The model's error is typically {short(mine)}; {always} errs by {short(other)}."
    return text if mine < other else text + " The columns did not help: do not rely on this model."


def _errors(schema: Schema, y: np.ndarray, answers: np.ndarray) -> float:
    """How many rows are wrong, or for numbers the root of the mean squared error."""
    if schema.target.classes:
        return float(np.count_nonzero(class_numbers(schema, answers) != y))
    return float(np.sqrt(np.mean((answers[:, 0].astype(np.float64) - y) ** 2)))
