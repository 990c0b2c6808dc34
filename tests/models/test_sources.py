"""Batches as they come: generators, data sets by index, loaders, tf.data; the same bits as from arrays."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import lamina
from lamina import Input, Model, Sequential, layers
from lamina.errors import DataError, NonFiniteError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(28, 3)).astype("float32")
Y = (X[:, :1] - X[:, 1:2]).astype("float32")
W = RNG.uniform(size=28)
SIZE = 8  # the last of the four batches is shorter
CUTS = [slice(begin, begin + SIZE) for begin in range(0, len(X), SIZE)]


def network(**compiled: Any) -> Sequential:
    lamina.utils.set_random_seed(1)
    model = Sequential([Input((3,)), layers.Dense(4, activation="relu"), layers.Dropout(0.2), layers.Dense(1)])
    model.compile(**{"optimizer": "adam", "loss": "mse", "metrics": ["mae"], **compiled})
    return model


def generator(repeat: int = 1) -> Iterator[Any]:
    return ((X[cut], Y[cut]) for _ in range(repeat) for cut in CUTS)


class Batches(lamina.utils.PyDataset):
    """The data in order; notes what it is asked for."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.asked: list[Any] = []
        self.threads: set[int] = set()

    def __len__(self) -> int:
        return len(CUTS)

    def __getitem__(self, index: int) -> Any:
        self.asked.append(index)
        self.threads.add(threading.get_ident())
        return X[CUTS[index]], Y[CUTS[index]]

    def on_epoch_begin(self) -> None:
        self.asked.append("begin")

    def on_epoch_end(self) -> None:
        self.asked.append("end")


class Loader:
    """What a data loader of PyTorch is to a user: it can be iterated again and again, and gives lists."""

    def __iter__(self) -> Iterator[Any]:
        return ([X[cut], Y[cut]] for cut in CUTS)

    def __len__(self) -> int:
        return len(CUTS)


def tensorflow_data() -> Any:
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(SIZE)


SOURCES: dict[str, Callable[[], Any]] = {
    "generator": lambda: generator(3),
    "PyDataset": Batches,
    "PyDataset with threads": lambda: Batches(workers=3, max_queue_size=2),
    "loader": Loader,
    "iterable without a length": lambda: type("Endless", (), {"__iter__": lambda self: generator()})(),
    "tf.data": tensorflow_data,
}


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_gives_the_bits_of_arrays(name: str) -> None:
    model, other = network(), network()
    steps = len(CUTS) if name == "generator" else None
    found = model.fit(SOURCES[name](), epochs=3, steps_per_epoch=steps, shuffle=False, verbose=0)
    wanted = other.fit(X, Y, epochs=3, batch_size=SIZE, shuffle=False, verbose=0)
    assert found.history == wanted.history
    assert found.epoch == [0, 1, 2]
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert model.evaluate(SOURCES[name](), steps=steps, verbose=0) == other.evaluate(X, Y, batch_size=SIZE, verbose=0)
    answer = model.predict(SOURCES[name](), steps=steps, verbose=0)
    np.testing.assert_array_equal(answer, other.predict(X, batch_size=SIZE, verbose=0))


def test_validation_data_may_come_in_batches() -> None:
    models = [network(), network()]
    found = models[0].fit(X, Y, epochs=2, shuffle=False, verbose=0, validation_data=Batches()).history
    wanted = models[1].fit(
        X, Y, epochs=2, shuffle=False, verbose=0, validation_data=(X, Y), validation_batch_size=SIZE
    ).history  # fmt: skip
    assert found == wanted


def test_class_and_sample_weights_of_batches() -> None:
    y = (Y > 0).astype("int64")
    pairs = (
        ({"x": ((X[c], y[c]) for c in CUTS), "class_weight": {1: 3.0}}, {"y": y, "class_weight": {1: 3.0}}),
        ({"x": ((X[c], y[c], W[c]) for c in CUTS)}, {"y": y, "sample_weight": W}),
    )
    for streamed, whole in pairs:
        models = [network(), network()]
        found = models[0].fit(**streamed, verbose=0).history
        assert found == models[1].fit(X, **whole, batch_size=SIZE, shuffle=False, verbose=0).history


def test_a_py_dataset_is_asked_in_its_order_or_another() -> None:
    data = Batches()
    network().fit(data, epochs=2, shuffle=False, verbose=0)
    assert data.asked == [0, *["begin", 0, 1, 2, 3, "end"] * 2]  # the first one to see what batches are like
    data = Batches()
    network().fit(data, epochs=9, verbose=0)
    epochs = [data.asked[1 + 6 * i : 7 + 6 * i][1:-1] for i in range(9)]
    assert all(sorted(epoch) == [0, 1, 2, 3] for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_workers_are_threads() -> None:
    data = Batches(workers=2)
    network().fit(data, epochs=4, verbose=0)
    assert len(data.threads) > 1


def batches_of_epochs(x: Any, **fit: Any) -> list[int]:
    seen: list[int] = []
    callback = lamina.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append(0),
        on_train_batch_end=lambda batch, logs: seen.append(seen.pop() + 1),
    )
    network().fit(x, verbose=0, callbacks=[callback], **fit)
    return seen


