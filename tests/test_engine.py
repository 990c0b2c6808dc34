"""compile: targets, the printed stages, what happens without the core."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lamina import engine
from lamina.errors import GraphError
from lamina.graph import activations, crossentropies
from lamina.graph import express as e
from lamina.graph.node import Graph, leaf
from lamina.plan.planner import plan
from lamina.rewrite.gradients import gradients
from lamina.rewrite.simplify import simplify

GOLDEN = Path(__file__).parent / "golden"


def training_step() -> Graph:
    """One step of gradient descent of a 3-4-1 network."""
    x, y = leaf("input", (None, 3), "float32", name="x"), leaf("input", (None, 1), "float32", name="y")
    shapes, offsets = [(3, 4), (4,), (4, 1), (1,)], [0, 12, 16, 20]
    w1, b1, w2, b2 = weights = [
        leaf("variable", shape, "float32", buffer="parameters", offset=offset)
        for shape, offset in zip(shapes, offsets, strict=True)
    ]
    a = e.sigmoid(e.matmul(activations.relu(e.matmul(x, w1) + b1), w2) + b2)
    slopes = gradients(e.mean(crossentropies.binary_crossentropy(y, a)), weights)
    whole = leaf("variable", (21,), "float32", buffer="parameters", offset=0)
    flat = e.concatenate([e.reshape(g, (-1,)) for g in slopes], 0)
    return Graph({}, ((whole, whole - 0.1 * flat),))


def test_the_plan_of_a_training_step_is_the_one_that_was_read_and_approved():
    """One pass over rows, gradients where they belong in one vector, one update. After a change, read the new text."""
    assert str(plan(simplify(training_step()))) == (GOLDEN / "training_step.txt").read_text(encoding="utf-8")


def test_targets_agree(target: str):
    graph = Graph({"y": e.tanh(leaf("input", (None, 2), "float64", name="x"))})
    run = engine.compile(graph, target).run({"x": np.ones((3, 2))}, {}, rows=3, batch_size=2)
    np.testing.assert_allclose(run["y"], np.tanh(np.ones((3, 2))), rtol=1e-15)


def test_rows_come_in_the_order_asked_for(target: str):
    graph = Graph({"y": leaf("input", (None,), "float32", name="x") * 2.0})
    data = {"x": np.arange(6, dtype="float32")}
    order = np.array([5, 3, 1, 0, 2, 4])
    run = engine.compile(graph, target).run(data, {}, rows=6, batch_size=4, order=order, start=1, stop=5)
    assert run["y"].tolist() == [6.0, 2.0, 0.0, 4.0]


def test_reads_see_the_old_values(target: str):
    """Updates are applied together: a swap is a swap."""
    a, b = (leaf("variable", (2,), "float32", buffer=name, offset=0) for name in "ab")
    state = {"a": np.array([1.0, 2.0], "float32"), "b": np.array([3.0, 4.0], "float32")}
    engine.compile(Graph({}, ((a, b), (b, a))), target).run({}, state, rows=1, batch_size=1)
    assert state["a"].tolist() == [3.0, 4.0]
    assert state["b"].tolist() == [1.0, 2.0]


def test_the_last_short_batch_counts_its_own_rows(target: str):
    x = leaf("input", (None,), "float64", name="x")
    total = leaf("variable", (), "float64", buffer="total", offset=0)
    state = {"total": np.zeros(1)}
    graph = Graph({}, ((total, total + e.mean(x)),))
    engine.compile(graph, target).run({"x": np.arange(5.0)}, state, rows=5, batch_size=2)
    assert state["total"][0] == 0.5 + 2.5 + 4.0


def test_an_unknown_target_is_refused():
    with pytest.raises(GraphError, match="target 'gpu' is not one of core, numpy, jax, tensorflow"):
        engine.compile(Graph(), "gpu")


@pytest.mark.parametrize("stage", ["graph", "gradients", "plan"])
def test_each_stage_can_be_printed(stage, monkeypatch, capsys):
    monkeypatch.setenv("LAMINA_SHOW", stage)
    engine.compile(training_step())
    printed = capsys.readouterr().err
    assert f"--- {stage} ---" in printed
    assert {"graph": "update", "gradients": "return d0", "plan": "phase rows"}[stage] in printed


def test_without_the_core_numpy_runs_and_says_so_once():
    code = """
import sys, warnings
sys.modules["lamina._core"] = None
import numpy as np
from lamina import engine
from lamina.graph.node import Graph, leaf
graph = Graph({"y": leaf("input", (None,), "float32", name="x") * 2.0})
with warnings.catch_warnings(record=True) as found:
    warnings.simplefilter("always")
    for _ in range(2):
        executable = engine.compile(graph)
print(len(found), found[0].message, executable.run({"x": np.ones(2, "float32")}, {}, rows=2, batch_size=2))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("1 Lamina's C++ core is not available")
    assert "running on the slower numpy target" in done.stdout
    assert "[2., 2.]" in done.stdout
