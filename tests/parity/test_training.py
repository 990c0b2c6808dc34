"""Training in Lamina next to training in real Keras on TensorFlow, from the same weights, without shuffling."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest

import lamina

ROWS = 90  # with batches of 32 the last one is shorter
EPOCHS = 5


class Problem(NamedTuple):
    """Data, and what a model of the family `k` (keras or lamina) is compiled with."""

    build: Callable[[Any], Any]
    compile: Callable[[Any], dict[str, Any]]
    y: Callable[[np.random.Generator, np.ndarray], Any]
    fit: Callable[[np.random.Generator], dict[str, Any]] = lambda rng: {}


def dense(k: Any, last: int = 1, activation: str | None = "sigmoid", **options: Any) -> Any:
    layers = k.layers
    return k.Sequential(
        [
            k.Input((6,)),
            layers.Dense(10, activation="relu", **options),
            layers.Dense(7, activation="tanh"),
            layers.Dense(last, activation=activation),
        ]
    )


def normalised(k: Any) -> Any:
    layers = k.layers
    return k.Sequential(
        [
            k.Input((6,)),
            layers.Dense(10, use_bias=False),  # its gradient would be 0 but for rounding, which Adam magnifies
            layers.BatchNormalization(momentum=0.9),
            layers.Activation("elu"),
            layers.LayerNormalization(),
            layers.Dense(3, activation="softmax", activity_regularizer="l2"),
        ]
    )


def two_headed(k: Any) -> Any:
    layers = k.layers
    a, b = k.Input((4,), name="a"), k.Input((2,), name="b")
    shared = layers.Dense(5, activation="silu", name="shared")
    joined = layers.Concatenate()([shared(a), layers.Dense(5, name="other")(b)])
    product = layers.Multiply()([shared(a), layers.Dense(5, activation="gelu", name="third")(b)])
    left = layers.Dense(1, name="left")(joined)
    right = layers.Dense(3, activation="softmax", name="right")(layers.Add()([product, shared(a)]))
    return k.Model([a, b], [left, right])


def embedded(k: Any) -> Any:
    layers = k.layers
    index = k.Input((2,), dtype="int32", name="index")
    x = layers.Flatten()(layers.Embedding(5, 3, name="table")(index))
    return k.Model(index, layers.Dense(1, name="out")(layers.Reshape((6,))(x)))


def binary(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    return (x[:, 0] + 0.3 * rng.normal(size=len(x)) > 0).astype("float32")


def column(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    return (x[:, :1] - x[:, 1:2] ** 2).astype("float32")


def classes(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    return rng.integers(0, 3, len(x))


def one_hot(rng: np.random.Generator, x: np.ndarray) -> np.ndarray:
    return np.eye(3, dtype="float32")[rng.integers(0, 3, len(x))]


def compiled(
    optimizer: Callable[[Any], Any], loss: Any, metrics: Any = (), **more: Any
) -> Callable[[Any], dict[str, Any]]:
    def arguments(k: Any) -> dict[str, Any]:
        return {"optimizer": optimizer(k.optimizers), "loss": loss, "metrics": list(metrics), **more}

    return arguments


SGD = lambda o: o.SGD(0.1)  # noqa: E731
MOMENTUM = lambda o: o.SGD(0.05, momentum=0.9, nesterov=True)  # noqa: E731
ADAM = lambda o: o.Adam(0.01)  # noqa: E731
RMSPROP = lambda o: o.RMSprop(0.005)  # noqa: E731

CASES = {
    "sgd, binary": Problem(dense, compiled(SGD, "binary_crossentropy", ["accuracy", "mae"]), binary),
    "momentum, regression": Problem(
        lambda k: dense(k, 1, None), compiled(MOMENTUM, "mse", ["mae", "root_mean_squared_error"]), column
    ),
    "adam, classes": Problem(
        lambda k: dense(k, 3, "softmax"), compiled(ADAM, "sparse_categorical_crossentropy", ["accuracy"]), classes
    ),
    "adam, one-hot, batch and layer normalisation, activity penalty": Problem(
        normalised, compiled(ADAM, "categorical_crossentropy", ["accuracy"]), one_hot
    ),
    "sgd, l2": Problem(
        lambda k: dense(k, kernel_regularizer="l2"), compiled(SGD, "binary_crossentropy", ["accuracy"]), binary
    ),
    "adam, clipping, decay, constraint": Problem(
        lambda k: dense(k, 1, None, kernel_constraint="max_norm", bias_constraint="non_neg"),
        compiled(lambda o: o.Adam(0.01, clipnorm=0.5, weight_decay=0.01), "huber"),
        column,
    ),
    "adam on a schedule": Problem(
        lambda k: dense(k, 1, None), compiled(lambda o: o.Adam(o.schedules.CosineDecay(0.02, 12)), "mae"), column
    ),
    "rmsprop, sample weights": Problem(
        dense,
        compiled(RMSPROP, "binary_crossentropy", ["accuracy"], weighted_metrics=["accuracy", "mae"]),
        binary,
        lambda rng: {"sample_weight": rng.uniform(0.2, 3.0, ROWS)},
    ),
    "sgd, class weights, validation": Problem(
        lambda k: dense(k, 3, "softmax"),
        compiled(
            SGD, "sparse_categorical_crossentropy", ["accuracy"], weighted_metrics=["sparse_categorical_accuracy"]
        ),
        classes,
        lambda rng: {"class_weight": {0: 3.0, 2: 0.5}, "validation_split": 0.25},
    ),
    "adam, one-hot, class weights, metrics of one name": Problem(
        lambda k: dense(k, 3, "softmax"),
        compiled(ADAM, "categorical_crossentropy", ["acc", "mae", "mae"], weighted_metrics=["acc"]),
        one_hot,
        lambda rng: {"class_weight": {0: 2.0, 1: 0.5}},
    ),
    "adam, auc, precision, recall, validation data": Problem(
        dense,
        lambda k: {
            "optimizer": k.optimizers.Adam(0.01),
            "loss": k.losses.BinaryCrossentropy(label_smoothing=0.1),
            "metrics": [k.metrics.AUC(name="AUC"), k.metrics.Precision(name="p"), k.metrics.Recall(name="r")],
        },
        binary,
        lambda rng: {"validation_data": (rng.normal(size=(20, 6)), rng.integers(0, 2, 20)), "validation_freq": 2},
    ),
}


def data(problem: Problem) -> tuple[np.ndarray, Any, dict[str, Any]]:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(ROWS, 6))
    return x, problem.y(rng, x), problem.fit(rng)


class Theirs(NamedTuple):
    """What Keras made of a problem: asked once, however many targets and instruction sets are compared with it."""

    start: list[np.ndarray]
    weights: list[np.ndarray]
    history: Any
    evaluated: Any
    predicted: Any


def begun(build: Callable[[Any], Any]) -> tuple[Any, list[np.ndarray]]:
    """The model in Keras, and the weights that it starts with."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(5)
    model = build(keras)
    rng = np.random.default_rng(7)
    weights = [w + 0.1 * rng.uniform(size=w.shape) for w in model.get_weights()]  # no bias is 0
    model.set_weights(weights)
    return model, weights


