"""Which graphs mix the rows of a batch, held against running them in batches of one row and of all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from lamina import engine
from lamina.graph import activations
from lamina.graph import express as e
from lamina.graph import functions as f
from lamina.graph.mixing import mixes_rows
from lamina.graph.node import Graph, Node, constant, leaf

ROWS, COLUMNS = 6, 4
X = leaf("input", (None, COLUMNS), "float32", name="x")
VALUES = np.random.default_rng(3).uniform(0.1, 2.0, (ROWS, COLUMNS)).astype("float32")

ALONE: dict[str, Callable[[Node], Node]] = {
    "elementwise": lambda x: activations.relu(x) * 2.0 + 1.0,
    "product": lambda x: x @ constant(np.eye(COLUMNS, 3, dtype="float32")),
    "softmax of a row": lambda x: f.softmax(x, -1),
    "reshaped": lambda x: e.sum(e.reshape(x, (None, 2, 2)), 2),
    "table": lambda x: e.take(constant(np.arange(8, dtype="float32")), e.cast(x, "int32")),
    "joined": lambda x: e.concatenate([x, x], 1),
    "nothing of it": lambda x: e.full_like(x, 3.0),
}
TOGETHER: dict[str, Callable[[Node], Node]] = {
    "softmax of a column": lambda x: f.softmax(x, 0),
    "less the mean": lambda x: x - e.mean(x, 0, keepdims=True),
    "share of the rows": lambda x: x / e.sum(e.full_like(x, 1.0)),
    "number of rows": lambda x: x / leaf("rows", (), "float32"),
    "largest row": lambda x: e.full_like(x, 0.0) + e.cast(e.argmax(x, 0), "float32"),
    "first row": lambda x: x - e.take(x, constant(0)),
    "row of a place": lambda x: e.take(x, e.cast(x[:, 0] * 0.0, "int32")),
    "histogram": lambda x: x + e.sum(e.scatter_add(e.cast(x, "int32"), x, 3)),
    "products of rows": lambda x: x @ e.tensordot(x, x, ((0,), (0,))),
    "step": lambda x: x + leaf("step", (), "float32"),
    "random": lambda x: x + leaf("random", (None, COLUMNS), "float32", stream=1),
}


def in_batches(graph: Graph, size: int, target: str) -> np.ndarray:
    return engine.compile(graph, target).run({"x": VALUES}, {}, rows=ROWS, batch_size=size)["y"]


@pytest.mark.parametrize("name", ALONE)
def test_rows_that_stay_apart(name: str) -> None:
    graph = Graph({"y": ALONE[name](X)})
    assert not mixes_rows(graph)
    for size in (1, 4):
        np.testing.assert_array_equal(in_batches(graph, size, "core"), in_batches(graph, ROWS, "core"))


@pytest.mark.parametrize("name", TOGETHER)
def test_rows_that_meet(name: str) -> None:
    graph = Graph({"y": TOGETHER[name](X)})
    assert mixes_rows(graph)
    assert not np.allclose(in_batches(graph, 1, "numpy"), in_batches(graph, ROWS, "numpy"))


def test_what_is_written_into_variables_depends_on_the_batch() -> None:
    count = leaf("variable", (), "float32", buffer="count", offset=0)
    assert mixes_rows(Graph({"y": X}, ((count, count + 1.0),)))


def test_the_batch_on_another_axis_counts_as_mixed() -> None:
    assert mixes_rows(Graph({"y": e.transpose(e.transpose(X))}))
