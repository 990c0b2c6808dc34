"""Steps of one's own: train_step, test_step and predict_step as Keras's guides write them, next to Keras itself."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import Input, Model, Sequential, layers, ops
from lamina.errors import LaminaError, ShapeError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 3)).astype("float32")
Y = (X[:, :1] - 0.5 * X[:, 1:2] + 0.1).astype("float32")
W = RNG.uniform(0.5, 2.0, 20).astype("float32")


def lower_level(k: Any) -> Any:
    """Losses and metrics by hand, which ``metrics`` lists."""

    class Own(k.Sequential):
        def __init__(self, parts: Any):
            super().__init__(parts)
            self.loss_tracker = k.metrics.Mean(name="loss")
            self.error = k.metrics.MeanAbsoluteError(name="mae")
            self.loss_fn = k.losses.MeanSquaredError()

        def train_step(self, data: Any) -> Any:
            x, y = data
            with k.Tape() as tape:
                y_pred = self(x, training=True)
                loss = self.loss_fn(y, y_pred)
            slopes = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply(slopes, self.trainable_variables)
            self.loss_tracker.update_state(loss)
            self.error.update_state(y, y_pred)
            return {"loss": self.loss_tracker.result(), "mae": self.error.result()}

        @property
        def metrics(self) -> Any:
            return [self.loss_tracker, self.error]

    return Own


def compiled(k: Any) -> Any:
    """The compiled loss and metrics, in a loop over ``metrics``."""

    class Own(k.Sequential):
        def train_step(self, data: Any) -> Any:
            x, y = data
            with k.Tape() as tape:
                y_pred = self(x, training=True)
                loss = self.compute_loss(y=y, y_pred=y_pred)
            slopes = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(slopes, self.trainable_variables, strict=True))
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred)
            return {m.name: m.result() for m in self.metrics}

        def test_step(self, data: Any) -> Any:
            x, y = data
            y_pred = self(x, training=False)
            loss = self.compute_loss(y=y, y_pred=y_pred)
            for metric in self.metrics:
                if metric.name != "loss":
                    metric.update_state(y, y_pred)
                else:
                    metric.update_state(2.0 * loss)
            return {m.name: m.result() for m in self.metrics}

    return Own


def on_top(k: Any) -> Any:
    """Something more than the step that is there."""

    class Own(k.Sequential):
        def train_step(self, data: Any) -> Any:
            logs = super().train_step(data)
            logs["size"] = k.ops.mean(k.ops.abs(data[1]))
            logs["three"] = 3.0
            return logs

        def predict_step(self, data: Any) -> Any:
            return 2.0 * super().predict_step(data)

    return Own


def last_value(k: Any) -> Any:
    """A number that no metric gathers: the last batch's."""

    class Own(k.Sequential):
        def train_step(self, data: Any) -> Any:
            x, y = data
            with k.Tape() as tape:
                loss = k.ops.mean(k.ops.square(self(x, training=True) - y))
            self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
            return {"last": loss}

    return Own


def some_variables(k: Any) -> Any:
    """Only the last layer is trained."""

    class Own(k.Sequential):
        def train_step(self, data: Any) -> Any:
            x, y = data
            with k.Tape() as tape:
                loss = self.compute_loss(x, y, self(x, training=True))
            chosen = self.layers[-1].trainable_variables
            self.optimizer.apply(tape.gradient(loss, chosen), chosen)
            self.compute_metrics(x, y, self(x))
            return self.get_metrics_result()

    return Own


def own_metric(k: Any) -> Any:
    """``compute_metrics`` and ``compute_loss`` with more than they have."""

    class Own(k.Sequential):
        def __init__(self, parts: Any):
            super().__init__(parts)
            self.size = k.metrics.Mean(name="size")
            self.seen = k.metrics.Sum(name="seen")

        def compute_loss(
            self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
        ) -> Any:
            self.seen.update_state(k.ops.ones_like(y))
            loss = super().compute_loss(x, y, y_pred, sample_weight)
            return loss + 0.1 * k.ops.mean(k.ops.square(y_pred))

        def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
            found = super().compute_metrics(x, y, y_pred, sample_weight)
            self.size.update_state(k.ops.abs(y_pred))
            found["size"] = self.size.result()
            return found

    return Own


