"""Preprocessing layers beside Keras's: values, element types, configs, what they learn, and from which data."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import keras
import numpy as np
import pandas as pd
import polars as pl
import pytest
import tensorflow as tf

import lamina

WORDS = np.array(["b", "a", "ä", "", "long " * 20])
RNG = np.random.default_rng(8)
TEXT = {shape: RNG.choice(WORDS, shape) for shape in [(6,), (6, 1), (4, 3), (2, 3, 2)]}
IDS = {shape: RNG.integers(-3, 9, shape) for shape in TEXT}
FLOATS = {shape: RNG.normal(size=shape).astype("float32") for shape in TEXT}
MODES = ("int", "one_hot", "multi_hot", "count")


@pytest.fixture(autouse=True)
def _same_names() -> None:
    keras.utils.clear_session(free_memory=False)
    lamina.utils.clear_session()


def both(name: str, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
    return getattr(keras.layers, name)(*args, **kwargs), getattr(lamina.layers, name)(*args, **kwargs)


def same(theirs: Any, ours: Any, *x: Any, **kwargs: Any) -> None:
    expected, found = np.asarray(theirs(*x, **kwargs)), ours(*x, **kwargs)
    if expected.dtype.kind == "O":
        expected = np.array([text.decode() for text in expected.ravel()], object).reshape(expected.shape)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(found, expected, rtol=1e-6) if found.dtype.kind == "f" else None
    np.testing.assert_array_equal(found.astype(expected.dtype) if found.dtype.kind != "f" else expected, expected)


def plain_dtype(config: dict[str, Any]) -> dict[str, Any]:
    """Keras's config with its policy as a record."""
    return keras.saving.serialize_keras_object(config)


def same_config(theirs: Any, ours: Any) -> None:
    assert lamina.saving.serialize_keras_object(ours.get_config()) == plain_dtype(theirs.get_config())
    type(theirs).from_config(ours.get_config())
    type(ours).from_config(theirs.get_config())


def cases() -> Iterator[Any]:
    """(layer, arguments, input)."""
    for mode, shape in itertools.product(MODES, TEXT):
        yield "StringLookup", {"vocabulary": ["a", "b", "ä"], "output_mode": mode}, TEXT[shape]
        yield "IntegerLookup", {"vocabulary": [4, 0, -2], "output_mode": mode}, IDS[shape]
        yield "Hashing", {"num_bins": 5, "output_mode": mode}, TEXT[shape]
        yield "Hashing", {"num_bins": 5, "output_mode": mode, "salt": 7, "mask_value": 0}, IDS[shape]
        yield "Discretization", {"bin_boundaries": [-1.0, 0.0, 0.7], "output_mode": mode}, FLOATS[shape]
        if mode != "int":
            yield "CategoryEncoding", {"num_tokens": 4, "output_mode": mode}, np.abs(IDS[shape])
            yield "CategoryEncoding", {"num_tokens": 4, "output_mode": mode}, np.abs(FLOATS[shape] * 3)
    lookup = {"vocabulary": ["a", "b"]}
    for more in (
        {"mask_token": ""}, {"mask_token": "", "output_mode": "multi_hot"}, {"num_oov_indices": 3},
        {"num_oov_indices": 3, "salt": [1, 2]}, {"max_tokens": 6, "pad_to_max_tokens": True, "output_mode": "count"},
        {"vocabulary": ["[UNK]", "a"]},
        {"vocabulary": ["", "[UNK]", "[UNK]", "a"], "mask_token": "", "num_oov_indices": 2},
        {"output_mode": "tf_idf", "idf_weights": [0.5, 0.25]},
        {"output_mode": "tf_idf", "idf_weights": [0.5, 0.25], "pad_to_max_tokens": True, "max_tokens": 5},
        {"vocabulary": ["[UNK]", "a"], "output_mode": "tf_idf", "idf_weights": [0.5, 0.25]},
    ):  # fmt: skip
        yield "StringLookup", lookup | more, TEXT[4, 3]
    for more in (
        {"mask_token": 0}, {"num_oov_indices": 4}, {"num_oov_indices": 4, "oov_method": "farmhash"},
        {"num_oov_indices": 4, "oov_method": "farmhash", "salt": 3}, {"vocabulary": np.array([10**12, 3])},
    ):  # fmt: skip
        yield "IntegerLookup", {"vocabulary": [4, 5, -2]} | more, IDS[4, 3] * 10**12 // 4
    yield "StringLookup", {"vocabulary": ["a", "b"], "invert": True}, np.array([0, 1, 2, 9, -1])
    yield "StringLookup", {"vocabulary": ["a", "b"], "invert": True, "mask_token": ""}, np.array([[0, 1], [2, 3]])
    yield "IntegerLookup", {"vocabulary": [5, 7], "invert": True}, np.array([0, 1, 2, 9])
    yield "IntegerLookup", {"vocabulary": [5, 7]}, np.array([5.9, 7.0, 1.0])
    yield "Hashing", {"num_bins": 5, "mask_value": ""}, TEXT[4, 3]
    yield "Hashing", {"num_bins": 5, "dtype": "int32"}, np.array([1.9, -2.9])
    yield "Hashing", {"num_bins": 1, "mask_value": ""}, TEXT[6,]
    yield "Discretization", {"bin_boundaries": [0.0, 1.0]}, np.array([np.nan, 0.0, 1.0, np.inf, -np.inf], "float32")
    yield "Discretization", {"bin_boundaries": [0.0, 1.0]}, np.array([[0, 1, 2]])
    yield "Rescaling", {"scale": 0.5, "offset": 1}, IDS[4, 3]
    for name in ("StringLookup", "CategoryEncoding", "Discretization", "IntegerLookup", "Hashing"):
        arguments = {"StringLookup": {"vocabulary": ["a"]}, "CategoryEncoding": {"num_tokens": 3},
                     "Discretization": {"bin_boundaries": [0.5]}, "IntegerLookup": {"vocabulary": [1]},
                     "Hashing": {"num_bins": 3}}[name]  # fmt: skip
        yield name, arguments, [["a", "b"]] if name == "StringLookup" else [[1, 2], [0, 1]]


