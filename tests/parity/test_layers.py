"""What layers do in training, and which there are, beside Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import lamina
from lamina.layers.elsewhere import ABSENT

X = np.random.default_rng(3).normal(size=(6, 4, 3)).astype("float32")
Y = np.random.default_rng(4).normal(size=(6, 2)).astype("float32")


def test_every_layer_of_keras_is_here_or_said_to_be_elsewhere() -> None:
    names = {name for name in dir(keras.layers) if not name.startswith("_")}
    here = {name for name in names if hasattr(lamina.layers, name)}
    assert names - here == set(ABSENT)


# Layers whose weights a training step changes in more than one way, or that call another layer.
STEPS: dict[str, Callable[[Any], list[Any]]] = {
    "spectral": lambda k: [
        k.layers.Flatten(), k.layers.SpectralNormalization(k.layers.Dense(2, kernel_regularizer="l2"), 2)
    ],
    "spectral of zeros": lambda k: [
        k.layers.Flatten(), k.layers.SpectralNormalization(k.layers.Dense(2, kernel_initializer="zeros"))
    ],
    "batch normalization at each time": lambda k: [
        k.layers.TimeDistributed(k.layers.BatchNormalization()), k.layers.Flatten(), k.layers.Dense(2)
    ],
    "a model at each time": lambda k: [
        k.layers.TimeDistributed(k.Sequential([k.Input((3,)), k.layers.Dense(2), k.layers.BatchNormalization()])),
        k.layers.Flatten(),
        k.layers.Dense(2),
    ],
    "batch renormalization": lambda k: [
        k.layers.BatchNormalization(renorm=True, renorm_clipping={"rmax": 2.0, "dmax": 0.5}, renorm_momentum=0.7),
        k.layers.Flatten(), k.layers.Dense(2),
    ],
    "an activity penalty at each time": lambda k: [
        k.layers.TimeDistributed(k.layers.Dense(2, activity_regularizer="l2")), k.layers.Flatten(), k.layers.Dense(2)
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", STEPS)
def test_training_steps(name: str) -> None:
    """Three steps from the same weights: the same losses, the same weights."""
    models = [k.Sequential([k.Input(X.shape[1:]), *STEPS[name](k)]) for k in (keras, lamina)]
    for k, model in zip((keras, lamina), models, strict=True):
        model.compile(k.optimizers.SGD(0.1, momentum=0.9), "mse", run_eagerly=k is keras)
    rng = np.random.default_rng(5)
    start = [rng.uniform(-1, 1, w.shape) if w.any() else w for w in models[0].get_weights()]
    for model in models:
        model.set_weights(start)
    for _ in range(3):
        theirs, ours = (float(np.ravel(model.train_on_batch(X, Y))[0]) for model in models)
        assert ours == pytest.approx(theirs, rel=1e-5)
    for theirs, ours in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
