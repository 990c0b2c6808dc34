"""Sequential and functional models: what they are made of, models as layers, and wrong ways to build them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import Input, Model, Sequential, layers
from lamina.errors import GraphError, LaminaError

X = np.random.default_rng(0).normal(size=(7, 4)).astype("float32")


def test_an_unknown_target_is_refused_when_compiling() -> None:
    model = Sequential([Input((3,)), layers.Dense(1)])
    with pytest.raises(GraphError, match="target 'tpu' is not one of core, numpy, jax, tensorflow"):
        model.compile("sgd", "mse", target="tpu")
    assert not model.compiled


def test_a_sequential_knows_its_shapes() -> None:
    model = Sequential([Input((4,), name="x"), layers.Dense(3), layers.Dense(2)])
    assert (model.input_shape, model.output_shape) == ((None, 4), (None, 2))
    assert [layer.name for layer in model.layers] == [model.get_layer(index=0).name, model.get_layer(index=1).name]
    assert model.count_params() == 4 * 3 + 3 + 3 * 2 + 2
    assert model.inputs[0].name == "x"


def test_a_sequential_without_input_is_built_by_data() -> None:
    model = Sequential([layers.Dense(3), layers.Dense(2)])
    assert not model.built
    with pytest.raises(LaminaError, match="not built"):
        model.count_params()
    assert model.predict(X, verbose=0).shape == (7, 2)
    assert model.input_shape == (None, 4)


def test_a_sequential_grows_and_shrinks() -> None:
    model = Sequential()
    model.add(Input((4,)))
    model.add(layers.Dense(3))
    model.add(layers.Dense(2))
    model.compile("sgd", "mse")
    assert model.predict(X, verbose=0).shape == (7, 2)
    model.pop()
    assert model.predict(X, verbose=0).shape == (7, 3)
    assert model.output_shape == (None, 3)


def test_the_shape_in_the_first_layer_works_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="input_shape"):
        model = Sequential([layers.Dense(3, input_shape=(4,))])
    assert model.input_shape == (None, 4)
    with pytest.warns(UserWarning, match="input_dim"):
        assert Sequential([layers.Dense(3, input_dim=4)]).built


def test_a_functional_model_computes_what_its_layers_do() -> None:
    a, b = Input((4,), name="a"), Input((2,), name="b")
    shared = layers.Dense(3, name="shared")
    one, two = shared(a), layers.Dense(3, name="other")(b)
    model = Model({"a": a, "b": b}, {"sum": layers.Add()([one, two]), "product": layers.Multiply()([one, two])})
    z = np.random.default_rng(1).normal(size=(7, 2)).astype("float32")
    kernel, bias, kernel_b, bias_b = model.get_weights()
    left, right = X @ kernel + bias, z @ kernel_b + bias_b
    found = model.predict({"a": X, "b": z, "unused": z}, verbose=0)
    assert list(found) == ["sum", "product"]
    np.testing.assert_allclose(found["sum"], left + right, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["product"], left * right, rtol=1e-5, atol=1e-6)


def test_a_shared_layer_has_one_set_of_weights() -> None:
    a, b = Input((4,)), Input((4,))
    shared = layers.Dense(3)
    model = Model([a, b], layers.Concatenate()([shared(a), shared(b)]))
    assert len(model.weights) == 2
    out = model.predict([X, X], verbose=0)
    np.testing.assert_array_equal(out[:, :3], out[:, 3:])


def test_models_are_layers(target: str) -> None:
    inner = Sequential([Input((4,)), layers.Dense(3, activation="tanh"), layers.BatchNormalization()], name="inner")
    x = Input((4,))
    branch = Model(x, layers.Dense(3)(x), name="branch")
    y = Input((4,))
    model = Model(y, layers.Dense(1)(layers.Add()([inner(y), branch(y)])))
    assert len(model.weights) == 10
    model.compile("adam", "mse", target=target)
    before = model.get_weights()
    model.fit(X, X[:, 0], epochs=2, verbose=0)
    assert all(not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    np.testing.assert_allclose(inner.predict(X, verbose=0), inner(X), rtol=1e-5, atol=1e-6)


def test_a_part_of_a_model_is_a_model() -> None:
    model = Sequential([Input((4,)), layers.Dense(3, activation="relu", name="features"), layers.Dense(1)])
    part = Model(model.input, model.get_layer("features").output)
    kernel, bias = model.layers[0].get_weights()
    np.testing.assert_allclose(part.predict(X, verbose=0), np.maximum(X @ kernel + bias, 0), rtol=1e-5, atol=1e-6)


def test_copies_from_a_config() -> None:
    def branched() -> Model:
        a, b = Input((4,), name="a"), Input((4,), name="b")
        shared = layers.Dense(3, kernel_regularizer="l2", name="shared")
        inner = Sequential([Input((3,)), layers.Dense(2)], name="inner")
        out = inner(layers.Add(name="add")([shared(a), shared(b)]))
        return Model([a, b], [out, layers.Dropout(0.5, name="drop")(shared(a))], name="branched")

    for model, data in ((branched(), [X, X]), (Sequential([Input((4,)), layers.Dense(2), layers.Softmax()]), X)):
        twin = type(model).from_config(model.get_config())
        assert twin.get_config() == model.get_config()
        twin.set_weights(model.get_weights())
        for a, b in zip(twin.predict(data, verbose=0), model.predict(data, verbose=0), strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_deferred_sequential_from_its_config_is_deferred_too() -> None:
    twin = Sequential.from_config(Sequential([layers.Dense(3)]).get_config())
    assert twin.predict(X, verbose=0).shape == (7, 3)


def test_dropout_called_with_training_is_on_when_called_directly_only() -> None:
    x = Input((4,))
    model = Model(x, layers.Dropout(0.5)(x, training=True))
    assert (model(np.ones((50, 4))) == 0).any()
    np.testing.assert_array_equal(model.predict(np.ones((50, 4)), verbose=0), 1.0)


def unconnected() -> Any:
    return Model(Input((3,)), layers.Dense(1)(Input((3,), name="stray")))


def twice() -> Any:
    x = Input((3,))
    return Model(x, layers.Dense(1, name="d")(layers.Dense(1, name="d")(x)))


WRONG: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "an input is missing": (unconnected, LaminaError, "needs? the Input 'stray'"),
    "a name twice": (twice, ValueError, 'The name "d" is used 2 times'),
    "a name twice in a row": (
        lambda: Sequential([layers.Dense(1, name="a"), layers.Dense(1, name="a")]), ValueError, "unique names.*'a'",
    ),
    "a slash in a name": (lambda: layers.Dense(1, name="a/b"), ValueError, "cannot contain character `/`"),
    "not a layer": (lambda: Sequential([3]), ValueError, "Only instances of `Layer`"),
    "a second Input": (lambda: Sequential([layers.Dense(1), Input((3,))]), ValueError, "must be the first"),
    "a number as shape": (lambda: Input(3), ValueError, "Cannot convert '3' to a shape"),
    "two shapes": (lambda: Input((3,), batch_shape=(None, 3)), ValueError, "exactly one"),
    "an unknown size": (lambda: Input((None, 3)), LaminaError, "only the batch size"),
    "an array as output": (lambda: Model(Input((3,)), X), ValueError, "KerasTensors"),
    "unconnected": (lambda: Model(layers.Dense(2)(Input((3,))), Input((3,))), LaminaError, "Graph disconnected"),
    "no such layer": (lambda: Sequential([layers.Dense(1, name="a")]).get_layer("b"), ValueError, "layer: b.*'a'"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_ways_to_build(name: str) -> None:
    act, error, message = WRONG[name]
    with pytest.raises(error, match=message):
        act()


class Stepping(Model):
    """A functional model whose training step is the user's own."""

    def train_step(self, data: Any) -> Any:
        return super().train_step(data)


