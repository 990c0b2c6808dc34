"""Every primitive's gradient against central differences in float64."""

from __future__ import annotations

import numpy as np
import pytest

from cases_ops import CASES, ROWS, Case, bind, inputs, name_of, numbers, weighted_sum
from lamina.engine import compile
from lamina.errors import GraphError
from lamina.graph import express as e
from lamina.graph import functions
from lamina.graph.node import Graph, constant, leaf, walk
from lamina.graph.ops import OPS
from lamina.rewrite.gradients import RULES, gradients
from lamina.rewrite.simplify import simplify

FLAT = {"sign", "floor", "ceil", "round", "isfinite", "equal", "less", "less_equal", "argmax"}  # derivative 0


def test_every_operation_has_a_rule():
    assert set(RULES) == set(OPS)


@pytest.mark.parametrize("case", [c for c in CASES if c.smooth], ids=name_of)
def test_gradient_is_the_central_difference(case: Case):
    nodes, arrays = inputs(case, "float64"), numbers(case, "float64")
    loss = weighted_sum(case.build(*nodes))
    floats = [i for i, a in enumerate(case.arguments) if not a.integer]
    found = gradients(loss, [nodes[i] for i in floats])
    data, state = bind(case, arrays)
    graph = Graph({"loss": loss, **{f"d{i}": g for i, g in zip(floats, found, strict=True)}})
    executable = compile(graph, "numpy")
    results = executable.run(data, state, rows=ROWS, batch_size=ROWS)
    for i in floats:
        expected = differences(executable, case, arrays, i)
        np.testing.assert_allclose(results[f"d{i}"], expected, rtol=1e-6, atol=1e-7 if case.op not in FLAT else 0)


def differences(executable, case, arrays, which, h=1e-6):
    """∂loss/∂arrays[which] by central differences."""
    changed = [a.copy() for a in arrays]
    flat, out = changed[which].reshape(-1), np.zeros(arrays[which].size)
    for j, x in enumerate(arrays[which].reshape(-1)):
        ends = []
        for step in (h, -h):
            flat[j] = x + step
            data, state = bind(case, changed)
            ends.append(float(executable.run(data, state, rows=ROWS, batch_size=ROWS)["loss"]))
        flat[j] = x
        out[j] = (ends[0] - ends[1]) / (2 * h)
    return out.reshape(arrays[which].shape)


def test_relu_is_flat_at_zero_as_in_keras():
    x = leaf("input", (None,), "float64", name="x")
    (dx,) = gradients(e.sum(e.maximum(x, 0.0)), [x])
    run = compile(Graph({"dx": dx}), "numpy").run({"x": np.array([-1.0, 0.0, 1.0])}, {}, rows=3, batch_size=3)
    assert run["dx"].tolist() == [0.0, 0.0, 1.0]


def test_ties_of_max_share_the_gradient():
    x = leaf("input", (None, 3), "float64", name="x")
    (dx,) = gradients(e.sum(e.max(x, -1)), [x])
    run = compile(Graph({"dx": dx}), "numpy").run({"x": np.array([[2.0, 2.0, 1.0]])}, {}, rows=1, batch_size=1)
    assert run["dx"].tolist() == [[0.5, 0.5, 0.0]]


def test_a_stopped_gradient_is_a_constant():
    x = leaf("input", (None,), "float64", name="x")
    (dx,) = gradients(e.sum(x * e.stop_gradient(x)), [x])
    run = compile(Graph({"dx": dx}), "numpy").run({"x": np.array([3.0])}, {}, rows=1, batch_size=1)
    assert run["dx"].tolist() == [3.0]  # not 6


def test_the_variance_of_a_batch_passes_no_gradient_through_its_mean():
    """It is 0: one sum over the batch less."""
    x, w = (leaf("input", (None,), "float64", name=name) for name in "xw")
    (dx,) = gradients(e.sum(w * (x - functions.moments(x, 0)[0]) / e.sqrt(functions.moments(x, 0)[1])), [x])
    assert sum(node.op == "sum" for node in walk(simplify(Graph({"dx": dx})).roots)) == 4  # x, its square; w, w·(x − μ)


def test_what_the_loss_does_not_need_has_gradient_zero():
    x = leaf("variable", (2,), "float64", buffer="x", offset=0)
    (dx,) = gradients(constant(1.0, "float64"), [x])
    run = compile(Graph({"dx": dx}), "numpy").run({}, {"x": np.ones(2)}, rows=1, batch_size=1)
    assert run["dx"].tolist() == [0.0, 0.0]


def test_a_loss_must_be_one_number():
    x = leaf("input", (None, 3), "float32", name="x")
    with pytest.raises(GraphError, match=r"one float as the loss, got shape \(None, 3\)"):
        gradients(x, [x])