def twin(build: Callable[[Any], Any], weights: list[np.ndarray]) -> Any:
    """The same model in Lamina."""
    lamina.utils.clear_session()
    model = build(lamina)
    model.set_weights(weights)
    return model


def twins(build: Callable[[Any], Any]) -> tuple[Any, Any]:
    """The same model in Lamina and in Keras, with the same weights."""
    theirs, weights = begun(build)
    return twin(build, weights), theirs


def in_keras(build: Callable[[Any], Any], compile: dict[str, Any], x: Any, y: Any, **fit: Any) -> Theirs:
    """Keras's training from the shared start."""
    model, start = begun(build)
    model.compile(**compile)
    history = model.fit(x, y, shuffle=False, verbose=0, **fit)
    return Theirs(start, model.get_weights(), history, model.evaluate(x, y, verbose=0), model.predict(x, verbose=0))


def close_weights(ours: Any, theirs: list[np.ndarray]) -> None:
    for v, w in zip(ours.weights, theirs, strict=True):
        scale = np.abs(w).max()
        np.testing.assert_allclose(v.numpy(), w, rtol=1e-4, atol=1e-4 * scale, err_msg=v.path)


def close_logs(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert list(ours) == list(theirs)
    for name, values in theirs.items():
        np.testing.assert_allclose(ours[name], values, rtol=1e-5, atol=1e-5, err_msg=name)


@cache
def five_epochs_in_keras(name: str) -> Theirs:
    problem = CASES[name]
    x, y, options = data(problem)
    return in_keras(problem.build, problem.compile(keras), x, y, epochs=EPOCHS, **options)


@pytest.mark.parametrize("name", CASES)
def test_five_epochs(name: str, target: str) -> None:
    problem, theirs = CASES[name], five_epochs_in_keras(name)
    x, y, options = data(problem)
    ours, expected = twin(problem.build, theirs.start), theirs.history
    ours.compile(**problem.compile(lamina), target=target)
    found = ours.fit(x, y, epochs=EPOCHS, shuffle=False, verbose=0, **options)
    close_weights(ours, theirs.weights)
    close_logs(found.history, expected.history)
    assert found.epoch == expected.epoch
    assert {k: found.params[k] for k in expected.params} == expected.params
    np.testing.assert_allclose(ours.evaluate(x, y, verbose=0), theirs.evaluated, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(ours.predict(x, verbose=0), theirs.predicted, rtol=1e-4, atol=1e-5)


WEIGHTS = np.random.default_rng(6).uniform(0.2, 2.0, ROWS)
MULTI = {
    "a weight for each row and output": {
        "loss": ["mse", "sparse_categorical_crossentropy"],
        "weighted_metrics": [["mae"], ["accuracy"]],
    },
    "one loss": {"loss": ["mse", None], "metrics": [["mae", "mae"], None]},
    "lists": {"loss": ["mse", "sparse_categorical_crossentropy"], "loss_weights": [0.5, 2.0]},
    "dictionaries": {
        "loss": {"left": "mse", "right": "sparse_categorical_crossentropy"},
        "loss_weights": {"left": 0.5, "right": 2.0},
        "metrics": {"left": ["mae"], "right": ["accuracy"]},
    },
    "one for each": {"loss": ["mae", "sparse_categorical_crossentropy"], "metrics": ["mse", "accuracy"]},
}


def multi(name: str) -> tuple[Any, Any, dict[str, Any]]:
    """Data for a model of two inputs and two outputs, and what `fit` is given besides."""
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(ROWS, 4)), rng.normal(size=(ROWS, 2))
    y = [rng.normal(size=(ROWS, 1)), rng.integers(0, 3, ROWS)]
    weighted = "weighted_metrics" in MULTI[name]
    options = {"epochs": EPOCHS} | ({"sample_weight": [WEIGHTS, WEIGHTS**2]} if weighted else {})
    if name == "dictionaries":
        return {"a": a, "b": b}, dict(zip(["left", "right"], y, strict=True)), options
    return [a, b], y, options


@cache
def several_in_keras(name: str) -> Theirs:
    x, y, options = multi(name)
    return in_keras(two_headed, {"optimizer": "adam", **MULTI[name]}, x, y, **options)


@pytest.mark.filterwarnings("ignore:Gradients do not exist")  # Keras's, of the output without a loss
@pytest.mark.parametrize("name", MULTI)
def test_several_inputs_and_outputs(name: str, target: str) -> None:
    theirs, (x, y, options) = several_in_keras(name), multi(name)
    ours = twin(two_headed, theirs.start)
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.history.model.layers]
    ours.compile("adam", target=target, **MULTI[name])
    close_logs(ours.fit(x, y, shuffle=False, verbose=0, **options).history, theirs.history.history)
    close_weights(ours, theirs.weights)
    np.testing.assert_allclose(ours.evaluate(x, y, verbose=0), theirs.evaluated, rtol=1e-5, atol=1e-5)
    for p, q in zip(ours.predict(x, verbose=0), theirs.predicted, strict=True):
        np.testing.assert_allclose(p, q, rtol=1e-4, atol=1e-5)


