"""Many models at once: the bits of one after another, what is refused, errors, Ctrl-C."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import Input, Model, Sequential, callbacks, fit_many, layers, ops
from lamina.errors import DataError, NonFiniteError
from lamina.models.objective import usable_cores

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 4)).astype("float32")
Y = (X[:, :1] * X[:, 1:2]).astype("float32")
FOREVER = 10**9  # epochs


def net(units: int = 6, rate: float = 0.01, built: bool = True, **compiled: Any) -> Sequential:
    inside = [layers.Dense(units, "tanh"), layers.BatchNormalization(), layers.Dropout(0.3), layers.Dense(1)]
    model = Sequential([Input((4,)), *inside] if built else inside)
    model.compile(**{"optimizer": lamina.optimizers.Adam(rate), "loss": "mse", "metrics": ["mae"], **compiled})
    return model


def five(**compiled: Any) -> list[Sequential]:
    lamina.utils.clear_session()
    lamina.utils.set_random_seed(3)
    return [net(6 + i % 2, built=i != 2, **compiled) for i in range(5)]


def one_after_another(models: list[Any], each: list[dict[str, Any]] | None = None, **fit: Any) -> list[Any]:
    return [m.fit(**{"verbose": 0, **fit, **own}) for m, own in zip(models, each or [{}] * len(models), strict=True)]


def folds() -> list[dict[str, Any]]:
    parts = np.array_split(np.random.default_rng(1).permutation(len(X)), 5)
    return [
        {"x": np.delete(X, held, 0), "y": np.delete(Y, held, 0), "validation_data": (X[held], Y[held])}
        for held in parts
    ]


def state(model: Model) -> list[np.ndarray]:
    """Everything that training changes, weights and optimizer."""
    return [v.numpy() for v in [*model.weights, *model.optimizer.variables]]


def assert_same(found: list[Any], expected: list[Any]) -> None:
    for a, b in zip(found, expected, strict=True):
        assert [v.path for v in a.weights] == [v.path for v in b.weights]
        for v, w in zip(state(a), state(b), strict=True):
            np.testing.assert_array_equal(v, w)


@pytest.mark.parametrize("workers", [None, 1, 2, 4, 9])
def test_the_bits_of_one_after_another(workers: int | None, target: str) -> None:
    """Shuffling, dropout, weights that are made in the first fit, running means, optimizers, histories, names."""
    alone, together = five(target=target), None
    expected = [one_after_another(alone, folds(), epochs=3, batch_size=16) for _ in range(2)]
    next_draw = lamina.random.uniform((3,))
    together = five(target=target)
    found = [fit_many(together, each=folds(), workers=workers, epochs=3, batch_size=16) for _ in range(2)]
    np.testing.assert_array_equal(lamina.random.uniform((3,)), next_draw)
    for a, b in zip(found, expected, strict=True):
        assert [h.history for h in a] == [h.history for h in b]
        assert [h.epoch for h in a] == [[0, 1, 2]] * 5
    assert [m.history for m in together] == found[1]
    assert_same(together, alone)


def test_data_for_all_and_arguments_for_each() -> None:
    each = [{"batch_size": 8}, {"epochs": 1}, {"shuffle": False}, {"sample_weight": np.arange(90) / 90}, {}]
    alone, together = five(), None
    expected = one_after_another(alone, each, x=X, y=Y, epochs=2, batch_size=32)
    together = five()
    found = fit_many(together, X, Y, each=each, epochs=2, batch_size=32)
    assert [len(h.epoch) for h in found] == [2, 1, 2, 2, 2]
    assert [h.history for h in found] == [h.history for h in expected]
    assert_same(together, alone)


def test_each_model_stops_when_it_should() -> None:
    def stopping() -> list[dict[str, Any]]:
        early = [callbacks.EarlyStopping(patience=1 + i, restore_best_weights=True) for i in range(5)]
        return [{**fold, "callbacks": [stop]} for fold, stop in zip(folds(), early, strict=True)]

    alone, together = five(), None
    expected = one_after_another(alone, stopping(), epochs=60)
    together = five()
    found = fit_many(together, each=stopping(), epochs=60)
    assert len({len(h.epoch) for h in expected}) > 1
    assert [h.history for h in found] == [h.history for h in expected]
    assert_same(together, alone)


def test_batch_callbacks_and_lists_of_callbacks() -> None:
    seen: list[int] = []
    batches = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    each = [{"callbacks": batches}, {"callbacks": callbacks.CallbackList([])}, {"callbacks": None}, {}, {}]
    alone, together = five(), None
    one_after_another(alone, x=X, y=Y, batch_size=30, epochs=2)
    together = five()
    fit_many(together, X, Y, each=each, batch_size=30, epochs=2)
    assert seen == [0, 1, 2] * 2
    assert_same(together, alone)


def test_they_train_at_the_same_time() -> None:
    """Two models wait for each other in each epoch: one after another they would wait in vain."""
    meeting = threading.Barrier(2, timeout=60)
    each = [{"callbacks": [callbacks.LambdaCallback(on_epoch_end=lambda *_: meeting.wait() and None)]} for _ in "ab"]
    fit_many(five()[:2], X, Y, each=each, epochs=3, workers=2)


def test_models_share_the_cores_while_they_train_and_not_after() -> None:
    used: dict[str, int] = {}

    def note(model: Model) -> dict[str, Any]:
        def on_epoch_end(epoch: int, logs: Any) -> None:
            used[model.name] = model._threads()

        return {"callbacks": [callbacks.LambdaCallback(on_epoch_end=on_epoch_end)]}

    models = [net(), net(threads=64), net(threads=1)]
    fit_many(models, X, Y, each=[note(m) for m in models], workers=usable_cores())
    share = max(1, usable_cores() // min(3, usable_cores()))
    assert list(used.values()) == [share, share, 1]
    assert [m._threads() for m in models] == [usable_cores(), 64, 1]


def test_trained_models_go_on_as_if_alone() -> None:
    alone, together = five(), None
    one_after_another(alone, x=X, y=Y)
    one_after_another(alone, x=X, y=Y)
    together = five()
    fit_many(together, X, Y)
    one_after_another(together, x=X, y=Y)
    assert_same(together, alone)
    np.testing.assert_array_equal(together[0].predict(X, verbose=0), alone[0].predict(X, verbose=0))


def test_models_of_a_callback_may_be_many_too() -> None:
    lamina.utils.set_random_seed(1)
    inner = [net(), net()]
    begin = {"callbacks": [callbacks.LambdaCallback(on_train_begin=lambda _: fit_many(inner, X, Y, epochs=2) and None)]}
    fit_many([net(), net()], X, Y, each=[begin, {}])
    found = [h.history.history["loss"] for h in inner]
    lamina.utils.set_random_seed(1)
    again = [net(), net()]
    lamina.random.generator(None)  # the outer model's draw
    assert found == [h.history["loss"] for h in one_after_another(again, x=X, y=Y, epochs=2)]


def test_no_models_no_histories() -> None:
    assert fit_many([], X, Y) == []


# -- what is shown


def test_nothing_is_shown_unless_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    fit_many(five(), X, Y)
    assert capsys.readouterr().out == ""


def test_a_line_for_each_model(capsys: pytest.CaptureFixture[str]) -> None:
    models = [*five()[:2], net(rate=1e30)]
    each = [{}, {"verbose": 0}, {}]
    with pytest.raises(NonFiniteError):
        fit_many(models, X, Y, each=each, verbose=1, epochs=2, workers=1)
    lines = capsys.readouterr().out.splitlines()
    last = {name: values[-1] for name, values in models[0].history.history.items()}
    shown = f"loss: {last['loss']:.4f} - mae: {last['mae']:.4f}"
    assert [line.split(" - ", 2)[::2] for line in lines] == [
        ["1/3", f"{models[0].name} - 2 epochs - {shown}"],
        ["3/3", lines[1].split(" - ", 2)[2]],
    ]
    assert lines[1].split(" - ")[2] == models[2].name
    assert "NonFiniteError: " in lines[1]


# -- what is refused


def twice() -> tuple[list[Any], dict[str, Any]]:
    model = net()
    return [model, net(), model], {}


def shared_layer(layer: Callable[[], layers.Layer]) -> Callable[[], tuple[list[Any], dict[str, Any]]]:
    def case() -> tuple[list[Any], dict[str, Any]]:
        common, models = layer(), []
        for _ in range(2):
            models.append(Sequential([common, layers.Dense(1)]))
            models[-1].compile("sgd", "mse")
        return models, {}

    return case


def shared_inside() -> tuple[list[Any], dict[str, Any]]:
    inner = net()
    outer = Sequential([Input((4,)), inner])
    outer.compile("sgd", "mse")
    return [inner, outer], {}


def shared_optimizer() -> tuple[list[Any], dict[str, Any]]:
    optimizer = lamina.optimizers.Adam()
    return [net(optimizer=optimizer), net(optimizer=optimizer)], {}


def shared_metric() -> tuple[list[Any], dict[str, Any]]:
    metric = lamina.metrics.MeanAbsoluteError(name="common")
    return [net(metrics=[metric]), net(weighted_metrics=[metric])], {}


def shared_callback() -> tuple[list[Any], dict[str, Any]]:
    return [net(), net()], {"callbacks": [callbacks.EarlyStopping("loss")]}


def not_compiled() -> tuple[list[Any], dict[str, Any]]:
    return [net(), Sequential([Input((4,)), layers.Dense(1)], name="bare")], {}


REFUSED: dict[str, tuple[Callable[[], tuple[list[Any], dict[str, Any]]], type[Exception], str]] = {
    "twice": (twice, ValueError, r"models\[0\] \(.*\) and models\[2\] \(.*\) share the model 'sequential.*once"),
    "layer": (shared_layer(lambda: layers.Dense(3, name="common")), ValueError, "share the layer 'common'"),
    "fixed layer": (shared_layer(lambda: layers.Normalization(name="norm")), ValueError, "share the layer 'norm'"),
    "model inside": (shared_inside, ValueError, r"models\[0\] .* and models\[1\] .* share the layer 'sequential"),
    "optimizer": (shared_optimizer, ValueError, "share the optimizer 'adam"),
    "metric": (shared_metric, ValueError, "share the metric 'common'"),
    "callback": (shared_callback, ValueError, "share the callback 'EarlyStopping': .* each="),
    "compile": (not_compiled, ValueError, r"models\[1\] \('bare'\) is not compiled"),
    "no model": (lambda: ([net(), "net"], {}), TypeError, r"models\[1\] must be a model, got 'net'"),
    "length": (lambda: ([net(), net()], {"each": [{}]}), ValueError, "`each` has 1 dictionaries for 2 models"),
    "no dictionary": (lambda: ([net()], {"each": [(X, Y)]}), TypeError, r"each\[0\] must be a dictionary"),
    "argument": (lambda: ([net()], {"epoch": 3}), TypeError, r"models\[0\] .*unexpected keyword argument 'epoch'"),
    "own argument": (
        lambda: ([net(), net()], {"each": [{}, {"batchsize": 3}]}),
        TypeError,
        r"models\[1\] .*unexpected keyword argument 'batchsize'",
    ),
    "workers": (lambda: ([net()], {"workers": 0}), ValueError, "`workers` must be a positive whole number, got 0"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_before_anything_trains(name: str) -> None:
    case, kind, message = REFUSED[name]
    models, arguments = case()
    with pytest.raises(kind, match=message):
        fit_many(models, X, Y, **arguments)
    assert all(m.history is None for m in models if isinstance(m, Model))


def test_an_input_may_be_shared() -> None:
    x = Input((4,))
    models = [Model(x, layers.Dense(units)(x)) for units in (1, 1)]
    for model in models:
        model.compile("sgd", "mse")
    assert len(fit_many(models, X, Y)) == 2


# -- errors


def failing(epoch: int, error: BaseException) -> dict[str, Any]:
    def on_epoch_end(at: int, logs: Any) -> None:
        if at == epoch:
            raise error

    return {"callbacks": [callbacks.LambdaCallback(on_epoch_end=on_epoch_end)]}


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_first_error_is_raised_and_the_others_finish(workers: int) -> None:
    alone, together = five(), None
    one_after_another(alone, x=X, y=Y, epochs=4)
    together = five()
    together[1].optimizer.learning_rate = 1e30
    each = [{}, {}, {}, failing(0, RuntimeError("mine")), {}]
    with pytest.raises(NonFiniteError, match="weight|loss") as caught:
        fit_many(together, X, Y, each=each, epochs=4, workers=workers)
    (note,) = caught.value.__notes__
    assert f"models[1] ({together[1].name!r})" in note
    assert f"models[3] ({together[3].name!r})" in note
    assert_same(together[::2], alone[::2])
    assert [len(m.history.epoch) for m in together] == [4, 0, 4, 0, 4]
    assert all(np.isfinite(v).all() for v in state(together[1]))


def test_an_error_before_the_first_step_lets_the_next_begin() -> None:
    models = five()
    with pytest.raises(DataError):
        fit_many(models, X, Y, each=[{"y": Y[:-1]}, {}, {}, {"x": X[:, :3]}, {}])
    assert [m.history is not None and len(m.history.epoch) for m in models] == [False, 1, 1, False, 1]


def test_a_layer_that_cannot_be_built_is_named() -> None:
    class Bad(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return ops.reshape(inputs, (7,))

    model = Sequential([Bad(name="culprit")])
    model.compile("sgd", "mse")
    with pytest.raises(lamina.errors.GraphError, match="culprit") as caught:
        fit_many([net(), model], X, Y)
    assert "models[1]" in caught.value.__notes__[0]


# -- Ctrl-C


def interrupting(epoch: int) -> dict[str, Any]:
    def on_epoch_end(at: int, logs: Any) -> None:
        if at == epoch:
            os.kill(os.getpid(), signal.SIGINT)

    return {"callbacks": [callbacks.LambdaCallback(on_epoch_end=on_epoch_end)]}


def usable(models: list[Any]) -> None:
    threads = [t.name for t in threading.enumerate()]
    assert not [name for name in threads if name.startswith("lamina.fit_many")]
    for model in models:
        assert all(np.isfinite(v).all() for v in state(model))
    fit_many(models, X, Y)


def test_ctrl_c_stops_all() -> None:
    """Epochs without end, and models whose turn has not come."""
    models = five()
    batches = {"callbacks": [callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)]}
    with pytest.raises(KeyboardInterrupt):
        fit_many(models, X, Y, each=[interrupting(5), batches, {}, {}, {}], epochs=FOREVER, workers=2)
    assert len(models[0].history.epoch) >= 6
    assert models[4].history is None
    usable(models)


def test_ctrl_c_stops_within_an_epoch() -> None:
    models = [Sequential([Input((1,)), layers.Dense(1)]), net()]
    models[0].compile("sgd", "mse")
    long = np.zeros((4_000_000, 1), "float32")
    with pytest.raises(KeyboardInterrupt):
        fit_many(models, X, Y, each=[{"x": long, "y": long, "batch_size": 1}, interrupting(0)], workers=2)
    assert int(models[0].optimizer.iterations.value) == 0
    models[0].fit(X[:, :1], Y, verbose=0)
    usable(models[1:])


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)])
def test_a_callback_may_end_the_program(error: BaseException) -> None:
    models = five()
    with pytest.raises(type(error)):
        fit_many(models, X, Y, each=[{}, failing(2, error), {}, {}, {}], epochs=FOREVER, workers=2)
    usable(models)


# -- threads


def test_no_two_draws_of_a_generator_are_the_same() -> None:
    generator = lamina.random.SeedGenerator(1)
    with ThreadPoolExecutor(8) as pool:
        draws = list(pool.map(lambda _: tuple(generator.next().tolist()), range(4000)))
    assert sorted(draws) == [(1, i) for i in range(4000)]
