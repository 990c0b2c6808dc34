"""What a primitive needs, and where: each missing line is named. Adding one is these edits and no others."""

from __future__ import annotations

import pytest

from cases_ops import CASES, LEAVES
from lamina.graph import express
from lamina.graph.ops import CONTRACT, ELEMENTWISE, INDEX, LEAF, OPS, REDUCE, STRUCTURE
from lamina.graph.shapes import RULES as SHAPES
from lamina.lower.to_latex import TEMPLATES as LATEX
from lamina.lower.to_numpy import TEMPLATES as NUMPY
from lamina.lower.to_onnx import TABLE as ONNX
from lamina.rewrite.gradients import RULES as GRADIENTS

WRITTEN_OUT = {"input", "variable", "constant", "concatenate"}  # to_numpy has code, not a template, for these
EXPRESSED_ELSEWHERE = {"input", "variable", "constant", "rows", "step", "random"}  # leaf(), constant()
NOT_IN_PREDICTIONS = {"random", "step"}  # a file for other programs has neither
KERNELS = {  # primitives that become an instruction of another name, or none
    "input": "load", "tensordot": "matmul", "reshape": None, "stop_gradient": None, "cast": None, "transpose": "copy",
    "broadcast_to": "copy", "concatenate": "copy", "slice": "copy", "pad": "fill", "sum": None, "max": None,
    "variable": None, "constant": None, "rows": None, "step": None,
}  # fmt: skip


@pytest.mark.parametrize("op", OPS)
def test_a_primitive_has_all_its_lines(op: str):
    missing = [name for name, held in places(op).items() if not held]
    assert not missing, f"primitive {op!r} has no line in: {', '.join(missing)}"


def places(op: str) -> dict[str, bool]:
    """Each place that a primitive must have a line in."""
    from lamina import _core

    kernel = KERNELS.get(op, op)
    return {
        "graph/shapes.py RULES": OPS[op].kind in (LEAF, ELEMENTWISE) or op in SHAPES,
        "graph/express.py": op in EXPRESSED_ELSEWHERE or callable(getattr(express, op, None)),
        "rewrite/gradients.py RULES": op in GRADIENTS,
        "lower/to_numpy.py TEMPLATES": op in WRITTEN_OUT or op in NUMPY,
        "lower/to_latex.py TEMPLATES": op in LATEX,
        "lower/to_onnx.py TABLE": op in NOT_IN_PREDICTIONS or op in ONNX,
        "core/ops.def": kernel is None or any(kernel in names for names in _core.ops().values()),
        "tests/cases_ops.py CASES": op in LEAVES or any(case.op == op for case in CASES),
    }


def test_no_table_knows_an_operation_that_does_not_exist():
    for table in (SHAPES, GRADIENTS, NUMPY, LATEX, ONNX):
        assert set(table) <= set(OPS)
    assert {case.op for case in CASES} <= set(OPS)


def test_every_kind_is_one_of_the_language():
    assert {op.kind for op in OPS.values()} <= {LEAF, ELEMENTWISE, REDUCE, CONTRACT, STRUCTURE, INDEX}