@pytest.mark.parametrize(("name", "arguments", "x"), list(cases()), ids=lambda v: v if isinstance(v, str) else "")
def test_values(name: str, arguments: dict[str, Any], x: Any) -> None:
    theirs, ours = both(name, **arguments)
    same_config(theirs, ours)
    same(theirs, ours, x)


@pytest.mark.parametrize("mode", ["int", "one_hot"])
@pytest.mark.parametrize("parts", [(TEXT[6,], IDS[6,]), (IDS[6, 1], IDS[6, 1], TEXT[6, 1]), (["a", "b"], [1, 2])])
def test_crossing(mode: str, parts: tuple[Any, ...]) -> None:
    theirs, ours = both("HashedCrossing", 7, output_mode=mode)
    same_config(theirs, ours)
    same(theirs, ours, parts)


def test_count_weights() -> None:
    theirs, ours = both("CategoryEncoding", 4, output_mode="count")
    same(theirs, ours, np.array([[0, 1], [2, 2]]), count_weights=np.array([[0.1, 0.2], [0.3, 0.4]], "float32"))


def test_pipeline() -> None:
    def made(api: ModuleType) -> Any:
        return api.layers.Pipeline([api.layers.Rescaling(0.5), api.layers.Discretization([0.0, 0.3])])

    theirs, ours = made(keras), made(lamina)
    same(theirs, ours, FLOATS[4, 3])
    again = type(ours).from_config(lamina.saving.deserialize_keras_object(plain_dtype(theirs.get_config())))
    same(theirs, again, FLOATS[4, 3])
    keras.layers.Pipeline.from_config(lamina.saving.serialize_keras_object(ours.get_config()))


# -- adapt: the same data in every form


def tokens(number: int) -> np.ndarray:
    return np.random.default_rng(4).choice([f"w{i}" for i in range(number)], (40, 3))


TEXT_SOURCES: dict[str, Callable[[np.ndarray], Any]] = {
    "array": lambda x: x,
    "vector": lambda x: x[:, 0],
    "list": lambda x: x.tolist(),
    "objects": lambda x: x.astype(object),
    "series": lambda x: pd.Series(x[:, 0]),
    "polars": lambda x: pl.Series(x[:, 0].tolist()),
    "dataset": lambda x: tf.data.Dataset.from_tensor_slices(x).batch(7),
    "generator": lambda x: (x[i : i + 7] for i in range(0, len(x), 7)),
}


@pytest.mark.parametrize("source", TEXT_SOURCES)
@pytest.mark.parametrize(
    "arguments",
    [{}, {"max_tokens": 5}, {"output_mode": "tf_idf"}, {"mask_token": "w3", "num_oov_indices": 2},
     {"output_mode": "tf_idf", "max_tokens": 30, "pad_to_max_tokens": True}],
)  # fmt: skip
def test_string_lookup_learns_the_same(source: str, arguments: dict[str, Any]) -> None:
    theirs, ours = both("StringLookup", **arguments)
    x = tokens(9)
    theirs.adapt(TEXT_SOURCES[source](x))
    ours.adapt(TEXT_SOURCES[source](x))
    assert ours.get_vocabulary() == [str(t) for t in theirs.get_vocabulary()]
    assert ours.get_vocabulary(include_special_tokens=False) == [str(t) for t in theirs.get_vocabulary(False)]
    assert ours.vocabulary_size() == theirs.vocabulary_size()
    same(theirs, ours, x)
    same_config(theirs, ours)


