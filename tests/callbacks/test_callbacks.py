"""Callbacks on their own: what they do with given logs, and what they write."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import Input, Sequential, callbacks, layers
from lamina.callbacks.progress import bar, numbers, summary_line

X = np.random.default_rng(0).normal(size=(20, 2))
Y = X.sum(axis=1)


def network(**options: Any) -> Sequential:
    model = Sequential([Input((2,)), layers.Dense(1)])
    model.compile(**{"optimizer": lamina.optimizers.SGD(0.5), "loss": "mse", "metrics": ["mae"], **options})
    return model


def told(callback: callbacks.Callback, values: list[float], monitor: str = "val_loss", model: Any = None) -> list[int]:
    """Epochs, from 0, after which the callback stopped training."""
    model = model or network()
    callback.set_model(model)
    callback.on_train_begin()
    stops = []
    for epoch, value in enumerate(values):
        model.stop_training = False
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {"loss": 1.0, monitor: value})
        if model.stop_training:
            stops.append(epoch)
    return stops


@pytest.mark.parametrize(
    ("options", "values", "first_stop"),
    [
        ({}, [1.0, 0.9, 0.95], 2),
        ({"patience": 2}, [1.0, 1.1, 1.2, 0.9], 2),
        ({"min_delta": 0.2}, [1.0, 0.9, 0.7], 1),
        ({"start_from_epoch": 2}, [1.0, 2.0, 3.0, 4.0], 3),
        ({"mode": "max"}, [1.0, 2.0, 1.5], 2),
        ({"baseline": 0.5}, [1.0, 0.9, 0.8, 0.8], 3),
        ({}, [float("nan"), 1.0], 1),
        ({}, [1.0, 1.0], 1),
    ],
)
def test_early_stopping(options: dict[str, Any], values: list[float], first_stop: int) -> None:
    assert told(callbacks.EarlyStopping(**options), values)[:1] == [first_stop]


def test_early_stopping_never_stops_in_the_first_epoch() -> None:
    assert told(callbacks.EarlyStopping(baseline=0.5, patience=0), [1.0]) == []


def test_best_weights_come_back_even_when_nothing_stopped() -> None:
    model = network(optimizer=lamina.optimizers.SGD(2.0))  # it diverges: the first epoch is the best one
    kept: list[Any] = []
    keep = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(model.get_weights()))
    stop = callbacks.EarlyStopping("loss", patience=99, restore_best_weights=True)
    history = model.fit(X, Y, epochs=3, verbose=0, callbacks=[keep, stop]).history
    best = int(np.argmin(history["loss"]))
    for a, b in zip(kept[best], model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("restore", [False, True])
def test_the_best_epoch_is_known(restore: bool) -> None:
    stop = callbacks.EarlyStopping(patience=2, restore_best_weights=restore)
    told(stop, [3.0, 1.0, 2.0, 4.0])
    assert (stop.best_epoch, stop.best, stop.stopped_epoch) == (1, 1.0, 3)


def test_direction_by_the_metric() -> None:
    model = network(metrics=["accuracy"])
    model.evaluate(X, np.round(Y) % 2 == 1, verbose=0)
    assert told(callbacks.EarlyStopping("val_accuracy"), [0.5, 0.6, 0.55], "val_accuracy", model) == [2]
    with pytest.raises(ValueError, match="mode='max'"):
        told(callbacks.EarlyStopping("val_unknown"), [0.5], "val_unknown", model)


def test_what_is_not_there_warns() -> None:
    with pytest.warns(UserWarning, match="val_loss"):
        network().fit(X, Y, verbose=0, callbacks=[callbacks.EarlyStopping()])
    with pytest.warns(UserWarning, match="val_loss"):
        network().fit(X, Y, verbose=0, callbacks=[callbacks.ReduceLROnPlateau()])


@pytest.mark.parametrize(
    ("options", "rates"),
    [
        ({"patience": 2}, [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]),
        ({"patience": 2, "cooldown": 2}, [1.0, 1.0, 0.5, 0.5, 0.5, 0.25]),
        ({"patience": 1, "min_lr": 0.4}, [1.0, 0.5, 0.4, 0.4, 0.4, 0.4]),
    ],
)
def test_reduce_on_plateau(options: dict[str, Any], rates: list[float]) -> None:
    model = network(optimizer=lamina.optimizers.SGD(1.0))
    callback = callbacks.ReduceLROnPlateau(factor=0.5, **options)
    callback.set_model(model)
    callback.on_train_begin()
    found = []
    for epoch in range(6):
        callback.on_epoch_end(epoch, {"val_loss": 1.0})
        found.append(float(model.optimizer.learning_rate.numpy()))
    np.testing.assert_allclose(found, rates, rtol=1e-6)


def test_the_learning_rate_is_recorded() -> None:
    history = network().fit(X, Y, epochs=2, verbose=0, callbacks=[callbacks.ReduceLROnPlateau("loss")]).history
    assert list(history) == ["loss", "mae", "learning_rate"]
    assert history["learning_rate"] == [0.5, 0.5]


def test_csv(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    model = network()
    history = model.fit(X, Y, epochs=2, verbose=0, callbacks=[callbacks.CSVLogger(log)]).history
    model.fit(X, Y, epochs=1, verbose=0, callbacks=[callbacks.CSVLogger(log, append=True)])
    with log.open(newline="") as file:
        table = list(csv.reader(file))
    assert table[0] == ["epoch", "loss", "mae", "val_loss", "val_mae"]
    assert [row[0] for row in table[1:]] == ["0", "1", "0"]
    assert [float(row[1]) for row in table[1:3]] == history["loss"]
    assert table[1][3:] == ["NA", "NA"]


def test_checkpoints(tmp_path: Path) -> None:
    model = network()
    path = str(tmp_path / "new" / "{epoch:02d}-{loss:.3f}.keras")
    history = model.fit(X, Y, epochs=2, verbose=0, callbacks=[callbacks.ModelCheckpoint(path)]).history
    names = [f"{i + 1:02d}-{loss:.3f}.keras" for i, loss in enumerate(history["loss"])]
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == names
    loaded = lamina.load_model(tmp_path / "new" / names[-1])
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


def test_only_the_best_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = network()
    path = tmp_path / "best.weights.h5"
    callback = callbacks.ModelCheckpoint(path, save_best_only=True, save_weights_only=True, verbose=1)
    told(callback, [1.0, 0.5, 0.7], model=model)
    out = capsys.readouterr().out
    assert f"Epoch 1: val_loss improved from None to 1.00000, saving model to {path}" in out
    assert f"Epoch 2: val_loss improved from 1.00000 to 0.50000, saving model to {path}" in out
    assert "Epoch 3: val_loss did not improve from 0.50000" in out
    assert path.is_file()


def test_checkpoints_by_batches(tmp_path: Path) -> None:
    path = str(tmp_path / "e{epoch}b{batch}.weights.h5")
    callback = callbacks.ModelCheckpoint(path, save_weights_only=True, save_freq=3)
    network().fit(X, Y, batch_size=4, epochs=2, verbose=0, callbacks=[callback])
    names = sorted(p.name.removesuffix(".weights.h5") for p in tmp_path.iterdir())
    assert names == ["e1b3", "e2b1", "e2b4"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: callbacks.ModelCheckpoint("model.h5"), r"\.keras"),
        (lambda: callbacks.ModelCheckpoint("model.keras", save_weights_only=True), r"\.weights\.h5"),
        (lambda: callbacks.ModelCheckpoint("model.keras", save_freq="day"), "save_freq"),
        (lambda: callbacks.ReduceLROnPlateau(factor=1.0), "factor"),
        (lambda: callbacks.LambdaCallback(on_nothing=print), "on_nothing"),
        (lambda: callbacks.CallbackList([3]), "Callback objects"),
    ],
)
def test_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_plain_lines_are_those_of_keras(capsys: pytest.CaptureFixture[str]) -> None:
    model = network()
    model.fit(X, Y, epochs=2, verbose=2, validation_split=0.5)
    model.evaluate(X, Y, batch_size=10, verbose=2)
    for _ in range(2):  # the second time there is a shorter way, which says nothing
        model.predict(X, verbose=2)
    text = re.sub(r"\d+\.\d+(e-\d+)?", "N", re.sub(r"\d+(s|ms|us)", "T", capsys.readouterr().out))
    epoch = "1/1 - T - T/step - loss: N - mae: N - val_loss: N - val_mae: N\n"
    assert text == (
        f"Epoch 1/2\n{epoch}Epoch 2/2\n{epoch}"
        "2/2 - T - T/step - loss: N - mae: N\n"
        "1/1 - T - T/step\n1/1 - T - T/step\n"
    )


def test_logs_are_never_none() -> None:
    seen: list[Any] = []
    hooks = ("on_train_begin", "on_epoch_begin", "on_train_batch_begin", "on_test_begin", "on_test_batch_begin")
    told: dict[str, Any] = {name: lambda *given: seen.append(given[-1]) for name in hooks}
    network().fit(X, Y, verbose=0, validation_data=(X, Y), callbacks=[callbacks.LambdaCallback(**told)])
    assert seen == [{}] * len(hooks)


def test_nothing_with_verbose_0(capsys: pytest.CaptureFixture[str]) -> None:
    model = network()
    model.fit(X, Y, verbose=0)
    model.evaluate(X, Y, verbose=0)
    model.predict(X, verbose=0)
    assert capsys.readouterr().out == ""


def test_one_live_line_in_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The line changes while an epoch runs, and no number changes with it."""
    models = [network() for _ in range(2)]
    models[1].set_weights(models[0].get_weights())
    models[0].fit(X, Y, batch_size=1, epochs=3, shuffle=False, verbose=0)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setattr("lamina.callbacks.progress.EVERY", 0.0)
    models[1].fit(X, Y, batch_size=1, epochs=3, shuffle=False, verbose=1)
    out = capsys.readouterr().out
    assert "Epoch 3/3 - 20/20" in out
    np.testing.assert_array_equal(models[0].get_weights()[0], models[1].get_weights()[0])


def test_figures_in_words() -> None:
    assert bar(0.25, 8) == "━━──────"
    assert numbers({"loss": 0.15987, "tiny": 0.0001234, "val_loss": 2.0, "auc": -5.59}) == (
        " - loss: 0.1599 - tiny: 1.2340e-04 - auc: -5.5900 - val_loss: 2.0000"
    )
    assert summary_line(2, 0.096, {}) == "2/2 - 0s - 48ms/step"


def test_the_terminal_is_given_back_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    shown: list[callbacks.ProgbarLogger] = []

    def fail(epoch: int, logs: Any) -> None:
        raise RuntimeError("stop here")

    class Kept(callbacks.ProgbarLogger):
        def on_train_begin(self, logs: Any = None) -> None:
            super().on_train_begin(logs)
            assert self.live is not None
            shown.append(self)

    with pytest.raises(RuntimeError, match="stop here"):
        network().fit(X, Y, epochs=2, verbose=1, callbacks=[Kept(), callbacks.LambdaCallback(on_epoch_end=fail)])
    assert shown[0].live is None
