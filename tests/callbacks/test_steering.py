"""Callbacks that change how training goes, and the one that lets it go on after a crash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import Input, Sequential, callbacks, layers, optimizers
from lamina.errors import ModelFileError, NonFiniteError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3)).astype("float32")
Y = (X[:, :1] - X[:, 1:2]).astype("float32")


def network(optimizer: Any = "adam", **compiled: Any) -> Sequential:
    lamina.utils.set_random_seed(1)
    model = Sequential([Input((3,)), layers.Dense(4, activation="relu"), layers.Dropout(0.2), layers.Dense(1)])
    model.compile(optimizer, "mse", **compiled)
    return model


def same(a: Any, b: Any) -> bool:
    return all(np.array_equal(v, w) for v, w in zip(a.get_weights(), b.get_weights(), strict=True))


# -- learning rates


def test_a_schedule_of_epochs() -> None:
    model = network(optimizers.SGD(0.5))
    callback = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    history = model.fit(X, Y, epochs=3, verbose=0, callbacks=[callback]).history
    assert history["learning_rate"] == [0.25, 0.125, 0.0625]
    history = model.fit(
        X, Y, epochs=2, verbose=0, callbacks=[callbacks.LearningRateScheduler(lambda epoch: 0.5**epoch)]
    ).history  # fmt: skip
    assert history["learning_rate"] == [1.0, 0.5]


def test_the_schedule_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    callback = callbacks.LearningRateScheduler(lambda epoch, rate: 0.25, verbose=1)
    network("sgd").fit(X, Y, verbose=0, callbacks=[callback])
    assert capsys.readouterr().out == "\nEpoch 1: LearningRateScheduler setting learning rate to 0.25.\n"


def test_a_schedule_must_give_a_float() -> None:
    with pytest.raises(ValueError, match="should be a float. Got: 1"):
        network().fit(X, Y, verbose=0, callbacks=[callbacks.LearningRateScheduler(lambda epoch: 1)])


def test_a_rate_set_between_batches_counts(target: str) -> None:
    model = network(optimizers.SGD(0.1), target=target)
    kept: list[Any] = []

    def after(batch: int, logs: Any) -> None:
        model.optimizer.learning_rate = 0.0
        kept.append(model.get_weights())

    model.fit(X, Y, batch_size=20, verbose=0, callbacks=[callbacks.LambdaCallback(on_train_batch_end=after)])
    for a, b in zip(kept[0], model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


# -- not a number


def exploding(raise_error: bool) -> tuple[Sequential, list[Any], Any]:
    model, good = network(optimizers.SGD(0.01)), []

    def explode(epoch: int, logs: Any) -> None:
        good.append(model.get_weights())
        if epoch == 1:
            model.optimizer.learning_rate = 1e30

    return model, good, [callbacks.TerminateOnNaN(raise_error), callbacks.LambdaCallback(on_epoch_end=explode)]


def test_training_ends_at_the_first_bad_batch(capsys: pytest.CaptureFixture[str]) -> None:
    model, good, watched = exploding(raise_error=False)
    history = model.fit(X, Y, batch_size=8, epochs=9, verbose=0, callbacks=watched)
    assert "Invalid loss, terminating training" in capsys.readouterr().out
    assert len(history.history["loss"]) == 3
    assert not np.isfinite(history.history["loss"][-1])
    for a, b in zip(good[1], model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert int(model.optimizer.iterations.value) == 10


def test_or_raises_there() -> None:
    model, good, watched = exploding(raise_error=True)
    with pytest.raises(RuntimeError, match="NaN or Inf loss encountered at batch"):
        model.fit(X, Y, batch_size=8, epochs=9, verbose=0, callbacks=watched)
    for a, b in zip(good[1], model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_without_it_an_error_says_where() -> None:
    model, _, watched = exploding(raise_error=False)
    with pytest.raises(NonFiniteError, match="epoch 3"):
        model.fit(X, Y, batch_size=8, epochs=9, verbose=0, callbacks=watched[1:])


# -- averages


def averaged() -> Sequential:
    return network(optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9))


def test_validation_sees_the_averages_and_training_does_not() -> None:
    plain, model = averaged(), averaged()
    fit = {"epochs": 3, "batch_size": 8, "verbose": 0, "validation_data": (X, Y)}
    losses, held = [], []
    for one, used in ((plain, []), (model, [callbacks.SwapEMAWeights()])):
        lamina.utils.set_random_seed(2)
        history = one.fit(X, Y, **fit, callbacks=used).history
        losses.append(history["loss"])
        held.append(history["val_loss"])
    assert losses[0] == losses[1]
    assert held[0] != held[1]
    assert same(plain, model)
    assert held[1][-1] == pytest.approx(model.evaluate(X, Y, verbose=0), rel=1e-6)


def test_epochs_end_with_the_averages_in_place() -> None:
    model, seen = averaged(), []
    look = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(model.get_weights()))
    stop = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: setattr(model, "stop_training", epoch == 2))
    model.fit(X, Y, epochs=9, verbose=0, callbacks=[callbacks.SwapEMAWeights(swap_on_epoch=True), look, stop])
    assert len(seen) == 3
    for v, w in zip(seen[-1], model.get_weights(), strict=True):  # early, too: the averages remain
        np.testing.assert_array_equal(v, w)


def test_predictions_are_by_the_averages_and_the_weights_come_back() -> None:
    model = averaged()
    for _ in range(3):
        model.train_on_batch(X, Y)
    before = model.get_weights()
    plain = model.predict(X, verbose=0)
    by_averages = model.predict(X, verbose=0, callbacks=[callbacks.SwapEMAWeights()])
    assert not np.array_equal(plain, by_averages)
    np.testing.assert_array_equal(model.predict(X, verbose=0), plain)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_without_averages_it_is_refused() -> None:
    with pytest.raises(ValueError, match="use_ema=True"):
        network().fit(X, Y, verbose=0, validation_data=(X, Y), callbacks=[callbacks.SwapEMAWeights()])


# -- after a crash


class Crash(Exception):
    """The power fails."""


def crash_after(epochs: int) -> Any:
    def end(epoch: int, logs: Any) -> None:
        if epoch + 1 == epochs:
            raise Crash

    return callbacks.LambdaCallback(on_epoch_end=end)


def backed_up(folder: Path, epochs: int = 5, crash: int | None = None, **arguments: Any) -> tuple[Sequential, Any]:
    model = network()
    used = [callbacks.BackupAndRestore(folder, **arguments), *([] if crash is None else [crash_after(crash)])]
    return model, lambda: model.fit(X, Y, batch_size=8, epochs=epochs, verbose=0, callbacks=used)


def test_training_goes_on_with_the_same_numbers(tmp_path: Path) -> None:
    whole = network()
    wanted = whole.fit(X, Y, batch_size=8, epochs=5, verbose=0).history["loss"]
    folder = tmp_path / "backup"
    _, fit = backed_up(folder, crash=3)
    with pytest.raises(Crash):
        fit()
    assert sorted(p.name for p in folder.iterdir()) == ["latest.weights.h5", "training_metadata.json"]
    model, fit = backed_up(folder)
    history = fit()
    assert history.epoch == [3, 4]
    assert history.history["loss"] == wanted[3:]
    assert same(whole, model)
    assert not folder.exists()


def test_a_crash_between_the_files_leaves_one_whole_state(tmp_path: Path) -> None:
    """Weights are written before the notes about them, and put in place afterwards."""
    _, fit = backed_up(tmp_path, crash=2)
    with pytest.raises(Crash):
        fit()
    first = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    _, fit = backed_up(tmp_path, crash=3)
    with pytest.raises(Crash):
        fit()
    second = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    weights, notes = "latest.weights.h5", "training_metadata.json"
    states = {
        "before the notes": ({weights: first[weights], "next.weights.h5": second[weights], notes: first[notes]}, 2),
        "after the notes": ({weights: first[weights], "next.weights.h5": second[weights], notes: second[notes]}, 3),
    }
    for files, epoch in states.values():
        tmp_path.mkdir(exist_ok=True)
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        model, fit = backed_up(tmp_path, epochs=epoch)
        assert fit().epoch == []
        assert int(model.optimizer.iterations.value) == 5 * epoch


def test_a_second_crash_finds_the_state_that_the_first_one_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, fit = backed_up(tmp_path, crash=3)
    with pytest.raises(Crash):
        fit()
    (tmp_path / "latest.weights.h5").rename(tmp_path / "next.weights.h5")  # as if the crash had come after the notes

    def torn(path: Path, overwrite: bool) -> None:
        path.write_bytes(b"half")
        raise Crash

    model, fit = backed_up(tmp_path, double_checkpoint=True)
    monkeypatch.setattr(model, "save_weights", torn)
    with pytest.raises(Crash):
        fit()
    model, fit = backed_up(tmp_path, epochs=3)
    assert fit().epoch == []
    assert int(model.optimizer.iterations.value) == 15


def test_a_damaged_state_is_refused_or_replaced_by_the_one_before(tmp_path: Path) -> None:
    _, fit = backed_up(tmp_path, crash=3, double_checkpoint=True)
    with pytest.raises(Crash):
        fit()
    (tmp_path / "latest.weights.h5").write_bytes(b"damaged")
    assert backed_up(tmp_path, delete_checkpoint=False, epochs=3)[1]().epoch == [2]
    for path in tmp_path.glob("*.bkp"):
        path.unlink()
    (tmp_path / "latest.weights.h5").write_bytes(b"damaged")
    with pytest.raises(ModelFileError, match="changed or damaged"):
        backed_up(tmp_path)[1]()


def test_a_state_after_so_many_batches(tmp_path: Path) -> None:
    model, fit = backed_up(tmp_path, epochs=2, save_freq=3, delete_checkpoint=False)
    fit()
    notes = json.loads((tmp_path / "training_metadata.json").read_text(encoding="utf-8"))
    assert (notes["epoch"], notes["batch"]) == (1, 3)  # 3, 6 and 9 of 2 × 5 batches
    assert int(model.optimizer.iterations.value) == 10


def test_other_files_of_the_folder_stay(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept", encoding="utf-8")
    backed_up(tmp_path)[1]()
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"backup_dir": ""}, "Empty `backup_dir`"), ({"backup_dir": "x", "save_freq": "batch"}, "save_freq=batch")],
)
def test_arguments_of_a_backup(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        callbacks.BackupAndRestore(**arguments)


def test_an_unbuilt_model_cannot_be_restored(tmp_path: Path) -> None:
    model = Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    callback = callbacks.BackupAndRestore(tmp_path)
    callback.set_model(model)
    with pytest.raises(ValueError, match="must be built"):
        callback.on_train_begin()


@pytest.mark.parametrize("name", ["RemoteMonitor", "OrbaxCheckpoint"])
def test_what_is_not_here_says_what_to_use(name: str) -> None:
    with pytest.raises(AttributeError, match=f"{name}.*LambdaCallback|{name}.*ModelCheckpoint"):
        getattr(callbacks, name)
