"""Plain JAX: the whole epoch, permutation, figures and validation included, is one compiled call with a `lax.scan`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import jax
from jax import numpy as jnp

from area import BUCKETS, under_roc
from peer import Mark
from rungs import (
    BINARY,
    CLASSES,
    CODES,
    DROPPED,
    EMBEDDED,
    EPSILON,
    LEARNING_RATE,
    MOMENTUM,
    NUMBER,
    SEED,
    Rows,
    Rung,
    Table,
)

PACKAGES = ("jax", "jaxlib", "numpy")
BETA_1, BETA_2, RHO, TINY = 0.9, 0.999, 0.9, 1e-7
ACTIVATIONS = {"relu": jax.nn.relu, "tanh": jnp.tanh}
Parameters = dict[str, Any]


class State(NamedTuple):
    """What a step changes: parameters, the optimizer's moments, moving statistics, number of steps, dropout's key."""

    parameters: Parameters
    moments: tuple[Parameters, ...]
    moving: list[tuple[jax.Array, jax.Array]]
    step: jax.Array
    key: jax.Array


def glorot(key: jax.Array, inputs: int, units: int) -> dict[str, jax.Array]:
    limit = (6 / (inputs + units)) ** 0.5
    return {"w": jax.random.uniform(key, (inputs, units), minval=-limit, maxval=limit), "b": jnp.zeros(units)}


def begin(rung: Rung) -> State:
    keys = jax.random.split(jax.random.key(SEED), len(rung.sizes) + 1)
    parameters: Parameters = {
        "dense": [glorot(key, *pair) for key, pair in zip(keys, pairwise(rung.sizes), strict=False)]
    }
    if rung.code_columns:
        shape = (rung.code_columns, CODES, EMBEDDED)
        parameters["codes"] = jax.random.uniform(keys[-2], shape, minval=-0.05, maxval=0.05)
    hidden = rung.sizes[1:-1] if rung.dressed else ()
    parameters["norm"] = [{"gamma": jnp.ones(units), "beta": jnp.zeros(units)} for units in hidden]
    moments = tuple(jax.tree.map(jnp.zeros_like, parameters) for _ in MOMENTS[rung.optimizer])
    moving = [(jnp.zeros(units), jnp.ones(units)) for units in hidden]
    return State(parameters, moments, moving, jnp.zeros((), jnp.float32), keys[-1])


# -- the network


def first_layer(parameters: Parameters, x: tuple[jax.Array, ...]) -> jax.Array:
    if len(x) == 1:
        return x[0]
    columns = jnp.arange(x[1].shape[1])
    return jnp.concatenate([x[0], parameters["codes"][columns, x[1]].reshape(len(x[1]), -1)], axis=1)


def normalised(norm: dict[str, jax.Array], z: jax.Array, mean: jax.Array, variance: jax.Array) -> jax.Array:
    scale = norm["gamma"] * jax.lax.rsqrt(variance + EPSILON)
    return z * scale + (norm["beta"] - mean * scale)


def dressed(norm: dict[str, jax.Array], moving: Any, z: jax.Array, key: jax.Array) -> tuple[jax.Array, Any]:
    """A hidden layer's values normalised by their batch, some of them dropped; and the new moving statistics."""
    mean, variance = z.mean(axis=0), z.var(axis=0)
    z = normalised(norm, z, mean, variance)
    kept = jax.random.bernoulli(key, 1 - DROPPED, z.shape)
    moved = tuple(MOMENTUM * old + (1 - MOMENTUM) * new for old, new in zip(moving, (mean, variance), strict=True))
    return jnp.where(kept, z / (1 - DROPPED), 0), moved


def trained_outputs(rung: Rung, parameters: Parameters, moving: list[Any], x: Any, key: jax.Array) -> Any:
    """The outputs while training, and the new moving statistics."""
    z, moved = first_layer(parameters, x), []
    *hidden, last = parameters["dense"]
    for number, layer in enumerate(hidden):
        z = ACTIVATIONS[rung.activation](z @ layer["w"] + layer["b"])
        if rung.dressed:
            z, new = dressed(parameters["norm"][number], moving[number], z, jax.random.fold_in(key, number))
            moved.append(new)
    return z @ last["w"] + last["b"], moved


def held_outputs(rung: Rung, parameters: Parameters, moving: list[Any], x: Any) -> jax.Array:
    z = first_layer(parameters, x)
    *hidden, last = parameters["dense"]
    for layer, norm, moments in zip(hidden, parameters["norm"], moving, strict=True):
        z = normalised(norm, ACTIVATIONS[rung.activation](z @ layer["w"] + layer["b"]), *moments)
    return z @ last["w"] + last["b"]


# -- losses and figures


def binary(z: jax.Array, y: jax.Array) -> jax.Array:
    z, y = z[:, 0], y[:, 0]
    return jnp.maximum(z, 0) - z * y + jnp.log1p(jnp.exp(-jnp.abs(z)))


def of_classes(z: jax.Array, y: jax.Array) -> jax.Array:
    chosen = (z * y).sum(axis=1) if y.ndim == 2 else jnp.take_along_axis(z, y[:, None], axis=1)[:, 0]
    return jax.nn.logsumexp(z, axis=1) - chosen