def test_a_dictionary_of_outputs(target: str) -> None:
    def build(k: Any) -> Any:
        x = k.Input((6,))
        h = k.layers.Dense(4)(x)
        return k.Model(x, {"q": k.layers.Dense(1)(h), "p": k.layers.Dense(2)(h)})

    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(ROWS, 6)), {"p": rng.normal(size=(ROWS, 2)), "q": rng.normal(size=(ROWS, 1))}
    ours, theirs = twins(build)
    given = {"loss": {"q": "mae", "p": "mse"}, "metrics": {"p": ["mae"]}}  # the list of `evaluate` follows this order
    ours.compile("sgd", target=target, **given)
    theirs.compile("sgd", **given)
    shared = {"epochs": 2, "shuffle": False, "verbose": 0}
    close_logs(ours.fit(x, y, **shared).history, theirs.fit(x, y, **shared).history)
    np.testing.assert_allclose(ours.evaluate(x, y, verbose=0), theirs.evaluate(x, y, verbose=0), rtol=1e-5)
    assert list(ours.predict(x, verbose=0)) == list(theirs.predict(x, verbose=0)) == ["q", "p"]


def test_outputs_that_share_a_name_count_twice() -> None:
    """In lists; a dictionary holds the last."""

    def build(k: Any) -> Any:
        x = k.Input((6,))
        a, b = (k.layers.Dense(1, name=name)(x) for name in "ab")
        return k.Model(x, [a, a, b])

    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(ROWS, 6)), [rng.normal(size=(ROWS, 1)) for _ in range(3)]
    ours, theirs = twins(build)
    for model in (ours, theirs):
        model.compile("sgd", ["mse", "mae", "mse"])
    found, expected = ours.test_on_batch(x, y), theirs.test_on_batch(x, y)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_layer_called_twice_takes_the_calls_in_the_order_of_keras(target: str) -> None:
    """Moving averages depend on it."""

    def build(k: Any) -> Any:
        x, shared = k.Input((6,)), k.layers.BatchNormalization(momentum=0.5)
        calls = [shared(k.layers.Dense(3)(x)) for _ in range(2)]
        return k.Model(x, calls[::-1])

    x = np.random.default_rng(3).normal(size=(ROWS, 6))
    ours, theirs = twins(build)
    ours.compile("sgd", "mse", target=target)
    theirs.compile("sgd", "mse")
    y = [np.zeros((ROWS, 3))] * 2
    np.testing.assert_allclose(ours.train_on_batch(x, y)[0], theirs.train_on_batch(x, y)[0], rtol=1e-5)
    close_weights(ours, theirs.get_weights())


