"""What is trained, on what: the four rungs, the same ones dressed, and other shapes. Every peer reads them here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

LEARNING_RATE = 1e-3
SEED = 7
# Of dressed networks: Keras's own settings of BatchNormalization, and the share of rows that validate.
MOMENTUM, EPSILON, DROPPED = 0.99, 1e-3, 0.2
HELD = 0.1
# Of columns of codes: how many each has, and how many numbers each becomes.
CODES, EMBEDDED = 50, 8

BINARY, CLASSES, NUMBER = "binary", "classes", "number"


@dataclass(frozen=True)
class Rung:
    """A network of dense layers, an activation between them, and the table it is trained on.

    Attributes:
        sizes: inputs of the first dense layer, units of each hidden one, outputs.
        answer: `BINARY` (one logit), `CLASSES` (as many logits) or `NUMBER` (mean squared error).
        code_columns: whole-number columns beside the numbers, each with an embedding of its own.
        one_hot: each row of the inputs is a single 1 among zeros.
        dressed: batch normalisation and dropout after each hidden layer, weights of rows, an accuracy and an AUC,
            and a tenth of the rows that validates every epoch and could stop the training.
    """

    name: str
    rows: int
    sizes: tuple[int, ...]
    batch: int
    answer: str = BINARY
    activation: str = "relu"
    optimizer: str = "adam"
    code_columns: int = 0
    one_hot: bool = False
    dressed: bool = False

    @property
    def numbers(self) -> int:
        """Columns of numbers."""
        return self.sizes[0] - self.code_columns * EMBEDDED

    @property
    def trained(self) -> int:
        """Rows of an epoch; the others validate."""
        return self.rows - round(HELD * self.rows) if self.dressed else self.rows

    @property
    def flops(self) -> int:
        """Of one epoch's products: forward, gradients of weights, and of inputs where something learns below."""
        products = [inputs * units for inputs, units in pairwise(self.sizes)]
        spared = 0 if self.code_columns else products[0]
        trained = self.trained * (3 * sum(products) - spared)
        return 2 * (trained + (self.rows - self.trained) * sum(products))


def named(*rungs: Rung) -> dict[str, Rung]:
    return {rung.name: rung for rung in rungs}


RUNGS = named(
    Rung("tiny", 20_000, (8, 16, 1), 32),
    Rung("small", 50_000, (30, 64, 32, 1), 128),
    Rung("medium", 100_000, (54, 256, 256, 7), 256, CLASSES),
    Rung("large", 20_000, (784, 1024, 1024, 10), 512, CLASSES),
)
DRESSED = named(*(replace(rung, name=f"{rung.name}_dressed", dressed=True) for rung in RUNGS.values()))
SHAPES = named(
    Rung("regression", 50_000, (200, 512, 1), 64, NUMBER, activation="tanh", optimizer="rmsprop"),
    Rung("deep", 20_000, (32, *[32] * 16, 1), 32),
    Rung("one_hot", 20_000, (1000, 64, 1), 128, one_hot=True),
    Rung("embeddings", 50_000, (20 + 10 * EMBEDDED, 64, 32, 1), 128, code_columns=10),
)
ALL = RUNGS | DRESSED | SHAPES


class Rows(NamedTuple):
    """Rows of a table.

    Attributes:
        x: numbers (rows, columns) float32, and where the rung has them codes (rows, columns) int32.
        y: (rows, 1) float32; classes are numbers (rows,) int32, or one-hot (rows, classes) float32 if dressed.
        weight: (rows,) float32, if dressed.
    """

    x: tuple[np.ndarray, ...]
    y: np.ndarray
    weight: np.ndarray | None


class Table(NamedTuple):
    """The rows that train, and if the rung is dressed those that validate."""

    train: Rows
    held: Rows | None


def table(rung: Rung) -> Table:
    """Normal inputs, and the targets that a random tanh network gives: they can be learnt, not at once."""
    random = np.random.default_rng(SEED)
    x = _inputs(rung, random)
    seen = np.hstack([x[0], *(random.standard_normal(CODES, np.float32)[codes] for codes in x[1:])])
    y = _TARGETS[rung.answer](rung, random, seen)
    if not rung.dressed:
        return Table(Rows(x, y, None), None)
    weight = random.uniform(0.5, 1.5, rung.rows).astype(np.float32)
    y = np.eye(rung.sizes[-1], dtype=np.float32)[y] if rung.answer == CLASSES else y
    return Table(*(Rows(tuple(a[part] for a in x), y[part], weight[part]) for part in _parts(rung)))


def _parts(rung: Rung) -> tuple[slice, slice]:
    return slice(None, rung.trained), slice(rung.trained, None)


def _inputs(rung: Rung, random: np.random.Generator) -> tuple[np.ndarray, ...]:
    if rung.one_hot:
        x = np.zeros((rung.rows, rung.numbers), np.float32)
        x[np.arange(rung.rows), random.integers(0, rung.numbers, rung.rows)] = 1.0
        return (x,)
    x = random.standard_normal((rung.rows, rung.numbers), dtype=np.float32)
    codes = random.integers(0, CODES, (rung.rows, rung.code_columns), dtype=np.int32)
    return (x, codes) if rung.code_columns else (x,)


def _scores(random: np.random.Generator, x: np.ndarray, outputs: int) -> np.ndarray:
    """A random tanh network's outputs, (rows, outputs)."""
    inputs = x.shape[1]
    hidden = np.tanh(x @ random.standard_normal((inputs, 12), dtype=np.float32) / np.sqrt(inputs) * 2)
    return hidden @ random.standard_normal((12, outputs), dtype=np.float32)


def _classes(rung: Rung, random: np.random.Generator, x: np.ndarray) -> np.ndarray:
    """(rows,) int32; a tenth of them are drawn by chance."""
    classes = max(2, rung.sizes[-1])
    y = _scores(random, x, classes).argmax(axis=1)
    chance = random.random(len(x)) < 0.1
    y[chance] = random.integers(0, classes, chance.sum())
    return y.astype(np.int32)


def _binary(rung: Rung, random: np.random.Generator, x: np.ndarray) -> np.ndarray:
    return _classes(rung, random, x).astype(np.float32)[:, None]


def _number(rung: Rung, random: np.random.Generator, x: np.ndarray) -> np.ndarray:
    return _scores(random, x, 1) + 0.1 * random.standard_normal((len(x), 1), dtype=np.float32)


_TARGETS: dict[str, Callable[[Rung, np.random.Generator, np.ndarray], np.ndarray]] = {
    BINARY: _binary,
    CLASSES: _classes,
    NUMBER: _number,
}


def weights(rung: Rung) -> list[tuple[np.ndarray, np.ndarray]]:
    """(kernel, bias) of each dense layer as Glorot draws them, the same for all who predict."""
    random = np.random.default_rng(SEED)
    limits = [(pair, np.sqrt(6 / sum(pair))) for pair in pairwise(rung.sizes)]
    return [
        (random.uniform(-limit, limit, pair).astype(np.float32), random.normal(size=pair[1]).astype(np.float32))
        for pair, limit in limits
    ]
