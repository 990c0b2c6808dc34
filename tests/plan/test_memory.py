"""Slots of the arena: what is read again and again is not written over by what runs with it piece by piece."""

from __future__ import annotations

import numpy as np

from lamina.engine import compile
from lamina.graph import express as e
from lamina.graph.node import Graph, leaf


def test_an_epilogue_spares_its_products_factors() -> None:
    """A column times a row, then the greatest of each row: as large as the column, which is no longer needed."""
    x = leaf("input", (None, 1), "float64", name="x")
    w = leaf("variable", (1, 4), "float64", buffer="w", offset=0)
    z = e.matmul(e.exp(x), w) + 1.0
    graph = Graph({"top": e.max(z, -1), "centered": z - e.max(z, -1, keepdims=True)})
    data = {"x": np.linspace(-1, 1, 7)[:, None]}
    results = [
        compile(graph, target).run(data, {"w": np.array([1.0, -2.0, 3.0, 0.5])}, rows=7, batch_size=7)
        for target in ("core", "numpy")
    ]
    for name in graph.outputs:
        np.testing.assert_allclose(results[0][name], results[1][name], rtol=1e-12)


def test_a_row_that_a_loop_reads_again_is_not_written_over_by_its_sums() -> None:
    """Three rows of three: the sums of rows are as large as the row that every row of the loop is multiplied with."""
    x = leaf("variable", (3, 4), "float64", buffer="x", offset=0)
    w = leaf("variable", (4,), "float64", buffer="w", offset=0)
    pairs = e.slice_axis(x, -1, 1, 4) + e.slice_axis(x, -1, 0, 3)
    widths = e.slice_axis(w, -1, 1, 4) - e.slice_axis(w, -1, 0, 3)
    graph = Graph({"area": e.sum(pairs * widths, -1) / 2.0})
    state = {"x": np.linspace(-1, 2, 12), "w": np.array([0.0, 1.0, 3.0, 4.0])}
    results = [compile(graph, target).run({}, state, rows=1, batch_size=1)["area"] for target in ("core", "numpy")]
    np.testing.assert_allclose(*results, rtol=1e-12)