def test_an_epoch_ends_with_the_data_and_the_next_begins_anew() -> None:
    with pytest.warns(UserWarning, match="ran out of data"):
        assert batches_of_epochs(Batches(), steps_per_epoch=3, epochs=3) == [3, 1, 3]
    with pytest.warns(UserWarning, match="ran out of data"):
        assert batches_of_epochs(Loader(), steps_per_epoch=3, epochs=3) == [3, 1, 3]


def test_a_generator_that_ends_ends_training() -> None:
    """Keras would train on the first two batches again; no number here is from data that were not given."""
    with pytest.warns(UserWarning, match="ran out of data"):
        assert batches_of_epochs(generator(), epochs=3) == [4]
    with pytest.warns(UserWarning, match="ran out of data.*3 steps"):
        assert batches_of_epochs(generator(), steps_per_epoch=3, epochs=5) == [3, 1]


def test_groups_of_batches() -> None:
    seen: list[tuple[str, int]] = []
    callback = lamina.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: seen.append(("begin", batch)),
        on_train_batch_end=lambda batch, logs: seen.append(("end", batch)),
    )
    network(steps_per_execution=3).fit(Loader(), verbose=0, callbacks=[callback])
    assert seen == [("begin", 0), ("end", 2), ("begin", 3), ("end", 5)]  # the last as in Keras


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "targets beside": (lambda: network().fit(generator(), Y), "`y` should not be passed when x is a generator"),
    "weights beside": (lambda: network().fit(Batches(), sample_weight=W), "`sample_weight` should not be passed"),
    "split": (lambda: network().fit(generator(), validation_split=0.5), "`validation_split` is only supported"),
    "a batch of another width": (
        lambda: network().fit((X[c, : 3 - i], Y[c]) for i, c in enumerate(CUTS)), r"axis -1 .* value 3.*\(8, 2\)",
    ),
    "a batch of text": (lambda: network().fit((np.array(["a"]), Y[c]) for c in CUTS), "batch 1 of x: Invalid dtype"),
    "rows instead of batches": (lambda: network().fit((x, y) for x, y in zip(X, Y, strict=True)), "batch 1 of x"),
    "four parts": (lambda: network().fit((X, Y, W, W) for _ in CUTS), "batch 1 of x: .* got 4 parts"),
    "no batch": (lambda: network().predict(iter(())), "no batch"),
    "an empty PyDataset": (lambda: network().fit(type("No", (Batches,), {"__len__": lambda self: 0})()), "no batch"),
    "validation": (lambda: network().fit(X, Y, validation_data=iter([(X, Y[:3])])), "validation_data: batch 1"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    act, message = REFUSED[name]
    with pytest.raises((DataError, ValueError), match=message):
        act()


def test_a_batch_size_beside_batches_is_ignored_aloud() -> None:
    with pytest.warns(UserWarning, match="`batch_size` is ignored"):
        network().fit(generator(), batch_size=4, verbose=0)


def test_a_bad_number_in_a_batch_is_named() -> None:
    bad = X.copy()
    bad[10, 2] = np.nan
    model = network()
    before = model.get_weights()
    with pytest.raises(NonFiniteError, match="epoch 1: in batch 2. x itself is nan in row 2, column 2"):
        model.fit(((bad[c], Y[c]) for c in CUTS), verbose=0)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def named_inputs() -> Model:
    lamina.utils.set_random_seed(1)
    inputs = {name: Input((1,), name=name) for name in "abc"}
    model = Model(inputs, layers.Dense(1)(layers.Concatenate()(list(inputs.values()))))
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_frames_and_their_columns(frame: Any) -> None:
    table = frame({name: X[:, i].astype("float64") for i, name in enumerate("abc")})
    target = table["a"]
    wanted = named_inputs().fit({n: X[:, i] for i, n in enumerate("abc")}, X[:, 0], verbose=0, shuffle=False).history
    for x in (table, {name: table[name] for name in "abc"}):
        assert named_inputs().fit(x, target, verbose=0, shuffle=False).history == wanted
    models = [network(), network()]
    found = models[0].fit(table, target, shuffle=False, verbose=0).history
    assert found == models[1].fit(X, X[:, :1], shuffle=False, verbose=0).history


def test_a_memory_mapped_array(tmp_path: Any) -> None:
    np.save(tmp_path / "x.npy", X)
    model, other = network(), network()
    model.fit(np.load(tmp_path / "x.npy", mmap_mode="r"), Y, shuffle=False, verbose=0)
    other.fit(X, Y, shuffle=False, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], other.get_weights()[0])
