"""Real Keras beside Lamina: what optimizers do in `fit`, and their state in files that either library writes."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

import lamina

Make = Callable[[Any], Any]
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 5)).astype("float32"), RNG.normal(size=(40, 1)).astype("float32")


@pytest.fixture(autouse=True)
def _same_names() -> None:
    keras.utils.clear_session(free_memory=False)
    lamina.utils.clear_session()


def network(k: Any) -> Any:
    bounded = k.constraints.MaxNorm(0.8)
    return k.Sequential([k.Input((5,)), k.layers.Dense(8, "tanh", kernel_constraint=bounded), k.layers.Dense(1)])


def falling(k: Any) -> Any:
    return k.optimizers.schedules.ExponentialDecay(0.05, 2, 0.5)


def scaled(k: Any) -> Any:
    inner = k.optimizers.Adam(0.05, gradient_accumulation_steps=2, clipnorm=0.2)
    return k.optimizers.LossScaleOptimizer(inner, initial_scale=4.0, dynamic_growth_steps=4)


def several(k: Any) -> Any:
    table = {".*kernel": k.optimizers.Adam(0.05, use_ema=True)}
    return k.optimizers.MultiOptimizer(k.optimizers.OptimizerMap(k.optimizers.SGD(0.05, global_clipnorm=0.3), table))


# each a trace of Keras's `fit`, which costs a second: what all share is in three of them
FITS: dict[str, Make] = {
    "average and constraint": lambda k: k.optimizers.Adam(0.05, use_ema=True, ema_momentum=0.8),
    "accumulation": lambda k: k.optimizers.RMSprop(
        falling(k), gradient_accumulation_steps=3, use_ema=True, ema_overwrite_frequency=2, weight_decay=0.1,
        clipnorm=0.1, loss_scale_factor=8.0,
    ),
    "loss scale": scaled,
    "several": several,
}  # fmt: skip


def fitted(k: Any, make: Make, weights: Any = None, **compile: Any) -> Any:
    model = network(k)
    if weights is not None:
        model.set_weights(weights)
    model.compile(make(k), "mse", **compile)
    return model, model.get_weights(), model.fit(X, Y, batch_size=16, epochs=3, shuffle=False, verbose=0).history


TARGETS = ({"target": "numpy"}, {"target": "core", "threads": 1}, {"target": "core", "threads": 2})


@pytest.mark.parametrize("name", FITS)
def test_fit(name: str) -> None:
    theirs, weights, expected = fitted(keras, FITS[name])
    ends = []
    for compiled in TARGETS:
        ours, _, found = fitted(lamina, FITS[name], weights, **compiled)
        np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-5)
        for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
        for a, b in zip(ours.optimizer.variables[1:], theirs.optimizer.variables[1:], strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-4, atol=1e-6, err_msg=a.path)
        ends.append(ours.get_weights())
    assert all((a == b).all() for a, b in zip(*ends[1:], strict=True))


SAVED: dict[str, Make] = {
    "plain": lambda k: k.optimizers.SGD(0.1),
    "no momentum": lambda k: k.optimizers.SGD(0.1, momentum=0.0, use_ema=True),
    "adam": lambda k: k.optimizers.Adam(0.1, amsgrad=True, use_ema=True, gradient_accumulation_steps=2),
    "schedule": lambda k: k.optimizers.AdamW(falling(k)),
    "rmsprop": lambda k: k.optimizers.RMSprop(0.1, momentum=0.5, centered=True, global_clipnorm=1.0),
    "adagrad": lambda k: k.optimizers.Adagrad(0.1, gradient_accumulation_steps=3),
    "adadelta": lambda k: k.optimizers.Adadelta(0.1),
    "adamax": lambda k: k.optimizers.Adamax(0.1),
    "ftrl": lambda k: k.optimizers.Ftrl(0.1, beta=0.1),
    "lion": lambda k: k.optimizers.Lion(0.1, clipvalue=0.1),
    "nadam": lambda k: k.optimizers.Nadam(0.1, use_ema=True),
    "lamb": lambda k: k.optimizers.Lamb(0.1, weight_decay=0.1),
    "adafactor": lambda k: k.optimizers.Adafactor(0.1),
    "muon": lambda k: k.optimizers.Muon(0.1, gradient_accumulation_steps=2),
    "loss scale": scaled,
    "several": several,
}


def stepped(model: Any, steps: int) -> None:
    for _ in range(steps):
        model.optimizer.apply([np.cos(7 * np.asarray(v)) for v in model.trainable_variables], model.trainable_variables)


def trees(path: Path) -> tuple[Any, Any]:
    """What a file says of the optimizer: its config, and its arrays."""
    archive, found = zipfile.ZipFile(path), {}

    def note(name: str, thing: Any) -> None:
        if name.startswith("optimizer"):
            found[name] = (thing.shape, thing.dtype) if isinstance(thing, h5py.Dataset) else dict(thing.attrs)

    with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
        file.visititems(note)
    return json.loads(archive.read("config.json"))["compile_config"]["optimizer"], found


@pytest.mark.parametrize("name", SAVED)
def test_training_goes_on_from_the_file_of_the_other(name: str, tmp_path: Path) -> None:
    for writer, reader in ((keras, lamina), (lamina, keras)):
        keras.utils.clear_session(free_memory=False)
        lamina.utils.clear_session()
        model = network(writer)
        model.compile(SAVED[name](writer), "mse")
        stepped(model, 3)
        model.save(tmp_path / f"{writer.__name__}.keras")
        model.save_weights(tmp_path / "m.weights.h5")
        again, fresh = reader.saving.load_model(tmp_path / f"{writer.__name__}.keras"), network(reader)
        fresh.compile(SAVED[name](reader), "mse")
        if reader is keras:  # which else drops the state, with a warning
            fresh.optimizer.build(fresh.trainable_variables)
        fresh.load_weights(tmp_path / "m.weights.h5")
        for twin in (again, fresh):
            for a, b in zip(model.optimizer.variables, twin.optimizer.variables, strict=True):
                assert np.array_equal(np.asarray(a), np.asarray(b)), a.path
        for one in (model, again, fresh):
            stepped(one, 3)
        for twin in (again, fresh):
            for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
                np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)
    assert trees(tmp_path / "keras.keras") == trees(tmp_path / "lamina.keras")


def test_variables_without_gradients_stay(tmp_path: Path) -> None:
    """Neither decay nor momentum nor constraint touches them, and both warn."""
    start = [np.full((2, 3), 2.0, "float32"), np.ones(3, "float32")]
    ends = []
    for k in (keras, lamina):
        optimizer = k.optimizers.Adam(0.1, weight_decay=0.5, use_ema=True)
        variables = [k.Variable(w) for w in start]
        variables[0].constraint = k.constraints.MaxNorm(0.1)
        optimizer.build(variables)
        with pytest.warns(UserWarning, match="Gradients do not exist for variables"):
            optimizer.apply([None, start[1]], variables)
        optimizer.apply([start[1]], variables[1:])
        ends.append([np.asarray(v) for v in [*variables, *optimizer.variables]])
    for a, b in zip(*ends, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    assert (ends[0][0] == 2).all()


@pytest.mark.filterwarnings("ignore:the dtype policy 'mixed_float16' is kept")
def test_a_model_in_half_precision_has_its_loss_scaled(tmp_path: Path) -> None:
    keras.mixed_precision.set_global_policy("mixed_float16")
    theirs = network(keras)
    keras.mixed_precision.set_global_policy("float32")
    theirs.compile(keras.optimizers.Adam(0.1), "mse")
    stepped(theirs, 2)
    theirs.save(tmp_path / "keras.keras")
    ours = lamina.saving.load_model(tmp_path / "keras.keras")
    ours.save(tmp_path / "lamina.keras")
    again = lamina.saving.load_model(tmp_path / "lamina.keras")
    for model in (ours, again):  # Keras itself forgets a Sequential's policy, and with it the optimizer's state
        assert type(model.optimizer).__name__ == type(theirs.optimizer).__name__ == "LossScaleOptimizer"
        for a, b in zip(theirs.optimizer.variables, model.optimizer.variables, strict=True):
            assert np.array_equal(np.asarray(a), np.asarray(b)), a.path
    assert trees(tmp_path / "keras.keras") == trees(tmp_path / "lamina.keras")
    ours.compile(lamina.optimizers.Adam(0.1), "mse", auto_scale_loss=False)
    assert type(ours.optimizer) is lamina.optimizers.Adam


# -- rules and schedules of one's own, written as Keras's documentation writes them


def own_rule(k: Any) -> Any:
    @k.saving.register_keras_serializable("parity")
    class Damped(k.optimizers.Optimizer):  # type: ignore[misc]
        def __init__(self, learning_rate: Any = 0.01, mu: float = 0.9, **kwargs: Any):
            super().__init__(learning_rate=learning_rate, **kwargs)
            self.share = mu

        def build(self, variables: Any) -> None:
            if self.built:
                return
            super().build(variables)
            names, starts = ["momentum", "size"], ["zeros", "ones"]
            self.momentums, self.sizes = self.add_optimizer_variables(variables, names, starts)
            self.seen = self.add_variable(shape=(), dtype="int", name="seen")

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            gradient = k.ops.cast(gradient, variable.dtype)
            m = self.momentums[self._get_variable_index(variable)]
            self.assign(m, k.ops.multiply(m, self.share) - gradient * k.ops.cast(learning_rate, variable.dtype))
            t = k.ops.cast(self.iterations + 1, variable.dtype)
            size = self.sizes[self._get_variable_index(variable)]
            self.assign(size, 0.9 * size + 0.1 * k.ops.abs(gradient))
            self.assign_add(variable, m / k.ops.sqrt(t) / size)
            self.assign_sub(variable, 0.001 * k.ops.sign(variable))
            self.assign_add(self.seen, 1)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "mu": self.share}

    return Damped


def own_schedule(k: Any) -> Any:
    @k.saving.register_keras_serializable("parity")
    class Stairs(k.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
        def __init__(self, height: float):
            self.height = height

        def __call__(self, step: Any) -> Any:
            step = k.ops.cast(step, "float32")
            return k.ops.where(step < 4, self.height, self.height / k.ops.sqrt(step))

        def get_config(self) -> dict[str, Any]:
            return {"height": self.height}

    return Stairs


def test_a_rule_and_a_schedule_of_ones_own(tmp_path: Path) -> None:
    made = {k: (own_rule(k), own_schedule(k)) for k in (keras, lamina)}

    def make(k: Any) -> Any:
        rule, schedule = made[k]
        return rule(schedule(0.05), weight_decay=0.1, clipnorm=0.5, use_ema=True)

    theirs, weights, expected = fitted(keras, make)
    theirs.save(tmp_path / "m.keras")
    again = lamina.saving.load_model(tmp_path / "m.keras")
    assert again.optimizer.get_config() == theirs.optimizer.get_config()
    for target in ("numpy", "core"):
        ours, _, found = fitted(lamina, make, weights, target=target)
        np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-5)
        for a, b in zip(ours.optimizer.variables, theirs.optimizer.variables, strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-4, atol=1e-6, err_msg=a.path)
    for a, b in zip(again.optimizer.variables, ours.optimizer.variables, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-4, atol=1e-6, err_msg=a.path)
    ours.save(tmp_path / "m.keras")
    assert keras.saving.load_model(tmp_path / "m.keras").optimizer.get_config() == ours.optimizer.get_config()
