"""Models of Keras become models of Lamina and back: configs, weights, and the same training afterwards."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import lamina
from lamina.errors import LaminaError, ModelFileError

ROWS = 40
Build = Callable[[Any], Any]


def sequential(k: Any) -> Any:
    first = k.layers.Normalization()
    first.adapt(rows("sequential"))
    return k.Sequential(
        [
            k.Input((4,)),
            first,
            k.layers.Dense(6, activation="relu", kernel_regularizer="l2"),
            k.layers.BatchNormalization(momentum=0.8),
            k.layers.Dropout(0.0),
            k.layers.Dense(1, kernel_constraint="max_norm"),
        ],
        name="stack",
    )


def functional(k: Any) -> Any:
    """Two inputs, a layer called twice, a model inside that is called twice, two outputs."""
    a, b = k.Input((4,), name="a"), k.Input((4,), name="b")
    shared = k.layers.Dense(5, activation="tanh", name="shared")
    inner = k.Sequential([k.Input((5,)), k.layers.Dense(5), k.layers.LayerNormalization()], name="inner")
    one, two = inner(shared(a)), inner(shared(b))
    both = k.layers.Concatenate()([one, two])
    outputs = [k.layers.Dense(1, name="left")(both), k.layers.Dense(1, name="right")(k.layers.Multiply()([one, two]))]
    return k.Model([a, b], outputs, name="graph")


def borrowed(k: Any) -> Any:
    """A layer that belongs to two models inside."""
    x, layer = k.Input((4,)), k.layers.Dense(4, name="lent")
    first = k.Sequential([k.Input((4,)), layer, k.layers.Dense(4)], name="first")
    second = k.Sequential([k.Input((4,)), k.layers.Dense(4), layer], name="second")
    return k.Model(x, k.layers.Dense(1)(second(first(x))), name="whole")


def rows(name: str) -> Any:
    rng = np.random.default_rng(2)
    arrays = [rng.normal(size=(ROWS, 4)).astype("float32") for _ in range(2)]
    return arrays if name == "functional" else arrays[0]


def answers(name: str) -> Any:
    rng = np.random.default_rng(3)
    arrays = [rng.normal(size=(ROWS, 1)).astype("float32") for _ in range(2)]
    return arrays if name == "functional" else arrays[0]


OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "adam": lambda o: o.Adam(0.01, weight_decay=0.01),
    "momentum on a schedule": lambda o: o.SGD(o.schedules.ExponentialDecay(0.05, 3, 0.9), momentum=0.9),
    "rmsprop": lambda o: o.RMSprop(0.01, centered=True, momentum=0.5),
    "scaled": lambda o: o.LossScaleOptimizer(o.Adam(0.01), initial_scale=8.0, dynamic_growth_steps=2),
}


def trained(k: Any, build: Build, optimizer: str = "adam") -> Any:
    k.utils.clear_session()
    k.utils.set_random_seed(4)
    model = build(k)
    model.compile(OPTIMIZERS[optimizer](k.optimizers), "mse", metrics=["mae"] if build is not functional else None)
    train(model, build, 2)
    return model


def train(model: Any, build: Build, epochs: int = 3) -> dict[str, list[float]]:
    name = build.__name__
    history = model.fit(rows(name), answers(name), batch_size=16, epochs=epochs, shuffle=False, verbose=0)
    return dict(history.history)


CASES = [
    (sequential, "adam"), (sequential, "momentum on a schedule"), (functional, "rmsprop"), (borrowed, "scaled"),
]  # fmt: skip


@pytest.mark.parametrize(("build", "optimizer"), CASES, ids=lambda x: getattr(x, "__name__", x))
def test_there_and_back(build: Build, optimizer: str) -> None:
    theirs = trained(keras, build, optimizer)
    ours = lamina.from_keras(theirs)
    back = lamina.to_keras(ours)
    assert type(back) is type(theirs)
    assert plain(back.get_config()) == plain(theirs.get_config())
    for mine, other in zip(ours.weights, theirs.weights, strict=True):
        assert np.array_equal(mine, other)
    expected = train(theirs, build)
    for model in (ours, back):
        assert int(model.optimizer.iterations) == int(theirs.optimizer.iterations) - 9
        found = train(model, build)
        assert list(found) == list(expected)
        for name, values in expected.items():
            np.testing.assert_allclose(found[name], values, rtol=1e-5, atol=1e-6, err_msg=name)
        for mine, other in zip(model.weights, theirs.weights, strict=True):
            np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-6)
    x = rows(build.__name__)
    for p, q in zip(*(np.atleast_3d(m.predict(x, verbose=0)) for m in (ours, theirs)), strict=True):
        np.testing.assert_allclose(p, q, rtol=1e-5, atol=1e-6)


def plain(config: Any) -> Any:
    """Without the numbers of shared objects and the masks that are not there."""
    if isinstance(config, dict):
        return {k: plain(v) for k, v in config.items() if k not in ("shared_object_id", "mask")}
    return [plain(part) for part in config] if isinstance(config, list | tuple) else copy.copy(config)


def test_the_two_share_nothing() -> None:
    theirs = trained(keras, sequential)
    before = theirs.get_weights()
    train(lamina.from_keras(theirs), sequential)
    assert all(np.array_equal(a, b) for a, b in zip(before, theirs.get_weights(), strict=True))


def test_an_optimizer_that_never_stepped() -> None:
    theirs = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    theirs.compile(keras.optimizers.Adam(0.125), "mse")
    ours = lamina.from_keras(theirs)
    assert int(ours.optimizer.iterations) == 0
    assert float(ours.optimizer.learning_rate) == 0.125
    assert float(lamina.to_keras(ours).optimizer.learning_rate) == 0.125


def test_a_model_that_was_saved_as_h5_keeps_its_optimizer(tmp_path: Path) -> None:
    theirs = trained(keras, sequential, "momentum on a schedule")
    theirs.save(tmp_path / "m.h5")
    same = lamina.from_keras(theirs).optimizer
    assert (type(same).__name__, float(same.momentum)) == ("SGD", pytest.approx(0.9))


def test_a_model_that_is_not_compiled() -> None:
    theirs = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    ours = lamina.from_keras(theirs)
    assert not ours.compiled
    assert not lamina.to_keras(ours).compiled
    assert np.allclose(ours.predict(rows("sequential")), theirs.predict(rows("sequential"), verbose=0))


def test_frozen_layers_stay_frozen() -> None:
    theirs = sequential(keras)
    theirs.layers[1].trainable = False
    ours = lamina.from_keras(theirs)
    assert [v.name for v in ours.trainable_weights] == [v.name for v in theirs.trainable_weights]


# -- what cannot be


def test_all_parts_without_a_counterpart_are_named() -> None:
    theirs = keras.Sequential(
        [
            keras.Input((4, 4, 2)),
            keras.layers.Conv2D(2, 3, name="first"),
            keras.layers.Reshape((4, 2)),
            keras.layers.GRU(3, name="recurrent"),
            keras.layers.Dense(1),
        ]
    )
    with pytest.raises(ModelFileError) as error:
        lamina.from_keras(theirs)
    assert "layer 'first': Lamina has no class keras.layers.Conv2D" in str(error.value)
    assert "layer 'recurrent': Lamina has no class keras.layers.GRU" in str(error.value)


@pytest.mark.filterwarnings("ignore:The object being serialized includes a `lambda`")
def test_code_is_named_with_its_layer() -> None:
    theirs = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x * 2, name="twice")])
    with pytest.raises(ModelFileError, match="layer 'twice': it holds a"):
        lamina.from_keras(theirs)


class Doubled(keras.layers.Layer):
    """A layer of the user's own, in Keras."""

    def call(self, inputs: Any) -> Any:
        return inputs * 2


