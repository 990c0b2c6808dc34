"""A training wide enough that the threads share it: the same bits on one thread and on two, whatever the optimizer."""

from __future__ import annotations

import numpy as np
import pytest

import lamina
from cases import OPTIMIZERS
from lamina import Input, Sequential, layers, optimizers


def trained(optimizer: str, threads: int) -> dict[str, np.ndarray]:
    """All weights, the predictions and the history, after two epochs whose last batches are short."""
    lamina.utils.set_random_seed(3)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(700, 40)), rng.integers(0, 3, 700)
    hidden = [layers.Dense(130, activation="gelu"), layers.BatchNormalization(), layers.Dropout(0.2)]
    model = Sequential([Input((40,)), *hidden, layers.Dense(3, activation="softmax")])
    loss = "sparse_categorical_crossentropy"
    model.compile(getattr(optimizers, optimizer)(0.01), loss, metrics=["accuracy"], threads=threads)
    history = model.fit(x, y, batch_size=256, epochs=2, validation_split=0.2, verbose=0).history
    weights = {v.path: v.numpy() for v in model.weights}
    return weights | {name: np.array(values) for name, values in history.items()} | {"p": model.predict(x, verbose=0)}


@pytest.mark.usefixtures("isa")
@pytest.mark.parametrize("optimizer", sorted({case.name for case in OPTIMIZERS}))
def test_a_training_of_each_optimizer(optimizer: str) -> None:
    lamina.utils.clear_session()
    one = trained(optimizer, 1)
    lamina.utils.clear_session()
    two = trained(optimizer, 2)
    assert {name: array.tobytes() for name, array in one.items()} == {k: a.tobytes() for k, a in two.items()}
    assert all(np.isfinite(array).all() for array in one.values())
