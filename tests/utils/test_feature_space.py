"""FeatureSpace beside Keras's: features, files both ways, every source of data; and what it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
import pandas as pd
import polars as pl
import pytest
import tensorflow as tf

import lamina
from lamina.errors import DataError, DtypeError, LaminaError

ROWS = 120
RNG = np.random.default_rng(6)
DATA: dict[str, np.ndarray] = {
    "normalized": RNG.normal(3.0, 2.0, ROWS).astype("float32"),
    "plain": RNG.normal(size=ROWS).astype("float32"),
    "binned": RNG.exponential(size=ROWS).astype("float32"),
    "scaled": RNG.normal(size=ROWS).astype("float32"),
    "word": RNG.choice(["x", "y", "zürich"], ROWS),
    "tag": RNG.choice(["p", "q"], ROWS),
    "code": RNG.integers(0, 5, ROWS),
    "key": RNG.integers(0, 9, ROWS),
}
LABELS = RNG.normal(size=(ROWS, 1)).astype("float32")


def space(api: ModuleType, **arguments: Any) -> Any:
    of = api.utils.FeatureSpace
    features = {
        "normalized": "float_normalized",
        "plain": "float",
        "binned": "float_discretized",
        "scaled": of.float_rescaled(2.0, 1.0),
        "word": of.string_categorical(max_tokens=3),
        "tag": "string_hashed",
        "code": "integer_categorical",
        "key": of.integer_hashed(4, output_mode="one_hot"),
    }
    crosses = [("word", "tag"), of.cross(("code", "binned"), 5)]
    return of(features, crosses=crosses, crossing_dim=8, hashing_dim=6, num_discretization_bins=7, **arguments)


def same(found: Any, expected: Any) -> None:
    if isinstance(expected, dict):
        assert sorted(found) == sorted(expected)
        for name, array in expected.items():
            same(found[name], array)
        return
    expected = np.asarray(expected)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def slices(data: dict[str, np.ndarray]) -> Any:
    return tf.data.Dataset.from_tensor_slices(data)


def columns(data: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: values[:, None] for name, values in data.items()}


SOURCES: dict[str, Callable[[Any], Any]] = {
    "arrays": lambda data: data,
    "columns": columns,
    "lists": lambda data: {name: values.tolist() for name, values in data.items()},
    "rows": slices,
    "batches": lambda data: slices(data).batch(50),
    "batches of columns": lambda data: slices(columns(data)).batch(50),
}


@pytest.mark.parametrize("mode", ["concat", "dict"])
@pytest.mark.parametrize("source", SOURCES)
def test_the_same_features(source: str, mode: str) -> None:
    theirs, ours = (space(api, output_mode=mode) for api in (keras, lamina))
    for each in (theirs, ours):
        each.adapt(SOURCES[source](DATA))
    same(ours(DATA), theirs(DATA))
    one = {name: values[3].item() for name, values in DATA.items()}
    if mode == "concat":  # Keras keeps the rows' axis of some arrays of a dictionary
        same(ours(one), theirs(one))
    else:
        assert ours(one)["word"].shape == (3,)


def test_more_sources() -> None:
    expected = space(lamina)
    expected.adapt(DATA)
    batches: Iterator[Any] = ({k: v[i : i + 32] for k, v in DATA.items()} for i in range(0, ROWS, 32))
    text = {"word", "tag"}
    frame = pl.DataFrame({k: v.tolist() if k in text else v for k, v in DATA.items()})
    for source in (pd.DataFrame(DATA), frame, batches, [DATA]):
        ours = space(lamina)
        ours.adapt(source)
        np.testing.assert_array_equal(ours(DATA), expected(DATA))
    np.testing.assert_array_equal(expected(pd.DataFrame(DATA)), expected(DATA))


@pytest.mark.parametrize(("writer", "reader"), [(keras, lamina), (lamina, keras), (lamina, lamina)])
def test_files(writer: ModuleType, reader: ModuleType, tmp_path: Path) -> None:
    written = space(writer)
    written.adapt(DATA)
    written.save(tmp_path / "space.keras")
    read = reader.saving.load_model(tmp_path / "space.keras")
    np.testing.assert_allclose(np.asarray(read(DATA)), np.asarray(written(DATA)), rtol=1e-5, atol=1e-6)
    assert sorted(read.get_config()) == sorted(written.get_config())


def model_on(made: Any, api: ModuleType) -> Any:
    return api.Model(dict(made.get_inputs()), api.layers.Dense(2)(made.get_encoded_features()))


def tensors() -> dict[str, Any]:
    return {name: tf.constant(values[:, None]) for name, values in sorted(DATA.items())}


def test_model_on_features(tmp_path: Path) -> None:
    made = space(lamina)
    made.adapt(DATA)
    model = model_on(made, lamina)
    model.compile("sgd", "mse")
    model.fit(DATA, np.ones((ROWS, 2)), epochs=2, verbose=0)
    expected = model.predict(DATA, verbose=0)
    np.testing.assert_allclose(model(DATA), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.predict(tensors(), verbose=0), expected)
    np.testing.assert_allclose(model.predict(slices(DATA).batch(50), verbose=0), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.predict(pd.DataFrame(DATA), verbose=0), expected)
    model.save(tmp_path / "model.keras")
    for api in (lamina, keras):
        found = api.saving.load_model(tmp_path / "model.keras").predict(tensors(), verbose=0)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    twin = lamina.to_keras(model)
    np.testing.assert_allclose(twin.predict(tensors(), verbose=0), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(lamina.from_keras(twin).predict(DATA, verbose=0), expected, rtol=1e-5, atol=1e-6)


def test_from_a_model_of_keras(tmp_path: Path) -> None:
    made = space(keras)
    made.adapt(slices(DATA))
    model = model_on(made, keras)
    model.save(tmp_path / "model.keras")
    found = lamina.load_model(tmp_path / "model.keras").predict(DATA, verbose=0)
    np.testing.assert_allclose(found, model.predict(tensors(), verbose=0), rtol=1e-5, atol=1e-6)


def test_what_needs_no_data() -> None:
    of = lamina.utils.FeatureSpace
    made = of({
        "a": "float",
        "b": of.feature("float32", lamina.layers.Normalization(mean=1.0, variance=4.0), "float"),
        "c": of.float_discretized(bin_boundaries=[0.0, 1.0]),
        "d": of.feature("string", lamina.layers.StringLookup(vocabulary=["x", "y"]), "one_hot"),
    })  # fmt: skip
    found = made({"a": [5.0], "b": [3.0], "c": [0.5], "d": ["y"]})
    np.testing.assert_array_equal(found, [[5, 1, 0, 1, 0, 0, 0, 1]])


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"features": {}}, "cannot be None or empty"),
    ({"features": {"a": "floaty"}}, "Invalid feature type: 'floaty' of the feature 'a'"),
    ({"features": {"a": "float"}, "output_mode": "list"}, "takes one of 'dict', 'concat'"),
    ({"features": {"a": "integer_hashed"}, "crosses": [("a", "b")]}, r"unknown features: \['b'\]"),
    ({"features": {"a": "integer_hashed"}, "crosses": [("a", "a")], "crossing_dim": 0}, "crossing_dim"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED)
def test_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lamina.utils.FeatureSpace(**arguments)


def test_refused_later() -> None:
    of = lamina.utils.FeatureSpace
    made = of({"a": "float_normalized", "b": "string_categorical"})
    with pytest.raises(LaminaError, match="call `.adapt"):
        made({"a": [1.0], "b": ["x"]})
    with pytest.raises(DataError, match="no column for the feature 'b'"):
        made.adapt({"a": [1.0]})
    with pytest.raises(DataError, match="takes a dict of columns"):
        made.adapt(np.ones((3, 2)))
    with pytest.raises(DataError, match="each batch as a dict"):
        made.adapt(iter([np.ones(2)]))
    made.adapt({"a": [1.0, 2.0], "b": ["x", "y"]})
    with pytest.raises(DataError, match="can only be called with a dict"):
        made(np.ones((3, 2)))
    with pytest.raises(DataError, match="no column for the feature 'a'"):
        made({"b": ["x"]})
    with pytest.raises(DtypeError, match="b_preprocessor: it looks up text, got"):
        made({"a": [1.0], "b": [2.0]})
    with pytest.raises(ValueError, match="has not been encoded"):
        of({"a": of.integer_hashed(3, output_mode="int")}).get_encoded_features()
    with pytest.raises(ValueError, match="should return an integer dtype"):
        of({"a": of.feature("float32", lamina.layers.Rescaling(2.0), "one_hot")}).get_encoded_features()
    with pytest.raises(ValueError, match="dimensionality of its output space is not known"):
        of({"a": of.feature("int32", lamina.layers.Identity(), "one_hot")}).get_encoded_features()


@pytest.mark.parametrize("mode", ["concat", "dict"])
@pytest.mark.parametrize("size", [0, 50])
def test_inside_a_pipeline_of_tensorflow(size: int, mode: str) -> None:
    theirs, ours = (space(api, output_mode=mode) for api in (keras, lamina))
    data = slices(DATA).batch(size) if size else slices({name: values[:9] for name, values in DATA.items()})
    for each in (theirs, ours):
        each.adapt(DATA)
    for expected, found in zip(data.map(theirs), data.map(ours), strict=True):
        if size or mode == "concat":  # Keras keeps the rows' axis of some arrays of a dictionary
            same(tf.nest.map_structure(np.asarray, found), expected)
    if mode == "concat":
        assert data.map(ours).element_spec == data.map(theirs).element_spec


def trained(api: ModuleType) -> tuple[list[float], Any]:
    """What Keras's guide does: one model is trained on encoded features, another one serves raw rows."""
    labelled = tf.data.Dataset.from_tensor_slices((DATA, LABELS)).batch(40)
    made = space(api)
    made.adapt(labelled.map(lambda x, _: x))
    features = made.get_encoded_features()
    hidden = api.layers.Dense(3, activation="tanh", kernel_initializer="ones")(features)
    outputs = api.layers.Dense(1, kernel_initializer="ones")(hidden)
    trainer, server = api.Model(features, outputs), api.Model(dict(made.get_inputs()), outputs)
    trainer.compile("sgd", "mse")
    history = trainer.fit(labelled.map(lambda x, y: (made(x), y)), epochs=2, shuffle=False, verbose=0).history
    return history["loss"], server.predict(tensors(), verbose=0)


def test_trained_on_encoded_and_served_on_raw_rows() -> None:
    expected, found = trained(keras), trained(lamina)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-5)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-4, atol=1e-5)
