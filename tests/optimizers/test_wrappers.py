"""Optimizers around optimizers: a scaled loss, and one for each kind of variable."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import optimizers
from lamina.optimizers import SGD, Adam, LossScaleOptimizer, MultiOptimizer, OptimizerMap
from lamina.variables import Variable


def scaled(**arguments: Any) -> tuple[LossScaleOptimizer, Variable]:
    return LossScaleOptimizer(SGD(0.5), **arguments), Variable([1.0, 2.0], dtype="float32", name="w")


def test_the_scale_grows_after_steps_and_falls_where_one_fails() -> None:
    optimizer, w = scaled(initial_scale=4.0, dynamic_growth_steps=2)
    assert optimizer.scale_loss(1.0) == 4.0
    for gradient, scale, after in (
        ([4.0, 0.0], 4.0, 0.5),
        ([4.0, 0.0], 8.0, 0.0),
        ([np.inf, 0.0], 4.0, 0.0),
        ([np.nan, 1.0], 2.0, 0.0),
        ([2.0, 0.0], 2.0, -0.5),
    ):
        optimizer.apply([np.array(gradient, "float32")], [w])
        assert (optimizer.scale_loss(1.0), w.value.tolist()) == (scale, [after, 2.0])
    assert int(optimizer.iterations) == 3  # two steps failed
    assert int(optimizer.step_counter) == 1
    assert [(v.path, v.dtype) for v in optimizer.variables] == [
        ("loss_scale_optimizer/iteration", "int64"), ("loss_scale_optimizer/learning_rate", "float32"),
        ("loss_scale_optimizer/step_counter", "int64"), ("loss_scale_optimizer/dynamic_scale", "float32"),
        (f"{optimizer.inner_optimizer.name}/iteration", "int64"),
        (f"{optimizer.inner_optimizer.name}/learning_rate", "float32"),
    ]  # fmt: skip


def test_a_step_that_fails_changes_nothing_else(target: str) -> None:
    lamina.utils.clear_session()
    model = lamina.Sequential([lamina.Input((2,)), lamina.layers.Dense(1, kernel_initializer="ones")])
    inner = Adam(0.1, use_ema=True, gradient_accumulation_steps=2)
    model.compile(LossScaleOptimizer(inner, initial_scale=2.0**127), "mse", target=target)  # gradients overflow
    x, y = np.ones((4, 2), "float32"), np.zeros((4, 1), "float32")
    model.fit(x, y, batch_size=2, epochs=1, verbose=0)
    assert model.get_weights()[0].tolist() == [[1.0], [1.0]]
    assert (int(inner.calls), float(model.optimizer.dynamic_scale)) == (0, 2.0**125)
    assert not any(v.value.any() for v in inner.variables[2:])


def test_it_passes_on_what_is_the_inner_optimizers() -> None:
    optimizer, w = scaled()
    optimizer.learning_rate = 0.25
    assert optimizer.inner_optimizer.learning_rate.numpy() == optimizer.learning_rate.numpy() == 0.25
    optimizer.inner_optimizer.weight_decay = 0.1
    optimizer.exclude_from_weight_decay(var_names=["w"])
    optimizer.apply([np.zeros(2, "float32")], [w])
    assert w.value.tolist() == [1.0, 2.0]
    again = optimizers.get({"class_name": "LossScaleOptimizer", "config": optimizer.get_config()})
    assert again.get_config() == optimizer.get_config()


def test_each_variable_has_its_optimizer(target: str) -> None:
    lamina.utils.clear_session()
    table = OptimizerMap(SGD(0.1), {".*/bias": SGD(0.2)})
    model = lamina.Sequential([lamina.Input((1,)), lamina.layers.Dense(1, kernel_initializer="zeros")])
    model.compile(MultiOptimizer(table), "mse", target=target)
    model.fit(np.ones((4, 1)), np.ones((4, 1)), batch_size=4, verbose=0)  # both gradients are −2
    np.testing.assert_allclose([w.item() for w in model.get_weights()], [0.2, 0.4], rtol=1e-6)
    assert [int(o.iterations) for o in model.optimizer.optimizers] == [1, 1]


def test_a_function_may_choose() -> None:
    fast, slow = Adam(1.0, name="fast"), Adam(0.5, name="slow")
    kernel, bias = Variable(np.ones((2, 2), "float32"), name="kernel"), Variable(np.ones(2, "float32"), name="bias")
    optimizer = MultiOptimizer(lambda v: fast if v.ndim > 1 else slow)
    optimizer.apply([np.ones((2, 2)), np.ones(2)], [kernel, bias])
    np.testing.assert_allclose([kernel.value[0, 0], bias.value[0]], [0.0, 0.5], atol=2e-5)
    assert len(optimizer.variables) == 2 + 2 * 4
    assert len(optimizer.state()) == 4  # momentum and velocity of each, under names of their own


def test_a_map_finds_exact_paths_first_then_patterns() -> None:
    exact, pattern, default = SGD(), SGD(), SGD()
    table = OptimizerMap(default)
    table["a/kernel"], table["a/.*"] = exact, pattern
    assert (table["a/kernel"], table["a/bias"], table["b/bias"]) == (exact, pattern, default)
    assert (list(table), len(table)) == (["a/kernel", "a/.*"], 2)
    again = OptimizerMap.from_config(table.get_config())
    assert again.get_config() == table.get_config()
    table[".*bias"] = exact
    with pytest.raises(ValueError, match="Multiple optimizers assigned to variable a/bias"):
        table["a/bias"]
    del table[".*bias"]
    assert table["a/bias"] is pattern


MISTAKES = {
    "an argument of the inner": (lambda: scaled(clipnorm=1.0), ValueError, "Instead, set `clipnorm` on the `inner_opt"),
    "unknown": (lambda: scaled(growth=1), ValueError, "does not support arguments: 'growth'"),
    "not dynamic": (lambda: scaled(dynamic=False), ValueError, "simply set `loss_scale_factor` directly"),
    "rate": (lambda: MultiOptimizer(OptimizerMap(SGD())).learning_rate, AttributeError, "on the individual"),
    "default": (lambda: OptimizerMap("sgd"), TypeError, "must be an Optimizer instance. Received: 'sgd'"),
    "map": (lambda: OptimizerMap(SGD(), [SGD()]), TypeError, "must be a dictionary"),
    "key": (lambda: OptimizerMap(SGD(), {1: SGD()}), ValueError, "key must be a string. Received: 1"),
    "value": (lambda: OptimizerMap(SGD(), {"a": "sgd"}), ValueError, "must be an Optimizer instance. Received: 'sgd'"),
    "inside": (lambda: OptimizerMap(SGD(), {"a": scaled()[0]}), ValueError, "cannot be LossScaleOptimizer"),
    "chosen": (
        lambda: MultiOptimizer(lambda v: "sgd").apply([[1.0]], [Variable([1.0])]), ValueError, "Received: 'sgd'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name: str) -> None:
    call, error, message = MISTAKES[name]
    with pytest.raises(error, match=message):
        call()
    optimizer = MultiOptimizer(OptimizerMap(SGD()))
    with pytest.raises(AttributeError, match="cannot be set"):
        optimizer.learning_rate = 0.1
    table = OptimizerMap(SGD(), {"a": SGD()})
    with pytest.raises(ValueError, match="'a' already exists"):
        table["a"] = SGD()
