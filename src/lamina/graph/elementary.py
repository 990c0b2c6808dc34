"""Elementary functions that are no primitives, as equations of those that are; each is smooth where it is."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from math import inf, log, pi
from math import sqrt as root

import numpy as np

from lamina.graph import express as e
from lamina.graph import functions as f
from lamina.graph.express import as_node
from lamina.graph.node import Node, Operand


def real(x: Operand) -> Node:
    """x as floats."""
    x = as_node(x)
    return x if x.dtype.startswith("float") else e.cast(x, "float32")


def side(x: Node) -> Node:
    """−1 below 0, else 1: the sign of x with a side at 0, so that odd functions keep their slope there."""
    return e.where(x < 0.0, e.constant(-1.0, x.dtype), e.constant(1.0, x.dtype))


def polynomial(x: Node, *coefficients: float) -> Node:
    """The polynomial in x with these coefficients, highest power first (Horner)."""
    first, *rest = coefficients
    return reduce(lambda y, c: y * x + c, rest, e.full_like(x, first))


def sinh(x: Operand) -> Node:
    """(eˣ − e⁻ˣ) / 2."""
    x = real(x)
    return 0.5 * (e.expm1(x) - e.expm1(-x))


def cosh(x: Operand) -> Node:
    """(eˣ + e⁻ˣ) / 2."""
    x = real(x)
    return 0.5 * (e.exp(x) + e.exp(-x))


def arctan(x: Operand) -> Node:
    """The angle whose tangent is x: reciprocals and half the angle bring it near 0, then a quotient of polynomials.

    Source: Moshier's Cephes library, atan.
    """
    x = real(x)
    far = abs(x) > 1.0
    near = e.where(far, 1.0 / e.where(far, x, e.constant(1.0, x.dtype)), x)
    half = near / (1.0 + e.sqrt(1.0 + f.square(near)))
    z = f.square(half)
    top = polynomial(
        z, -8.750608600031904e-1, -1.615753718733365e1, -7.500855792314705e1, -1.2288666844901361e2,
        -6.485021904942025e1,
    )  # fmt: skip
    bottom = polynomial(
        z, 1.0, 2.485846490142306e1, 1.650270098316988e2, 4.328810604912903e2, 4.853903996359137e2, 1.945506571482614e2
    )
    angle = 2.0 * (half + half * z * top / bottom)
    return e.where(far, side(x) * (pi / 2) - angle, angle)


def arctan2(x1: Operand, x2: Operand) -> Node:
    """The angle of the point (x2, x1) seen from the origin, in (−π, π]."""
    y, x = f.alike(e.divide, x1, x2)
    level = e.equal(x, 0.0)
    angle = arctan(y / e.where(level, e.constant(1.0, x.dtype), x))
    turned = e.where(x < 0.0, angle + side(y) * pi, angle)
    return e.where(level, e.sign(y) * (pi / 2), turned)


def arcsin(x: Operand) -> Node:
    """The angle whose sine is x; NaN outside [−1, 1]."""
    x = real(x)
    return arctan(x / e.sqrt((1.0 - x) * (1.0 + x)))


def arccos(x: Operand) -> Node:
    """The angle whose cosine is x; NaN outside [−1, 1]."""
    x = real(x)
    return 2.0 * arctan(e.sqrt((1.0 - x) / (1.0 + x)))


def arcsinh(x: Operand) -> Node:
    """log(x + √(x² + 1)), exact near 0 and for negative x."""
    x = real(x)
    size = side(x) * x
    return side(x) * e.log1p(size + f.square(size) / (1.0 + e.sqrt(1.0 + f.square(size))))


def arccosh(x: Operand) -> Node:
    """log(x + √(x² − 1)); NaN below 1."""
    above = real(x) - 1.0
    return e.log1p(above + e.sqrt(above * (above + 2.0)))


def arctanh(x: Operand) -> Node:
    """½ log((1 + x) / (1 − x)); NaN outside [−1, 1]."""
    x = real(x)
    return 0.5 * (e.log1p(x) - e.log1p(-x))


def cbrt(x: Operand) -> Node:
    """The cube root, negative for negative x."""
    x = real(x)
    return side(x) * e.power(side(x) * x, 1.0 / 3.0)


def exp2(x: Operand) -> Node:
    """2ˣ."""
    return e.power(2.0, real(x))


def deg2rad(x: Operand) -> Node:
    """Degrees in radians."""
    return real(x) * (pi / 180.0)


def rad2deg(x: Operand) -> Node:
    """Radians in degrees."""
    return real(x) * (180.0 / pi)


def sinc(x: Operand) -> Node:
    """sin πx / πx, and 1 at 0."""
    x = real(x)
    zero = e.equal(x, 0.0)
    angle = e.where(zero, e.constant(1.0, x.dtype), x * pi)
    return e.where(zero, e.constant(1.0, x.dtype), e.sin(angle) / angle)


def erfc(x: Operand) -> Node:
    """1 − erf x, to seven digits also where erf x is nearly 1.

    Source: Numerical Recipes, erfcc.
    """
    x = real(x)
    size = e.maximum(x, 0.5)
    t = 1.0 / (1.0 + 0.5 * size)
    tail = polynomial(
        t, 0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196,
        1.00002368, -1.26551223,
    )  # fmt: skip
    return e.where(x < 0.5, 1.0 - e.erf(x), t * e.exp(tail - f.square(size)))


def erfinv(x: Operand) -> Node:
    """The number whose erf is x; ±∞ at ±1.

    Source: Giles, Approximating the erfinv function (2010), and one step of Newton's.
    """
    y = real(x)
    end = e.equal(abs(y), 1.0)
    inner = e.where(end, e.constant(0.0, y.dtype), y)
    w = -e.log((1.0 - inner) * (1.0 + inner))
    central = polynomial(
        e.minimum(w, 5.0) - 2.5, 2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087,
        -0.00125372503, -0.00417768164, 0.246640727, 1.50140941,
    )  # fmt: skip
    tail = polynomial(
        e.sqrt(e.maximum(w, 5.0)) - 3.0, -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773,
        -0.0076224613, 0.00943887047, 1.00167406, 2.83297682,
    )  # fmt: skip
    first = e.where(w < 5.0, central, tail) * inner
    found = first - (e.erf(first) - inner) * (root(pi) / 2) * e.exp(f.square(first))
    return e.where(end, e.stop_gradient(y * inf), found)


def hypot(x1: Operand, x2: Operand) -> Node:
    """√(x1² + x2²)."""
    a, b = f.alike(e.divide, x1, x2)
    return e.sqrt(f.square(a) + f.square(b))


def logaddexp(x1: Operand, x2: Operand) -> Node:
    """log(eˣ¹ + eˣ²), without overflow."""
    a, b = f.alike(e.divide, x1, x2)
    apart = a - b
    return b + e.softplus(e.where(f.isnan(apart), e.constant(0.0, apart.dtype), apart))


def logaddexp2(x1: Operand, x2: Operand) -> Node:
    """log₂(2ˣ¹ + 2ˣ²), without overflow."""
    a, b = f.alike(e.divide, x1, x2)
    return logaddexp(a * log(2.0), b * log(2.0)) * (1.0 / log(2.0))


def ldexp(x1: Operand, x2: Operand) -> Node:
    """x1 · 2ˣ²."""
    x = real(x1)
    return x * exp2(e.cast(x2, x.dtype))


def trunc(x: Operand) -> Node:
    """x without its fraction."""
    x = as_node(x)
    return e.where(x < 0, e.ceil(x), e.floor(x))


def fmod(x1: Operand, x2: Operand) -> Node:
    """The remainder with x1's sign."""
    whole = trunc(e.divide(x1, x2))
    return e.subtract(x1, e.multiply(x2, e.cast(whole, e.subtract(x1, x2).dtype)))


