"""scikit-learn's MLPClassifier: `partial_fit` is one shuffled epoch of mini-batches."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

from peer import Mark
from rungs import LEARNING_RATE, SEED, Rung, Table, weights

PACKAGES = ("scikit-learn", "numpy")


def train(rung: Rung, table: Table, epochs: int, mark: Mark) -> MLPClassifier:
    model = MLPClassifier(
        hidden_layer_sizes=rung.sizes[1:-1],
        activation=rung.activation,
        solver=rung.optimizer,
        alpha=0,
        learning_rate_init=LEARNING_RATE,
        batch_size=rung.batch,
        random_state=SEED,
    )
    (x,), y, _ = table.train
    classes = np.arange(max(2, rung.sizes[-1]))
    for _ in range(epochs):
        model.partial_fit(x, y.ravel(), classes=classes)
        mark({"loss": model.loss_})
    return model


def predictor(rung: Rung, threads: int) -> Callable[[np.ndarray, int | None], np.ndarray]:
    """Of a regressor, since that answers with the network's outputs as they are."""
    model = MLPRegressor(hidden_layer_sizes=rung.sizes[1:-1], activation=rung.activation, batch_size=2)
    model.partial_fit(*(np.zeros((2, columns), np.float32) for columns in (rung.sizes[0], rung.sizes[-1])))
    model.coefs_, model.intercepts_ = map(list, zip(*weights(rung), strict=True))
    return lambda x, batch: model.predict(x)