def test_an_embedding(target: str) -> None:
    """With SGD: for other rules Keras on TensorFlow takes rows that occur twice in a batch one by one."""
    rng = np.random.default_rng(3)
    x, y = rng.integers(0, 5, (ROWS, 2)), rng.normal(size=ROWS)
    ours, theirs = twins(embedded)
    ours.compile("sgd", "mse", target=target)
    theirs.compile("sgd", "mse")
    shared = {"epochs": EPOCHS, "shuffle": False, "verbose": 0}
    close_logs(ours.fit(x, y, **shared).history, theirs.fit(x, y, **shared).history)
    close_weights(ours, theirs.get_weights())


def test_a_frozen_layer_stays(target: str) -> None:
    x = np.random.default_rng(3).normal(size=(ROWS, 6))
    y = one_hot(np.random.default_rng(4), x)
    ours, theirs = twins(normalised)
    for model in (ours, theirs):
        model.layers[1].trainable = False
    ours.compile("sgd", "categorical_crossentropy", target=target)
    theirs.compile("sgd", "categorical_crossentropy")
    shared = {"epochs": EPOCHS, "shuffle": False, "verbose": 0}
    close_logs(ours.fit(x, y, **shared).history, theirs.fit(x, y, **shared).history)
    close_weights(ours, theirs.get_weights())


def test_single_batches(target: str) -> None:
    problem = CASES["momentum, regression"]
    x, y, _ = data(problem)
    ours, theirs = twins(problem.build)
    ours.compile(**problem.compile(lamina), target=target)
    theirs.compile(**problem.compile(keras))
    for _ in range(3):
        np.testing.assert_allclose(ours.train_on_batch(x, y), theirs.train_on_batch(x, y), rtol=1e-5)
    np.testing.assert_allclose(ours.test_on_batch(x, y), theirs.test_on_batch(x, y), rtol=1e-5)
    np.testing.assert_allclose(ours.predict_on_batch(x), theirs.predict_on_batch(x), rtol=1e-4, atol=1e-5)
    found = ours.train_on_batch(x, y, return_dict=True)
    assert list(found) == sorted(theirs.train_on_batch(x, y, return_dict=True))


