"""Calls without side effects, the state as dictionaries, and steps as functions of an iterator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import Input, Sequential, layers
from lamina.errors import ShapeError

X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
Y = X[:, :1]


def network() -> Sequential:
    lamina.utils.set_random_seed(1)
    lamina.config.clear_session()
    first, last = layers.Dense(2, name="a"), layers.Dense(1, name="z")
    model = Sequential([Input((3,)), first, layers.BatchNormalization(name="n"), last], name="net")
    model.compile(lamina.optimizers.Adam(name="adam"), "mse", metrics=["mae"])
    return model


def test_a_call_with_other_weights_leaves_the_model_alone() -> None:
    model = network()
    before = model.get_weights()
    zeros = [np.zeros(v.shape) for v in model.trainable_variables]
    outputs, fixed = model.stateless_call(zeros, model.non_trainable_variables, X, training=True)
    np.testing.assert_array_equal(outputs, np.zeros((8, 1)))
    np.testing.assert_allclose(fixed[1], 0.99 * np.ones(2), rtol=1e-6)  # the variance of a batch of zeros
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert model.stateless_call(zeros, fixed, X, return_losses=True)[2] == []


def test_the_state_goes_through_dictionaries() -> None:
    model, other = network(), network()
    model.fit(X, Y, epochs=2, verbose=0)
    tree = model.get_state_tree()
    assert set(tree) == {f"{part}_variables" for part in ("metrics", "non_trainable", "optimizer", "trainable")}
    np.testing.assert_array_equal(tree["trainable_variables"]["net"]["a"]["kernel"], model.layers[0].kernel.numpy())
    other.train_on_batch(X, Y)
    other.set_state_tree(tree)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert int(other.optimizer.iterations.value) == 2
    assert other.get_metrics_result() == model.get_metrics_result()


REFUSED: dict[str, tuple[Any, type[Exception], str]] = {
    "too few arrays": (lambda m: m.stateless_call([], m.non_trainable_variables, X), ValueError, "length 0"),
    "an unbuilt model": (lambda m: Sequential([layers.Dense(1)]).stateless_call([], [], X), ValueError, "built"),
    "another part": (lambda m: m.set_state_tree({"weights": {}}), ValueError, "got 'weights'"),
    "another path": (lambda m: m.set_state_tree({"trainable_variables": {"b": {"k": 1}}}), ValueError, "'b/k'"),
    "another shape": (
        lambda m: m.set_state_tree({"trainable_variables": {"net": {"a": {"bias": [1.0]}}}}),
        ShapeError, r"a/bias.*\(2,\)",
    ),
    "a format": (lambda m: m.get_state_tree("torch"), ValueError, "value_format"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    act, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        act(network())


def test_steps_as_functions_of_an_iterator() -> None:
    model, other = network(), network()
    assert model.train_function is None
    model.make_train_function()
    model.make_test_function()
    model.make_predict_function(force=True)
    batches = iter([(X[:4], Y[:4]), (X[4:], Y[4:])])
    model.reset_metrics()
    for _ in range(2):
        logs = model.train_function(batches)  # type: ignore[misc]
    assert logs == {k: v[0] for k, v in other.fit(X, Y, batch_size=4, shuffle=False, verbose=0).history.items()}
    model.reset_metrics()
    tested = model.test_function(iter([(X, Y)]))  # type: ignore[misc]
    assert tested == other.evaluate(X, Y, verbose=0, return_dict=True)
    np.testing.assert_array_equal(model.predict_function(iter([X])), other.predict(X, verbose=0))  # type: ignore[misc]
    model.compile("sgd", "mse", metrics=[])
    assert model.train_function is None


def test_properties_of_compile() -> None:
    model = network()
    assert (model.run_eagerly, model.jit_compile, model.steps_per_execution) == (False, True, 1)
    model.run_eagerly = True
    assert model._target() == "numpy"
