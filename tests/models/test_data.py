"""What fit, evaluate and predict take, and how they say no."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

import lamina
from lamina import Input, Model, Sequential, layers
from lamina.errors import DataError, ShapeError

X = np.random.default_rng(0).normal(size=(12, 3))
Y = np.arange(12) % 2


def classifier() -> Sequential:
    model = Sequential(
        [Input((3,), name="features"), layers.Dense(4), layers.Dense(2, activation="softmax", name="out")]
    )
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def regressor(last: int = 1) -> Sequential:
    model = Sequential([Input((3,)), layers.Dense(last)])
    model.compile("sgd", "mse")
    return model


def many() -> Sequential:
    model = Sequential([Input((3,)), layers.Dense(2, activation="softmax")])
    model.compile("sgd", "categorical_crossentropy")
    return model


REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "lengths differ": (lambda: classifier().fit(X, Y[:5]), DataError, "'x' sizes: 12\n'y' sizes: 5"),
    "no rows": (lambda: classifier().fit(X[:0], Y[:0]), DataError, "no rows"),
    "no inputs": (lambda: classifier().fit(None, Y), DataError, "x holds no array"),
    "epochs below 0": (lambda: classifier().fit(X, Y, epochs=-1), ValueError, "`epochs` must be .* got -1"),
    "epochs as text": (lambda: classifier().fit(X, Y, epochs="3"), ValueError, "`epochs` must be .* got '3'"),
    "a class for a callback": (
        lambda: classifier().fit(X, Y, callbacks=[lamina.callbacks.History]), ValueError, r"make one: History\(\)",
    ),
    "a number for a shape": (lambda: Input(4), ValueError, r"a shape is a tuple, \(4,\)"),
    "nothing": (lambda: classifier().fit(None, None), DataError, "x holds no array"),
    "lists of numbers": (lambda: classifier().fit([[1.0, 2.0, 3.0]], [1]), DataError, r"numpy\.array\(x\)"),
    "a generator": (lambda: classifier().fit(i for i in range(3)), DataError, "Unrecognized data type: x"),
    "a generator of targets": (lambda: classifier().fit(X, iter([Y])), DataError, "y=.*gives batches is given alone"),
    "a sparse matrix": (lambda: classifier().fit(csr_array(X), Y), DataError, r"becomes an array by x\.toarray\(\)"),
    "text": (lambda: classifier().fit(np.full((12, 3), "a"), Y), DataError, "Invalid dtype: str32"),
    "objects": (lambda: classifier().fit(np.full((12, 3), None), Y), DataError, "Invalid dtype: object"),
    "a scalar": (lambda: classifier().fit(np.array(1.0), Y), DataError, "single number"),
    "wrong width": (lambda: classifier().predict(X[:, :2]), ShapeError, "'features'.* axis -1 .* value 3.*(12, 2)"),
    "wrong rank": (lambda: classifier().predict(X[0]), ShapeError, r"Expected shape \(None, 3\)"),
    "two inputs": (lambda: classifier().predict([X, X]), DataError, "takes 1 input.*features.*got 2"),
    "an input is missing": (lambda: classifier().predict({"other": X}), DataError, "'features' is missing"),
    "two targets": (lambda: classifier().fit(X, [Y, Y]), DataError, "y has 2 arrays, the model has 1"),
    "no targets": (lambda: classifier().fit(X), DataError, "give y"),
    "label too large": (lambda: classifier().fit(X, Y + 1), DataError, r"value of 2 .* range of \[0, 2\).*row 1"),
    "label negative": (lambda: classifier().fit(X, Y - 1), DataError, r"value of -1 .* range of \[0, 2\).*row 0"),
    "label is nan": (lambda: classifier().fit(X, np.where(Y, np.nan, 0)), DataError, "value of nan"),
    "label at evaluation": (lambda: classifier().evaluate(X, Y + 5), DataError, "value of 5"),
    "label in validation": (lambda: classifier().fit(X, Y, validation_data=(X, Y + 5)), DataError, "value of 5"),
    "one-hot for sparse": (lambda: classifier().fit(X, np.eye(2)[Y]), ShapeError, "one-hot"),
    "class numbers for one-hot": (
        lambda: many().fit(X, Y), ShapeError, "for class numbers use the sparse categorical form",
    ),
    "targets of another width": (lambda: regressor(2).fit(X, X), ShapeError, "(None, 3).*(None, 2)"),
    "weights of another length": (lambda: regressor().fit(X, Y, sample_weight=X[:5, 0]), DataError, "sample_weight"),
    "both kinds of weights": (
        lambda: classifier().fit(X, Y, sample_weight=Y, class_weight={0: 2.0}), DataError, "at the same time",
    ),
    "class weights by text": (lambda: classifier().fit(X, Y, class_weight={"0": 2.0}), DataError, "class numbers"),
    "too small to split": (
        lambda: classifier().fit(X[:1], Y[:1], validation_split=0.5), DataError, "1 samples, which is not sufficient",
    ),
    "validation data": (lambda: classifier().fit(X, Y, validation_data=X), DataError, "validation_data"),
    "batch size": (lambda: classifier().fit(X, Y, batch_size=0), ValueError, "batch_size.*positive.*0"),
    "shuffle": (lambda: classifier().fit(X, Y, shuffle="all"), ValueError, "shuffle"),
    "not compiled": (lambda: Sequential([Input((3,)), layers.Dense(1)]).fit(X, Y), ValueError, r"call `compile\(\)`"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    act, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        act()


def test_whole_numbers_too_large_for_float32() -> None:
    index = Input((1,), dtype="int32")
    model = Model(index, layers.Flatten()(layers.Embedding(5, 2)(index)))
    with pytest.raises(DataError, match=f"whole number {2**25}.*exact only up to {2**24}"):
        model.predict(np.array([[2**25]]))


def test_an_index_outside_its_table(target: str) -> None:
    index = Input((1,), dtype="int32")
    model = Model(index, layers.Flatten()(layers.Embedding(5, 2, name="table")(index)))
    model.compile("sgd", "mse", target=target)
    with pytest.raises(IndexError, match="7"):
        model.predict(np.array([[1], [7]]), verbose=0)


def test_data_frames_are_arrays() -> None:
    frame, target = pd.DataFrame(X, columns=["a", "b", "c"]), pd.Series(Y, name="y")
    models = [classifier() for _ in range(2)]
    models[1].set_weights(models[0].get_weights())
    for model, x, y in zip(models, (X, frame), (Y, target), strict=True):
        model.fit(x, y, shuffle=False, verbose=0)
    for a, b in zip(*(m.get_weights() for m in models), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(models[1].predict(frame, verbose=0), models[0].predict(X, verbose=0))


def test_a_frame_with_text_names_the_column() -> None:
    with pytest.raises(DataError, match="Column 'b' of x"):
        classifier().fit(pd.DataFrame({"a": [1.0], "b": ["u"], "c": [2.0]}), pd.Series([1]))


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "int8", "int64", "uint8", "bool"])
def test_any_kind_of_number(kind: str) -> None:
    model = classifier()
    x = np.arange(36).reshape(12, 3) % 2
    np.testing.assert_array_equal(model.predict(x.astype(kind), verbose=0), model.predict(x, verbose=0))
    assert np.isfinite(model.evaluate(x, Y.astype(kind), verbose=0)).all()


def test_ranks_are_mended_as_in_keras() -> None:
    model = Sequential([Input((1,)), layers.Dense(1)])
    assert model.predict(np.ones(4), verbose=0).shape == (4, 1)
    assert classifier().predict(X[..., None], verbose=0).shape == (12, 2)


def test_sample_weights_may_be_columns(target: str) -> None:
    weight = np.random.default_rng(1).uniform(size=12)
    losses = []
    for shape in ((12,), (12, 1)):
        lamina.utils.set_random_seed(2)
        model = regressor()
        model.compile("sgd", "mse", target=target)
        losses.append(model.fit(X, Y, sample_weight=weight.reshape(shape), shuffle=False, verbose=0).history["loss"])
    assert losses[0] == losses[1]
