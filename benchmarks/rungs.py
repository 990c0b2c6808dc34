"""The four rungs: what is trained, on what. Every peer reads them from here."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

LEARNING_RATE = 1e-3
SEED = 7


@dataclass(frozen=True)
class Rung:
    """A network of dense layers, relu between them, and the table it is trained on."""

    name: str
    rows: int
    sizes: tuple[int, ...]  # inputs, units of each hidden layer, outputs
    batch: int

    @property
    def binary(self) -> bool:
        """One output is the logit of the second of two classes; several are the logits of as many classes."""
        return self.sizes[-1] == 1

    @property
    def flops(self) -> int:
        """Of one epoch's products: forward, gradients of weights, and of inputs but for the first layer."""
        products = [inputs * units for inputs, units in pairwise(self.sizes)]
        return 2 * self.rows * (3 * sum(products) - products[0])


RUNGS = {
    rung.name: rung
    for rung in (
        Rung("tiny", 20_000, (8, 16, 1), 32),
        Rung("small", 50_000, (30, 64, 32, 1), 128),
        Rung("medium", 100_000, (54, 256, 256, 7), 256),
        Rung("large", 20_000, (784, 1024, 1024, 10), 512),
    )
}


def table(rung: Rung) -> tuple[np.ndarray, np.ndarray]:
    """Normal inputs (rows, inputs) float32, and the classes (rows,) int32 that a random tanh network gives.

    The classes can be learnt, not at once and not quite: a tenth of them are drawn by chance.
    """
    random = np.random.default_rng(SEED)
    inputs, classes = rung.sizes[0], max(2, rung.sizes[-1])
    x = random.standard_normal((rung.rows, inputs), dtype=np.float32)
    hidden = np.tanh(x @ random.standard_normal((inputs, 12), dtype=np.float32) / np.sqrt(inputs) * 2)
    y = (hidden @ random.standard_normal((12, classes), dtype=np.float32)).argmax(axis=1)
    chance = random.random(rung.rows) < 0.1
    y[chance] = random.integers(0, classes, chance.sum())
    return x, y.astype(np.int32)
