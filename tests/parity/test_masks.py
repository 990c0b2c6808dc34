"""Masks beside Keras: which layers pass them on, and what they do to losses, metrics and averages in training."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import lamina
from cases_layers import CASES, Case

INDICES = np.array([[1, 2, 0, 0], [3, 0, 0, 0], [1, 4, 2, 3], [2, 2, 0, 1], [0, 0, 0, 4]], "int32")
PLACES = np.where(INDICES[:, :, None] == 0, -1.0, np.arange(60.0).reshape(5, 4, 3) / 10).astype("float32")
WEIGHTS = np.array([[1.0], [2.0], [0.5], [1.5], [3.0]])
BOTH = (keras, lamina)


def quiet(make: Callable[[], Any]) -> Any:
    """Keras says of every nested model that it destroys masks, though it does not."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Layer .* was passed an input with a mask", category=UserWarning)
        return make()


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_which_layers_support_masks(case: Case) -> None:
    assert case.make(lamina).supports_masking == case.make(keras).supports_masking


# What is made of the embedded indices (batch, 4, 3), which have a mask: outputs (batch, 4, 2) or (batch, 2).
PARTS: dict[str, Callable[[Any, Any], Any]] = {
    "dense": lambda k, x: k.layers.Dense(2)(x),
    "many layers": lambda k, x: k.layers.Dense(2, "tanh")(
        k.layers.Dropout(0.0)(k.layers.LayerNormalization()(k.layers.Activation("tanh")(k.layers.Identity()(x))))
    ),
    "batch normalization": lambda k, x: k.layers.Dense(2)(k.layers.BatchNormalization(momentum=0.5)(x)),
    "a model inside": lambda k, x: k.Sequential(
        [k.Input((4, 3)), k.layers.Dense(2), k.layers.BatchNormalization(momentum=0.5)]
    )(x),
    "normalized after a model": lambda k, x: k.layers.BatchNormalization(momentum=0.5)(
        k.Sequential([k.Input((4, 3)), k.layers.Dense(2)])(x)
    ),
    "at each time": lambda k, x: k.layers.TimeDistributed(k.layers.BatchNormalization(momentum=0.5))(
        k.layers.Dense(2)(x)
    ),
    "a model at each time": lambda k, x: k.layers.TimeDistributed(
        k.Sequential([k.Input((3,)), k.layers.Dense(2), k.layers.BatchNormalization(momentum=0.5)])
    )(x),
    "two masks added": lambda k, x: k.layers.Dense(2)(k.layers.Add()([x, k.layers.Masking(-1.0)(x)])),
    "two masks joined": lambda k, x: k.layers.Dense(2)(k.layers.Concatenate()([x, k.layers.Dense(1)(x)])),
    "one mask joined": lambda k, x: k.layers.Dense(2)(k.layers.Concatenate()([x, k.layers.RepeatVector(4)(
        k.layers.GlobalAveragePooling1D()(x))])),
    "joined along places": lambda k, x: k.layers.GlobalAveragePooling1D()(
        k.layers.Dense(2)(k.layers.Concatenate(axis=1)([x, k.layers.Dense(3)(x)]))
    ),
    "the largest": lambda k, x: k.layers.Maximum()(
        [k.layers.Dense(2)(x), k.layers.Masking(0.0)(k.layers.Dense(2, "relu")(x))]
    ),
    "the smallest": lambda k, x: k.layers.Minimum()([k.layers.Dense(2)(x), k.layers.Dense(2, "relu")(x)]),
    "a mean of places": lambda k, x: k.layers.Dense(2)(k.layers.GlobalAveragePooling1D()(x)),
    "a mask of one's own": lambda k, x: k.layers.BatchNormalization(momentum=0.5)(
        k.layers.Dense(2)(x), mask=k.ops.greater(x[:, :, 0], 0.0)
    ),
    "a computed mask": lambda k, x: k.layers.Lambda(k.activations.tanh, mask=lambda x, mask: mask)(
        k.layers.Dense(2)(x)
    ),
    "the end of masks": lambda k, x: quiet(lambda: k.layers.Reshape((4, 3))(x)),
    "an end and a beginning": lambda k, x: k.layers.Masking(0.5)(quiet(lambda: k.layers.Flatten()(x))[:, :, None]),
}  # fmt: skip


def model_of(k: Any, part: Callable[[Any, Any], Any]) -> Any:
    inputs = k.Input((4,), dtype="int32")
    x = k.layers.Embedding(5, 3, mask_zero=True)(inputs)
    model = k.Model(inputs, part(k, x))
    kinds = {"metrics": ["mae", k.metrics.RootMeanSquaredError()], "weighted_metrics": ["mse"]}
    model.compile(k.optimizers.SGD(0.05), "mse", **kinds, run_eagerly=k is keras)  # two steps are not worth a graph
    return model


@pytest.mark.parametrize("name", PARTS)
def test_training(name: str) -> None:
    """Losses, metrics with and without weights, the weights and averages after two steps, predictions, configs."""
    both = theirs, ours = [quiet(lambda k=k: model_of(k, PARTS[name])) for k in BOTH]
    rng = np.random.default_rng(3)
    start = [rng.uniform(0.2, 1, w.shape) for w in theirs.get_weights()]
    target = rng.normal(size=(5, *theirs.output_shape[1:])).astype("float32")
    for model in both:
        model.set_weights(start)
    for weights in (None, WEIGHTS):
        logs = [quiet(lambda m=m, w=weights: m.train_on_batch(INDICES, target, w, return_dict=True)) for m in both]
        assert logs[0].keys() == logs[1].keys()
        for key, value in logs[0].items():
            assert logs[1][key] == pytest.approx(float(value), rel=2e-5, abs=1e-6), key
    for a, b in zip(theirs.get_weights(), ours.get_weights(), strict=True):
        np.testing.assert_allclose(b, a, rtol=2e-5, atol=2e-6)
    found, expected = (quiet(lambda m=m: np.asarray(m(INDICES))) for m in both)
    np.testing.assert_allclose(expected, found, rtol=2e-5, atol=2e-6)
