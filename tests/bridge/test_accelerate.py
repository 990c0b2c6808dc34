"""accelerate: the fit of a Keras model on Lamina's core does what Keras's fit does."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import lamina

ROWS = 60
rng = np.random.default_rng(0)
X = rng.normal(size=(ROWS, 5)).astype("float32")
Y = (X[:, :1] * X[:, 1:2] > 0).astype("float32")
SHARED: dict[str, Any] = {"batch_size": 16, "shuffle": False, "verbose": 0}


def network() -> Any:
    keras.utils.clear_session()
    keras.utils.set_random_seed(7)
    model = keras.Sequential(
        [
            keras.Input((5,)),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.BatchNormalization(momentum=0.8),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy"])
    return model


def twins() -> tuple[Any, Any]:
    """The model as Keras trains it, and accelerated."""
    return network(), lamina.accelerate(network())


def close(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert list(found) == list(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-5, atol=1e-5, err_msg=name)


def same_state(found: Any, expected: Any) -> None:
    for one, other in zip(found.weights, expected.weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    for one, other in zip(found.optimizer.variables, expected.optimizer.variables, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_fit_evaluate_predict() -> None:
    theirs, fast = twins()
    given = {**SHARED, "epochs": 3, "validation_split": 0.2, "class_weight": {0: 1.0, 1: 3.0}}
    history = fast.fit(X, Y, **given)
    close(history.history, theirs.fit(X, Y, **given).history)
    assert fast.history is fast.keras_model.history is history
    same_state(fast.keras_model, theirs)
    np.testing.assert_allclose(fast.evaluate(X, Y, verbose=0), theirs.evaluate(X, Y, verbose=0), rtol=1e-5)
    np.testing.assert_allclose(fast.predict(X, verbose=0), theirs.predict(X, verbose=0), rtol=1e-5, atol=1e-6)


def test_keras_goes_on_where_it_stopped() -> None:
    """And the other way round: Lamina's fit begins with what the Keras model holds."""
    theirs, fast = twins()
    theirs.fit(X, Y, epochs=5, **SHARED)
    fast.fit(X, Y, epochs=2, **SHARED)
    fast.keras_model.fit(X, Y, epochs=2, **SHARED)
    fast.fit(X, Y, epochs=1, **SHARED)
    same_state(fast.keras_model, theirs)


def test_what_is_set_on_the_keras_model_counts() -> None:
    theirs, fast = twins()
    weights = [w + 0.1 for w in theirs.get_weights()]
    for model in (theirs, fast):
        model.set_weights(weights)
        model.optimizer.learning_rate = 0.5
        model.fit(X, Y, epochs=1, **SHARED)
    same_state(fast.keras_model, theirs)


def test_compiled_anew_and_frozen() -> None:
    theirs, fast = twins()
    for model in (theirs, fast):
        model.fit(X, Y, epochs=1, **SHARED)
        model.layers[0].trainable = False
        model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse", metrics=["mae"])
    close(fast.fit(X, Y, epochs=2, **SHARED).history, theirs.fit(X, Y, epochs=2, **SHARED).history)
    same_state(fast.keras_model, theirs)


def own_loss(y_true: Any, y_pred: Any) -> Any:
    return 3.0 * (y_true - y_pred) ** 2


def test_a_loss_of_one_s_own() -> None:
    theirs, fast = network(), lamina.accelerate(network(), {"own_loss": own_loss})
    fast.keras_model.set_weights(theirs.get_weights())
    for model in (theirs, fast):
        model.compile("sgd", own_loss, metrics=["mae"])
    close(fast.fit(X, Y, **SHARED).history, theirs.fit(X, Y, **SHARED).history)


def test_all_else_is_the_keras_model_s(tmp_path: Path) -> None:
    fast = lamina.accelerate(network())
    assert fast.name == "sequential"
    assert fast.layers is not None
    assert fast.count_params() == fast.keras_model.count_params()
    assert np.allclose(fast(X), fast.predict(X, verbose=0), atol=1e-6)
    fast.trainable = False
    assert not fast.keras_model.trainable
    fast.save(tmp_path / "m.keras")
    assert isinstance(keras.saving.load_model(tmp_path / "m.keras"), keras.Sequential)
    assert lamina.accelerate(fast) is fast
    with pytest.raises(AttributeError, match="nothing"):
        _ = fast.nothing


