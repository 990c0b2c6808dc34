"""The closed table of primitive operations; every property of an operation lives in its row.

A composite (softmax, gelu, a loss) is not here: it is an equation in ``functions``.
"""

from __future__ import annotations

from typing import NamedTuple


class Op(NamedTuple):
    """One primitive: its name, number of inputs, kind, result dtype rule and algebraic properties."""

    name: str
    arity: int | None  # None: any number
    kind: str  # leaf, elementwise, reduce, contract, structure, index
    result: str = "same"  # dtype of the result: same, bool, int, first, second (input), attribute
    attrs: tuple[str, ...] = ()
    commutative: bool = False


LEAF, ELEMENTWISE, REDUCE, CONTRACT, STRUCTURE, INDEX = (
    "leaf", "elementwise", "reduce", "contract", "structure", "index")  # fmt: skip

_ROWS = (
    # -- leaves: where numbers come from
    Op("input", 0, LEAF, "attribute", ("name",)),
    Op("variable", 0, LEAF, "attribute", ("buffer", "offset")),
    Op("constant", 0, LEAF, "attribute", ("value",)),
    Op("rows", 0, LEAF, "attribute"),  # the batch size, as a number
    Op("step", 0, LEAF, "attribute"),  # the optimizer's step, counted from 0, as a number
    Op("random", 0, LEAF, "attribute", ("stream",)),  # uniform in [0, 1), Philox keyed by stream and step
    # -- elementwise, one input
    Op("negative", 1, ELEMENTWISE),
    Op("absolute", 1, ELEMENTWISE),
    Op("sign", 1, ELEMENTWISE),
    Op("exp", 1, ELEMENTWISE),
    Op("expm1", 1, ELEMENTWISE),
    Op("log", 1, ELEMENTWISE),
    Op("log1p", 1, ELEMENTWISE),
    Op("sqrt", 1, ELEMENTWISE),
    Op("sin", 1, ELEMENTWISE),
    Op("cos", 1, ELEMENTWISE),
    Op("tanh", 1, ELEMENTWISE),
    Op("sigmoid", 1, ELEMENTWISE),
    Op("softplus", 1, ELEMENTWISE),
    Op("erf", 1, ELEMENTWISE),
    Op("floor", 1, ELEMENTWISE),
    Op("ceil", 1, ELEMENTWISE),
    Op("round", 1, ELEMENTWISE),
    Op("isfinite", 1, ELEMENTWISE, "bool"),
    Op("clip", 1, ELEMENTWISE, "same", ("low", "high", "guard")),
    Op("stop_gradient", 1, ELEMENTWISE),
    Op("cast", 1, ELEMENTWISE, "attribute"),
    # -- elementwise, two inputs
    Op("add", 2, ELEMENTWISE, commutative=True),
    Op("subtract", 2, ELEMENTWISE),
    Op("multiply", 2, ELEMENTWISE, commutative=True),
    Op("divide", 2, ELEMENTWISE),
    Op("power", 2, ELEMENTWISE),
    Op("maximum", 2, ELEMENTWISE, commutative=True),
    Op("minimum", 2, ELEMENTWISE, commutative=True),
    Op("equal", 2, ELEMENTWISE, "bool", commutative=True),
    Op("less", 2, ELEMENTWISE, "bool"),
    Op("less_equal", 2, ELEMENTWISE, "bool"),
    # -- elementwise, three inputs
    Op("where", 3, ELEMENTWISE),
    # -- reductions
    Op("sum", 1, REDUCE, "same", ("axes", "keepdims")),
    Op("max", 1, REDUCE, "same", ("axes", "keepdims")),
    Op("argmax", 1, REDUCE, "int", ("axis",)),
    # -- contraction: the sum over the paired axes; a matrix product is axes ((-1,), (0,))
    Op("tensordot", 2, CONTRACT, "same", ("axes",)),
    # -- structure: the same numbers in another place
    Op("reshape", 1, STRUCTURE, "same", ("shape",)),
    Op("transpose", 1, STRUCTURE, "same", ("axes",)),
    Op("broadcast_to", 1, STRUCTURE, "same", ("shape",)),
    Op("concatenate", None, STRUCTURE, "same", ("axis",)),
    Op("slice", 1, STRUCTURE, "same", ("begin", "end")),
    Op("pad", 1, STRUCTURE, "same", ("before", "after")),
    # -- indexing along the first axis of a table
    Op("take", 2, INDEX, "first"),  # (table, indices)
    Op("scatter_add", 2, INDEX, "second", ("size",)),  # (indices, updates)
)

OPS: dict[str, Op] = {op.name: op for op in _ROWS}
