"""Functions of ``lamina.ops`` that work element by element."""

from __future__ import annotations

from lamina.graph import express, functions
from lamina.graph.express import as_node
from lamina.graph.node import Node, Operand
from lamina.ops.dispatch import Dual, dual

absolute: Dual = dual(express.absolute)
abs: Dual = absolute
add: Dual = dual(express.add)
ceil: Dual = dual(express.ceil)
clip: Dual = dual(express.clip)
cos: Dual = dual(express.cos)
divide: Dual = dual(express.divide)
divide_no_nan: Dual = dual(functions.divide_no_nan)
equal: Dual = dual(express.equal)
erf: Dual = dual(express.erf)
exp: Dual = dual(express.exp)
expm1: Dual = dual(express.expm1)
floor: Dual = dual(express.floor)
floor_divide: Dual = dual(functions.floor_divide)
greater: Dual = dual(functions.greater)
greater_equal: Dual = dual(functions.greater_equal)
isfinite: Dual = dual(express.isfinite)
isinf: Dual = dual(functions.isinf)
isnan: Dual = dual(functions.isnan)
less: Dual = dual(express.less)
less_equal: Dual = dual(express.less_equal)
log: Dual = dual(express.log)
log10: Dual = dual(functions.log10)
log1p: Dual = dual(express.log1p)
log2: Dual = dual(functions.log2)
logical_and: Dual = dual(functions.logical_and)
logical_not: Dual = dual(functions.logical_not)
logical_or: Dual = dual(functions.logical_or)
logical_xor: Dual = dual(functions.logical_xor)
maximum: Dual = dual(express.maximum)
minimum: Dual = dual(express.minimum)
mod: Dual = dual(functions.mod)
multiply: Dual = dual(express.multiply)
negative: Dual = dual(express.negative)
not_equal: Dual = dual(functions.not_equal)
power: Dual = dual(express.power)
reciprocal: Dual = dual(functions.reciprocal)
rsqrt: Dual = dual(functions.rsqrt)
sign: Dual = dual(express.sign)
sin: Dual = dual(express.sin)
sqrt: Dual = dual(express.sqrt)
square: Dual = dual(functions.square)
subtract: Dual = dual(express.subtract)
tan: Dual = dual(functions.tan)
tanh: Dual = dual(express.tanh)
where: Dual = dual(express.where)


@dual
def round(x: Operand, decimals: int = 0) -> Node:
    """x rounded to some decimal places, halves to even."""
    scale = 10.0**decimals
    return express.round(x) if decimals == 0 else express.round(as_node(x) * scale) / scale


__all__ = [
    "abs", "absolute", "add", "ceil", "clip", "cos", "divide", "divide_no_nan", "equal", "erf", "exp",
    "expm1", "floor", "floor_divide", "greater", "greater_equal", "isfinite", "isinf", "isnan", "less",
    "less_equal", "log", "log10", "log1p", "log2", "logical_and", "logical_not", "logical_or", "logical_xor",
    "maximum", "minimum", "mod", "multiply", "negative", "not_equal", "power", "reciprocal", "round",
    "rsqrt", "sign", "sin", "sqrt", "square", "subtract", "tan", "tanh", "where",
]  # fmt: skip