def fmax(x1: Operand, x2: Operand) -> Node:
    """The larger of the two; the other where one is NaN."""
    return _but_nan(e.maximum, x1, x2)


def fmin(x1: Operand, x2: Operand) -> Node:
    """The smaller of the two; the other where one is NaN."""
    return _but_nan(e.minimum, x1, x2)


def _but_nan(pair: Callable[[Operand, Operand], Node], x1: Operand, x2: Operand) -> Node:
    a, b = f.alike(pair, x1, x2)
    return e.where(f.isnan(a), b, e.where(f.isnan(b), a, pair(a, b)))


def heaviside(x1: Operand, x2: Operand) -> Node:
    """0 below 0, 1 above, x2 at 0."""
    x, at_zero = f.alike(e.divide, x1, x2)
    return e.where(e.equal(x, 0.0), at_zero, e.cast(x > 0.0, x.dtype))


def nan_to_num(
    x: Operand, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Node:
    """x with finite numbers in the place of NaN and ±∞ (the type's largest by default)."""
    x = as_node(x)
    if not x.dtype.startswith("float"):
        return x
    most = float(np.finfo(x.dtype).max)
    held = e.where(f.isnan(x), e.constant(nan, x.dtype), x)
    held = e.where(e.equal(held, inf), e.constant(most if posinf is None else posinf, x.dtype), held)
    return e.where(e.equal(held, -inf), e.constant(-most if neginf is None else neginf, x.dtype), held)


def isposinf(x: Operand) -> Node:
    """True where x is +∞."""
    return e.equal(real(x), inf)


def isneginf(x: Operand) -> Node:
    """True where x is −∞."""
    return e.equal(real(x), -inf)


def signbit(x: Operand) -> Node:
    """True where x is below 0, −0 among it."""
    x = real(x)
    return f.logical_or(x < 0.0, f.logical_and(e.equal(x, 0.0), 1.0 / x < 0.0))


def isclose(
    x1: Operand, x2: Operand, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> Node:
    """True where |x1 − x2| ≤ atol + rtol · |x2|, or both are the same infinity."""
    a, b = f.alike(e.divide, x1, x2)
    near = f.logical_and(e.isfinite(b), abs(a - b) <= atol + rtol * abs(b))
    close = f.logical_or(e.equal(a, b), near)
    return f.logical_or(close, f.logical_and(f.isnan(a), f.isnan(b))) if equal_nan else close


def isin(x1: Operand, x2: Operand, invert: bool = False) -> Node:
    """True where x1 is one of the numbers of x2 (or none of them)."""
    values = e.reshape(x2, (-1,))
    found = f.any(e.equal(e.expand_dims(x1, -1), values), -1)
    return f.logical_not(found) if invert else found
