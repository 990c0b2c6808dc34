"""The least and the oddest data that `fit` takes, and what it says of none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import Input, Sequential, layers
from lamina.errors import DataError

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(10, 1)), RNG.normal(size=(10, 1))


def network(target: str = "core") -> Sequential:
    """One column in, one out."""
    lamina.utils.clear_session()
    lamina.utils.set_random_seed(2)
    model = Sequential([Input((1,)), layers.Dense(1, activation="tanh"), layers.BatchNormalization(), layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"], target=target)
    return model


def trained(target: str, rows: int, batch: int) -> list[np.ndarray]:
    model = network(target)
    x, y = X[:rows], Y[:rows]
    history = model.fit(x, y, batch_size=batch, epochs=3, shuffle=False, verbose=0).history
    return [*model.get_weights(), *map(np.array, history.values()), model.predict(x, batch_size=batch, verbose=0)]


@pytest.mark.parametrize("rows", [1, 2, 10])
def test_a_batch_larger_than_the_data_is_all_of_them(rows: int, target: str) -> None:
    for found, expected in zip(trained(target, rows, 1000), trained(target, rows, rows), strict=True):
        assert found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("batch", [1, 3, 9, 10, 11])
def test_any_last_batch_counts_with_its_rows(batch: int, target: str) -> None:
    """A mean over batches of different size is the mean over rows."""
    model = network(target)
    loss, mae = model.evaluate(X, Y, batch_size=batch, verbose=0)
    error = model.predict(X, batch_size=batch, verbose=0) - Y
    np.testing.assert_allclose([loss, mae], [np.mean(error**2), np.mean(np.abs(error))], rtol=1e-5)


def test_one_row_validates(target: str) -> None:
    model = network(target)
    history = model.fit(X, Y, validation_data=(X[:1], Y[:1]), verbose=0).history
    np.testing.assert_allclose(history["val_loss"][0], model.evaluate(X[:1], Y[:1], verbose=0)[0], rtol=1e-6)


NONE: dict[str, Callable[[Sequential], Any]] = {
    "fit": lambda model: model.fit(X[:0], Y[:0], verbose=0),
    "evaluate": lambda model: model.evaluate(X[:0], Y[:0], verbose=0),
    "predict": lambda model: model.predict(X[:0], verbose=0),
    "validation": lambda model: model.fit(X, Y, validation_data=(X[:0], Y[:0]), verbose=0),
    "a batch": lambda model: model.train_on_batch(X[:0], Y[:0]),
}


@pytest.mark.parametrize("name", NONE)
def test_no_rows_are_refused_before_anything_changes(name: str) -> None:
    """Keras passes over an empty validation without a word, and returns an empty history for empty data."""
    model = network()
    before = model.get_weights()
    with pytest.raises(DataError, match="the arrays have no rows"):
        NONE[name](model)
    for found, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_an_empty_validation_is_called_by_its_name() -> None:
    with pytest.raises(DataError, match="^validation_data: there are no data"):
        network().fit(X, Y, validation_data=(X[:0], Y[:0]), verbose=0)


def test_a_split_that_leaves_nothing_to_train_on_is_refused() -> None:
    with pytest.raises(DataError, match=r"`validation_split=0\.99`"):
        network().fit(X, Y, validation_split=0.99, verbose=0)
