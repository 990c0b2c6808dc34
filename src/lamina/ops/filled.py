"""Functions of ``lamina.ops`` that make arrays of known numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina import config
from lamina.graph import express
from lamina.graph.node import Node, Operand, constant
from lamina.ops.dispatch import Array, dual


@dual
def full(shape: Sequence[int], fill_value: Any, dtype: str | None = None) -> Node:
    """One value everywhere."""
    return express.broadcast_to(constant(fill_value, dtype or config.floatx()), tuple(shape))


def zeros(shape: Sequence[int], dtype: str | None = None) -> Array:
    """All 0."""
    return full(shape, 0, dtype)


def ones(shape: Sequence[int], dtype: str | None = None) -> Array:
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
def eye(N: int, M: int | None = None, k: int = 0, dtype: str | None = None) -> Node:
    """1 on a diagonal of an N × M matrix, 0 elsewhere."""
    return constant(np.eye(N, M, k), dtype or config.floatx())


@dual
def arange(start: float, stop: float | None = None, step: float = 1, dtype: str | None = None) -> Node:
    """``start``, ``start + step`` … before ``stop``; integers give int32."""
    values = np.arange(start) if stop is None else np.arange(start, stop, step)
    return constant(values, dtype or ("int32" if values.dtype.kind == "i" else config.floatx()))


@dual
def linspace(start: float, stop: float, num: int = 50, dtype: str | None = None) -> Node:
    """``num`` numbers from ``start`` to ``stop`` in equal steps."""
    return constant(np.linspace(start, stop, num), dtype or config.floatx())


__all__ = [
    "arange", "eye", "full", "full_like", "linspace", "ones", "ones_like", "zeros", "zeros_like",
]  # fmt: skip
