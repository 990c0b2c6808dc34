"""Enough rows that the threads share the work: the same bits on one thread and on two.

Under the thread sanitizer (`make sanitize`) these are the runs in which it looks for races.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from random_graphs import graphs
from random_graphs import numbers as numbers_of

from cases_ops import CASES, Case, bind, inputs, name_of, numbers
from lamina.graph.node import Graph
from lamina.plan.run import CoreExecutable
from lamina.rewrite.simplify import simplify

pytestmark = pytest.mark.usefixtures("isa")
ROWS = 5000


def assert_same_bits(graph: Graph, data: dict, state: dict, batch: int) -> None:
    """Outputs and changed buffers on one thread and on two."""
    results = []
    for threads in (1, 2):
        own = {name: array.copy() for name, array in state.items()}
        outputs = CoreExecutable(graph, threads).run(data, own, rows=ROWS, batch_size=batch)
        results.append({name: array.tobytes() for name, array in (outputs | own).items()})
    assert results[0] == results[1]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_an_operation(case: Case):
    graph = Graph({"out": case.build(*inputs(case, "float32"))})
    assert_same_bits(graph, *bind(case, numbers(case, "float32", ROWS)), batch=ROWS)


@given(drawn=graphs("float32"))
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_random_graphs(drawn):
    graph, size = drawn
    with np.errstate(all="ignore"):
        assert_same_bits(simplify(graph), *numbers_of(graph, size, ROWS, "float32", 0), batch=ROWS * 2 // 3)
