"""Functions of ``lamina.ops`` that work element by element."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import pi

import numpy as np

from lamina.graph import elementary, express, functions
from lamina.graph.express import as_node
from lamina.graph.node import Node, Operand
from lamina.ops.dispatch import Array, Dual, at_once, dual, is_wide


def _in_doubles(function: Callable[..., Node]) -> Dual:
    """A function of floats whose results are doubles for arrays of 64-bit whole numbers, as in Keras."""
    plain = dual(function)

    def on_arrays(*args: Array, **kwargs: Array) -> Array:
        held = _as_doubles if is_wide([*args, *kwargs.values()]) else lambda x: x
        return plain(*map(held, args), **{name: held(x) for name, x in kwargs.items()})

    return dual(function, arrays=on_arrays)


def _as_doubles(x: Array) -> Array:
    return x.astype("float64") if isinstance(x, np.ndarray) else x


absolute: Dual = dual(express.absolute)
abs: Dual = absolute
add: Dual = dual(express.add)
arccos: Dual = dual(elementary.arccos)
arccosh: Dual = dual(elementary.arccosh)
arcsin: Dual = dual(elementary.arcsin)
arcsinh: Dual = dual(elementary.arcsinh)
arctan: Dual = dual(elementary.arctan)
arctan2: Dual = dual(elementary.arctan2)
arctanh: Dual = dual(elementary.arctanh)
cbrt: Dual = _in_doubles(elementary.cbrt)
cos: Dual = dual(express.cos)
cosh: Dual = dual(elementary.cosh)
deg2rad: Dual = _in_doubles(elementary.deg2rad)
divide: Dual = dual(express.divide)
divide_no_nan: Dual = dual(functions.divide_no_nan)
equal: Dual = dual(express.equal)
erf: Dual = dual(express.erf)
erfc: Dual = dual(elementary.erfc)
erfinv: Dual = dual(elementary.erfinv)
exp: Dual = dual(express.exp)
exp2: Dual = dual(elementary.exp2)
expm1: Dual = dual(express.expm1)
floor_divide: Dual = dual(functions.floor_divide)
fmax: Dual = dual(elementary.fmax)
fmin: Dual = dual(elementary.fmin)
fmod: Dual = dual(elementary.fmod)
greater: Dual = dual(functions.greater)
greater_equal: Dual = dual(functions.greater_equal)
heaviside: Dual = _in_doubles(elementary.heaviside)
hypot: Dual = _in_doubles(elementary.hypot)
isclose: Dual = dual(elementary.isclose)
isfinite: Dual = dual(express.isfinite)
isinf: Dual = dual(functions.isinf)
isnan: Dual = dual(functions.isnan)
isneginf: Dual = dual(elementary.isneginf)
isposinf: Dual = dual(elementary.isposinf)
ldexp: Dual = dual(elementary.ldexp)
less: Dual = dual(express.less)
less_equal: Dual = dual(express.less_equal)
log: Dual = dual(express.log)
log10: Dual = dual(functions.log10)
log1p: Dual = dual(express.log1p)
log2: Dual = dual(functions.log2)
logaddexp: Dual = dual(elementary.logaddexp)
logaddexp2: Dual = dual(elementary.logaddexp2)
logical_and: Dual = dual(functions.logical_and)
logical_not: Dual = dual(functions.logical_not)
logical_or: Dual = dual(functions.logical_or)
logical_xor: Dual = dual(functions.logical_xor)
maximum: Dual = dual(express.maximum)
minimum: Dual = dual(express.minimum)
mod: Dual = dual(functions.mod)
multiply: Dual = dual(express.multiply)
nan_to_num: Dual = dual(elementary.nan_to_num)
negative: Dual = dual(express.negative)
not_equal: Dual = dual(functions.not_equal)
power: Dual = dual(express.power)
rad2deg: Dual = _in_doubles(elementary.rad2deg)
reciprocal: Dual = dual(functions.reciprocal)
rsqrt: Dual = dual(functions.rsqrt)
sign: Dual = dual(express.sign)
signbit: Dual = dual(elementary.signbit)
sin: Dual = dual(express.sin)
sinc: Dual = dual(elementary.sinc)
sinh: Dual = dual(elementary.sinh)
sqrt: Dual = dual(express.sqrt)
square: Dual = dual(functions.square)
subtract: Dual = dual(express.subtract)
tan: Dual = dual(functions.tan)
tanh: Dual = dual(express.tanh)
true_divide: Dual = dual(express.divide, "true_divide")
trunc: Dual = dual(elementary.trunc)


@dual
def clip(x: Operand, x_min: Operand, x_max: Operand) -> Node:
    """x limited to [x_min, x_max], numbers or arrays."""
    if isinstance(x_min, int | float) and isinstance(x_max, int | float):
        return express.clip(x, x_min, x_max)
    return express.minimum(express.maximum(x, x_min), x_max)


@dual
def ceil(x: Operand) -> Node:
    """⌈x⌉, as floats."""
    return express.ceil(elementary.real(x))


@dual
def floor(x: Operand) -> Node:
    """⌊x⌋, as floats."""
    return express.floor(elementary.real(x))


@dual
def fabs(x: Operand) -> Node:
    """|x|, as floats."""
    return express.absolute(elementary.real(x))


@dual
def round(x: Operand, decimals: int = 0) -> Node:
    """x rounded to some decimal places, halves to even."""
    x, scale = as_node(x), 10.0**decimals
    return express.round(x) if decimals == 0 else express.cast(express.round(x * scale) / scale, x.dtype)


@dual
def where(condition: Operand, x1: Operand | None = None, x2: Operand | None = None) -> Node:
    """x1 where the condition holds, else x2."""
    if x1 is None or x2 is None:
        raise ValueError("ops.where takes x1 and x2; for the places where a condition holds use ops.nonzero on arrays")
    return express.where(condition, x1, x2)


@dual
def select(condlist: Sequence[Operand], choicelist: Sequence[Operand], default: Operand = 0) -> Node:
    """From the first choice whose condition holds, else the default."""
    found = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        found = express.where(condition, choice, found)
    return as_node(found)


@dual
def isin(x1: Operand, x2: Operand, assume_unique: bool = False, invert: bool = False) -> Node:
    """True where x1 is one of the numbers of x2 (or none of them, if ``invert``)."""
    return elementary.isin(x1, x2, invert)


@dual
def isreal(x: Operand) -> Node:
    """True everywhere: there are no complex numbers here."""
    return express.cast(express.full_like(x, 1.0), "bool")


@dual
def angle(x: Operand) -> Node:
    """π below 0, else 0: the angle of a real number in the complex plane."""
    x = elementary.real(x)
    return express.cast(x < 0.0, x.dtype) * pi


@dual
def conjugate(x: Operand) -> Node:
    """x itself: there are no complex numbers here."""
    return as_node(x)


@dual
def real(x: Operand) -> Node:
    """x itself: there are no complex numbers here."""
    return as_node(x)


@dual
def imag(x: Operand) -> Node:
    """0 everywhere: there are no complex numbers here."""
    return express.full_like(x, 0.0)


def allclose(x1: Array, x2: Array, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Array:
    """Whether all elements of two arrays are close, see ``isclose``."""
    return dual(functions.all)(isclose(x1, x2, rtol, atol, equal_nan))


conj: Dual = conjugate


@at_once
def bitwise_and(x: Array, y: Array) -> Array:
    """The bits that both whole numbers have."""
    return np.bitwise_and(x, y)


@at_once
def bitwise_or(x: Array, y: Array) -> Array:
    """The bits that either whole number has."""
    return np.bitwise_or(x, y)


@at_once
def bitwise_xor(x: Array, y: Array) -> Array:
    """The bits that exactly one of two whole numbers has."""
    return np.bitwise_xor(x, y)


@at_once
def bitwise_invert(x: Array) -> Array:
    """Each bit of a whole number turned over."""
    return np.invert(x)


@at_once
def left_shift(x: Array, y: Array) -> Array:
    """x · 2ʸ for whole numbers."""
    return np.left_shift(x, y)


@at_once
def right_shift(x: Array, y: Array) -> Array:
    """⌊x / 2ʸ⌋ for whole numbers."""
    return np.right_shift(x, y)


@at_once
def gcd(x1: Array, x2: Array) -> Array:
    """The greatest common divisor."""
    return np.gcd(x1, x2)


@at_once
def lcm(x1: Array, x2: Array) -> Array:
    """The least common multiple."""
    return np.lcm(x1, x2)


@at_once
def i0(x: Array) -> Array:
    """Bessel’s modified function of the first kind and order 0."""
    floats = x if np.asarray(x).dtype.kind == "f" else np.asarray(x, "float64" if is_wide([x]) else "float32")
    return np.i0(floats).astype(np.asarray(floats).dtype)


@at_once
def nextafter(x1: Array, x2: Array) -> Array:
    """The next number after x1 on the way to x2."""
    return np.nextafter(x1, x2)


bitwise_not: Dual = bitwise_invert
bitwise_left_shift: Dual = left_shift
bitwise_right_shift: Dual = right_shift


__all__ = [
    "abs", "absolute", "add", "allclose", "angle", "arccos", "arccosh", "arcsin", "arcsinh",
    "arctan", "arctan2", "arctanh", "bitwise_and", "bitwise_invert", "bitwise_left_shift",
    "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "cbrt", "ceil", "clip",
    "conj", "conjugate", "cos", "cosh", "deg2rad", "divide", "divide_no_nan", "equal", "erf",
    "erfc", "erfinv", "exp", "exp2", "expm1", "fabs", "floor", "floor_divide", "fmax", "fmin",
    "fmod", "gcd", "greater", "greater_equal", "heaviside", "hypot", "i0", "imag", "isclose",
    "isfinite", "isin", "isinf", "isnan", "isneginf", "isposinf", "isreal", "lcm", "ldexp",
    "left_shift", "less", "less_equal", "log", "log10", "log1p", "log2", "logaddexp", "logaddexp2",
    "logical_and", "logical_not", "logical_or", "logical_xor", "maximum", "minimum", "mod",
    "multiply", "nan_to_num", "negative", "nextafter", "not_equal", "power", "rad2deg", "real",
    "reciprocal", "right_shift", "round", "rsqrt", "select", "sign", "signbit", "sin", "sinc",
    "sinh", "sqrt", "square", "subtract", "tan", "tanh", "true_divide", "trunc", "where",
]  # fmt: skip
