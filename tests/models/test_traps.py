"""What Keras computes in silence and nobody means: the same numbers, and one warning that names the fix."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import lamina
from lamina.errors import TrapWarning

X = np.array([[1.0], [2.0], [3.0]], "float32")
LINE = np.array([1.0, 2.0, 4.0], "float32")


@pytest.fixture(autouse=True)
def _nothing_said():
    lamina.config.clear_session()
    keras.utils.clear_session(free_memory=False)


def trained(
    library: Any, y: np.ndarray, units: int = 1, activation: str | None = None, kernel: str = "ones", **how: Any
) -> list[float]:
    """Loss and metrics of one step on one layer."""
    layer = library.layers.Dense(units, activation=activation, kernel_initializer=kernel)
    model = library.Sequential([library.Input((1,)), layer])
    model.compile("sgd", run_eagerly=library is keras, **how)
    return np.ravel(model.train_on_batch(X, y)).tolist()


def distance(library: Any) -> Callable[[Any, Any], Any]:
    def squared_distance(y_true, y_pred):
        return library.ops.mean(library.ops.square(y_true - y_pred), axis=-1)

    return squared_distance


def own_loss(library: Any) -> Any:
    class OwnLoss(library.losses.Loss):
        def call(self, y_true, y_pred):
            return distance(library)(y_true, y_pred)

    return OwnLoss(name="own_loss")


def of_three(activation: str) -> dict[str, Any]:
    return {"units": 3, "activation": activation, "kernel": "identity"}


NUMBERS, ZEROS_AND_ONES = np.array([[0.5], [2.0], [7.0]]), np.array([[0.0], [1.0], [1.0]])
LABELS, ROWS = np.array([[1, 1, 0], [0, 0, 0], [1, 0, 1]]), "so that every row is compared with every other"
# what → its targets and arguments for a library, and what the warning says
TRAPS: dict[str, tuple[np.ndarray, Callable[[Any], dict[str, Any]], str]] = {
    "a loss of ones own": (LINE, lambda k: {"loss": own_loss(k)}, f"loss 'own_loss' gets arrays of shapes .*{ROWS}"),
    "a function as metric": (
        LINE, lambda k: {"loss": "mse", "metrics": [distance(k)]}, f"metric 'squared_distance' gets .*{ROWS}",
    ),
    "a score that does not align": (ZEROS_AND_ONES[:, 0], lambda k: {"loss": "mse", "metrics": ["hinge"]}, ROWS),
    "accuracy of numbers": (
        NUMBERS, lambda k: {"loss": "mse", "metrics": ["accuracy"]}, "whose targets are 0 or 1.*for numbers use 'mae'",
    ),
    "accuracy of labels": (
        LABELS, lambda k: {"loss": "binary_crossentropy", "metrics": ["acc"], "units": 3, "activation": "sigmoid"},
        "'acc' is CategoricalAccuracy, whose targets are one 1 a row.*use 'binary_accuracy'",
    ),
    "accuracy of two numbers": (
        NUMBERS, lambda k: {"loss": "mae", "metrics": ["accuracy"], "units": 2}, "meet outputs of shape|class numbers",
    ),
    "accuracy of logits": (
        ZEROS_AND_ONES, lambda k: {"loss": k.losses.BinaryCrossentropy(from_logits=True), "metrics": ["accuracy"]},
        r"takes outputs for logits, the metric 'accuracy' for probabilities: use BinaryAccuracy\(threshold=0.0\)",
    ),
    "area of logits": (
        ZEROS_AND_ONES,
        lambda k: {"loss": k.losses.BinaryCrossentropy(from_logits=True), "metrics": [k.metrics.AUC()]},
        "give AUC from_logits=True",
    ),
    "recall of logits": (
        ZEROS_AND_ONES,
        lambda k: {"loss": k.losses.BinaryCrossentropy(from_logits=True), "metrics": [k.metrics.Recall()]},
        r"use Recall\(thresholds=0\)",
    ),
    "best recall of logits": (
        ZEROS_AND_ONES,
        lambda k: {"loss": k.losses.BinaryFocalCrossentropy(from_logits=True),
                   "metrics": [k.metrics.RecallAtPrecision(0.5)]},
        "end the model with a sigmoid",
    ),
    "numbers taken for probabilities": (
        ZEROS_AND_ONES, lambda k: {"loss": "binary_crossentropy"}, "those of a linear layer.*from_logits=True",
    ),
    "logits after a sigmoid": (
        ZEROS_AND_ONES,
        lambda k: {"loss": k.losses.BinaryCrossentropy(from_logits=True), "activation": "sigmoid",
                   "metrics": [k.metrics.BinaryCrossentropy(from_logits=True)]},
        "takes outputs for logits, but they are those of a sigmoid.*leave from_logits out",
    ),
    "logits after a softmax": (
        np.eye(3), lambda k: {"loss": k.losses.CategoricalCrossentropy(from_logits=True)} | of_three("softmax"),
        "takes outputs for logits, but they are those of a softmax.*leave from_logits out",
    ),
    "classes of a sigmoid": (
        np.eye(3), lambda k: {"loss": "categorical_crossentropy"} | of_three("sigmoid"),
        "takes outputs for those of a softmax, but they are those of a sigmoid.*end the model with softmax",
    ),
    "class numbers of a sigmoid": (
        np.arange(3), lambda k: {"loss": "sparse_categorical_crossentropy"} | of_three("sigmoid"),
        "but they are those of a sigmoid.*end the model with softmax",
    ),
    "zeros and ones of a softmax": (
        LABELS, lambda k: {"loss": "binary_crossentropy"} | of_three("softmax"),
        "takes outputs for those of a sigmoid, but they are those of a softmax.*end the model with sigmoid",
    ),
    "one column against two": (NUMBERS, lambda k: {"loss": "mse", "units": 2}, "each is compared with all columns"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*compares all rows of a batch:RuntimeWarning")
@pytest.mark.parametrize("name", TRAPS)
def test_keras_numbers_and_a_warning(name: str):
    y, how, message = TRAPS[name]
    with pytest.warns(TrapWarning, match=message):
        found = trained(lamina, y, **how(lamina))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = trained(keras, y, **how(keras))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_focal_loss_of_a_softmax_is_keras_s():
    how = {"loss": "binary_focal_crossentropy"} | of_three("softmax")
    np.testing.assert_allclose(trained(lamina, LABELS, **how), trained(keras, LABELS, **how), rtol=1e-5)


@pytest.mark.filterwarnings("ignore:.*compares all rows of a batch:RuntimeWarning")
def test_it_is_said_once():
    def fit_twice():
        for _ in range(2):
            model = lamina.Sequential([lamina.Input((1,)), lamina.layers.Dense(1)], name="line")
            model.compile("sgd", own_loss(lamina), metrics=["accuracy"])
            model.fit(X, LINE, verbose=0, epochs=2, validation_data=(X, LINE))

    with pytest.warns(TrapWarning) as said:
        fit_twice()
    assert sum(w.category is TrapWarning for w in said) == 2  # of the loss, and of the accuracy


class OwnMetric(lamina.metrics.Metric):
    def __init__(self):
        super().__init__(name="own_metric")
        self.total = self.add_weight(name="total")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.total.assign(self.total + lamina.ops.sum(lamina.ops.abs(y_true - y_pred)))

    def result(self):
        return self.total


@pytest.mark.filterwarnings("ignore:.*compares all rows of a batch:RuntimeWarning")
def test_a_metric_of_ones_own_is_told_too():
    with pytest.warns(TrapWarning, match=rf"metric 'own_metric' gets .*{ROWS}.*y\.reshape\(-1, 1\)"):
        found = trained(lamina, LINE, loss="mse", metrics=[OwnMetric()])
    assert found[1] == np.abs(LINE - X).sum()


MEANT = {
    "a column": (LINE[:, None], lambda k: {"loss": own_loss(k), "metrics": [distance(k)]}),
    "built-in losses": (LINE, lambda k: {"loss": "mse", "metrics": ["mae", k.metrics.RootMeanSquaredError()]}),
    "zeros and ones": (
        ZEROS_AND_ONES[:, 0], lambda k: {"loss": "bce", "metrics": ["accuracy", "AUC"], "activation": "sigmoid"},
    ),
    "one of three": (
        np.eye(3), lambda k: {"loss": "categorical_crossentropy", "metrics": ["accuracy"], "units": 3,
                              "activation": "softmax"},
    ),
    "class numbers": (
        np.arange(3), lambda k: {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"], "units": 3,
                                 "activation": "softmax"},
    ),
    "logits told apart": (
        ZEROS_AND_ONES, lambda k: {"loss": k.losses.BinaryCrossentropy(from_logits=True),
                                   "metrics": [k.metrics.BinaryAccuracy(threshold=0.0), k.metrics.AUC(from_logits=True),
                                               k.metrics.Precision(thresholds=0)]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MEANT)
def test_what_is_meant_is_not_warned_of(name: str):
    y, how = MEANT[name]
    trained(lamina, y, **how(lamina))


def test_a_score_of_classes_wants_columns_as_in_keras():
    with pytest.raises(ValueError, match="F1Score expects 2D inputs"):
        trained(lamina, LINE, loss="mse", metrics=[lamina.metrics.F1Score()])
    with pytest.raises(ValueError, match="expects 2D inputs"):
        trained(keras, LINE, loss="mse", metrics=[keras.metrics.F1Score()])
