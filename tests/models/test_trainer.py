"""How training goes: order of rows, seeds, parts of an epoch, steps, freezing, several models, models of one's own."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import Input, Model, Sequential, layers, ops
from lamina.errors import NonFiniteError
from lamina.models import loop
from lamina.models.data import Leaf, Rows
from lamina.models.sources import Feed, Span

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 4)).astype("float32")
Y = (X[:, :1] * 2 - X[:, 1:2]).astype("float32")


def network(target: str = "core", seed: int = 1, **compiled: Any) -> Sequential:
    lamina.utils.set_random_seed(seed)
    model = Sequential([Input((4,)), layers.Dense(6, activation="relu"), layers.Dropout(0.2), layers.Dense(1)])
    model.compile(**{"optimizer": "adam", "loss": "mse", "metrics": ["mae"], "target": target, **compiled})
    return model


def same(a: Model, b: Model) -> bool:
    return all(np.array_equal(v, w) for v, w in zip(a.get_weights(), b.get_weights(), strict=True))


def test_batches_one_by_one_give_the_same_bits(target: str) -> None:
    """A callback for batches makes an epoch many calls; no number may change."""
    whole, parts, grouped = network(target), network(target), network(target, steps_per_execution=3)
    seen: list[int] = []
    callback = lamina.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    histories = []
    for model, callbacks in ((whole, []), (parts, [callback]), (grouped, [callback])):
        lamina.utils.set_random_seed(9)  # the same order of rows
        histories.append(model.fit(X, Y, batch_size=8, epochs=2, verbose=0, callbacks=callbacks).history)
    assert same(whole, parts)
    assert same(whole, grouped)
    assert histories[0] == histories[1] == histories[2]
    assert seen == [0, 1, 2, 3, 4, 5, 6] * 2 + [2, 5, 8] * 2  # a short last group counts as a whole one, as in Keras


def test_pieces_of_an_epoch_cover_it_once() -> None:
    spans: list[tuple[int, int]] = []
    told: list[int] = []
    epoch = Span(rows(60), 8, None, 5, 50)
    loop.in_pieces(told.append, seconds=0.0)([epoch], lambda span: spans.append((span.start, span.stop)))
    assert [b for b, _ in spans] == [5, *(e for _, e in spans[:-1])]
    assert spans[-1][1] == 50
    assert all((b - 5) % 8 == 0 for b, _ in spans)
    assert told[-1] == 6


def test_seeds_fix_everything_and_differ(target: str) -> None:
    models = [network(target, seed) for seed in (1, 1, 2)]
    for seed, model in zip((1, 1, 2), models, strict=True):
        lamina.utils.set_random_seed(seed)
        model.fit(X, Y, epochs=2, verbose=0)
    assert same(models[0], models[1])
    assert not same(models[0], models[2])


def rows(count: int) -> Rows:
    return Rows({"x0": np.arange(count)}, count, Leaf("x0", (None,), "float32"))


@pytest.mark.parametrize("shuffle", [True, "batch"])
def test_every_row_once_an_epoch(shuffle: Any) -> None:
    feed = Feed(rows(50), 8, None, shuffle, np.random.default_rng(0))
    first, second = (np.array(feed.epoch()[0].order) for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(50))
    assert not np.array_equal(first, second)
    if shuffle == "batch":
        assert all(set(first[a : a + 8]) == set(range(a, min(a + 8, 50))) for a in range(0, 50, 8))


def test_steps_per_epoch_go_on_where_the_last_epoch_ended() -> None:
    feed = Feed(rows(40), 10, 3)
    for _ in range(2):
        assert feed.epoch()[0][3:] == (0, 30)
        with pytest.warns(UserWarning, match="ran out of data.* 3 steps was asked for, with 1 left"):
            assert feed.epoch()[0][3:] == (30, 40)
    assert Feed(rows(40), None, 3).batch_size == 14


@pytest.mark.filterwarnings("ignore:The model does not have any trainable weights")
def test_every_validation_takes_the_same_first_batches() -> None:
    model = network()
    model.trainable = False
    shared = {"batch_size": 10, "validation_steps": 2, "validation_data": (X, Y), "verbose": 0}
    found = model.fit(X, Y, epochs=3, **shared).history["val_loss"]
    assert found == [model.evaluate(X, Y, batch_size=10, steps=2, verbose=0)[0]] * 3


def test_more_steps_than_data_warns() -> None:
    with pytest.warns(UserWarning, match="ran out of data"):
        network().fit(X, Y, batch_size=10, steps_per_epoch=9, verbose=0)


def test_freezing_between_fits_is_respected(target: str) -> None:
    model = network(target)
    model.fit(X, Y, verbose=0)
    model.layers[0].trainable = False
    model.compile("sgd", "mse", metrics=["mae"], target=target)
    kept = model.layers[0].get_weights()
    model.fit(X, Y, epochs=2, verbose=0)
    for a, b in zip(kept, model.layers[0].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_freezing_without_compile_changes_nothing_and_says_so(target: str) -> None:
    """Keras's numbers: its step was built with the weights that were trainable then."""
    models = [network(target), network(target)]
    for place, model in enumerate(models):
        lamina.utils.set_random_seed(3)
        model.fit(X, Y, verbose=0)
        model.layers[0].trainable = place == 0
    lamina.config.clear_session()
    for place, model in enumerate(models):
        lamina.utils.set_random_seed(4)
        with pytest.warns(UserWarning, match="no effect until `compile`") if place else nullcontext():
            model.fit(X, Y, verbose=0)
    assert same(*models)
    models[1].compile("sgd", "mse", metrics=[], target=target)
    kept = models[1].layers[0].get_weights()
    models[1].fit(X, Y, verbose=0)
    for a, b in zip(kept, models[1].layers[0].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_two_models_may_share_a_layer(target: str) -> None:
    shared = layers.Dense(3, name="shared")
    models = []
    for _ in range(2):
        x = Input((4,))
        models.append(Model(x, layers.Dense(1)(shared(x))))
        models[-1].compile("sgd", "mse", target=target)
    for _ in range(2):
        for model in models:
            before = shared.get_weights()[0]
            model.train_on_batch(X, Y)
            assert not np.array_equal(before, shared.get_weights()[0])
    for model in models:
        np.testing.assert_array_equal(model.get_weights()[0], shared.kernel.numpy())


def test_set_weights_between_epochs_is_seen(target: str) -> None:
    model = network(target, optimizer=lamina.optimizers.SGD(0.0))
    start = model.get_weights()

    def change(epoch: int, logs: Any) -> None:
        model.set_weights([w + 1 for w in model.get_weights()])

    model.fit(X, Y, epochs=2, verbose=0, callbacks=[lamina.callbacks.LambdaCallback(on_epoch_end=change)])
    for a, b in zip(start, model.get_weights(), strict=True):
        np.testing.assert_allclose(b, a + 2, rtol=1e-6)


class Regression(Model):
    """A model of one's own with a layer in a list, a penalty, a metric and a loss."""

    def __init__(self, units: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.units = units
        self.blocks = [layers.Dense(units, activation="relu"), layers.BatchNormalization()]
        self.head = layers.Dense(1)
        self.size = lamina.metrics.Mean(name="size")

    def call(self, inputs: Any, training: bool = False) -> Any:
        for block in self.blocks:
            inputs = block(inputs, training=training)
        self.add_loss(0.1 * ops.mean(ops.square(inputs)))
        self.size.update_state(ops.abs(inputs))
        return self.head(inputs)


def test_a_model_of_ones_own(target: str) -> None:
    model = Regression(5)
    model.compile(lamina.optimizers.Adam(0.05), "mse", target=target)
    history = model.fit(X, Y, epochs=30, verbose=0).history
    assert list(history) == ["loss", "size"]
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    assert [v.name for v in model.weights[:2]] == ["kernel", "bias"]
    assert len(model.weights) == 8
    assert len(model.trainable_weights) == 6
    np.testing.assert_allclose(model.predict(X, verbose=0), model(X), rtol=1e-5, atol=1e-6)
    penalty = 0.1 * float(np.mean(np.square(sub_outputs(model))))
    total = model.evaluate(X, Y, batch_size=50, verbose=0)[0]
    assert total == pytest.approx(float(np.mean((model(X) - Y) ** 2)) + penalty, rel=1e-5)


def sub_outputs(model: Regression) -> np.ndarray:
    return np.asarray(model.blocks[1](model.blocks[0](X)))


def test_compute_loss_may_be_overridden(target: str) -> None:
    class Doubled(Sequential):
        def compute_loss(
            self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
        ) -> Any:
            return 2.0 * ops.mean((y - y_pred) ** 2)

    model = Doubled([Input((4,)), layers.Dense(1)])
    model.compile("sgd", target=target)
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(2 * float(np.mean((model(X) - Y) ** 2)), rel=1e-5)


def test_metrics_with_a_plain_function_and_a_dictionary(target: str) -> None:
    def largest(y_true: Any, y_pred: Any) -> Any:
        return ops.max(ops.abs(y_true - y_pred), axis=-1)

    class Pair(lamina.metrics.Metric):
        def __init__(self, name: str = "pair"):
            super().__init__(name=name)
            self.total = self.add_weight(name="total")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            self.total.assign_add(ops.sum(y_pred))

        def result(self) -> Any:
            return {"sum": self.total.numpy(), "twice": 2 * self.total.numpy()}

    model = network(target, metrics=[largest, Pair()])
    found = model.evaluate(X, Y, verbose=0, return_dict=True)
    assert list(found) == ["largest", "loss", "sum", "twice"]
    out = model(X)
    assert found["largest"] == pytest.approx(float(np.mean(np.abs(out - Y))), rel=1e-5)
    assert found["sum"] == pytest.approx(float(out.sum()), rel=1e-4, abs=1e-4)


def test_a_list_of_results_goes_by_the_metrics_own_names() -> None:
    """As in Keras: of several outputs only the losses have keys like their names; all else comes last, sorted."""
    x = Input((4,))
    model = Model(x, [layers.Dense(1, name="b")(x), layers.Dense(1, name="a")(x)])
    model.compile("sgd", "mse", metrics=[["mse", "mae"], ["mae"]])
    y = [Y, 2 * Y]
    found = model.evaluate(X, y, verbose=0, return_dict=True)
    order = ["loss", "b_loss", "a_loss", "a_mae", "b_mae", "b_mse"]
    assert model.evaluate(X, y, verbose=0) == [found[name] for name in order]
    assert model.test_on_batch(X, y)[3:] == pytest.approx([found[name] for name in order[3:]])
    model = network(metrics=["mae"], weighted_metrics=["mae"])
    found = model.evaluate(X, Y, verbose=0, return_dict=True)
    names = ["loss", "mae", "mae", "weighted_mae"]  # the second has the first one's name, and another key
    assert model.evaluate(X, Y, verbose=0) == [found[name] for name in names]


def test_float64_runs_wholly_in_float64(target: str) -> None:
    model = Sequential([Input((4,)), layers.Dense(3, dtype="float64"), layers.Dense(1, dtype="float64")])
    model.compile(lamina.optimizers.SGD(0.125), "mse", metrics=["mae"], target=target)
    x, y = X.astype("float64"), Y.astype("float64")
    w, b, v, c = model.get_weights()
    model.fit(x, y, batch_size=50, verbose=0)
    h = x @ w + b
    slope = 2 * (h @ v + c - y) / 50
    np.testing.assert_allclose(model.get_weights()[2], v - 0.125 * h.T @ slope, rtol=1e-12)
    assert model.predict(x, verbose=0).dtype == np.float64


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_bad_numbers_in_the_data_are_named(bad: float, target: str) -> None:
    model, x = network(target), X.copy()
    x[17, 2] = bad
    before = model.get_weights()
    with pytest.raises(NonFiniteError, match=f"x itself is {bad} in row 17, column 2") as caught:
        model.fit(x, Y, epochs=3, verbose=0)
    assert caught.value.epoch == 0
    assert caught.value.layer == model.layers[0].name
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert int(model.optimizer.iterations.value) == 0


def test_divergence_is_named_whatever_metrics_look_at_the_answers() -> None:
    """A metric that sorts answers by thresholds meets nan before the loss of the epoch is known."""
    model = Sequential([Input((4,)), layers.Dense(1, name="only")])
    model.compile(lamina.optimizers.SGD(1e38), "mse", metrics=["AUC", lamina.metrics.PrecisionAtRecall(0.5)])
    with pytest.raises(NonFiniteError, match="epoch 1"):
        model.fit(1e3 * X, (Y > 0).astype(int), verbose=0)


def test_divergence_is_named_beside_text() -> None:
    words = np.array([["a"], ["b"]] * 8)
    lookup = layers.StringLookup(vocabulary=["a", "b"], output_mode="multi_hot")
    model = Sequential([Input((1,), dtype="string"), lookup, layers.Dense(1)])
    model.compile(lamina.optimizers.SGD(1e38), "mse")
    with pytest.raises(NonFiniteError, match="Try a smaller learning rate"):
        model.fit(words, np.ones((16, 1)), batch_size=2, verbose=0)


def test_divergence_gives_back_the_last_good_epoch(target: str) -> None:
    """The learning rate explodes in the third epoch: the weights are those after the second."""
    lamina.utils.set_random_seed(1)
    model = Sequential([Input((4,)), layers.Dense(3, name="first"), layers.Dense(1, name="second")])
    model.compile(lamina.optimizers.SGD(0.01), "mse", target=target)
    good: list[Any] = []

    def explode(epoch: int, logs: Any) -> None:
        good.append(model.get_weights())
        if epoch == 1:
            model.optimizer.learning_rate = 1e30

    with pytest.raises(NonFiniteError, match=r"epoch 3: in batch \d, layer '(first|second)'") as caught:
        model.fit(X, Y, epochs=9, verbose=0, callbacks=[lamina.callbacks.LambdaCallback(on_epoch_end=explode)])
    assert caught.value.epoch == 2
    assert len(caught.value.history.history["loss"]) == 2
    for a, b in zip(good[1], model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_first_bad_layer_is_named(target: str) -> None:
    class Log(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return ops.log(inputs - 9.0)

    model = Sequential([Input((4,)), layers.Dense(3), Log(name="culprit"), layers.Dense(1)])
    model.compile("sgd", "mse", target=target)
    with pytest.raises(NonFiniteError, match="layer 'culprit' is the first"):
        model.train_on_batch(X, Y)


def test_summary(capsys: pytest.CaptureFixture[str]) -> None:
    model = network()
    lines: list[str] = []
    model.summary(print_fn=lines.append, line_length=80)
    text = "\n".join(lines)
    assert "(None, 6)" in text
    assert "Total params: 37 (148.00 B)" in text  # (4·6 + 6) + (6·1 + 1)
    model.fit(X, Y, verbose=0)
    lines.clear()
    model.summary(print_fn=lines.append, line_length=80)
    assert "Optimizer params: 76" in "\n".join(lines)  # two slots, the step and the learning rate
    assert capsys.readouterr().out == ""


def test_what_compile_leaves_out_stays() -> None:
    """Keras's rule: a new call without a loss or metrics keeps the old ones."""
    model = network()
    lamina.config.clear_session()
    with pytest.warns(UserWarning, match="without `loss`: as in Keras, the loss of the call before stays"):
        model.compile("sgd")
    assert list(model.evaluate(X, Y, verbose=0, return_dict=True)) == ["loss", "mae"]
    lamina.config.clear_session()
    with pytest.warns(UserWarning, match="without `loss`"):
        model.compile("sgd", metrics=["mse"])
    assert list(model.evaluate(X, Y, verbose=0, return_dict=True)) == ["loss", "mse"]


def wide(threads: int | None = None) -> Sequential:
    """Wide enough that the core divides the work."""
    lamina.utils.set_random_seed(4)
    model = Sequential([Input((64,)), layers.Dense(256, activation="relu"), layers.Dropout(0.1), layers.Dense(10)])
    model.compile("adam", lamina.losses.SparseCategoricalCrossentropy(from_logits=True), threads=threads)
    return model


def test_threads_change_no_bit() -> None:
    x, y = RNG.normal(size=(1000, 64)), RNG.integers(0, 10, 1000)
    models = [wide(threads) for threads in (1, 2, 3)]
    histories = []
    for model in models:
        lamina.utils.set_random_seed(5)
        histories.append(model.fit(x, y, batch_size=256, epochs=2, verbose=0).history)
    assert histories[0] == histories[1] == histories[2]
    assert same(models[0], models[1])
    assert same(models[0], models[2])


BITS = """
import hashlib, numpy as np, lamina
from lamina import Input, Sequential, layers
lamina.utils.set_random_seed(4)
x = np.random.default_rng(0).normal(size=(500, 20)); y = (x[:, 0] > 0).astype("float32")
model = Sequential([Input((20,)), layers.Dense(70, activation="gelu"), layers.BatchNormalization(), layers.Dropout(0.2),
                    layers.Dense(33, activation="tanh"), layers.Dense(1, activation="sigmoid")])
model.compile("adam", "binary_crossentropy", metrics=["auc"])
model.fit(x, y, batch_size=64, epochs=3, verbose=0)
print(hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest())
"""


def test_instruction_sets_change_no_bit() -> None:
    from lamina import _core

    usable = [isa for isa in ("avx2", "avx512") if isa in _core.isas()]
    if len(usable) < 2:
        pytest.skip(f"this processor has only {_core.isas()}")
    runs = [
        subprocess.run(
            [sys.executable, "-c", BITS],
            env={**os.environ, "LAMINA_ISA": isa},
            capture_output=True,
            text=True,
            check=True,
        )
        for isa in usable
    ]
    assert runs[0].stdout == runs[1].stdout
    assert len(runs[0].stdout.strip()) == 64
