"""Models in pickles and copies: weights, optimizer, and what the user wrote."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np

import lamina
from lamina import Input, Sequential, layers, ops, regularizers

X = np.random.default_rng(0).normal(size=(20, 3)).astype("float32")


class Twice(layers.Layer):
    """A layer of one's own, which nobody registered."""

    def call(self, x: Any) -> Any:
        return 2.0 * x


def distance(y_true: Any, y_pred: Any) -> Any:
    """A loss of one's own."""
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


class Length(regularizers.Regularizer):
    """A penalty of one's own."""

    def __call__(self, x: Any) -> Any:
        return 0.1 * ops.sum(ops.square(x))

    def get_config(self) -> dict[str, Any]:
        return {}


def steep(x: Any) -> Any:
    """An activation of one's own."""
    return ops.tanh(3.0 * x)


def test_a_model_goes_on_from_its_pickle() -> None:
    model = Sequential([Input((3,)), layers.Dense(4, steep, kernel_regularizer=Length()), Twice(), layers.Dense(1)])
    model.compile("adam", distance, metrics=["mae"])
    model.fit(X, X[:, :1], verbose=0)
    copies = [pickle.loads(pickle.dumps(model)), copy.deepcopy(model)]
    wanted = model.fit(X, X[:, :1], shuffle=False, verbose=0).history
    for copied in copies:
        assert copied.fit(X, X[:, :1], shuffle=False, verbose=0).history == wanted
        for a, b in zip(copied.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_model_that_was_never_compiled() -> None:
    model = lamina.Model(x := Input((3,)), layers.Dense(1)(x))
    np.testing.assert_array_equal(copy.deepcopy(model).predict(X, verbose=0), model.predict(X, verbose=0))
