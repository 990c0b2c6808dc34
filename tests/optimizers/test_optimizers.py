"""Optimizers: trajectories against plain NumPy, in a graph and at once; decay, constraints, state, mistakes."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from cases import OPTIMIZERS, Brick, name_of
from lamina import constraints, optimizers
from lamina.engine import compile
from lamina.errors import DtypeError, ModelFileError, ShapeError
from lamina.graph import express as e
from lamina.graph.functions import square
from lamina.graph.node import Graph, constant
from lamina.optimizers import schedules
from lamina.optimizers.vector import Vector, join
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
        Variable(rng.normal(size=shape), dtype=dtype, name=name)
        for shape, name in zip(SHAPES, ("kernel", "bias"), strict=True)
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


def nadam(s, w, g, lr, t, beta_1=0.9, beta_2=0.999):
    shares = [beta_1 * (1 - 0.5 * 0.96**i) for i in range(1, t + 2)]
    s["m"], s["v"] = beta_1 * s["m"] + (1 - beta_1) * g, beta_2 * s["v"] + (1 - beta_2) * g**2
    mean = shares[-1] * s["m"] / (1 - np.prod(shares)) + (1 - shares[-2]) * g / (1 - np.prod(shares[:-1]))
    return w - lr * mean / (np.sqrt(s["v"] / (1 - beta_2**t)) + 1e-7)


def schedule_free(s, w, g, lr, t, beta_1=0.9, beta_2=0.999, warmup_steps=0):
    if t == 1:
        s["x"] = s["y"] = s["z"] = s["start"]
    s["x"] = s["x"] + (w - s["y"]) / beta_1  # w is y after the weight decay, which x takes upon itself
    s["v"] = beta_2 * s["v"] + (1 - beta_2) * g**2
    lr = lr * min(1, t / warmup_steps) if warmup_steps else lr
    s["z"] = s["z"] - lr * g / (np.sqrt(s["v"] / (1 - beta_2**t)) + 1e-8)
    s["x"] = s["x"] + (s["z"] - s["x"]) / t
    s["y"] = s["z"] + beta_1 * (s["x"] - s["z"])
    return s["y"]


def lamb(s, w, g, lr, t, beta_1=0.9, beta_2=0.999):
    s["m"], s["v"] = beta_1 * s["m"] + (1 - beta_1) * g, beta_2 * s["v"] + (1 - beta_2) * g**2
    u = s["m"] / (1 - beta_1**t) / (np.sqrt(s["v"] / (1 - beta_2**t)) + 1e-7)
    return w - lr * np.linalg.norm(w) / np.linalg.norm(u) * u


def adafactor(s, w, g, lr, t, beta_2_decay=-0.8, clip_threshold=1.0, relative_step=True):
    def rms(x):
        return np.sqrt(np.mean(x**2))

    share = t**beta_2_decay
    s["v"] = (1 - share) * s["v"] + share * g**2
    v = s["v"] if g.ndim < 2 else np.outer(s["v"].mean(1), s["v"].mean(0)) / s["v"].mean()
    u = g / np.sqrt(v)
    return w - max(1e-3, rms(w)) * min(lr, t**-0.5) * u / max(1, rms(u) / clip_threshold)


def muon(
    s, w, g, lr, t, exclude_layers=(), rms_rate=0.2, adam_lr_ratio=1.0, nesterov=True, ns_steps=5,
    adam_weight_decay=0.004,
):  # fmt: skip
    if w.ndim < 2 or "^ker" in exclude_layers:
        return adam(s, w, g, lr * adam_lr_ratio, t)
    s["m"] = g + 0.95 * s["m"]
    x = g + 0.95 * s["m"] if nesterov else s["m"]
    left, values, right = np.linalg.svd(x, full_matrices=False)  # the iteration acts on singular values alone
    values = values / (np.linalg.norm(values) + 1e-7)
    for _ in range(ns_steps):
        values = 3.4445 * values - 4.775 * values**3 + 2.0315 * values**5
    return w - lr * (1.0 if rms_rate is None else 0.2 * np.sqrt(max(w.shape))) * left * values @ right


def one_by_one(rule):
    """A rule that needs each variable for itself, on all side by side."""

    def on_both(s, w, g, lr, t, **given):
        parts = []
        for i, shape, where in ((0, SHAPES[0], slice(0, 12)), (1, SHAPES[1], slice(12, SIZE))):
            kept = s.setdefault(i, defaultdict(lambda shape=shape: np.zeros(shape)))
            parts.append(rule(kept, w[where].reshape(shape), g[where].reshape(shape), lr, t, **given).ravel())
        return np.concatenate(parts)

    return on_both


RULES = {
    "SGD": sgd, "RMSprop": rmsprop, "Adam": adam, "AdamW": adam, "Adamax": adamax, "Adagrad": adagrad,
    "Adadelta": adadelta, "Lion": lion, "Ftrl": ftrl, "Nadam": nadam, "ScheduleFreeAdamW": schedule_free,
    "Lamb": one_by_one(lamb), "Adafactor": one_by_one(adafactor), "Muon": one_by_one(muon),
}  # fmt: skip


def plain(case: Brick, w: np.ndarray, lr: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """The trajectory's end, and that of its moving average, by the textbook's loops, in NumPy."""
    given, cut, kept, average = dict(case.arguments), 12, defaultdict(lambda: np.zeros(SIZE)), w
    decay = np.full(SIZE, given.pop("weight_decay", 0.004 if case.name in ("AdamW", "Muon") else None) or 0)
    if case.name == "Muon":  # biases learn by AdamW, with a decay of its own
        decay[0 if "^ker" in given.get("exclude_layers", ()) else cut :] = given.get("adam_weight_decay", 0.004) or 0
    most, longest, all_longest = (given.pop(name, None) for name in ("clipvalue", "clipnorm", "global_clipnorm"))
    follows, share = given.pop("use_ema", False), given.pop("ema_momentum", 0.99)
    every, several = given.pop("ema_overwrite_frequency", None), given.pop("gradient_accumulation_steps", 1)
    scale, gathered = given.pop("loss_scale_factor", 1.0), []
    kept["start"] = w
    for call in range(STEPS):
        gathered.append(gradient(w) / scale)
        done = call // several
        if len(gathered) == several:
            g = np.mean(gathered, axis=0)
            gathered = []
            if most is not None:
                g = np.clip(g, -most, most)
            if longest is not None:
                g = np.concatenate([p * min(1, longest / np.linalg.norm(p)) for p in (g[:cut], g[cut:])])
            if all_longest is not None:
                g = g * min(1, all_longest / np.linalg.norm(g))
            w = RULES[case.name](kept, w - w * decay * lr, g, lr, done + 1, **given)
        average = share * average + (1 - share) * w if done else w
        if follows and every and (done + 1) % every == 0:
            w = average
    return w, average


def trained(optimizer, variables: list[Variable], target: str, steps: int = STEPS) -> np.ndarray:
    """The weights after some steps of the quadratic, each run of the executable one step."""
    dtype, weights = variables[0].dtype, Vector(variables, "parameters")
    weights.attach()
    trace = Trace(weights.layout())
    windows = [trace.window(v) for v in variables]
    loss = 0.5 * e.sum(constant(CURVATURE, dtype) * square(join(windows)))
    with trace.active():
        optimizer.updates(weights, gradients(loss, windows))
    executable = compile(Graph({"loss": loss}, trace.updates()), target)
    state = {"parameters": weights.flat, **optimizer.state(), **trace.state()}
    for step in range(steps):
        executable.run({}, state, rows=1, batch_size=1, step=step)
        optimizer.advance(step + 1)
    return weights.flat


@pytest.mark.parametrize("case", OPTIMIZERS, ids=name_of)
def test_trajectory_in_a_graph(case: Brick, target: str, dtype: str):
    variables = start(dtype)
    expected, average = plain(case, np.concatenate([v.flat for v in variables]).astype("float64"))
    # the learning rate is a float32 number in Keras and here
    tolerance = 1e-5 if dtype == "float32" else 1e-7
    optimizer = make(case)
    np.testing.assert_allclose(trained(optimizer, variables, target), expected, rtol=tolerance, atol=tolerance)
    if optimizer.use_ema:
        optimizer.finalize_variable_values(variables)
        found = np.concatenate([v.flat for v in variables])
        np.testing.assert_allclose(found, average, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("case", OPTIMIZERS, ids=name_of)
def test_at_once_as_in_a_graph(case: Brick):
    expected = trained(make(case), start("float64"), "numpy")
    optimizer, variables = make(case), start("float64")
    for _ in range(STEPS):
        flat = gradient(np.concatenate([v.flat for v in variables]))
        optimizer.apply([flat[:12].reshape(3, 4), flat[12:]], variables)
    np.testing.assert_allclose(np.concatenate([v.flat for v in variables]), expected, rtol=1e-12)
    assert optimizer.calls.value == STEPS
    assert int(optimizer.iterations) == STEPS // (optimizer.gradient_accumulation_steps or 1)


@pytest.mark.parametrize("case", OPTIMIZERS, ids=name_of)
def test_config_and_state(case: Brick):
    optimizer = make(case)
    again = optimizers.get({"class_name": case.name, "config": optimizer.get_config()})
    assert again.get_config() == optimizer.get_config()
    assert optimizer.get_config().items() >= case.arguments.items()
    variables = start("float32")
    optimizer.build(variables)
    optimizer.build(variables)
    slots = {v.name.removeprefix("kernel_") for v in optimizer.variables if v.name.startswith("kernel_")}
    assert slots <= set(optimizer.state())
    assert sum(flat.size for flat in optimizer.state().values()) <= sum(v.flat.size for v in optimizer.variables)
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
        kernel, bias = Variable(np.ones(2), name="kernel"), Variable(np.ones(3), name="bias")
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


def test_a_path_excludes_from_decay_too():
    kernel = Variable(np.ones(2), name="kernel")
    kernel.path = "dense_1/kernel"
    optimizer = optimizers.SGD(0.5, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["dense_1"])  # Keras on TensorFlow compares with the path
    optimizer.apply([np.zeros(2)], [kernel])
    assert kernel.value.tolist() == [1, 1]


def test_decay_as_an_argument_is_ignored_as_in_keras():
    with pytest.warns(UserWarning, match="`decay` is no longer supported.*InverseTimeDecay"):
        assert "decay" not in optimizers.SGD(decay=0.1).get_config()


def test_a_function_may_be_the_learning_rate(target: str):
    rate = Variable(0.2, dtype="float64", name="rate")
    moving = optimizers.SGD(lambda: rate * 0.5)  # a variable is read in each step, a number once
    assert len(moving.variables) == 1
    for optimizer in (moving, optimizers.SGD(lambda: 0.1)):
        found = trained(optimizer, start("float64"), target)
        np.testing.assert_allclose(found, trained(optimizers.SGD(0.1), start("float64"), target), rtol=1e-7)
    rate.assign(0.0)
    w = Variable([1.0], dtype="float64")
    optimizers.SGD(lambda: rate).apply([[1.0]], [w])
    assert w.value[0] == 1
    moving.learning_rate = schedules.ExponentialDecay(0.5, 1, 0.5)
    assert float(moving.learning_rate) == 0.5 ** (STEPS + 1)


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
    again = optimizers.SGD.from_config(scheduled.get_config())
    assert again.get_config() == scheduled.get_config()
    assert schedules.deserialize(scheduled.get_config()["learning_rate"]).get_config() == falling.get_config()
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


def test_state_goes_in_and_out_as_a_whole():
    optimizer, other = optimizers.Adam(), optimizers.Adam(amsgrad=True)
    for each in (optimizer, other):
        each.build(start("float32"))
    optimizer.set_weights([np.full(v.shape, 2) for v in optimizer.variables])
    store: dict = {}
    optimizer.save_own_variables(store)
    with pytest.warns(UserWarning, match="has 8 variables whereas the saved optimizer has 6 .* compile the model with"):
        other.load_own_variables(store)
    assert not other.variables[-1].value.any()
    again = optimizers.Adam()
    again.build(start("float32"))
    again.load_own_variables(store)
    assert all((v.value == 2).all() for v in again.variables)
    again.load_own_variables({"0": np.int64(0), "1": np.float32(0.1)})  # saved before its first step: nothing is lost
    with pytest.raises(ModelFileError, match="holds int64, got float32"):
        again.load_own_variables({**store, "0": np.float32(1)})
    with pytest.raises(ShapeError, match="adam.*kernel_momentum.*shape"):
        again.set_weights([2, 0.1, *[np.ones(3)] * 4])


MISTAKES = {
    "rate": (lambda: optimizers.SGD(1), ValueError, "`learning_rate` should be float"),
    "old name": (lambda: optimizers.SGD(lr=0.1), ValueError, "its name is 'learning_rate'"),
    "of Keras 2": (lambda: optimizers.legacy, AttributeError, "gone in Keras 3"),
    "single precision": (lambda: optimizers.SGD(np.float32(0.1)), ValueError, "`learning_rate` should be float"),
    "unknown": (lambda: optimizers.SGD(nesterow=True), ValueError, r"not recognized: \{'nesterow': True\}.*'nesterov'"),
    "twice": (lambda: optimizers.SGD(0.1, learning_rate=0.1), TypeError, "multiple values for argument"),
    "too many": (lambda: optimizers.SGD(*[None] * 14), TypeError, "too many positional arguments"),
    "two clips": (lambda: optimizers.SGD(clipnorm=1.0, clipvalue=1.0), ValueError, "Only one of `clipnorm`"),
    "average": (lambda: optimizers.Adam(use_ema=True, ema_momentum=2.0), ValueError, "ema_momentum=2.0"),
    "overwriting": (
        lambda: optimizers.Adam(use_ema=True, ema_overwrite_frequency=2.5), ValueError, "an integer >= 1 or None",
    ),
    "accumulation": (lambda: optimizers.Adam(gradient_accumulation_steps=1), ValueError, "an integer >= 2"),
    "nothing built": (lambda: optimizers.SGD(0.1).apply([[1.0]]), ValueError, "must already be built"),
    "no gradients": (
        lambda: optimizers.SGD(0.1).apply([None], [Variable([1.0])]), ValueError, "No gradients provided",
    ),
    "too few": (lambda: optimizers.SGD(0.1).apply([[1.0]], start("float32")), ValueError, "got 1 for 2"),
    "no weights": (lambda: optimizers.SGD(0.1).set_weights([]), ValueError, "not yet been built"),
    "momentum": (lambda: optimizers.SGD(momentum=2.0), ValueError, r"between \[0, 1\]"),
    "name": (lambda: optimizers.get("adamm"), ValueError, "optimizer identifier: 'adamm'; did you mean 'adam'"),
    "thing": (lambda: optimizers.get(len), ValueError, "Could not interpret optimizer identifier"),
    "shape": (lambda: optimizers.SGD().apply([[1.0]], [Variable([1.0, 2.0])]), ShapeError, r"\(1,\), expected \(2,\)"),
    "types": (
        lambda: optimizers.SGD().build([Variable([1.0], dtype="float32"), Variable([1.0], dtype="float64")]),
        DtypeError,
        "one float type",
    ),
    "what is scaled": (
        lambda: optimizers.LossScaleOptimizer("adam"), TypeError, "`inner_optimizer` must be an Optimizer.*got 'adam'",
    ),
    "no rule": (lambda: optimizers.Optimizer(0.1).apply([[1.0]], [Variable([1.0])]), TypeError, "must define update"),
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
