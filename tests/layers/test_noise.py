"""Layers of noise: what they do to mean and variance while training, at once and in a graph; wrong arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lamina import layers
from lamina.engine import compile
from lamina.graph.node import Graph, leaf
from lamina.trace import Trace

ROWS, COLUMNS = 2000, 50  # of 10⁵ numbers a mean is within 0.02 and a variance within 0.05, far beyond four deviations
NOISE: list[tuple[Callable[[], layers.Layer], float, float, float]] = [  # of inputs of mean 1 and variance 1
    (lambda: layers.Dropout(0.2, seed=1), 1.0, (1 + 1) / 0.8 - 1, 0.2),
    (lambda: layers.GaussianDropout(0.2, seed=1), 1.0, 1 + (1 + 1) * 0.25, 0.0),
    (lambda: layers.GaussianNoise(0.5, seed=1), 1.0, 1 + 0.25, 0.0),
]


def inputs(mean: float) -> np.ndarray:
    return np.random.default_rng(0).normal(mean, 1.0, (ROWS, COLUMNS)).astype("float32")


def in_a_graph(layer: layers.Layer, x: np.ndarray, target: str) -> np.ndarray:
    layer(x)
    trace = Trace()
    with trace.active():
        graph = Graph({"y": layer(leaf("input", (None, COLUMNS), "float32", name="x"), training=True)})
    return compile(graph, target).run({"x": x}, trace.state(), rows=ROWS, batch_size=ROWS)["y"]


@pytest.mark.parametrize(("make", "mean", "variance", "zeros"), NOISE, ids=["dropout", "factors", "terms"])
def test_mean_and_variance(make: Callable[[], layers.Layer], mean: float, variance: float, zeros: float, target: str):
    x = inputs(1.0)
    for found in (make()(x, training=True), in_a_graph(make(), x, target)):
        assert found.mean() == pytest.approx(mean, abs=0.02)
        assert found.var() == pytest.approx(variance, abs=0.05)
        assert (found == 0).mean() == pytest.approx(zeros, abs=0.01)
    np.testing.assert_array_equal(make()(x), x)


def test_alpha_dropout_keeps_mean_and_variance(target: str):
    x = inputs(0.0)

    def make() -> layers.Layer:
        return layers.AlphaDropout(0.3, seed=1)

    for found in (make()(x, training=True), in_a_graph(make(), x, target)):
        assert found.mean() == pytest.approx(0.0, abs=0.02)
        assert found.var() == pytest.approx(1.0, abs=0.05)
        values, counts = np.unique(found, return_counts=True)
        assert counts.max() / found.size == pytest.approx(0.3, abs=0.01)  # the dropped ones are all the same number
        assert values[counts.argmax()] < -1
    np.testing.assert_array_equal(make()(x), x)


WRONG: list[tuple[Callable[[], Any], str]] = [
    (lambda: layers.GaussianNoise(2.0), "`stddev`.*stddev=2.0"),
    (lambda: layers.GaussianDropout(-0.1), "`rate`.*rate=-0.1"),
    (lambda: layers.AlphaDropout(True), "`rate`.*rate=True"),
    (lambda: layers.Permute((0, 1)), r"Received dims=\(0, 1\)"),
    (lambda: layers.RepeatVector(1.5), "integer value for `n`"),
    (lambda: layers.UnitNormalization(axis="a"), "received: 'a'"),
    (lambda: layers.Add()([np.ones((5, 4)), np.ones((1, 4))]), "different batch sizes"),
    (lambda: layers.PReLU(shared_axes=-1)(np.ones((1, 2))), "shared_axes"),
    (lambda: layers.Subtract()([np.ones((1, 2))] * 3), "exactly 2 inputs"),
]


@pytest.mark.parametrize(("wrong", "message"), WRONG)
def test_wrong_arguments(wrong: Callable[[], Any], message: str):
    with pytest.raises((ValueError, TypeError), match=message):
        wrong()