def test_steps_per_epoch_and_initial_epoch(target: str) -> None:
    problem = CASES["sgd, binary"]
    x, y, _ = data(problem)
    ours, theirs = twins(problem.build)
    ours.compile(**problem.compile(lamina), target=target)
    theirs.compile(**problem.compile(keras))
    shared = {"batch_size": 30, "steps_per_epoch": 2, "initial_epoch": 1, "epochs": 4, "shuffle": False, "verbose": 0}
    with pytest.warns(UserWarning, match="ran out of data"):
        expected = theirs.fit(x, y, **shared)
    with pytest.warns(UserWarning, match="ran out of data"):
        found = ours.fit(x, y, **shared)
    close_logs(found.history, expected.history)
    assert found.epoch == expected.epoch == [1, 2, 3]
    with pytest.warns(UserWarning, match="ran out of data"):
        assert ours.fit(x, y, steps_per_epoch=9, batch_size=30, verbose=0).params["steps"] == 9  # as it was asked for


class Spy:
    """What a callback hears, as (hook, number, names in logs)."""

    def __init__(self, k: Any):
        self.heard: list[Any] = []
        names = [
            f"on_{kind}_{end}"
            for kind in ("train", "epoch", "train_batch", "test", "test_batch")
            for end in ("begin", "end")
        ]
        self.callback = k.callbacks.LambdaCallback(**{name: self._listener(name) for name in names})

    def _listener(self, name: str) -> Callable[..., None]:
        def hear(*args: Any, logs: Any = None) -> None:
            number = [x for x in args if isinstance(x, int)]
            self.heard.append((name, number, sorted(logs or next((x for x in args if isinstance(x, dict)), {}))))

        return hear


def test_callbacks_hear_the_same(target: str) -> None:
    problem = CASES["sgd, binary"]
    x, y, _ = data(problem)
    ours, theirs = twins(problem.build)
    ours.compile(**problem.compile(lamina), target=target)
    theirs.compile(**problem.compile(keras))
    spies = Spy(lamina), Spy(keras)
    for model, spy in zip((ours, theirs), spies, strict=True):
        model.fit(x, y, epochs=2, validation_split=0.5, verbose=0, callbacks=[spy.callback])
    assert spies[0].heard == spies[1].heard


def plateau(k: Any) -> Any:
    return k.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=1, min_delta=0.02, cooldown=1)


def stopping(k: Any) -> Any:
    return k.callbacks.EarlyStopping(monitor="val_mae", patience=2, min_delta=0.003, restore_best_weights=True)


STEERED = {"epochs": 12, "validation_split": 0.3}


@cache
def steered_in_keras(callback: Callable[[Any], Any]) -> Theirs:
    problem = CASES["sgd, binary"]
    x, y, _ = data(problem)
    return in_keras(problem.build, problem.compile(keras), x, y, callbacks=[callback(keras)], **STEERED)


@pytest.mark.parametrize("callback", [plateau, stopping])
def test_callbacks_steer_the_same(callback: Callable[[Any], Any], target: str) -> None:
    problem, theirs = CASES["sgd, binary"], steered_in_keras(callback)
    x, y, _ = data(problem)
    ours = twin(problem.build, theirs.start)
    ours.compile(**problem.compile(lamina), target=target)
    found = ours.fit(x, y, callbacks=[callback(lamina)], shuffle=False, verbose=0, **STEERED)
    close_logs(found.history, theirs.history.history)
    close_weights(ours, theirs.weights)


def test_configs_of_layers_are_those_of_keras() -> None:
    def some(k: Any) -> list[Any]:
        layers = k.layers
        return [
            layers.Dense(4), layers.Embedding(5, 2), layers.Activation("relu"), layers.ReLU(), layers.LeakyReLU(),
            layers.ELU(), layers.Softmax(), layers.Dropout(0.2), layers.BatchNormalization(), layers.Normalization(),
            layers.LayerNormalization(), layers.Concatenate(), layers.Add(), layers.Multiply(), layers.Flatten(),
            layers.Reshape((2, 2)), layers.Identity(), layers.InputLayer(shape=(3,)),
            layers.Dense(2, activity_regularizer="l2"), layers.Normalization(mean=[1.0, 2.0], variance=[1.0, 4.0]),
        ]  # fmt: skip

    keras.utils.clear_session()
    lamina.utils.clear_session()
    for ours, theirs in zip(some(lamina), some(keras), strict=True):
        found = lamina.saving.serialize_keras_object(ours)["config"]
        expected = keras.saving.serialize_keras_object(theirs)["config"]
        assert json.loads(json.dumps(found)) == json.loads(json.dumps(expected)), type(theirs).__name__
