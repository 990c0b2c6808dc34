"""Random graphs: the fused program, the unfused program and the reference agree on every instruction set."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_graphs import graphs, numbers

from isas import FUSED, ISAS, on
from lamina.graph.node import Graph
from lamina.lower.to_numpy import NumpyExecutable
from lamina.plan.run import CoreExecutable
from lamina.rewrite.simplify import simplify

# Relative to the largest number of an array: sums that cancel keep the rounding of their terms.
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


def run(executable, data, state, rows):
    """Outputs and the parameters after two batches, the second one short."""
    own = {k: a.copy() for k, a in state.items()}
    outputs = executable.run(data, own, rows=rows, batch_size=max(1, rows * 2 // 3))
    return outputs | {"parameters": own["parameters"]}


def check(drawn: tuple[Graph, int], dtype: str, rows: int, seed: int) -> None:
    graph, size = drawn
    data, state = numbers(graph, size, rows, dtype, seed)
    with np.errstate(all="ignore"):
        expected = run(NumpyExecutable(graph), data, state, rows)
    plain, seen = simplify(graph), {}
    for isa in ISAS:
        with on(isa):
            fused = run(CoreExecutable(plain), data, state, rows)
            unfused = run(CoreExecutable(plain, together=False), data, state, rows)
        seen[isa] = bits(fused)
        assert seen[isa] == bits(unfused), f"{isa}: fusion changed a bit"
        for name, value in expected.items():
            atol = TOLERANCE[dtype] * float(np.max(np.abs(value), initial=1.0))
            np.testing.assert_allclose(fused[name], value, rtol=TOLERANCE[dtype], atol=atol, err_msg=f"{isa}: {name}")
    assert all(seen[isa] == seen[FUSED[0]] for isa in FUSED), "an instruction set changed a bit"


def bits(results: dict[str, np.ndarray]) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in results.items()}


SETTINGS = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("seed", range(2))
@given(drawn=graphs("float64"), rows=st.integers(1, 40))
@settings(SETTINGS, max_examples=150)
def test_random_graphs_in_float64(drawn, rows, seed):
    check(drawn, "float64", rows, seed)


@given(drawn=graphs("float32"), rows=st.integers(1, 40))
@settings(SETTINGS, max_examples=100)
def test_random_graphs_in_float32(drawn, rows):
    check(drawn, "float32", rows, 0)
