"""Activations: values against closed forms, at extreme inputs too, and the names."""

from __future__ import annotations

from math import erf, exp, log, sqrt, tanh

import numpy as np
import pytest

from cases import ACTIVATIONS, Brick, name_of
from lamina import activations
from lamina.engine import compile
from lamina.errors import ShapeError
from lamina.graph.node import Graph, leaf

# name → the function at −1, in plain Python
AT_MINUS_ONE = {
    "celu": exp(-1) - 1,
    "elu": exp(-1) - 1,
    "exponential": exp(-1),
    "gelu": -0.5 * (1 + erf(-1 / sqrt(2))),
    "hard_shrink": -1.0,
    "hard_sigmoid": 1 / 3,
    "hard_silu": -1 / 3,
    "hard_tanh": -1.0,
    "leaky_relu": -0.2,
    "linear": -1.0,
    "log_sigmoid": -log(1 + exp(1)),
    "mish": -tanh(log(1 + exp(-1))),
    "relu": 0.0,
    "relu6": 0.0,
    "selu": 1.0507009873554805 * 1.6732632423543772 * (exp(-1) - 1),
    "sigmoid": 1 / (1 + exp(1)),
    "silu": -1 / (1 + exp(1)),
    "soft_shrink": -0.5,
    "softplus": log(1 + exp(-1)),
    "softsign": -0.5,
    "sparse_plus": 0.0,
    "sparse_sigmoid": 0.0,
    "squareplus": (sqrt(5) - 1) / 2,
    "tanh_shrink": tanh(1) - 1,
    "tanh": (exp(-1) - exp(1)) / (exp(-1) + exp(1)),
}


@pytest.mark.parametrize("name", AT_MINUS_ONE)
def test_value(name: str):
    assert activations.get(name)(np.array([-1.0]))[0] == pytest.approx(AT_MINUS_ONE[name], rel=1e-12)


def test_softmax_and_its_logarithm():
    x = np.array([[1.0, 2.0, 3.0], [1000.0, 0.0, -1000.0]])
    p = activations.softmax(x)
    np.testing.assert_allclose(p[0], np.exp(x[0]) / np.exp(x[0]).sum())
    assert p[1].tolist() == [1.0, 0.0, 0.0]
    np.testing.assert_allclose(activations.log_softmax(x)[1], [0, -1000, -2000])
    np.testing.assert_allclose(activations.softmax(x.T, axis=0).T, p)


def _nearest_on_the_simplex(z: np.ndarray) -> np.ndarray:
    """By sorting, as in Martins and Astudillo 2016, algorithm 1."""
    ordered = np.sort(z)[::-1]
    sums, k = np.cumsum(ordered), np.arange(1, len(z) + 1)
    size = k[1 + k * ordered > sums].max()
    return np.maximum(z - (sums[size - 1] - 1) / size, 0)


def test_sparsemax_is_the_nearest_point_of_the_simplex():
    z = np.vstack([np.random.default_rng(2).normal(size=(20, 5)), np.zeros(5), [3, 3, 1, 0, -1], [9, 8.5, 0, 0, 8]])
    p = activations.sparsemax(z)
    np.testing.assert_allclose(p, [_nearest_on_the_simplex(row) for row in z], atol=1e-15)
    np.testing.assert_allclose(p.sum(-1), 1)
    assert (p == 0).any()
    np.testing.assert_allclose(activations.sparsemax(z.T, axis=0).T, p)


def test_glu_needs_two_halves():
    np.testing.assert_allclose(activations.glu(np.array([[3.0, 0.0]])), [[1.5]])
    with pytest.raises(ShapeError, match="divisible by 2"):
        activations.glu(np.zeros((2, 3)))


@pytest.mark.parametrize("case", ACTIVATIONS, ids=name_of)
def test_extreme_inputs_stay_finite(case: Brick, dtype: str):
    x = np.array([[-1e4, -50.0, -1.0, -0.5], [0.0, 1.0, 20.0, 50.0]], dtype)
    values = getattr(activations, case.name)(x, **case.arguments)
    assert values.dtype == dtype
    assert np.isfinite(values).all()


@pytest.mark.parametrize("case", ACTIVATIONS, ids=name_of)
def test_targets_agree(case: Brick, target: str, dtype: str):
    x = np.random.default_rng(4).normal(size=(7, 6)).astype(dtype) * 3
    node = leaf("variable", x.shape, dtype, buffer="x", offset=0)
    out = getattr(activations, case.name)(node, **case.arguments)
    run = compile(Graph({"out": out}), target).run({}, {"x": x.reshape(-1)}, rows=1, batch_size=1)
    expected = getattr(activations, case.name)(x.astype("float64"), **case.arguments)
    np.testing.assert_allclose(run["out"], expected, rtol=1e-5 if dtype == "float32" else 1e-12, atol=1e-6)


def test_names():
    assert activations.get(None) is activations.linear
    assert activations.get("swish") is activations.silu
    assert activations.get(np.tanh) is np.tanh
    assert all(activations.serialize(activations.get(name)) == name for name in activations.FUNCTIONS)
    with pytest.raises(
        ValueError, match="Could not interpret activation function identifier: 'relo'; did you mean 'relu'"
    ):
        activations.get("relo")


def test_every_activation_has_a_case():
    assert {case.name for case in ACTIVATIONS} == set(activations.FUNCTIONS)
