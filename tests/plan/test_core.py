"""The core against the readable reference, operation by operation, and its promises about bits."""

from __future__ import annotations

import numpy as np
import pytest
from networks import network, trained

import lamina
from cases_ops import CASES, Case, bind, inputs, name_of, numbers
from lamina.errors import DataError, GraphError
from lamina.graph import express as e
from lamina.graph import functions as f
from lamina.graph.node import Graph, leaf
from lamina.lower.to_numpy import NumpyExecutable
from lamina.plan.run import CoreExecutable

pytestmark = pytest.mark.usefixtures("isa")
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
RUN = {"float32": 1e-4, "float64": 1e-11}  # after two epochs


def assert_close(found: np.ndarray, expected: np.ndarray, dtype: str) -> None:
    """Within the tolerance of the type, relative to the largest number around."""
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    scale = np.max(np.abs(expected), initial=1e-30, where=np.isfinite(expected))
    np.testing.assert_allclose(found, expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * float(scale))


@pytest.mark.parametrize("case", CASES, ids=name_of)
@pytest.mark.parametrize("rows", [1, 5, 37])
def test_every_operation_is_the_reference(case: Case, rows: int, dtype: str):
    graph = Graph({"out": case.build(*inputs(case, dtype))})
    data, state = bind(case, numbers(case, dtype, rows))
    expected = NumpyExecutable(graph).run(data, state, rows=rows, batch_size=rows)["out"]
    found = CoreExecutable(graph).run(data, state, rows=rows, batch_size=rows)["out"]
    assert_close(found, expected, dtype)


def test_training_is_the_reference(dtype: str):
    graph, state = network(dtype)
    expected, out = trained(NumpyExecutable(graph), state, dtype)
    found, core_out = trained(CoreExecutable(graph), state, dtype)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=RUN[dtype], atol=RUN[dtype])
    assert np.allclose(core_out["p"], out["p"], atol=1e-3 if dtype == "float32" else 1e-10)


def test_bits_do_not_depend_on_fusion_or_threads(dtype: str):
    graph, state = network(dtype)
    expected, out = trained(CoreExecutable(graph), state, dtype)
    for other in (CoreExecutable(graph, together=False), CoreExecutable(graph, threads=2)):
        found, other_out = trained(other, state, dtype)
        for name in expected:
            assert found[name].tobytes() == expected[name].tobytes(), name
        assert other_out["p"].tobytes() == out["p"].tobytes()


def test_sums_over_the_batch_of_what_needs_a_whole_row():
    x = leaf("input", (None, 4), "float32", name="x")
    total = leaf("variable", (4,), "float32", buffer="total", offset=0)
    graph = Graph({}, ((total, total + e.sum(f.softmax(x), 0)),))
    data = {"x": np.random.default_rng(1).normal(size=(7, 4)).astype("float32")}
    state = {"total": np.ones(4, "float32")}
    CoreExecutable(graph).run(data, state, rows=7, batch_size=3)
    powers = np.exp(data["x"])
    np.testing.assert_allclose(state["total"], 1 + (powers / powers.sum(1, keepdims=True)).sum(0), rtol=1e-6)


def test_dropout_masks_do_not_depend_on_the_target():
    x = leaf("input", (None, 5), "float32", name="x")
    graph = Graph({"kept": f.dropout(x, 0.5, stream=2**40 + 7)})
    data = {"x": np.ones((100, 5), "float32")}
    runs = [t(graph).run(data, {}, rows=100, batch_size=32, step=2**33) for t in (NumpyExecutable, CoreExecutable)]
    assert np.array_equal(runs[0]["kept"], runs[1]["kept"])
    assert 0.3 < (runs[0]["kept"] == 0).mean() < 0.7
    assert set(np.unique(runs[0]["kept"])) == {0.0, 2.0}


def test_integers_beyond_the_float_type_are_refused():
    x = leaf("input", (None,), "int32", name="ids")
    executable = CoreExecutable(Graph({"y": e.cast(x, "float32")}))
    with pytest.raises(DataError, match="input 'ids' has the integer 16777217; float32 is exact up to 16777216"):
        executable.run({"ids": np.array([2**24 + 1])}, {}, rows=1, batch_size=1)


def test_a_batch_axis_that_is_not_first_is_refused():
    x, w = (
        leaf("input", (None, 4), "float32", name="x"),
        leaf("variable", (3, 4), "float32", buffer="w", offset=0),
    )
    with pytest.raises(GraphError, match="the core keeps the batch on the first axis"):
        CoreExecutable(Graph({"z": e.tensordot(w, x, ((1,), (1,))) * 2.0}))


def test_index_outside_a_table_is_an_error():
    ids = leaf("input", (None,), "int32", name="ids")
    table = leaf("variable", (3, 2), "float32", buffer="t", offset=0)
    for target in (NumpyExecutable, CoreExecutable):
        executable = target(Graph({"rows": e.take(table, ids)}))
        with pytest.raises(IndexError, match="row 1: index is 3, expected -3..2"):
            executable.run({"ids": np.array([0, 3], "int32")}, {"t": np.zeros(6, "float32")}, rows=2, batch_size=2)


def test_sums_stay_out_of_a_loop_whose_product_they_wait_for() -> None:
    """The bias of the second branch is a sum of a loop that runs with a product; that of PReLU's waits for both."""
    x = lamina.Input((4,))
    bent = lamina.layers.PReLU(shared_axes=1)(lamina.layers.Reshape((3, 2))(lamina.layers.Dense(6)(x)))
    both = lamina.layers.Subtract()([lamina.layers.Flatten()(bent), lamina.layers.Dense(6, "hard_shrink")(x)])
    start: list[np.ndarray] = []
    ends = []
    for target in ("numpy", "core"):
        model = lamina.Model(x, lamina.layers.Dense(1)(both))
        start = start or model.get_weights()
        model.set_weights(start)
        model.compile("sgd", "mse", target=target)
        rows = np.random.default_rng(0).normal(size=(24, 4)).astype("float32")
        model.fit(rows, rows[:, :1], verbose=0, shuffle=False)
        ends.append(model.get_weights())
    for a, b in zip(*ends, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
