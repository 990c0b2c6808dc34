"""Loops whose parts fit different cuts into rows and columns are not made one."""

from __future__ import annotations

import numpy as np
import pytest

from lamina.graph import express as e
from lamina.graph.node import Graph, Node, constant, leaf
from lamina.plan.run import CoreExecutable

pytestmark = pytest.mark.usefixtures("isa")
TABLE = np.arange(9.0).reshape(3, 3)

# name → a function of x (rows, 3, 3): the same in the graph's language and in NumPy
CASES = {
    "a table repeated over rows, then summed along columns": (
        lambda x: e.sum(x * constant(TABLE, "float64"), -1),
        lambda x: (x * TABLE).sum(-1),
    ),
    "two such tables": (
        lambda x: e.sum((x + constant(TABLE, "float64")) * constant(TABLE, "float64"), -1),
        lambda x: ((x + TABLE) * TABLE).sum(-1),
    ),
    "pairs of columns": (
        lambda x: e.sum(e.expand_dims(x, -1) * e.expand_dims(x, -2), -1),
        lambda x: (x[..., None] * x[..., None, :]).sum(-1),
    ),
    "summed over everything": (
        lambda x: e.sum(x * constant(TABLE, "float64") * e.sum(x, -1, keepdims=True)),
        lambda x: (x * TABLE * x.sum(-1, keepdims=True)).sum(),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_cuts(name: str):
    build, truth = CASES[name]
    x: Node = leaf("input", (None, 3, 3), "float64", name="x")
    data = np.random.default_rng(1).normal(size=(5, 3, 3))
    found = CoreExecutable(Graph({"y": build(x)})).run({"x": data}, {}, rows=5, batch_size=5)
    np.testing.assert_allclose(found["y"], truth(data), rtol=1e-12)
