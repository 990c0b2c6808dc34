"""Masks from layer to layer: on numbers, in models, and in layers of one's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import layers, ops
from lamina.trace import mask_of

INDICES = np.array([[1, 2, 0], [3, 0, 0]], "int32")
COUNTS = INDICES != 0


def embedded() -> Any:
    return layers.Embedding(5, 2, mask_zero=True)(INDICES)


def test_masks_go_with_numbers() -> None:
    x = embedded()
    np.testing.assert_array_equal(x._keras_mask, COUNTS)
    np.testing.assert_array_equal(layers.Dense(3)(x)._keras_mask, COUNTS)
    assert mask_of(x * 2) is None  # as in Keras, a function of ops gives an array without one
    assert mask_of(layers.Embedding(5, 2)(INDICES)) is None


def test_layers_that_do_not_know_masks_say_that_they_end() -> None:
    for layer in (layers.Flatten(), layers.Reshape((3, 2)), layers.EinsumDense("abc,cd->abd", (None, 2))):
        with pytest.warns(UserWarning, match=f"'{layer.name}'.* does not support masking"):
            assert mask_of(layer(embedded())) is None


def test_a_mean_of_the_places_that_count() -> None:
    x = embedded()
    expected = np.stack([x[0, :2].mean(0), x[1, :1].mean(0)])
    np.testing.assert_allclose(layers.GlobalAveragePooling1D()(x), expected, rtol=1e-6)


def test_a_loss_at_once_takes_the_mask() -> None:
    x = embedded()
    found = lamina.losses.MeanSquaredError()(np.zeros((2, 3, 2)), x)
    assert float(found) == pytest.approx((np.asarray(x) ** 2)[COUNTS].mean(), rel=1e-6)
    metric = lamina.metrics.MeanAbsoluteError()
    metric.update_state(np.zeros((2, 3, 2)), x)
    assert float(metric.result()) == pytest.approx(np.abs(np.asarray(x))[COUNTS].mean(), rel=1e-6)


class Kept(layers.Layer):
    """Takes a mask, and makes another."""

    def call(self, inputs: Any, mask: Any = None) -> Any:
        return inputs if mask is None else ops.where(ops.expand_dims(mask, -1), inputs, -1.0)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None if mask is None else ops.logical_not(mask)


class Pair(layers.Layer):
    """Takes two inputs and the mask of one."""

    def call(self, first: Any, second: Any, second_mask: Any = None) -> Any:
        return first if second_mask is None else ops.where(ops.expand_dims(second_mask, -1), first, 0.0)


class Passing(layers.Layer):
    """Says that masks go through it."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return inputs + 1.0


def test_layers_of_ones_own() -> None:
    x = embedded()
    kept = Kept()(x)
    np.testing.assert_array_equal(kept == -1.0, ~COUNTS[:, :, None] & np.ones(2, bool))
    np.testing.assert_array_equal(kept._keras_mask, ~COUNTS)
    np.testing.assert_array_equal(Kept()(x, mask=np.ones((2, 3), bool)), x)
    np.testing.assert_array_equal(Passing()(x)._keras_mask, COUNTS)
    np.testing.assert_array_equal(Pair()(np.ones((2, 3, 1), "float32"), x), COUNTS[:, :, None])


def functional() -> lamina.Model:
    inputs = lamina.Input((3,), dtype="int32")
    x = Passing()(layers.Embedding(5, 2, mask_zero=True)(inputs))
    return lamina.Model(inputs, layers.GlobalAveragePooling1D()(Kept()(x)))


def test_masks_are_steps_of_a_model_where_a_layer_takes_them() -> None:
    model = functional()
    names = [operation.name.rstrip("_0123456789") for operation in model.operations]
    assert names.count("not_equal") == names.count("logical_not") == 1
    assert len(model.layers) == 5
    layer = model.layers[1]
    assert layer.output._keras_mask.shape == (None, 3)


def test_a_model_takes_a_mask() -> None:
    inputs = lamina.Input((3, 2))
    model = lamina.Model(inputs, layers.GlobalAveragePooling1D()(inputs))
    x = np.arange(12.0, dtype="float32").reshape(2, 3, 2)
    np.testing.assert_allclose(model(x, mask=COUNTS), [x[0, :2].mean(0), x[1, 0]])
    stack = lamina.Sequential([layers.GlobalAveragePooling1D()])
    np.testing.assert_allclose(stack(x), x.mean(1))
    np.testing.assert_allclose(stack(x, mask=COUNTS), [x[0, :2].mean(0), x[1, 0]])


def test_no_mask_costs_nothing() -> None:
    """The program of a network with layers that take masks, without one, is that of the same network before."""
    inputs = lamina.Input((3,))
    model = lamina.Model(inputs, layers.Dense(1)(layers.Softmax()(layers.BatchNormalization()(inputs))))
    assert [operation.name for operation in model.operations] == [layer.name for layer in model.layers]
    assert all(call.kwargs.get("mask") is None for layer in model.layers for call in layer._inbound_nodes)
