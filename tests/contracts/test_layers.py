"""What every layer must do: its equation, shapes, config, files, gradients, and a training step on each target."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lamina
from cases_layers import BATCH, CASES, Case
from lamina import layers
from lamina.graph.node import Node, constant
from lamina.trace import Trace
from numerical import check_gradients

# Flatten ends the masks of layers that make some, and says so.
pytestmark = pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask")

TOLERANCE = {"float32": 2e-6, "float64": 1e-13}


def parts(x: Any) -> list[Any]:
    return list(x) if isinstance(x, list) else [x]


def made(case: Case, dtype: str = "float32") -> layers.Layer:
    """The layer, built, with weights that are all different."""
    layer: layers.Layer = case.make(dtype=dtype)
    layer(case.inputs(dtype))
    rng = np.random.default_rng(5)
    layer.set_weights([rng.uniform(0.5, 1.5, w.shape).astype(w.dtype) for w in layer.get_weights()])
    return layer


def test_every_layer_has_a_case() -> None:
    public = {x for x in vars(layers).values() if inspect.isclass(x) and issubclass(x, layers.Layer)}
    assert public - {layers.Layer, layers.InputLayer, layers.Wrapper, layers.Pipeline} == {case.layer for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_equation(case: Case, dtype: str) -> None:
    layer, x = made(case, dtype), case.inputs(dtype)
    for training, equation in ((False, case.equation), (True, case.training)):
        if equation is None:
            continue
        wide = [a if case.kind else a.astype("float64") for a in parts(x)]
        weights = [w.astype("float64") for w in layer.get_weights()]
        found = layer(x, training=training)
        assert found.dtype == np.dtype(case.result or dtype)
        expected = equation(wide if isinstance(x, list) else wide[0], weights)
        np.testing.assert_allclose(found, expected, rtol=TOLERANCE[dtype] * 10, atol=TOLERANCE[dtype] * 10)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_shapes(case: Case) -> None:
    layer, x = made(case), case.inputs("float32")
    shapes = [(None, *a.shape[1:]) for a in parts(x)]
    symbolic = layer.compute_output_shape(shapes if isinstance(x, list) else shapes[0])
    assert symbolic == (None, *layer(x).shape[1:])


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_config(case: Case) -> None:
    layer, x = made(case), case.inputs("float32")
    twin = lamina.saving.deserialize_keras_object(lamina.saving.serialize_keras_object(layer))
    assert lamina.saving.serialize_keras_object(twin)["config"] == lamina.saving.serialize_keras_object(layer)["config"]
    twin(x)
    twin.set_weights(layer.get_weights())
    np.testing.assert_array_equal(twin(x), layer(x))


def model_of(case: Case, target: str, dtype: str = "float32") -> lamina.Model:
    """The layer between Inputs and a Dense of one unit, compiled."""
    lamina.utils.set_random_seed(1)
    kind = case.kind or dtype
    inputs = [lamina.Input(shape, dtype=kind) for shape in case.shapes]
    x = case.make(dtype=dtype)(inputs if len(inputs) > 1 else inputs[0])
    outputs = layers.Dense(1, dtype=dtype)(layers.Flatten(dtype=dtype)(x))
    model = lamina.Model(inputs if len(inputs) > 1 else inputs[0], outputs)
    model.compile(lamina.optimizers.SGD(0.1), "mse", target=target)
    return model


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_at_once_and_as_a_program(case: Case, target: str, dtype: str) -> None:
    model, x = model_of(case, target, dtype), case.inputs(dtype)
    np.testing.assert_allclose(
        model.predict(x, verbose=0), model(x), rtol=TOLERANCE[dtype] * 10, atol=TOLERANCE[dtype] * 10
    )


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_training_step(case: Case, target: str, dtype: str) -> None:
    """Every weight that trains has moved; the targets agree, short last batch and all."""
    x, y = case.inputs(dtype), np.arange(BATCH, dtype=dtype)
    results = {}
    for each in ("numpy", target):
        model = model_of(case, each, dtype)
        before = [v.numpy() for v in model.trainable_weights]
        history = model.fit(x, y, batch_size=3, epochs=2, shuffle=False, verbose=0).history
        moved = [not np.array_equal(b, v.numpy()) for b, v in zip(before, model.trainable_weights, strict=True)]
        assert all(moved)
        results[each] = [*model.get_weights(), np.array(history["loss"])]
    for found, expected in zip(results[target], results["numpy"], strict=True):
        np.testing.assert_allclose(found, expected, rtol=TOLERANCE[dtype] * 20, atol=TOLERANCE[dtype] * 20)


@pytest.mark.parametrize("case", [c for c in CASES if not c.layer.on_host], ids=lambda c: c.name)
@pytest.mark.parametrize("training", [False, True])
def test_gradients(case: Case, training: bool) -> None:
    if training and (case.layer is layers.SpectralNormalization or "renorm" in case.arguments):
        return  # no gradient goes through the kernel that it assigns, or through r and d: tests/parity/test_layers.py
    layer, x = made(case, "float64"), case.inputs("float64")
    arrays = [] if case.whole else parts(x)
    variables = layer.trainable_weights

    def outputs(*nodes: Node) -> Node:
        given = list(nodes[: len(arrays)]) or [constant(a) for a in parts(x)]
        layout = dict(zip(variables, nodes[len(arrays) :], strict=True))
        others = {v: constant(v.numpy()) for v in layer.non_trainable_weights if v.dtype == "float64"}
        with Trace({**layout, **others}).active():
            return layer(given if len(given) > 1 else given[0], training=training)

    check_gradients(outputs, *arrays, *(v.numpy() for v in variables))


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_file(case: Case, tmp_path: Path) -> None:
    model, x = model_of(case, "core"), case.inputs("float32")
    model.save(tmp_path / "model.keras")
    loaded = lamina.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