class Sized(Model):
    """A functional model that is made of a number."""

    def __init__(self, units: int = 2, **kwargs: Any):
        x = Input((3,))
        super().__init__(inputs=x, outputs=layers.Dense(units)(x), **kwargs)
        self.units = units


@pytest.mark.parametrize("make", [lambda x: Stepping(x, layers.Dense(2)(x)), lambda x: Sized(5)], ids=["step", "size"])
def test_a_class_of_ones_own_made_of_inputs_and_outputs(make: Any, tmp_path: Path) -> None:
    model, data = make(Input((3,))), np.ones((8, 3), "float32")
    model.compile("sgd", "mse")
    assert len(model.fit(data, np.ones((8, *model.output_shape[1:])), verbose=0).history["loss"]) == 1
    model.save(tmp_path / "own.keras")
    kinds = {"Stepping": Stepping, "Sized": Sized}
    again = lamina.saving.load_model(tmp_path / "own.keras", custom_objects=kinds)
    assert type(again) is type(model)
    np.testing.assert_array_equal(again.predict(data, verbose=0), model.predict(data, verbose=0))


def test_a_file_of_a_functional_class_opens_where_none_was_made_yet() -> None:
    x = Input((3,))
    fresh = type("Fresh", (Model,), {})
    assert type(fresh.from_config(Model(x, layers.Dense(2)(x)).get_config())) is fresh


def test_model_that_begins_in_the_middle_of_another(tmp_path: Path) -> None:
    """It has an Input of its own and shares the layers after that."""
    a, b = Input((3,), name="a"), Input((2,), name="b")
    joined = layers.Concatenate()([layers.Dense(4)(a), b])
    last = layers.Dense(2, name="last")
    outputs = layers.Add()([last(joined), last(joined * 2)])
    whole, rest = Model([a, b], outputs), Model(joined, outputs)
    first = Model([a, b], joined)
    x = [np.ones((5, 3), "float32"), np.ones((5, 2), "float32")]
    np.testing.assert_allclose(rest(first(x)), whole(x), rtol=1e-6)
    assert rest.input_shape == (None, 6)
    assert rest.get_layer("last") is whole.get_layer("last")
    assert rest.inputs[0] is not joined
    mixed = Model([joined, b], layers.Dense(1)(layers.Concatenate()([joined, b])))
    assert len(mixed.inputs) == 2
    assert mixed.inputs[1] is b
    rest.save(tmp_path / "rest.keras")
    np.testing.assert_array_equal(lamina.load_model(tmp_path / "rest.keras")(first(x)), rest(first(x)))
    with pytest.raises(LaminaError, match="Graph disconnected: the outputs need the Input 'b'"):
        Model(layers.Dense(1)(a), outputs)
