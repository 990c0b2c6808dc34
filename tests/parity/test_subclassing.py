"""Layers and models of one's own, as Keras's guides write them: the same numbers, names and orders in both."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

import lamina

X = np.random.default_rng(2).normal(size=(4, 3)).astype("float32")
BOTH = [keras, lamina]


def own(k: ModuleType) -> Any:
    """The classes, made with one library."""
    ops, layers = k.ops, k.layers

    class Linear(layers.Layer):
        def __init__(self, units: int = 32, **kwargs: Any):
            super().__init__(**kwargs)
            self.units = units

        def build(self, input_shape: Any) -> None:
            self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="random_normal", name="w")
            self.b = self.add_weight((self.units,), "zeros", regularizer=k.regularizers.L2(0.1))
            super().build(input_shape)

        def call(self, inputs: Any) -> Any:
            return ops.matmul(inputs, self.w) + self.b

        def get_config(self) -> Any:
            return {**super().get_config(), "units": self.units}

    class ComputeSum(layers.Layer):
        def __init__(self, input_dim: int):
            super().__init__()
            self.total = self.add_weight(initializer="zeros", shape=(input_dim,), trainable=False)

        def call(self, inputs: Any) -> Any:
            self.total.assign_add(ops.sum(inputs, axis=0))
            return self.total

    class MLPBlock(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.scale = k.Variable([2.0], name="scale")
            self.linears = [Linear(8), Linear(8)]
            self.last = {"out": Linear(1)}

        def call(self, inputs: Any) -> Any:
            x = inputs
            for linear in self.linears:
                x = ops.relu(linear(x))
            return self.last["out"](x) * self.scale

    class Penalised(layers.Layer):
        def __init__(self, rate: float = 1e-2):
            super().__init__()
            self.activity_penalty = rate
            self.dense = layers.Dense(2, kernel_regularizer=k.regularizers.L2(1e-3))

        def call(self, inputs: Any) -> Any:
            self.add_loss(self.activity_penalty * ops.mean(inputs))
            return self.dense(inputs)

    class CustomDropout(layers.Layer):
        def __init__(self, rate: float, **kwargs: Any):
            super().__init__(**kwargs)
            self.rate = rate
            self.seed_generator = k.random.SeedGenerator(1337)

        def call(self, inputs: Any, training: bool | None = None) -> Any:
            if training:
                return k.random.dropout(inputs, rate=self.rate, seed=self.seed_generator)
            return inputs

    class Pairs(layers.Layer):
        def build(self, a_shape: Any, b_shape: Any) -> None:
            self.inner = layers.Dense(b_shape[-1], use_bias=False)
            self.inner.build(a_shape)

        def call(self, a: Any, b: Any, *, flip: bool = False) -> Any:
            both = self.inner(a) + b, {"difference": self.inner(a) - b}
            return both[::-1] if flip else both

    class Autoencoder(k.Model):
        def __init__(self, **kwargs: Any):
            super().__init__(**kwargs)
            self.encoder = MLPBlock()
            self.decoder = k.Sequential([layers.Dense(4, "tanh"), layers.Dense(3)])
            self.drop = CustomDropout(0.5)

        def call(self, inputs: Any, training: bool | None = None) -> Any:
            z = self.drop(self.encoder(inputs))
            self.add_loss(1e-3 * ops.sum(ops.square(z)))
            return self.decoder(z)

    return SimpleNamespace(**{name: x for name, x in locals().items() if isinstance(x, type)})


@pytest.fixture
def made() -> list[Any]:
    for k in BOTH:
        k.utils.clear_session()
    return [own(k) for k in BOTH]


def same_weights(layers: list[Any]) -> None:
    """Names, shapes and paths agree; then the second layer gets the first one's numbers."""
    theirs, ours = layers
    assert [(v.path, v.name, tuple(v.shape)) for v in ours.weights] == [
        (v.path, v.name, tuple(v.shape)) for v in theirs.weights
    ]
    assert [v.path for v in ours.trainable_weights] == [v.path for v in theirs.trainable_weights]
    assert ours.path == theirs.path
    ours.set_weights(theirs.get_weights())


def same(*values: Any) -> None:
    np.testing.assert_allclose(np.asarray(values[1]), np.asarray(values[0]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["Linear", "MLPBlock", "Penalised"])
def test_layers(made: list[Any], name: str) -> None:
    layers = [getattr(classes, name)() for classes in made]
    for layer in layers:
        layer(X)
    same_weights(layers)
    same(*(layer(X) for layer in layers))
    same(*([float(x) for x in layer.losses] for layer in layers))
    doubled = [[2 * np.asarray(v) for v in layer.trainable_variables] for layer in layers]
    pairs = zip(layers, doubled, strict=True)
    found = [layer.stateless_call(values, [], X, return_losses=True) for layer, values in pairs]
    same(*(outputs for outputs, _, _ in found))
    same(*([float(x) for x in losses] for _, _, losses in found))
    same(*(layer(X) for layer in layers))


def test_a_running_sum(made: list[Any]) -> None:
    layers = [classes.ComputeSum(3) for classes in made]
    for _ in range(2):
        same(*(layer(X) for layer in layers))
    same_weights(layers)
    assert layers[1].trainable_weights == []


def test_several_inputs_and_outputs(made: list[Any]) -> None:
    layers = [classes.Pairs() for classes in made]
    for layer in layers:
        layer(X, b=X[:, :2])
    same_weights(layers)
    assert layers[1].get_build_config() == layers[0].get_build_config()
    found = [layer(X, X[:, :2], flip=True) for layer in layers]
    same(*(x[0]["difference"] for x in found))
    same(*(x[1] for x in found))
    inputs = [(k.Input((3,)), k.Input((2,))) for k in BOTH]
    models = [k.Model([*given], layer(*given)) for k, given, layer in zip(BOTH, inputs, layers, strict=True)]
    same(*(model([X, X[:, :2]])[0] for model in models))


def test_a_model_in_training(made: list[Any]) -> None:
    models = [classes.Autoencoder(name="auto") for classes in made]
    for k, model in zip(BOTH, models, strict=True):
        model.compile(k.optimizers.SGD(0.1), "mse", run_eagerly=k is keras)
        model(X)
    same_weights(models)
    for model in models:
        model.drop.rate = 0.0
    for _ in range(2):
        same(*(np.ravel(model.train_on_batch(X, X))[0] for model in models))
    for a, b in zip(*(model.get_weights() for model in models), strict=True):
        same(a, b)


@pytest.mark.parametrize("api", [keras, lamina], ids=["keras", "lamina"])
def test_a_class_without_get_config_is_made_of_its_plain_arguments(api: Any) -> None:
    class Scaled(api.layers.Layer):  # type: ignore[misc, name-defined]
        def __init__(self, factor: float, sizes: tuple[int, ...] = (1, 2), **kwargs: Any):
            super().__init__(**kwargs)
            self.doubled = 2 * factor
            self.sizes = len(sizes)

        def call(self, inputs: Any) -> Any:
            return inputs * self.doubled

    config = Scaled(3.0, name="s").get_config()
    assert {k: v for k, v in config.items() if k != "dtype"} == {
        "name": "s", "trainable": True, "factor": 3.0, "sizes": (1, 2),
    }  # fmt: skip
    assert Scaled.from_config(config).get_config() == config
