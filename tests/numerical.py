"""Central differences of a function of arrays, the independent truth for gradients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lamina.engine import compile
from lamina.graph import express as e
from lamina.graph.node import Graph, Node, constant, leaf
from lamina.rewrite.gradients import gradients


def check_gradients(
    function: Callable[..., Node], *arrays: np.ndarray, rtol: float = 1e-6, target: str = "numpy"
) -> None:
    """Assert that the derived gradient of Σ weights · function(x…) is the central difference, in float64."""
    nodes = [leaf("variable", a.shape, "float64", buffer=str(i), offset=0) for i, a in enumerate(arrays)]
    out = function(*nodes)
    weights = np.random.default_rng(1).uniform(0.5, 1.5, out.shape)
    loss = e.sum(out * constant(weights, "float64"))
    graph = Graph({"loss": loss, **{f"d{i}": g for i, g in enumerate(gradients(loss, nodes))}})
    run = compile(graph, target)
    state = {str(i): np.array(a, "float64").reshape(-1) for i, a in enumerate(arrays)}
    found = run.run({}, state, rows=1, batch_size=1)
    for i, a in enumerate(arrays):
        expected = _differences(lambda: float(run.run({}, state, rows=1, batch_size=1)["loss"]), state[str(i)])
        scale = max(1.0, float(np.abs(expected).max(initial=0)))
        np.testing.assert_allclose(
            found[f"d{i}"].reshape(-1), expected, rtol=rtol, atol=rtol * 0.1 * scale, err_msg=f"d{i}"
        )
        assert found[f"d{i}"].shape == a.shape


def _differences(value: Callable[[], float], x: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """Fourth-order central differences, so that rounding and not the step limits them."""
    out = np.zeros(x.size)
    for j in range(x.size):
        kept, ends = x[j], []
        for step in (2 * h, h, -h, -2 * h):
            x[j] = kept + step
            ends.append(value())
        x[j] = kept
        out[j] = (-ends[0] + 8 * ends[1] - 8 * ends[2] + ends[3]) / (12 * h)
    return out
