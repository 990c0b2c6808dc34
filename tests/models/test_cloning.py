"""clone_model: new weights, the same config; every argument."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import Input, Model, Sequential, layers
from lamina.models import clone_model

X = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")


def stack() -> Sequential:
    return Sequential([Input((3,)), layers.Dense(4, activation="relu"), layers.Dropout(0.1), layers.Dense(2)])


def graph() -> Model:
    """Two inputs, a shared layer, a step of an operator, a model inside, a dictionary of outputs."""
    a, b = Input((3,), name="a"), Input((3,), name="b")
    shared = layers.Dense(4, name="shared")
    both = layers.Add()([shared(a), 2.0 * shared(b)])
    inner = Sequential([Input((4,)), layers.Dense(3, name="deep")], name="inner")
    return Model({"a": a, "b": b}, {"one": layers.Dense(1, name="one")(inner(both)), "two": both})


def answers(model: Any) -> Any:
    x = {"a": X, "b": X[::-1]} if isinstance(model.input, dict) else X
    return model.predict(x, verbose=0)


@pytest.mark.parametrize("make", [stack, graph])
def test_a_clone_is_like_its_model_with_weights_of_its_own(make: Any) -> None:
    model = make()
    clone = clone_model(model)
    assert type(clone) is type(model)
    assert clone.name == model.name
    assert clone.get_config() == model.get_config()
    assert not {id(v) for v in model.weights} & {id(v) for v in clone.weights}
    assert any(not np.array_equal(a, b) for a, b in zip(model.get_weights(), clone.get_weights(), strict=True))
    clone.set_weights(model.get_weights())
    for a, b in zip(layers_of(answers(model)), layers_of(answers(clone)), strict=True):
        np.testing.assert_array_equal(a, b)


def layers_of(x: Any) -> list[Any]:
    return list(x.values()) if isinstance(x, dict) else [x]


def test_a_clone_of_a_compiled_model_is_compiled() -> None:
    model = stack()
    loss = lamina.losses.Huber(0.5)
    model.compile(lamina.optimizers.Adam(0.25), loss, metrics=["mae", lamina.metrics.RootMeanSquaredError()])
    model.fit(X, X[:, :2], verbose=0)
    clone = clone_model(model)
    assert clone.compiled
    assert clone.optimizer is not model.optimizer
    assert float(clone.optimizer.learning_rate) == 0.25
    assert clone.loss.get_config() == loss.get_config()
    assert list(clone.fit(X, X[:, :2], verbose=0).history) == list(model.fit(X, X[:, :2], verbose=0).history)
    assert int(clone.optimizer.iterations.value) == 1


def test_layers_may_be_replaced_and_calls_changed() -> None:
    def wider(layer: Any) -> Any:
        config = layer.get_config()
        return type(layer).from_config(config | {"units": 7} if config["name"] == "one" else config)

    assert clone_model(graph(), clone_function=wider).get_layer("one").units == 7

    def noisy(layer: Any, *args: Any, **kwargs: Any) -> Any:
        out = layer(*args, **kwargs)
        return layers.Dropout(0.5)(out) if isinstance(layer, layers.Dense) else out

    model = graph()
    clone = clone_model(model, clone_function=lambda layer: layer, call_function=noisy)
    assert sum(isinstance(layer, layers.Dropout) for layer in clone.layers) == 3
    assert clone.get_layer("shared") is model.get_layer("shared")


def test_models_inside_are_cloned_layer_by_layer_if_wanted() -> None:
    seen: list[str] = []

    def note(layer: Any) -> Any:
        seen.append(layer.name)
        return type(layer).from_config(layer.get_config())

    clone_model(graph(), clone_function=note)
    assert "inner" in seen
    assert "deep" not in seen
    seen.clear()
    clone_model(graph(), clone_function=note, recursive=True)
    assert "deep" in seen
    assert "inner" not in seen


def test_on_inputs_that_are_there() -> None:
    x = Input((3,), name="mine")
    clone = clone_model(stack(), input_tensors=x)
    assert clone.input.name == "mine"
    a, b = Input((3,)), Input((3,))
    assert clone_model(graph(), input_tensors=[a, b]).inputs == [a, b]


class Own(Model):
    """A model of one's own."""

    def __init__(self, units: int = 2, **kwargs: Any):
        super().__init__(**kwargs)
        self.units = units
        self.dense = layers.Dense(units)

    def call(self, x: Any) -> Any:
        return self.dense(x)


def test_a_class_of_ones_own_comes_from_its_config() -> None:
    assert clone_model(Own(5)).units == 5


def test_what_no_file_can_hold_is_cloned_in_memory() -> None:
    model = Sequential([Input((3,)), layers.Dense(2, activation=lambda z: 2 * z), layers.Lambda(lambda x: x + 1)])
    again = clone_model(model)
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again(X), model(X))


REFUSED: dict[str, tuple[Any, dict[str, Any], str]] = {
    "calls of a stack": (stack, {"call_function": print}, "not supported with Sequential"),
    "layers of one's own class": (Own, {"clone_function": print}, "`clone_function` is only supported"),
    "two inputs for a stack": (stack, {"input_tensors": [Input((3,)), Input((3,))]}, "single tensor, got 2"),
    "one input for two": (graph, {"input_tensors": [Input((3,))]}, "has 1 tensors, the model has 2"),
    "an array": (stack, {"input_tensors": X}, "must be KerasTensors"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    make, arguments, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        clone_model(make(), **arguments)
