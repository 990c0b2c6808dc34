"""The closed table of primitive operations; every property of an operation lives in its row.

A composite (softmax, gelu, a loss) is not here: it is an equation in ``functions``.
"""

from __future__ import annotations

from typing import NamedTuple


class Op(NamedTuple):
    """One primitive and its properties.

    Attributes:
        name: what a node's ``op`` says.
        arity: number of inputs, None for any.
        kind: leaf, elementwise, reduce, contract, structure or index.
        result: dtype of the result: same, bool, int, first or second (input), or attribute (said by the maker).
        attrs: names of its attributes.
        commutative: whether a and b may change places. Not so maximum and minimum: their gradients break ties by place.
        floats: whether it computes with floats alone, so that integers are cast first.
        agree: which inputs must have one dtype, None for all.
    """

    name: str
    arity: int | None
    kind: str
    result: str = "same"
    attrs: tuple[str, ...] = ()
    commutative: bool = False
    floats: bool = False
    agree: slice | None = None


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
    Op("exp", 1, ELEMENTWISE, floats=True),
    Op("expm1", 1, ELEMENTWISE, floats=True),
    Op("log", 1, ELEMENTWISE, floats=True),
    Op("log1p", 1, ELEMENTWISE, floats=True),
    Op("sqrt", 1, ELEMENTWISE, floats=True),
    Op("sin", 1, ELEMENTWISE, floats=True),
    Op("cos", 1, ELEMENTWISE, floats=True),
    Op("tanh", 1, ELEMENTWISE, floats=True),
    Op("sigmoid", 1, ELEMENTWISE, floats=True),
    Op("softplus", 1, ELEMENTWISE, floats=True),
    Op("erf", 1, ELEMENTWISE, floats=True),
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
    Op("divide", 2, ELEMENTWISE, floats=True),
    Op("power", 2, ELEMENTWISE),
    Op("maximum", 2, ELEMENTWISE),
    Op("minimum", 2, ELEMENTWISE),
    Op("equal", 2, ELEMENTWISE, "bool", commutative=True),
    Op("less", 2, ELEMENTWISE, "bool"),
    Op("less_equal", 2, ELEMENTWISE, "bool"),
    # -- elementwise, three inputs
    Op("where", 3, ELEMENTWISE, agree=slice(1, 3)),
    # -- reductions
    Op("sum", 1, REDUCE, "same", ("axes", "keepdims")),
    Op("max", 1, REDUCE, "same", ("axes", "keepdims")),
    Op("argmax", 1, REDUCE, "int", ("axis",)),
    # -- contraction: the sum over the paired axes; a matrix product is axes ((-1,), (0,))
    Op("tensordot", 2, CONTRACT, "same", ("axes",), floats=True),
    # -- structure: the same numbers in another place
    Op("reshape", 1, STRUCTURE, "same", ("shape",)),
    Op("transpose", 1, STRUCTURE, "same", ("axes",)),
    Op("broadcast_to", 1, STRUCTURE, "same", ("shape",)),
    Op("concatenate", None, STRUCTURE, "same", ("axis",)),
    Op("slice", 1, STRUCTURE, "same", ("begin", "end")),
    Op("pad", 1, STRUCTURE, "same", ("before", "after")),
    # -- indexing along the first axis of a table
    Op("take", 2, INDEX, "first", agree=slice(0, 0)),  # (table, indices)
    Op("scatter_add", 2, INDEX, "second", ("size",), agree=slice(0, 0)),  # (indices, updates)
)

OPS: dict[str, Op] = {op.name: op for op in _ROWS}
