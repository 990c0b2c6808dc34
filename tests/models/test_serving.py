"""Predictions of a few rows: the answers of the long way, whatever changes between calls; batches of one's own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lamina
from cases_layers import CASES, Case
from lamina import Input, Model, Sequential, layers, ops
from lamina.errors import DataError, ShapeError

# Flatten ends the masks of layers that make some, and says so.
pytestmark = pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask")

RNG = np.random.default_rng(2)
X = RNG.normal(size=(50, 4)).astype("float32")
Y = X[:, :1] * 2


def network(target: str = "core") -> Sequential:
    lamina.utils.set_random_seed(4)
    last = [layers.BatchNormalization(), layers.Dense(2)]
    model = Sequential([Input((4,)), layers.Dense(6, activation="tanh"), layers.Dropout(0.5), *last])
    model.compile(optimizer="sgd", loss="mse", target=target)
    return model


def by_hand(model: Model, x: np.ndarray) -> np.ndarray:
    """The answers without any compiled step."""
    return np.asarray(model(x, training=False))


def check(model: Model, x: np.ndarray = X[:3]) -> None:
    for _ in range(2):
        np.testing.assert_allclose(model.predict(x, verbose=0), by_hand(model, x), rtol=1e-5, atol=1e-6)


def test_whatever_changes_the_answers_follow(target: str, tmp_path: Path) -> None:
    model = network(target)
    check(model)
    model.set_weights([w + 1 for w in model.get_weights()])
    check(model)
    model.fit(X, np.hstack([Y, Y]), epochs=2, verbose=0)  # the weights move into one buffer
    check(model)
    model.layers[0].trainable = False
    model.compile(optimizer="adam", loss="mse", target=target, threads=2)
    model.fit(X, np.hstack([Y, Y]), epochs=1, verbose=0)  # and into another
    check(model)
    same, other = network(target), network(target)
    same.set_weights(model.get_weights())
    same.save_weights(tmp_path / "w.weights.h5")
    check(other)
    other.load_weights(tmp_path / "w.weights.h5")
    check(other)
    np.testing.assert_array_equal(other.predict(X[:3], verbose=0), model.predict(X[:3], verbose=0))
    other.add(layers.Dense(3))
    check(other)
    other.pop()
    check(other)
    model.compile(loss="mse", target="numpy" if target == "core" else "core")
    check(model)


def test_a_shared_layer_that_another_model_trains(target: str) -> None:
    shared = layers.Dense(1)
    first, second = (Sequential([Input((4,)), shared]) for _ in range(2))
    for model in (first, second):
        model.compile(optimizer="sgd", loss="mse", target=target)
        check(model)
    second.fit(X, Y, verbose=0)
    check(first)
    first.fit(X, Y, verbose=0)
    check(second)


def test_any_dtype_and_layout(target: str) -> None:
    model = network(target)
    x = np.round(X[:4])
    expected = model.predict(x, verbose=0)
    apart = np.repeat(np.repeat(x, 2, 0), 3, 1)[::2, ::3]
    for same in (x.astype(">f4"), x.astype("float64"), x.astype("int64"), np.asfortranarray(x), apart):
        for _ in range(2):
            np.testing.assert_array_equal(model.predict(same, verbose=0), expected)


def test_an_answer_stays_as_it_is(target: str) -> None:
    model = network(target)
    model.predict(X[:2], verbose=0)
    first = model.predict(X[:2], verbose=0)
    kept = first.copy()
    model.predict(X[2:4], verbose=0)
    np.testing.assert_array_equal(first, kept)
    first[...] = 0
    np.testing.assert_array_equal(model.predict(X[:2], verbose=0), kept)


def test_every_number_of_rows(target: str) -> None:
    model = network(target)
    whole = model.predict(X, verbose=0)
    for count in (1, 2, 31, 32, 33, 1, 50):
        np.testing.assert_allclose(model.predict(X[:count], verbose=0), whole[:count], rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(model.predict_on_batch(X[:count]), whole[:count], rtol=1e-6, atol=1e-6)


def test_a_column_without_its_axis(target: str) -> None:
    model = Sequential([Input((1,)), layers.Dense(2)])
    model.compile(target=target)
    expected = model.predict(X[:3, :1], verbose=0)
    for x in (X[:3, 0], X[:3, :1], X[:3, :1, None]):
        for _ in range(2):
            np.testing.assert_array_equal(model.predict(x, verbose=0), expected)


def test_several_outputs_keep_their_structure(target: str) -> None:
    x = Input((4,))
    model = Model(x, {"b": layers.Dense(1)(x), "a": [layers.Dense(2)(x)]})
    model.compile(target=target)
    for _ in range(2):
        made = model.predict(X[:3], verbose=0)
        assert list(made) == ["b", "a"]
        assert (made["b"].shape, made["a"][0].shape) == ((3, 1), (3, 2))


def test_bad_rows_are_refused_after_good_ones(target: str) -> None:
    table = Sequential([Input((2,), dtype="int32"), layers.Embedding(5, 3), layers.Flatten()])
    table.compile(target=target)
    good = np.array([[0, 1], [2, 4]])
    for _ in range(2):
        table.predict(good, verbose=0)
    with pytest.raises(IndexError, match="row 1: index is 5"):
        table.predict(np.array([[0, 1], [5, 4]]), verbose=0)
    with pytest.raises(DataError, match="exact only up to"):
        table.predict(good + 2**40, verbose=0)
    np.testing.assert_array_equal(table.predict(good + 0.5, verbose=0), table.predict(good, verbose=0))
    cases: tuple[tuple[Any, type[Exception]], ...] = (
        (np.zeros((1, 3), int), ShapeError), (np.zeros((0, 2), int), DataError), (np.zeros((), int), DataError),
        (np.full((1, 2), "a"), DataError), ([0, 1], DataError),
    )  # fmt: skip
    for x, error in cases:
        with pytest.raises(error):
            table.predict(x, verbose=0)
    with pytest.raises(ValueError, match="batch_size"):
        table.predict(good, batch_size=0, verbose=0)
    table.predict(good, verbose=0)


def test_calls_that_overlap() -> None:
    model = network()
    expected = model.predict(X, verbose=0)

    def right(row: int) -> bool:
        return np.array_equal(model.predict(X[row : row + 1], verbose=0)[0], expected[row])

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(right, list(range(50)) * 40))


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_no_bit_depends_on_the_batch(case: Case) -> None:
    """Whatever the engine chooses, it is what the user's batches give."""
    arrays = case.inputs("float32")
    listed = arrays if isinstance(arrays, list) else [arrays]
    inputs = [Input(a.shape[1:], dtype=case.kind or a.dtype.name) for a in listed]
    model = Model(inputs, case.make()(inputs if len(inputs) > 1 else inputs[0]))
    whole = model.predict(arrays, verbose=0)
    told: list[int] = []
    watch = lamina.callbacks.LambdaCallback(on_predict_batch_end=lambda batch, logs: told.append(batch))
    for size in (1, 3, 32):
        np.testing.assert_array_equal(model.predict(arrays, batch_size=size, verbose=0, callbacks=watch), whole)
    assert told == [0, 1, 2, 3, 4, 0, 1, 0]


class AgainstMean(layers.Layer):
    """Mixes the rows of a batch."""

    def call(self, inputs: Any) -> Any:
        return inputs - ops.mean(inputs, 0, keepdims=True)


class Noise(layers.Layer):
    """Other numbers in each batch."""

    def call(self, inputs: Any) -> Any:
        return inputs + lamina.random.uniform(ops.shape(inputs), seed=3)


@pytest.mark.parametrize("layer", [AgainstMean, Noise])
def test_where_rows_meet_the_users_batches_stay(layer: type[layers.Layer], target: str) -> None:
    model = Sequential([Input((4,)), layer()])
    model.compile(target=target)
    for size in (1, 7, 50):
        parts = [model.predict_on_batch(X[i : i + size]) for i in range(0, 50, size)]
        for _ in range(2):
            found = model.predict(X, batch_size=size, verbose=0)
            if layer is AgainstMean:
                np.testing.assert_allclose(found, np.concatenate(parts), rtol=1e-5, atol=1e-6)
            np.testing.assert_array_equal(found[:size], parts[0])