PATTERNS: dict[str, tuple[Callable[[Any], Any], dict[str, Any]]] = {
    "lower level": (lower_level, {}),
    "compiled": (compiled, {"loss": "mse", "metrics": ["mae"]}),
    "on top": (on_top, {"loss": "mse", "weighted_metrics": ["mae"]}),
    "last value": (last_value, {}),
    "some variables": (some_variables, {"loss": "mse", "metrics": ["mae"]}),
    "own metric": (own_metric, {"loss": "mse", "metrics": ["mae"]}),
}
HERE = SimpleNamespace(
    Sequential=Sequential, Tape=lamina.GradientTape, ops=ops, metrics=lamina.metrics, losses=lamina.losses
)


def there() -> SimpleNamespace:
    import keras
    import tensorflow as tf

    return SimpleNamespace(
        Sequential=keras.Sequential, Tape=tf.GradientTape, ops=keras.ops, metrics=keras.metrics, losses=keras.losses
    )


def made(pattern: Callable[[Any], Any], k: Any, source: Any, **arguments: Any) -> Any:
    parts = [source.Input((3,)), source.layers.Dense(4, activation="tanh"), source.layers.Dense(1)]
    model = pattern(k)(parts)
    model.compile(source.optimizers.Adam(0.05), **arguments)
    return model


START = [RNG.normal(size=shape).astype("float32") for shape in ((3, 4), (4,), (4, 1), (1,))]


def figures(model: Any, name: str) -> dict[str, Any]:
    """What two epochs give, and what the model says then."""
    model.set_weights(START)
    held = {"validation_data": (X[:9], Y[:9])} if name == "compiled" else {}
    history = model.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0, **held).history
    weights = {f"weight {i}": w for i, w in enumerate(model.get_weights())}
    predicted = {"predicted": model.predict(X, verbose=0)} if name == "on top" else {}
    evaluated = {"evaluated": model.evaluate(X, Y, verbose=0)} if name == "own metric" else {}
    return {**history, **weights, **predicted, **evaluated}


@functools.cache
def figures_of_keras(name: str) -> dict[str, Any]:
    import keras

    pattern, arguments = PATTERNS[name]
    return figures(made(pattern, there(), keras, **arguments), name)


@pytest.mark.parametrize("name", PATTERNS)
def test_steps_of_ones_own_are_keras_s(name: str, target: str) -> None:
    pattern, arguments = PATTERNS[name]
    found = figures(made(pattern, HERE, lamina, target=target, **arguments), name)
    wanted = figures_of_keras(name)
    assert set(found) == set(wanted)
    for key, values in wanted.items():
        np.testing.assert_allclose(found[key], values, rtol=1e-4, atol=1e-6, err_msg=key)


