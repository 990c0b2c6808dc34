"""Functions of ``lamina.ops`` that make arrays of known numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamina import config
from lamina.errors import GraphError, ShapeError
from lamina.graph import express
from lamina.graph.express import as_node
from lamina.graph.node import Node, Operand, constant
from lamina.ops.dispatch import Array, dual


@dual
def full(shape: int | Sequence[int], fill_value: Any, dtype: str | None = None) -> Node:
    """One value everywhere, or an array repeated to the shape; a lone number is a length."""
    dtype = dtype or config.floatx()
    value = express.cast(fill_value, dtype) if isinstance(fill_value, Node) else constant(fill_value, dtype)
    return express.broadcast_to(value, (shape,) if isinstance(shape, int) else tuple(shape))


def zeros(shape: int | Sequence[int], dtype: str | None = None) -> Array:
    """All 0."""
    return full(shape, 0, dtype)


def ones(shape: int | Sequence[int], dtype: str | None = None) -> Array:
    """All 1."""
    return full(shape, 1, dtype)


@dual
def full_like(x: Operand, fill_value: Any, dtype: str | None = None) -> Node:
    """One value everywhere, in x's shape."""
    return _filled_like(x, fill_value, dtype)


def _filled_like(x: Operand, value: Any, dtype: str | None) -> Node:
    filled = express.full_like(x, value)
    return filled if dtype is None else express.cast(filled, dtype)


@dual
def zeros_like(x: Operand, dtype: str | None = None) -> Node:
    """All 0, in x's shape."""
    return _filled_like(x, 0, dtype)


@dual
def ones_like(x: Operand, dtype: str | None = None) -> Node:
    """All 1, in x's shape."""
    return _filled_like(x, 1, dtype)


@dual
def empty_like(x: Operand, dtype: str | None = None) -> Node:
    """All 0, in x's shape."""
    return _filled_like(x, 0, dtype)


def empty(shape: int | Sequence[int], dtype: str | None = None) -> Array:
    """All 0."""
    return full(shape, 0, dtype)


@dual
def eye(N: int, M: int | None = None, k: int = 0, dtype: str | None = None) -> Node:
    """1 on a diagonal of an N × M matrix, 0 elsewhere."""
    return constant(np.eye(N, M, k), dtype or config.floatx())


@dual
def identity(n: int, dtype: str | None = None) -> Node:
    """1 on the diagonal of an n × n matrix, 0 elsewhere."""
    return constant(np.eye(n), dtype or config.floatx())


@dual
def tri(N: int, M: int | None = None, k: int = 0, dtype: str | None = None) -> Node:
    """1 on and below a diagonal of an N × M matrix, 0 above."""
    return constant(np.tri(N, M, k), dtype or config.floatx())


@dual
def arange(start: float, stop: float | None = None, step: float | None = None, dtype: str | None = None) -> Node:
    """``start``, ``start + step`` … before ``stop``; integers give int32."""
    values = np.arange(start) if stop is None else np.arange(start, stop, step)
    return constant(values, dtype or ("int32" if values.dtype.kind == "i" else config.floatx()))


def _between(make: Callable[..., Any], start: Any, stop: Any, num: int, dtype: str | None, **rest: Any) -> Node:
    made = make(*(np.asarray(_value(x), "float64") for x in (start, stop)), num, **rest)
    return constant(made, dtype or config.floatx())


def _value(x: Any) -> Any:
    """The numbers of a bound: a series in a graph begins and ends at known ones."""
    x = as_node(x)
    if x.op != "constant":
        raise GraphError("a series of numbers needs bounds that are known while the graph is built")
    return x.attrs["value"]


@dual
def linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: str | None = None,
    axis: int = 0,
) -> Any:  # fmt: skip
    """``num`` numbers from ``start`` to ``stop`` in equal steps, and the step if ``retstep``."""
    made = _between(np.linspace, start, stop, num, dtype, endpoint=endpoint, axis=axis)
    if not retstep:
        return made
    return made, constant((_value(stop) - _value(start)) / (num - endpoint), made.dtype)


@dual
def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: float = 10, dtype: str | None = None,
    axis: int = 0,
) -> Node:  # fmt: skip
    """``num`` powers of ``base``, their exponents from ``start`` to ``stop`` in equal steps."""
    return _between(np.logspace, start, stop, num, dtype, endpoint=endpoint, base=base, axis=axis)


@dual
def geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: str | None = None, axis: int = 0
) -> Node:
    """``num`` numbers from ``start`` to ``stop``, each the same multiple of the one before."""
    return _between(np.geomspace, start, stop, num, dtype, endpoint=endpoint, axis=axis)


@dual
def vander(x: Operand, N: int | None = None, increasing: bool = False) -> Node:
    """The powers of each number of a vector in a row, from the highest down unless ``increasing``."""
    x = express.expand_dims(x, -1)
    size = N or x.shape[0]
    if size is None:
        raise ShapeError("ops.vander needs N where the vector is the batch")
    powers = [express.power(x, float(n)) if n else express.full_like(x, 1.0) for n in range(size)]
    return express.concatenate(powers if increasing else powers[::-1], -1)


# -- windows


def _window(make: Callable[..., Any], x: int, *rest: float) -> Node:
    return constant(make(int(x), *rest), config.floatx())


@dual
def bartlett(x: int) -> Node:
    """A window that rises and falls along straight lines."""
    return _window(np.bartlett, x)


@dual
def blackman(x: int) -> Node:
    """Blackman's window."""
    return _window(np.blackman, x)


@dual
def hamming(x: int) -> Node:
    """Hamming's window."""
    return _window(np.hamming, x)


@dual
def hanning(x: int) -> Node:
    """Von Hann's window."""
    return _window(np.hanning, x)


@dual
def kaiser(x: int, beta: float) -> Node:
    """Kaiser's window."""
    return _window(np.kaiser, x, beta)



__all__ = [
    "arange", "bartlett", "blackman", "empty", "empty_like", "eye", "full", "full_like", "geomspace", "hamming",
    "hanning", "identity", "kaiser", "linspace", "logspace", "ones", "ones_like", "tri", "vander", "zeros",
    "zeros_like",
]  # fmt: skip
