"""Metrics of the user's own: states, parts, dictionaries, in a model and alone, as in Keras."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import lamina

ROWS = 20
_rng = np.random.default_rng(0)
X = _rng.normal(size=(ROWS, 3)).astype("float32")
Y = (X[:, :1] > 0).astype("float32")
WEIGHTS = _rng.uniform(0.2, 2, ROWS).astype("float32")


def kinds(library: Any) -> dict[str, Any]:
    """The same metrics and losses, written as Keras's documentation writes them."""
    ops = library.ops

    class Hits(library.metrics.Metric):
        def __init__(self, name="hits", **kwargs):
            super().__init__(name=name, **kwargs)
            self.hits = self.add_variable((), "zeros", name="hits")

        def update_state(self, y_true, y_pred, sample_weight=None):
            values = ops.logical_and(ops.cast(y_true, "bool"), y_pred > 0.5)
            values = ops.cast(values, self.dtype)
            if sample_weight is not None:
                weight = ops.reshape(ops.cast(sample_weight, self.dtype), (-1, 1))
                values = ops.multiply(values, ops.broadcast_to(weight, ops.shape(values)))
            self.hits.assign(self.hits + ops.sum(values))

        def result(self):
            return self.hits

        def reset_state(self):
            self.hits.assign(0)

    class Both(library.metrics.Metric):
        def __init__(self, name="both", scale=1.0, **kwargs):
            super().__init__(name=name, **kwargs)
            self.scale = scale
            self.shares = [library.metrics.Precision(), library.metrics.Recall()]
            self.batches = self.add_weight(name="batches", dtype="int32", initializer="zeros")

        def update_state(self, y_true, y_pred, sample_weight=None):
            for share in self.shares:
                share.update_state(y_true, y_pred, sample_weight)
            if len(y_pred.shape) == 2 and y_pred.shape[-1] == 1:
                self.batches.assign_add(1)

        def result(self):
            p, r = (share.result() for share in self.shares)
            return {"f": self.scale * 2 * p * r / (p + r + 1e-7), "batches": ops.cast(self.batches, "float32")}

        def get_config(self):
            return {**super().get_config(), "scale": self.scale}

    class Power(library.losses.Loss):
        def __init__(self, power=2.0, name="power", **kwargs):
            super().__init__(name=name, **kwargs)
            self.power = power

        def call(self, y_true, y_pred):
            return ops.mean(ops.power(ops.abs(y_true - y_pred), self.power), axis=-1)

        def get_config(self):
            return {**super().get_config(), "power": self.power}

    class Rows(library.metrics.Metric):
        def __init__(self, name="rows", **kwargs):
            super().__init__(name=name, **kwargs)
            self.rows = self.add_weight(name="rows", initializer="zeros")

        def update_state(self, y_true, y_pred, sample_weight=None):
            count = ops.shape(y_true)[0]
            flat = ops.reshape(y_true, (count, 1)) * ops.zeros((count, 1))
            self.rows.assign_add(ops.cast(count, self.dtype) + ops.sum(flat))

        def result(self):
            return self.rows

    def distance(y_true, y_pred):
        return ops.sqrt(ops.mean(ops.square(y_true - y_pred), axis=-1))

    def whole(y_true, y_pred):
        return ops.mean(ops.abs(y_true - y_pred))

    def squares(y_true, y_pred):
        return ops.square(y_true - y_pred)

    made = {f.__name__: f for f in (Hits, Both, Rows, Power, distance, whole, squares)}
    for thing in made.values():
        library.saving.register_keras_serializable("own")(thing)
    return made


OURS, THEIRS = kinds(lamina), kinds(keras)
# what → arguments of compile
MODELS = {
    "a metric": lambda k: {"loss": "mse", "metrics": [k["Hits"]()]},
    "by its class": lambda k: {"loss": "mse", "metrics": [k["Hits"]]},
    "weighted": lambda k: {"loss": "mse", "weighted_metrics": [k["Hits"](), k["distance"]]},
    "a dictionary of parts": lambda k: {"loss": k["Power"](3.0), "metrics": ["mae", k["Both"](scale=2.0), k["Rows"]()]},
    "functions": lambda k: {"loss": k["distance"], "metrics": [k["distance"], k["whole"], k["squares"]]},
}


def results(library: Any, how: Any, **more: Any) -> tuple[dict[str, Any], list[Any]]:
    model = library.Sequential([library.Input((3,)), library.layers.Dense(1, "sigmoid", kernel_initializer="ones")])
    model.compile("sgd", **how, **more)
    history = model.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0, sample_weight=WEIGHTS).history
    return history, [*model.evaluate(X, Y, batch_size=8, verbose=0), *model.train_on_batch(X, Y)]


@pytest.mark.parametrize("name", MODELS)
def test_in_a_model(name: str):
    found, numbers = results(lamina, MODELS[name](OURS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected, their_numbers = results(keras, MODELS[name](THEIRS), run_eagerly=True)
    assert list(found) == list(expected)
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, rtol=1e-5)
    np.testing.assert_allclose(numbers, their_numbers, rtol=1e-5)


def test_saved_and_loaded(tmp_path: Path):
    model = lamina.Sequential([lamina.Input((3,)), lamina.layers.Dense(1, "sigmoid")])
    model.compile("sgd", OURS["Power"](3.0), metrics=[OURS["Both"](scale=2.0), OURS["squares"], OURS["Hits"]()])
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "own.keras")
    again = lamina.saving.load_model(tmp_path / "own.keras")
    before, after = (m.evaluate(X, Y, verbose=0, return_dict=True) for m in (model, again))
    assert before == after
    assert {"f", "batches", "squares", "hits"} < set(after)


def test_alone():
    for library, k in ((lamina, OURS), (keras, THEIRS)):
        both = k["Both"]()
        result = both(Y, 0.9 * Y, sample_weight=WEIGHTS)
        assert {name: float(value) for name, value in result.items()} == {"f": pytest.approx(1), "batches": 1}
        assert [v.name for v in both.variables] == [
            "batches", "true_positives", "false_positives", "true_positives", "false_negatives",
        ]  # fmt: skip
        both.reset_state()
        assert all((np.asarray(v) == 0).all() for v in both.variables)
        assert both.get_config() == {"name": "both", "dtype": "float32", "scale": 1.0}
        mean = library.metrics.Mean()
        assert [float(mean(v)) for v in (1.0, 2.0, 6.0)] == [1.0, 1.5, 3.0]
        one, two, six = np.float32([1, 2, 6])
        assert [np.asarray(v) for v in mean.stateless_update_state([one, two], [3.0, 5.0])] == [9, 4]
        assert float(mean.stateless_result([six, two])) == 3
        assert [np.asarray(v) for v in mean.stateless_reset_state()] == [0, 0]
        assert float(mean.result()) == 3  # its own states stay
        with pytest.raises(ValueError, match="metric_variables"):
            mean.stateless_result([1.0])


def test_a_state_needs_the_base():
    class Forgetful(lamina.metrics.Metric):
        def __init__(self):
            self.total = self.add_weight(name="total")

    with pytest.raises(RuntimeError, match=r"Forgetful.__init__ must call super\(\).__init__\(\)"):
        Forgetful()


def test_parts_move_with_the_metric():
    both = OURS["Both"]().to("float64")
    assert {v.dtype for v in both.variables} == {"float64"}