class AutoEncoder(Model):
    """Keras's example of a model without a ``call``: two models inside, a penalty, random numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Sequential([layers.Dense(4, activation="relu"), layers.Dense(2)])
        self.decoder = Sequential([Input((2,)), layers.Dense(3)])
        self.total = lamina.metrics.Mean(name="total")

    def train_step(self, data: Any) -> Any:
        with lamina.GradientTape() as tape:
            z = self.encoder(data, training=True)
            loss = ops.mean(ops.square(self.decoder(z) - data)) + 0.01 * ops.mean(ops.square(z))
        self.optimizer.apply(tape.gradient(loss, self.trainable_weights), self.trainable_weights)
        self.total.update_state(loss)
        return {"total": self.total.result()}


def test_a_model_without_a_call(target: str) -> None:
    lamina.utils.set_random_seed(1)
    model = AutoEncoder()
    model.compile(lamina.optimizers.Adam(0.05), target=target)
    history = model.fit(X, epochs=20, verbose=0).history
    assert list(history) == ["total"]
    assert history["total"][-1] < 0.6 * history["total"][0]
    assert len(model.weights) == 6


def test_a_step_without_an_optimizer(target: str) -> None:
    """Gradient descent by hand, and a variable that counts."""

    class Descent(Sequential):
        def train_step(self, data: Any) -> Any:
            x, y = data
            with lamina.GradientTape() as tape:
                loss = ops.mean(ops.square(self(x) - y))
            slopes = tape.gradient(loss, self.trainable_variables)
            for v, g in zip(self.trainable_variables, slopes, strict=True):
                v.assign_sub(0.1 * g)
            self.steps.assign_add(1.0)
            return {"loss": loss}

    model = Descent([Input((3,)), layers.Dense(1)])
    model.steps = lamina.Variable(0.0, name="steps", dtype="float32", trainable=False)
    model.compile(target=target)
    kernel, bias = model.layers[0].get_weights()
    model.fit(X, Y, batch_size=20, epochs=1, verbose=0)
    slope = 2 * (X @ kernel + bias - Y) / 20
    np.testing.assert_allclose(model.layers[0].kernel.numpy(), kernel - 0.1 * X.T @ slope, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.layers[0].bias.numpy(), bias - 0.1 * slope.sum(0), rtol=1e-5, atol=1e-6)
    assert float(model.steps) == 1.0


def test_weights_are_new_after_apply(target: str) -> None:
    class Twice(Sequential):
        def train_step(self, data: Any) -> Any:
            x, y = data
            loss = self.compute_loss(y=y, y_pred=self(x))
            self.optimizer.apply(lamina.GradientTape().gradient(loss, self.trainable_variables))
            return {"before": loss, "after": self.compute_loss(y=y, y_pred=self(x))}

    model = Twice([Input((3,)), layers.Dense(1)])
    model.compile(lamina.optimizers.SGD(0.05), "mse", target=target)
    logs = model.train_on_batch(X, Y, return_dict=True)
    assert logs["after"] < logs["before"]
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(logs["after"], rel=1e-5)


def step(body: Callable[[Any, Any], Any]) -> Sequential:
    model = type("Own", (Sequential,), {"train_step": body})([Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def _twice(self: Any, data: Any) -> Any:
    loss = self.compute_loss(y=data[1], y_pred=self(data[0]))
    for _ in range(2):
        self.optimizer.apply(lamina.GradientTape().gradient(loss, self.trainable_variables))
    return {}


REFUSED: dict[str, tuple[Callable[[Any, Any], Any], type[Exception], str]] = {
    "no dictionary": (lambda self, data: 1.0, TypeError, "train_step must return a dictionary .* got 1.0"),
    "rows in logs": (lambda self, data: {"y": data[1]}, ShapeError, r"'y' of shape \(None, 1\)"),
    "two updates": (_twice, LaminaError, "applied in this step before"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    body, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        step(body).fit(X, Y, verbose=0)


def test_a_tape_outside_of_a_step() -> None:
    model = Sequential([Input((3,)), layers.Dense(1)])
    with pytest.raises(LaminaError, match="inside `train_step`"), lamina.GradientTape() as tape:
        tape.gradient(ops.mean(model(X)), model.trainable_variables)


class HalfTrained(Model):
    """An optimizer of its own trains the first of two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = layers.Dense(2), layers.Dense(1)
        self.chosen = lamina.optimizers.SGD(lamina.optimizers.schedules.PiecewiseConstantDecay([2], [0.1, 0.0]))

    def call(self, x: Any) -> Any:
        return self.second(self.first(x))

    def train_step(self, data: Any) -> Any:
        loss = ops.mean(ops.square(self(data[0])))
        weights = self.first.trainable_weights
        self.chosen.apply_gradients(zip(lamina.GradientTape().gradient(loss, weights), weights, strict=True))
        return {"loss": loss}


def test_an_optimizer_of_ones_own_for_some_of_the_weights() -> None:
    model = HalfTrained()
    model(X)
    model.compile()
    before = model.get_weights()
    model.fit(X, Y, batch_size=5, verbose=0)
    same = [np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)]
    assert same == [False, False, True, True]
    assert int(model.chosen.iterations) == 4
    before = model.get_weights()
    model.fit(X, Y, batch_size=5, verbose=0)  # its schedule has come to 0
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_the_order_of_names_in_history_is_that_of_keras() -> None:
    """What is returned for all compiled metrics stands at their name, ``compile_metrics``."""
    model = compiled(SimpleNamespace(Sequential=Sequential, Tape=lamina.GradientTape))([Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    history = model.fit(X, Y, validation_data=(X, Y), verbose=0).history
    assert list(history) == ["mae", "loss", "val_loss", "val_mae"]


@pytest.mark.parametrize("fit", [Model.fit, Model.train_on_batch])
def test_nothing_to_train_is_said(fit: Callable[..., Any]) -> None:
    model = Sequential([Input((3,)), layers.Dense(1, trainable=False)])
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="does not have any trainable weights"):
        fit(model, X, Y)