@pytest.mark.parametrize("source", ["array", "vector", "dataset", "generator", "list", "series"])
@pytest.mark.parametrize("arguments", [{}, {"output_mode": "count"}, {"max_tokens": 4, "mask_token": 0}])
def test_integer_lookup_learns_the_same(source: str, arguments: dict[str, Any]) -> None:
    theirs, ours = both("IntegerLookup", **arguments)
    x = np.random.default_rng(4).integers(-2, 6, (40, 3)) * 10**11
    theirs.adapt(TEXT_SOURCES[source](x))
    ours.adapt(TEXT_SOURCES[source](x))
    assert ours.get_vocabulary() == [int(t) for t in theirs.get_vocabulary()]
    same(theirs, ours, x)


def test_ties_are_in_falling_order() -> None:
    theirs, ours = both("StringLookup")
    for layer in (theirs, ours):
        layer.adapt(np.array(["z", "m", "a", "ä", "Z", "b", "b"]))
    assert ours.get_vocabulary() == [str(t) for t in theirs.get_vocabulary()]


def test_batches_by_hand() -> None:
    theirs, ours = both("StringLookup", output_mode="tf_idf")
    for layer in (theirs, ours):
        layer.reset_state()
        layer.update_state(np.array([["a", "b"], ["a", "a"]]))
        layer.update_state(np.array([["c", "a"]]))
        layer.finalize_state()
    same(theirs, ours, np.array([["a", "c", "q"]]))


def test_data_frame_is_a_table() -> None:
    x = tokens(9)
    layers = [lamina.layers.StringLookup() for _ in range(3)]
    for layer, data in zip(layers, (x, pd.DataFrame(x), pl.DataFrame(x.tolist(), orient="row")), strict=True):
        layer.adapt(data)
    assert layers[0].get_vocabulary() == layers[1].get_vocabulary() == layers[2].get_vocabulary()


def test_steps() -> None:
    theirs, ours = both("StringLookup")
    for layer in (theirs, ours):
        layer.adapt((batch for batch in tokens(9)), steps=3)
    assert ours.get_vocabulary() == [str(t) for t in theirs.get_vocabulary()]


NUMBERS: dict[str, np.ndarray] = {
    "few": np.random.default_rng(5).normal(size=17).astype("float32"),
    "normal": np.random.default_rng(5).normal(size=(700, 3)).astype("float32"),
    "skewed": np.random.default_rng(5).exponential(size=2500).round(1),
    "ties": np.array([0.0] * 90 + [1.0] * 30),
    "whole": np.random.default_rng(5).integers(0, 1000, 999),
}
NUMBER_SOURCES: dict[str, Callable[[np.ndarray], Any]] = {
    "array": lambda x: x,
    "dataset": lambda x: tf.data.Dataset.from_tensor_slices(x).batch(64),
    "generator": lambda x: (x[i : i + 130] for i in range(0, len(x), 130)),
    "batches": lambda x: [x[:5], x[5:]],
}


@pytest.mark.parametrize("source", NUMBER_SOURCES)
@pytest.mark.parametrize("data", NUMBERS)
@pytest.mark.parametrize(("bins", "epsilon"), [(4, 0.01), (32, 0.01), (7, 0.1)])
def test_discretization_finds_the_same_boundaries(data: str, source: str, bins: int, epsilon: float) -> None:
    theirs, ours = both("Discretization", num_bins=bins, epsilon=epsilon)
    for layer in (theirs, ours):
        layer.adapt(NUMBER_SOURCES[source](NUMBERS[data]))
    assert ours.bin_boundaries == theirs.bin_boundaries
    same(theirs, ours, NUMBERS[data])
    same_config(theirs, ours)


@pytest.mark.parametrize("source", NUMBER_SOURCES)
@pytest.mark.parametrize("axis", [-1, None, (1,)])
def test_normalization_learns_the_same(source: str, axis: Any) -> None:
    theirs, ours = both("Normalization", axis=axis)
    x = NUMBERS["normal"] * [1.0, 10.0, 100.0] + 5.0
    for layer in (theirs, ours):
        layer.adapt(NUMBER_SOURCES[source](x.astype("float32")))
    np.testing.assert_allclose(ours(x[:5].astype("float32")), theirs(x[:5].astype("float32")), rtol=2e-5, atol=2e-5)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_normalization_of_three_axes_and_inverted() -> None:
    x = RNG.normal(3.0, 2.0, (50, 4, 2)).astype("float32")
    for arguments in ({"axis": 1}, {"axis": (1, 2)}, {"axis": -1, "invert": True}):
        theirs, ours = both("Normalization", **arguments)
        for layer in (theirs, ours):
            layer.adapt(x)
        np.testing.assert_allclose(ours(x), theirs(x), rtol=2e-5, atol=2e-5)


def test_normalization_of_a_vector_is_of_one_row() -> None:
    theirs, ours = both("Normalization")
    for layer in (theirs, ours):
        layer.adapt(np.array([1.0, 2.0, 3.0]))
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b)
