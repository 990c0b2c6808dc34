"""The smoke test, to run first: one small network through every stage in about a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lamina
from lamina import Input, Model, Sequential, layers, ops
from lamina.engine import compile
from lamina.errors import DataError, NonFiniteError, ShapeError
from lamina.graph import express as e
from lamina.graph.node import Graph, leaf
from lamina.graph.show import show
from lamina.rewrite.gradients import gradients


def moons(rows: int = 240) -> tuple[np.ndarray, np.ndarray]:
    """Two classes that no straight line parts."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (rows, 2)).astype("float32")
    return x, (x[:, 0] * x[:, 1] > 0).astype("float32")


def network(target: str = "core", seed: int = 0) -> Sequential:
    lamina.utils.set_random_seed(seed)
    model = Sequential(
        [
            Input((2,)),
            layers.Dense(16, activation="relu"),
            layers.Dense(8, activation="tanh"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(lamina.optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy"], target=target)
    return model


def test_a_graph_and_its_gradient(target: str) -> None:
    """J = Σ (x·w)²: dJ/dw = 2 xᵀ(x·w)."""
    x = leaf("input", (None, 3), "float64", name="x")
    w = leaf("variable", (3,), "float64", buffer="w", offset=0)
    product = e.matmul(x, w)
    loss = e.sum(product * product)
    graph = Graph({"loss": loss, "slope": gradients(loss, [w])[0]})
    data, weights = np.arange(6.0).reshape(2, 3), np.array([1.0, -2.0, 0.5])
    found = compile(graph, target).run({"x": data}, {"w": weights}, rows=2, batch_size=2)
    np.testing.assert_allclose(found["loss"], np.sum((data @ weights) ** 2))
    np.testing.assert_allclose(found["slope"], 2 * data.T @ (data @ weights))
    assert "tensordot" in show(graph)


def test_it_learns(target: str) -> None:
    x, y = moons()
    model = network(target)
    history = model.fit(x, y, epochs=60, batch_size=16, validation_split=0.25, verbose=0).history
    assert list(history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert history["loss"][-1] < 0.25 * history["loss"][0]
    assert history["val_accuracy"][-1] > 0.9
    loss, accuracy = model.evaluate(x, y, verbose=0)
    assert loss < 0.2
    assert accuracy > 0.9


def test_prediction_is_the_formula(target: str) -> None:
    x, _ = moons(5)
    model = network(target)
    w1, b1, w2, b2, w3, b3 = model.get_weights()
    hidden = np.tanh(np.maximum(x @ w1 + b1, 0) @ w2 + b2)
    expected = 1 / (1 + np.exp(-(hidden @ w3 + b3)))
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-5)
    np.testing.assert_allclose(model(x), expected, rtol=1e-5)


def test_the_same_seed_gives_the_same_bits() -> None:
    x, y = moons()
    runs = []
    for threads in (1, 2):
        model = network(seed=3)
        model.compile("adam", "binary_crossentropy", threads=threads)
        model.fit(x, y, epochs=3, verbose=0)
        runs.append(model.get_weights())
    for a, b in zip(*runs, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_file_brings_the_model_back(tmp_path: Path) -> None:
    x, y = moons()
    model = network()
    model.fit(x, y, epochs=2, verbose=0)
    model.save(tmp_path / "moons.keras")
    loaded = lamina.load_model(tmp_path / "moons.keras")
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    again = [m.fit(x, y, epochs=1, shuffle=False, verbose=0).history["loss"] for m in (model, loaded)]
    assert again[0] == again[1]  # the optimizer's state came along


def test_a_functional_model_with_a_layer_of_ones_own(target: str) -> None:
    class Swish(layers.Layer):
        def build(self, input_shape: tuple[int | None, ...]) -> None:
            self.beta = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="beta")

        def call(self, inputs: object) -> object:
            return inputs * ops.sigmoid(inputs * self.beta)

    a, b = Input((2,), name="a"), Input((1,), name="b")
    joined = layers.Concatenate()([Swish()(layers.Dense(4)(a)), b])
    model = Model([a, b], layers.Dense(1)(joined))
    model.compile("sgd", "mse", target=target)
    x, y = moons()
    before = model.get_weights()
    losses = model.fit({"a": x, "b": x[:, :1]}, y, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert not any(np.array_equal(v, w) for v, w in zip(before, model.get_weights(), strict=True))


def test_mistakes_are_named() -> None:
    x, y = moons()
    model = network()
    with pytest.raises(ShapeError, match=r"'dense.*' is incompatible with the layer: expected axis -1"):
        model.layers[0](np.ones((2, 3)))
    with pytest.raises(DataError, match="'x' sizes: 240\n'y' sizes: 10"):
        model.fit(x, y[:10], verbose=0)
    line = Sequential([Input((2,)), layers.Dense(1)])
    line.compile(lamina.optimizers.SGD(1e3), "mse")
    with pytest.raises(NonFiniteError, match=r"the loss became .* in epoch 1: in batch"):
        line.fit(x, y, epochs=50, verbose=0)
    assert all(np.isfinite(w).all() for w in line.get_weights())