class DoubledHere(lamina.layers.Layer):
    """Its counterpart."""

    def call(self, inputs: Any) -> Any:
        return inputs * 2


def test_a_class_of_one_s_own() -> None:
    theirs = keras.Sequential([keras.Input((4,)), Doubled(name="own"), keras.layers.Dense(1)])
    with pytest.raises(ModelFileError, match=r"Doubled 'own': Could not locate class 'Doubled'.*custom_objects"):
        lamina.from_keras(theirs)
    ours = lamina.from_keras(theirs, {"Doubled": DoubledHere})
    x = rows("sequential")
    assert np.allclose(ours.predict(x), theirs.predict(x, verbose=0), rtol=1e-5, atol=1e-5)
    with pytest.raises(LaminaError, match="Keras has no counterpart of a part of model"):
        lamina.to_keras(ours)
    inputs = lamina.Input((4,))
    with pytest.raises(LaminaError, match=r"(?s)of a part of model 'graph': .*DoubledHere"):
        lamina.to_keras(lamina.Model(inputs, DoubledHere()(inputs), name="graph"))
    back = lamina.to_keras(ours, {"DoubledHere": Doubled})
    assert np.allclose(back.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=1e-5, atol=1e-5)


def own_loss(y_true: Any, y_pred: Any) -> Any:
    return (y_true - y_pred) ** 2


def test_a_loss_of_one_s_own() -> None:
    theirs = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    theirs.compile("sgd", own_loss)
    with pytest.raises(ModelFileError, match="Could not locate function 'own_loss'"):
        lamina.from_keras(theirs)
    assert lamina.from_keras(theirs, {"own_loss": own_loss}).loss is own_loss


@pytest.mark.parametrize("convert", [lamina.from_keras, lamina.to_keras, lamina.accelerate])
def test_other_things(convert: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match="must be a"):
        convert(3)


def test_models_without_weights() -> None:
    with pytest.raises(LaminaError, match="has no weights yet"):
        lamina.from_keras(keras.Sequential([keras.layers.Dense(1)]))
    with pytest.raises(LaminaError, match="has no weights yet"):
        lamina.to_keras(lamina.Sequential([lamina.layers.Dense(1)]))
    with pytest.raises(TypeError, match=r"must be a keras.Model"):
        lamina.from_keras(lamina.Sequential([lamina.layers.Dense(1)]))
