"""Plain JAX: the whole epoch, permutation included, is one compiled `lax.scan`."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

import jax
import numpy as np
from jax import numpy as jnp

from peer import Mark
from rungs import LEARNING_RATE, SEED, Rung

PACKAGES = ("jax", "jaxlib", "numpy")
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7


def glorot(key: jax.Array, inputs: int, units: int) -> dict[str, jax.Array]:
    limit = (6 / (inputs + units)) ** 0.5
    return {"w": jax.random.uniform(key, (inputs, units), minval=-limit, maxval=limit), "b": jnp.zeros(units)}


def cost(layers: list[dict[str, jax.Array]], x: jax.Array, y: jax.Array) -> jax.Array:
    for layer in layers[:-1]:
        x = jax.nn.relu(x @ layer["w"] + layer["b"])
    logits = x @ layers[-1]["w"] + layers[-1]["b"]
    if logits.shape[1] == 1:
        z = logits[:, 0]
        return jnp.mean(jnp.maximum(z, 0) - z * y + jnp.log1p(jnp.exp(-jnp.abs(z))))
    chosen = jnp.take_along_axis(logits, y[:, None].astype(jnp.int32), axis=1)[:, 0]
    return jnp.mean(jax.nn.logsumexp(logits, axis=1) - chosen)


def adam(parameters: Any, gradients: Any, first: Any, second: Any, step: jax.Array) -> tuple[Any, Any, Any]:
    rate = LEARNING_RATE * jnp.sqrt(1 - BETA_2**step) / (1 - BETA_1**step)
    first = jax.tree.map(lambda m, g: BETA_1 * m + (1 - BETA_1) * g, first, gradients)
    second = jax.tree.map(lambda v, g: BETA_2 * v + (1 - BETA_2) * g * g, second, gradients)
    update = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + EPSILON), parameters, first, second)
    return update, first, second


def one_step(x: jax.Array, y: jax.Array, state: Any, rows: jax.Array) -> tuple[Any, jax.Array]:
    parameters, first, second, step = state
    loss, gradients = jax.value_and_grad(cost)(parameters, x[rows], y[rows])
    return (*adam(parameters, gradients, first, second, step + 1), step + 1), loss


@partial(jax.jit, static_argnames="batch", donate_argnames="state")
def epoch(state: Any, key: jax.Array, x: jax.Array, y: jax.Array, batch: int) -> tuple[Any, jax.Array]:
    order = jax.random.permutation(key, len(x))
    whole = len(x) // batch * batch
    state, losses = jax.lax.scan(partial(one_step, x, y), state, order[:whole].reshape(-1, batch))
    total = losses.sum() * batch
    if whole < len(x):
        state, last = one_step(x, y, state, order[whole:])
        total += last * (len(x) - whole)
    return state, total / len(x)


def train(rung: Rung, x: np.ndarray, y: np.ndarray, epochs: int, mark: Mark) -> None:
    keys = jax.random.split(jax.random.key(SEED), len(rung.sizes) - 1 + epochs)
    layers = [glorot(key, *pair) for key, pair in zip(keys, pairwise(rung.sizes), strict=False)]
    zeros = jax.tree.map(jnp.zeros_like, layers)
    state = (layers, zeros, jax.tree.map(jnp.zeros_like, layers), jnp.zeros((), jnp.float32))
    rows, classes = jnp.asarray(x), jnp.asarray(y)
    for key in keys[len(layers) :]:
        state, loss = epoch(state, key, rows, classes, rung.batch)
        mark(loss)