@pytest.mark.parametrize("again", [copy.deepcopy, lambda fast: pickle.loads(pickle.dumps(fast))])
def test_copies_train_by_themselves(again: Any) -> None:
    fast = lamina.accelerate(network())
    fast.fit(X, Y, **SHARED)
    before = fast.get_weights()
    other = again(fast)
    other.fit(X, Y, **SHARED)
    fast.evaluate(X, Y, verbose=0)
    for one, kept in zip(fast.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, kept)
    assert np.abs(other.get_weights()[0] - before[0]).max() > 0


def callbacks(k: Any, folder: Path, heard: list[Any]) -> list[Any]:
    """What reads logs, stops, changes the rate, keeps and restores weights, hears of batches."""
    heard.append([])
    return [
        k.callbacks.EarlyStopping(monitor="val_accuracy", patience=3, restore_best_weights=True),
        k.callbacks.ReduceLROnPlateau(patience=1, factor=0.5),
        k.callbacks.ModelCheckpoint(folder / "best.keras", save_best_only=True),
        k.callbacks.CSVLogger(folder / "log.csv"),
        k.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: heard[-1].append((epoch, sorted(logs))),
            on_train_batch_end=lambda batch, logs: heard[-1].append((batch, sorted(logs))),
        ),
    ]


@pytest.mark.parametrize("k", [keras, lamina], ids=["Keras's", "Lamina's"])
def test_callbacks(k: Any, tmp_path: Path) -> None:
    theirs, fast = twins()
    heard: list[Any] = []
    given = {**SHARED, "epochs": 12, "validation_split": 0.3}
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    expected = theirs.fit(X, Y, callbacks=callbacks(keras, tmp_path / "a", heard), **given)
    found = fast.fit(X, Y, callbacks=callbacks(k, tmp_path / "b", heard), **given)
    assert 3 < len(found.epoch) < 12  # stopped early
    close(found.history, expected.history)
    same_state(fast.keras_model, theirs)
    assert heard[0] == heard[1]
    one, other = (keras.saving.load_model(tmp_path / part / "best.keras") for part in "ab")
    same_state(other, one)
    assert (tmp_path / "a" / "log.csv").read_text().split("\n")[0] == (tmp_path / "b" / "log.csv").read_text().split(
        "\n"
    )[0]


def test_a_callback_that_sets_the_rate() -> None:
    theirs, fast = twins()
    for model in (theirs, fast):
        rate = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.8)
        model.fit(X, Y, epochs=3, callbacks=rate, **SHARED)
    close(fast.history.history, theirs.history.history)
    same_state(fast.keras_model, theirs)


class Doubling(keras.callbacks.Callback):
    """Changes weights in the middle of a fit."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.model.layers[0].set_weights([2 * w for w in self.model.layers[0].get_weights()])


def test_a_callback_that_changes_weights() -> None:
    theirs, fast = twins()
    for model in (theirs, fast):
        model.fit(X, Y, epochs=3, callbacks=[[Doubling()]], **SHARED)
    same_state(fast.keras_model, theirs)


def test_only_batch_hooks_cost_batches() -> None:
    from lamina.bridge.callbacks import Adapted, Watched
    from lamina.bridge.convert import Twins

    watched = Watched(Twins(network(), lamina.from_keras(network())))
    assert not Adapted(keras.callbacks.EarlyStopping(), watched).wants_batches("train")
    assert Adapted(keras.callbacks.TerminateOnNaN(), watched).wants_batches("train")
    assert not Adapted(keras.callbacks.TerminateOnNaN(), watched).wants_batches("test")


def test_a_fit_that_fails_leaves_good_weights() -> None:
    fast = lamina.accelerate(network())
    x = X.copy()
    x[3, 2] = np.inf
    with pytest.raises(lamina.errors.NonFiniteError):
        fast.fit(x, Y, **SHARED)
    assert all(np.isfinite(w).all() for w in fast.get_weights())


def test_wrong_arguments() -> None:
    fast = lamina.accelerate(network())
    with pytest.raises(TypeError, match="epoch"):
        fast.fit(X, Y, epoch=3)
    with pytest.raises(ValueError, match="callbacks"):
        fast.fit(X, Y, callbacks=[3])
