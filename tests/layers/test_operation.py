"""Operators and functions of ops on KerasTensors: steps of models that compute, train, nest and are saved."""

from __future__ import annotations

import operator

import numpy as np
import pytest

import lamina
from lamina import activations, layers, ops
from lamina.errors import GraphError
from lamina.layers.operation import FUNCTIONS, Operation

X = np.random.default_rng(3).uniform(0.5, 2.0, (5, 4)).astype("float32")
M = np.random.default_rng(4).uniform(-1, 1, (4, 4)).astype("float32")


def model_of(equation):
    x = lamina.Input((4,), name="x")
    return lamina.Model(x, equation(x))


OPERATORS = {
    "add": lambda x: x + 2.0,
    "radd": lambda x: 2 + x,
    "sub": lambda x: x - x[:, :1],
    "rsub": lambda x: 1.0 - x,
    "mul": lambda x: x * M[0],
    "rmul": lambda x: M[0] * x,
    "truediv": lambda x: x / 3,
    "rtruediv": lambda x: 1.0 / x,
    "floordiv": lambda x: x // 0.5,
    "rfloordiv": lambda x: 3.0 // x,
    "mod": lambda x: x % 0.25,
    "rmod": lambda x: 3.0 % x,
    "pow": lambda x: x**2,
    "rpow": lambda x: 2.0**x,
    "matmul": lambda x: x @ M,
    "neg": operator.neg,
    "abs": abs,
    "round": lambda x: round(x, 1) if isinstance(x, lamina.KerasTensor) else np.round(x, 1),
    "compare": lambda x: (x > 1) & (x < 1.7) | (x >= 1.9) ^ (x <= 0.6),
    "not": lambda x: ~(x != 1.0),
    "column": lambda x: x[:, 1],
    "columns": lambda x: x[:, 1:3],
    "last": lambda x: x[..., -1:],
    "every second": lambda x: x[:, ::2],
    "backwards": lambda x: x[:, 2::-1],
    "new axis": lambda x: x[:, None, 2],
}


@pytest.mark.parametrize("equation", OPERATORS.values(), ids=OPERATORS)
def test_operators_mean_the_same_as_on_arrays(equation):
    got = model_of(equation).predict(X, verbose=0)
    np.testing.assert_allclose(got, equation(X), rtol=1e-5, atol=1e-6)
    assert got.shape == equation(X).shape


def branched():
    x = lamina.Input((4,), name="x")
    hidden = layers.Dense(3, name="hidden")(x)
    low, high = ops.split(x, 2, axis=1)
    joined = ops.concatenate([hidden * 2, activations.relu(-hidden), low, high[:, ::1]], axis=-1)
    mean = ops.mean(joined, axis=-1, keepdims=True)
    scores = ops.where(joined > mean, joined, ops.square(activations.mish(joined)))
    return lamina.Model(x, [layers.Dense(1, name="out")(scores), ops.sum(scores, axis=1)])


def test_steps_are_operations_and_no_layers():
    model = branched()
    assert [layer.name for layer in model.layers] == ["x", "hidden", "out"]
    assert len(model.operations) > len(model.layers)
    assert all(isinstance(step, Operation) for step in model.operations)
    assert len(model.weights) == 4


def test_a_model_with_steps_trains_as_the_equation_in_a_layer():
    class Scaled(layers.Layer):
        def call(self, x):
            return ops.sqrt(x * 2.0 + 1.0)[:, 1:]

    x = lamina.Input((4,))
    start = np.ones((3, 1), "float32")
    results = []
    for middle in (lambda x: ops.sqrt(x * 2.0 + 1.0)[:, 1:], Scaled()):
        model = lamina.Model(x, layers.Dense(1, kernel_initializer=lambda *_, **__: start)(middle(x)))
        model.compile("sgd", "mse")
        model.fit(X, X[:, 0], epochs=3, shuffle=False, verbose=0)
        results.append(model.get_weights())
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (results[0][0] != start).all()


def test_config_and_file_bring_the_steps_back(tmp_path):
    model = branched()
    again = lamina.Functional.from_config(model.get_config())
    again.set_weights(model.get_weights())
    model.save(tmp_path / "m.keras")
    for other in (again, lamina.load_model(tmp_path / "m.keras")):
        assert [step.name for step in other.operations] == [step.name for step in model.operations]
        for a, b in zip(other(X), model(X), strict=True):
            np.testing.assert_array_equal(a, b)


def test_models_with_steps_nest():
    inner = model_of(lambda x: x * 2.0)
    outer = model_of(lambda x: inner(x) + inner(x + 1.0))
    np.testing.assert_allclose(outer(X), 4 * X + 2, rtol=1e-6)


class Double(Operation):
    def __init__(self, factor=2.0, name=None):
        super().__init__(name)
        self.factor = factor

    def call(self, x):
        return self.factor * x


def test_an_operation_of_ones_own(tmp_path):
    lamina.saving.register_keras_serializable("tests")(Double)
    step = Double(3.0)
    model = model_of(step)
    np.testing.assert_allclose(model(X), 3 * X, rtol=1e-6)
    np.testing.assert_allclose(step(X), 3 * X, rtol=1e-6)
    assert (step.input.shape, step.output.shape) == ((None, 4), (None, 4))
    model.save(tmp_path / "m.keras")
    np.testing.assert_allclose(lamina.load_model(tmp_path / "m.keras")(X), 3 * X, rtol=1e-6)


def test_every_step_is_a_function_of_ops():
    for name, kind in FUNCTIONS.items():
        assert name.startswith("activations.") or name in ops.__all__
        assert kind.module.startswith("keras.src.")


@pytest.mark.parametrize(
    ("mistake", "error", "message"),
    [
        (lambda x: np.exp(x), TypeError, "ufunc"),
        (lambda x: bool(x > 0), GraphError, r"use ops\.where"),
        (lambda x: list(x), GraphError, r"ops\.split"),
        (lambda x: np.asarray(x), GraphError, "has no numbers yet"),
        (lambda x: x + np.ones((3, 7)), ValueError, "add.*cannot be combined"),
        (lambda x: x[:, 9], ValueError, "cannot be indexed with 9"),
        (lambda x: ops.concatenate([x, x[:, None]]), ValueError, "different ranks"),
        (lambda x: lamina.losses.mean_squared_error(x, x), GraphError, "cannot be a step of a functional model"),
        (lambda x: FUNCTIONS["sum"](axes=1)(x), ValueError, r"ops\.sum does not take the argument\(s\) axes"),
    ],
)  # fmt: skip
def test_mistakes(mistake, error, message):
    with pytest.raises(error, match=message):
        mistake(lamina.Input((4,), name="x"))
