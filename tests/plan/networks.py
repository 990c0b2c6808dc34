"""A training step with a bit of everything in one graph, and what it does to its state."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from lamina.graph import activations, crossentropies
from lamina.graph import express as e
from lamina.graph import functions as f
from lamina.graph.node import Graph, leaf
from lamina.rewrite.gradients import gradients


def network(dtype: str, sizes=(7, 33, 17, 3)) -> tuple[Graph, dict[str, np.ndarray]]:
    """A training step of a small network with everything in one graph: Adam, dropout, batch statistics, a metric."""
    x, y = leaf("input", (None, sizes[0]), dtype, name="x"), leaf("input", (None,), "int32", name="y")
    a, weights, offset = x, [], 0
    for i, (rows, columns) in enumerate(pairwise(sizes)):
        w = leaf("variable", (rows, columns), dtype, buffer="parameters", offset=offset)
        b = leaf("variable", (columns,), dtype, buffer="parameters", offset=offset + rows * columns)
        offset += rows * columns + columns
        weights += [w, b]
        z = e.matmul(a, w) + b
        if i < len(sizes) - 2:
            mean, variance = f.moments(z, 0)
            a = f.dropout(activations.relu((z - mean) / e.sqrt(variance + 1e-3)), 0.3, stream=99 + i)
    p = f.softmax(z)
    loss = e.mean(crossentropies.sparse_categorical_crossentropy(y, p))
    gradient = e.concatenate([e.reshape(g, (-1,)) for g in gradients(loss, weights)], 0)
    parameters, m, v = (leaf("variable", (offset,), dtype, buffer=k, offset=0) for k in ("parameters", "m", "v"))
    total = leaf("variable", (), dtype, buffer="total", offset=0)
    t = leaf("step", (), dtype) + 1.0
    new_m, new_v = m + (gradient - m) * 0.1, v + (gradient * gradient - v) * 0.001
    rate = 0.01 * e.sqrt(1.0 - e.power(0.999, t)) / (1.0 - e.power(0.9, t))
    new = parameters - rate * new_m / (e.sqrt(new_v) + 1e-2)  # a large ε: small gradients would make noise large
    hits = e.sum(e.cast(e.equal(e.argmax(p), y), dtype))
    graph = Graph({"p": p, "loss": loss}, ((parameters, new), (m, new_m), (v, new_v), (total, total + hits)))
    rng = np.random.default_rng(1)
    state = {
        "parameters": rng.normal(0, 0.3, offset),
        "m": np.zeros(offset),
        "v": np.zeros(offset),
        "total": np.zeros(1),
    }
    return graph, {k: a.astype(dtype) for k, a in state.items()}


def trained(executable, state, dtype, rows=203, batch=32, epochs=2):
    """The state after some epochs on fixed data, and the last outputs."""
    rng = np.random.default_rng(2)
    data = {"x": rng.normal(size=(rows, 7)).astype(dtype), "y": rng.integers(0, 3, rows).astype("int32")}
    order, state, step = rng.permutation(rows), {k: a.copy() for k, a in state.items()}, 0
    for _ in range(epochs):
        out = executable.run(data, state, rows=rows, batch_size=batch, order=order, step=step)
        step += -(-rows // batch)
    return state, out
