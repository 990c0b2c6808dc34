"""Models that begin at tensors which layers have made, in Lamina and in Keras."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import lamina


def ends(k: Any) -> tuple[Any, Any, Any]:
    """An outer model, the part of it behind its middle, and that part with another Input beside."""
    k.utils.clear_session()
    x, other = k.Input((3,)), k.Input((2,), name="other")
    middle = k.layers.Dense(4, activation="tanh", name="first")(x)
    shared = k.layers.Dense(4, name="shared")
    last = k.layers.Dense(1, name="last")(k.layers.Concatenate()([shared(shared(middle)), other]))
    return k.Model([x, other], last), k.Model([middle, other], last), k.Model(middle, shared.output)


def test_the_part_behind_computes_the_same() -> None:
    outer, behind, short = ends(lamina)
    theirs = ends(keras)
    for model, weights in zip(theirs, (outer, behind, short), strict=True):
        model.set_weights(weights.get_weights())
    x, other = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    middle = outer.layers[1](x) if outer.layers[1].name == "first" else outer.get_layer("first")(x)
    expected = outer.predict([x, other[:, :2]], verbose=0)
    np.testing.assert_allclose(behind.predict([middle, other[:, :2]], verbose=0), expected, rtol=1e-6)
    np.testing.assert_allclose(theirs[1].predict([middle, other[:, :2]], verbose=0), expected, rtol=1e-5, atol=1e-6)
    assert [layer.name for layer in behind.layers][-2:] == [layer.name for layer in theirs[1].layers][-2:]
    assert len(behind.weights) == len(theirs[1].weights) == 4
    assert short.get_layer("shared") is outer.get_layer("shared")


def test_what_is_trained_in_one_is_trained_in_the_other() -> None:
    outer, behind, _ = ends(lamina)
    behind.compile("sgd", "mse")
    before = outer.get_layer("last").kernel.numpy()
    behind.fit([np.ones((4, 4)), np.ones((4, 2))], np.ones(4), verbose=0)
    assert not np.array_equal(outer.get_layer("last").kernel.numpy(), before)


def test_an_input_that_is_missing_is_still_named() -> None:
    x, other = lamina.Input((3,)), lamina.Input((3,), name="other")
    middle = lamina.layers.Dense(3)(x)
    with pytest.raises(lamina.errors.LaminaError, match="need the Input 'other'"):
        lamina.Model(middle, lamina.layers.Add()([middle, other]))