def squared(z: jax.Array, y: jax.Array) -> jax.Array:
    return ((z - y) ** 2).mean(axis=1)


LOSSES = {BINARY: binary, CLASSES: of_classes, NUMBER: squared}


def cost(rung: Rung, outputs: jax.Array, rows: Rows) -> jax.Array:
    losses = LOSSES[rung.answer](outputs, rows.y)
    return jnp.mean(losses if rows.weight is None else losses * rows.weight)


def figures(rung: Rung, z: jax.Array, y: jax.Array) -> dict[str, jax.Array]:
    """Accuracy, and how many of both classes fell in each bucket of probability, from logits."""
    right = (z > 0) == (y > 0) if rung.answer == BINARY else z.argmax(1) == y.argmax(1)
    bucket = (jax.nn.sigmoid(z) * (BUCKETS - 1)).astype(jnp.int32) + BUCKETS * y.astype(jnp.int32)
    counts = jnp.bincount(bucket.ravel(), length=2 * BUCKETS).reshape(2, BUCKETS)
    return {"accuracy": right.mean(), "auc": counts}


# -- optimizers: from gradients, moments and the number of the step to new moments and the update


def adam(gradients: Parameters, moments: Any, step: jax.Array) -> tuple[Any, Parameters]:
    rate = LEARNING_RATE * jnp.sqrt(1 - BETA_2**step) / (1 - BETA_1**step)
    first = jax.tree.map(lambda m, g: BETA_1 * m + (1 - BETA_1) * g, moments[0], gradients)
    second = jax.tree.map(lambda v, g: BETA_2 * v + (1 - BETA_2) * g * g, moments[1], gradients)
    return (first, second), jax.tree.map(lambda m, v: rate * m / (jnp.sqrt(v) + TINY), first, second)


def rmsprop(gradients: Parameters, moments: Any, step: jax.Array) -> tuple[Any, Parameters]:
    mean = jax.tree.map(lambda v, g: RHO * v + (1 - RHO) * g * g, moments[0], gradients)
    return (mean,), jax.tree.map(lambda g, v: LEARNING_RATE * g / (jnp.sqrt(v) + TINY), gradients, mean)


OPTIMIZERS: dict[str, Callable[..., tuple[Any, Parameters]]] = {"adam": adam, "rmsprop": rmsprop}
MOMENTS = {"adam": ("first", "second"), "rmsprop": ("mean",)}


# -- steps and epochs


def one_step(rung: Rung, data: Rows, state: State, chosen: jax.Array) -> tuple[State, Any]:
    rows = jax.tree.map(lambda a: a[chosen], data)
    key, dropout = jax.random.split(state.key) if rung.dressed else (state.key, state.key)

    def loss(parameters: Parameters) -> Any:
        outputs, moving = trained_outputs(rung, parameters, state.moving, rows.x, dropout)
        return cost(rung, outputs, rows), (moving, outputs)

    (value, (moving, outputs)), gradients = jax.value_and_grad(loss, has_aux=True)(state.parameters)
    moments, update = OPTIMIZERS[rung.optimizer](gradients, state.moments, state.step + 1)
    parameters = jax.tree.map(jnp.subtract, state.parameters, update)
    return State(parameters, moments, moving, state.step + 1, key), (value, outputs if rung.dressed else None)


def validate(rung: Rung, state: State, held: Rows) -> dict[str, jax.Array]:
    outputs = held_outputs(rung, state.parameters, state.moving, held.x)
    logs = {"loss": cost(rung, outputs, held)} | figures(rung, outputs, held.y)
    return {f"val_{name}": value for name, value in logs.items()}


@partial(jax.jit, static_argnames="rung", donate_argnames="state")
def epoch(rung: Rung, state: State, key: jax.Array, data: Rows, held: Rows | None) -> tuple[State, dict[str, Any]]:
    count = len(data.y)
    order = jax.random.permutation(key, count)
    whole = count // rung.batch * rung.batch
    step = partial(one_step, rung, data)
    state, (losses, outputs) = jax.lax.scan(step, state, order[:whole].reshape(-1, rung.batch))
    total, kept = losses.sum() * rung.batch, [] if outputs is None else [outputs.reshape(whole, -1)]
    if whole < count:
        state, (last, outputs) = step(state, order[whole:])
        total, kept = total + last * (count - whole), [*kept, outputs]
    logs = {"loss": total / count}
    if held is not None:
        logs |= figures(rung, jnp.concatenate(kept), data.y[order]) | validate(rung, state, held)
    return state, logs


def with_area(logs: dict[str, Any]) -> dict[str, Any]:
    return {name: under_roc(jax.device_get(value)) if "auc" in name else value for name, value in logs.items()}


def train(rung: Rung, table: Table, epochs: int, mark: Mark) -> State:
    state = begin(rung)
    data, held = (jax.tree.map(jnp.asarray, rows) for rows in table)
    for key in jax.random.split(jax.random.key(SEED), epochs):
        state, logs = epoch(rung, state, key, data, held)
        mark(with_area(logs))
    return state
