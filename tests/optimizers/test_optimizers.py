"""Optimizers: trajectories against plain NumPy, in a graph and at once; decay, constraints, state, mistakes."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from cases import OPTIMIZERS, Brick, name_of
from lamina import constraints, optimizers
from lamina.engine import compile
from lamina.errors import ShapeError
from lamina.graph import express as e
from lamina.graph.functions import square
from lamina.graph.node import Graph, constant, leaf
from lamina.optimizers import schedules
from lamina.rewrite.gradients import gradients
from lamina.trace import Trace
from lamina.variables import Variable

SHAPES = [(3, 4), (4,)]
SIZE, STEPS = 16, 6
CURVATURE = np.linspace(0.2, 3.0, SIZE)  # the loss is ½ Σ curvature · w²


def make(case: Brick, rate: float = 0.1):
    return getattr(optimizers, case.name)(learning_rate=rate, **case.arguments)


def start(dtype: str) -> list[Variable]:
    rng = np.random.default_rng(5)
    return [
        Variable(rng.normal(size=shape), name, dtype) for shape, name in zip(SHAPES, ("kernel", "bias"), strict=True)
    ]


def gradient(w: np.ndarray) -> np.ndarray:
    return CURVATURE * w


# -- the textbook's rules in NumPy: new weights from the weights w, the gradient g, the rate lr and the step t; s keeps
# what is remembered from step to step


def sgd(s, w, g, lr, t, momentum=0.0, nesterov=False):
    s["m"] = momentum * s["m"] - lr * g
    return w + (momentum * s["m"] - lr * g if nesterov else s["m"])


def rmsprop(s, w, g, lr, t, momentum=0.0, centered=False):
    s["v"], s["a"] = 0.9 * s["v"] + 0.1 * g**2, 0.9 * s["a"] + 0.1 * g
    s["m"] = momentum * s["m"] + lr * g / np.sqrt(s["v"] - (s["a"] ** 2 if centered else 0) + 1e-7)
    return w - s["m"]


def adam(s, w, g, lr, t, amsgrad=False):
    s["m"], s["v"] = 0.9 * s["m"] + 0.1 * g, 0.999 * s["v"] + 0.001 * g**2
    s["top"] = np.maximum(s["top"], s["v"]) if amsgrad else s["v"]
    return w - lr * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * s["m"] / (np.sqrt(s["top"]) + 1e-7)


def adamax(s, w, g, lr, t, beta_1=0.9, beta_2=0.999):
    s["m"], s["u"] = beta_1 * s["m"] + (1 - beta_1) * g, np.maximum(beta_2 * s["u"], np.abs(g))
    return w - lr / (1 - beta_1**t) * s["m"] / (s["u"] + 1e-7)


def adagrad(s, w, g, lr, t, initial_accumulator_value=0.1):
    s["a"] = s["a"] + g**2
    return w - lr * g / np.sqrt(initial_accumulator_value + s["a"] + 1e-7)


def adadelta(s, w, g, lr, t, rho=0.95, epsilon=1e-7):
    s["a"] = rho * s["a"] + (1 - rho) * g**2
    step = np.sqrt((s["d"] + epsilon) / (s["a"] + epsilon)) * g
    s["d"] = rho * s["d"] + (1 - rho) * step**2
    return w - lr * step


def lion(s, w, g, lr, t, beta_1=0.9):
    way = np.sign(beta_1 * s["m"] + (1 - beta_1) * g)
    s["m"] = 0.99 * s["m"] + 0.01 * g
    return w - lr * way


def ftrl(
    s, w, g, lr, t, l1_regularization_strength=0.0, l2_regularization_strength=0.0, beta=0.0,
    l2_shrinkage_regularization_strength=0.0, learning_rate_power=-0.5,
):  # fmt: skip
    before = (0.1 + s["n"]) ** -learning_rate_power
    s["n"] = s["n"] + g**2
    after = (0.1 + s["n"]) ** -learning_rate_power
    s["z"] = s["z"] + g + 2 * l2_shrinkage_regularization_strength * w - (after - before) / lr * w
    inside = np.abs(s["z"]) <= l1_regularization_strength
    curve = (beta + after) / lr + 2 * l2_regularization_strength
    return np.where(inside, 0.0, -(s["z"] - np.sign(s["z"]) * l1_regularization_strength) / curve)


RULES = {
    "SGD": sgd, "RMSprop": rmsprop, "Adam": adam, "AdamW": adam, "Adamax": adamax, "Adagrad": adagrad,
    "Adadelta": adadelta, "Lion": lion, "Ftrl": ftrl,
}  # fmt: skip


def plain(case: Brick, w: np.ndarray, lr: float = 0.1) -> np.ndarray:
    """The trajectory's end by the textbook's loops, in NumPy."""
    given, cut, kept = dict(case.arguments), 12, defaultdict(lambda: np.zeros(SIZE))
    decay = given.pop("weight_decay", 0.004 if case.name == "AdamW" else 0)
    most, longest, all_longest = (given.pop(name, None) for name in ("clipvalue", "clipnorm", "global_clipnorm"))
    for t in range(1, STEPS + 1):
        g = gradient(w)
        if most is not None:
            g = np.clip(g, -most, most)
        if longest is not None:
            g = np.concatenate([p * min(1, longest / np.linalg.norm(p)) for p in (g[:cut], g[cut:])])
        if all_longest is not None:
            g = g * min(1, all_longest / np.linalg.norm(g))
        w = RULES[case.name](kept, w - w * decay * lr, g, lr, t, **given)
    return w


def trained(optimizer, variables: list[Variable], target: str, steps: int = STEPS) -> np.ndarray:
    """The weights after some steps of the quadratic, each run of the executable one step."""
    dtype = variables[0].dtype
    w = np.concatenate([v.flat for v in variables])
    window = leaf("variable", (SIZE,), dtype, buffer="parameters", offset=0)
    parts, layout, offset = [], {}, 0
    for v in variables:
        layout[v] = leaf("variable", v.shape, dtype, buffer="parameters", offset=offset)
        parts.append(e.reshape(layout[v], (-1,)))
        offset += v.flat.size
    loss = 0.5 * e.sum(constant(CURVATURE, dtype) * square(e.concatenate(parts, 0)))
    trace = Trace(layout)
    with trace.active():
        updates = optimizer.updates(window, gradients(loss, [layout[v] for v in variables]), variables)
    executable = compile(Graph({"loss": loss}, tuple(updates)), target)
    state = {"parameters": w, **optimizer.state(), **trace.state()}
    for step in range(steps):
        executable.run({}, state, rows=1, batch_size=1, step=step)
    return w


@pytest.mark.parametrize("case", OPTIMIZERS, ids=name_of)
def test_trajectory_in_a_graph(case: Brick, target: str, dtype: str):
    variables = start(dtype)
    expected = plain(case, np.concatenate([v.flat for v in variables]).astype("float64"))
    # the learning rate is a float32 number in Keras and here
    tolerance = 1e-5 if dtype == "float32" else 1e-7
    np.testing.assert_allclose(trained(make(case), variables, target), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("case", OPTIMIZERS, ids=name_of)
def test_at_once_as_in_a_graph(case: Brick):
    expected = trained(make(case), start("float64"), "numpy")
    optimizer, variables = make(case), start("float64")
    for _ in range(STEPS):
        flat = gradient(np.concatenate([v.flat for v in variables]))
        optimizer.apply([flat[:12].reshape(3, 4), flat[12:]], variables)
    np.testing.assert_allclose(np.concatenate([v.flat for v in variables]), expected, rtol=1e-12)
    assert optimizer.iterations.value == STEPS


@pytest.mark.parametrize("case", OPTIMIZERS, ids=name_of)
def test_config_and_state(case: Brick):
    optimizer = make(case)
    again = optimizers.get({"class_name": case.name, "config": optimizer.get_config()})
    assert again.get_config() == optimizer.get_config()
    assert optimizer.get_config().items() >= case.arguments.items()
    variables = start("float32")
    optimizer.build(variables)
    optimizer.build(variables)
    assert set(optimizer.state()) == set(optimizer.slots)
    assert all(flat.shape == (SIZE,) for flat in optimizer.state().values())
    for variable in optimizer.variables[2:]:
        variable.assign(np.ones(variable.shape))
    assert all((flat == 1).all() for flat in optimizer.state().values())  # the variables are views of the vectors


def test_every_optimizer_has_a_case():
    assert {case.name for case in OPTIMIZERS} == set(optimizers.CLASSES)


def test_variables_are_in_the_order_of_keras_files():
    optimizer = optimizers.Adam(amsgrad=True)
    optimizer.build(start("float32"))
    assert [v.name for v in optimizer.variables] == [
        "iteration", "learning_rate", "kernel_momentum", "kernel_velocity", "bias_momentum", "bias_velocity",
        "kernel_velocity_hat", "bias_velocity_hat",
    ]  # fmt: skip
    assert optimizer.variables[0].dtype == "int64"


def test_epsilon_stands_beside_the_uncorrected_root():
    w = Variable([1.0], dtype="float64")
    optimizers.Adam(0.1, epsilon=1.0).apply([np.array([0.5])], [w])
    assert w.value[0] == pytest.approx(0.99844, abs=1e-5)


MISTAKES = [
    ("AdamW", {"weight_decay": None}, "`weight_decay` must be a float"),
    ("Lion", {"beta_1": 0.0}, "beta_1=0.0"),
    ("Ftrl", {"learning_rate_power": 0.5}, "learning_rate_power=0.5"),
    ("Ftrl", {"initial_accumulator_value": -1.0}, "initial_accumulator_value=-1.0"),
    ("Ftrl", {"l1_regularization_strength": -0.1}, "l1_regularization_strength=-0.1"),
]


@pytest.mark.parametrize(("name", "arguments", "message"), MISTAKES)
def test_arguments_that_make_no_sense_are_refused(name: str, arguments: dict, message: str):
    with pytest.raises(ValueError, match=message):
        getattr(optimizers, name)(**arguments)


def test_decay_reaches_biases_unless_excluded():
    for excluded, left in (([], 0.95), (["bias"], 1.0)):
        kernel, bias = Variable(np.ones(2), "kernel"), Variable(np.ones(3), "bias")
        optimizer = optimizers.SGD(0.5, weight_decay=0.1)
        optimizer.exclude_from_weight_decay(var_names=excluded)
        optimizer.apply([np.zeros(2), np.zeros(3)], [kernel, bias])
        np.testing.assert_allclose(kernel.value, 0.95)
        np.testing.assert_allclose(bias.value, left)
    optimizer = optimizers.SGD(0.5, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_list=[kernel])
    optimizer.apply([np.zeros(2), np.zeros(3)], [kernel, bias])
    np.testing.assert_allclose([kernel.value[0], bias.value[0]], [0.95, 0.95])
    with pytest.raises(ValueError, match="before the optimizer is built"):
        optimizer.exclude_from_weight_decay(var_names=["bias"])


def test_constraints_come_last(target: str):
    w, b = start("float64")
    w.constraint = constraints.MaxNorm(0.5)
    free = trained(optimizers.SGD(0.1), start("float64"), target, steps=1)
    held = trained(optimizers.SGD(0.1), [w, b], target, steps=1)
    lengths = np.sqrt((held[:12].reshape(3, 4) ** 2).sum(0))
    np.testing.assert_allclose(lengths, np.minimum(0.5, np.sqrt((free[:12].reshape(3, 4) ** 2).sum(0))), rtol=1e-6)
    np.testing.assert_allclose(held[12:], free[12:])


def test_a_schedule_sees_the_step(target: str):
    rates = schedules.PiecewiseConstantDecay([0], [0.1, 0.0])
    first = trained(optimizers.SGD(rates), start("float64"), target, steps=1)
    later = trained(optimizers.SGD(rates), start("float64"), target, steps=5)
    assert (first == later).all()
    assert (first != np.concatenate([v.flat for v in start("float64")])).all()


def test_learning_rate():
    optimizer = optimizers.SGD(0.5)
    optimizer.learning_rate = 0.25
    assert optimizer.learning_rate.numpy() == optimizer.get_config()["learning_rate"] == 0.25
    w = Variable([1.0], dtype="float32")
    optimizer.apply([[2.0]], [w])
    assert w.value.tolist() == [0.5]
    falling = schedules.ExponentialDecay(1.0, 1, 0.5)
    scheduled = optimizers.SGD(falling)
    assert len(scheduled.variables) == 1
    scheduled.apply_gradients([([1.0], w)])
    assert (float(scheduled.learning_rate), w.value[0]) == (0.5, -0.5)
    assert scheduled.get_config()["learning_rate"] is falling
    record = {"module": "keras.optimizers.schedules", "class_name": "ExponentialDecay", "config": falling.get_config()}
    again = optimizers.SGD.from_config({**scheduled.get_config(), "learning_rate": record})
    assert again.get_config()["learning_rate"].get_config() == falling.get_config()
    with pytest.raises(TypeError, match="its learning rate is not settable"):
        scheduled.learning_rate = 0.1
    scheduled.learning_rate = schedules.ExponentialDecay(2.0, 1, 0.5)
    assert float(scheduled.learning_rate) == 1.0


def test_a_rule_of_ones_own():
    class SignDescent(optimizers.Optimizer):
        slot_groups = (("steps",),)

        def update(self, w, g, lr, t, *, steps):
            return w - lr * e.sign(g), {"steps": steps + 1.0}

    optimizer, w = SignDescent(0.5), Variable([1.0, -1.0], dtype="float32")
    optimizer.apply([[3.0, -0.1]], [w])
    assert w.value.tolist() == [0.5, -0.5]
    assert optimizer.state()["steps"].tolist() == [1, 1]
    assert optimizer.name == "sign_descent"


MISTAKES = {
    "rate": (lambda: optimizers.SGD(1), ValueError, "`learning_rate` should be float"),
    "function": (lambda: optimizers.SGD(lambda: 0.1), ValueError, "`learning_rate` should be float"),
    "unknown": (lambda: optimizers.SGD(decay=0.1), ValueError, r"not recognized: \{'decay': 0.1\}"),
    "two clips": (lambda: optimizers.SGD(clipnorm=1.0, clipvalue=1.0), ValueError, "Only one of `clipnorm`"),
    "average": (lambda: optimizers.Adam(use_ema=True), ValueError, "Adam does not support use_ema yet"),
    "accumulation": (lambda: optimizers.Adam(gradient_accumulation_steps=4), ValueError, "gradient_accumulation"),
    "scaling": (lambda: optimizers.Adam(loss_scale_factor=2.0), ValueError, "does not support loss_scale_factor"),
    "momentum": (lambda: optimizers.SGD(momentum=2.0), ValueError, r"between \[0, 1\]"),
    "name": (lambda: optimizers.get("adamm"), ValueError, "optimizer identifier: 'adamm'; did you mean 'adam'"),
    "thing": (lambda: optimizers.get(len), ValueError, "Could not interpret optimizer identifier"),
    "shape": (lambda: optimizers.SGD().apply([[1.0]], [Variable([1.0, 2.0])]), ShapeError, r"\(1,\), expected \(2,\)"),
    "types": (
        lambda: optimizers.SGD().build([Variable([1.0], dtype="float32"), Variable([1.0], dtype="float64")]),
        ShapeError,
        "one float type",
    ),
    "no rule": (lambda: optimizers.Optimizer().apply([[1.0]], [Variable([1.0])]), TypeError, "must define update"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name: str):
    call, error, message = MISTAKES[name]
    with pytest.raises(error, match=message):
        call()


def test_other_variables_need_another_optimizer():
    optimizer = optimizers.SGD()
    optimizer.build(start("float32"))
    with pytest.raises(ValueError, match="use a new optimizer"):
        optimizer.build(start("float32"))


def test_names():
    assert isinstance(optimizers.get("RMSprop"), optimizers.RMSprop)
    assert isinstance(optimizers.get("rmsprop"), optimizers.RMSprop)
    own = optimizers.SGD()
    assert optimizers.get(own) is own
