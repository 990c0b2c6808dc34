"""scikit-learn's MLPClassifier: `partial_fit` is one shuffled epoch of mini-batches."""

from __future__ import annotations

import numpy as np
from sklearn.neural_network import MLPClassifier

from peer import Mark
from rungs import LEARNING_RATE, SEED, Rung

PACKAGES = ("scikit-learn", "numpy")


def train(rung: Rung, x: np.ndarray, y: np.ndarray, epochs: int, mark: Mark) -> None:
    model = MLPClassifier(
        hidden_layer_sizes=rung.sizes[1:-1],
        activation="relu",
        solver="adam",
        alpha=0,
        learning_rate_init=LEARNING_RATE,
        batch_size=rung.batch,
        random_state=SEED,
    )
    for _ in range(epochs):
        model.partial_fit(x, y, classes=np.arange(max(2, rung.sizes[-1])))
        mark(model.loss_)
