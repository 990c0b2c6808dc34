"""Functions of ``lamina.ops`` that multiply matrices and tensors, and linear algebra of arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamina.graph import express, functions, moving, order, products
from lamina.graph.einsum import einsum as einsum_of_nodes
from lamina.graph.express import Axes, as_node
from lamina.graph.node import Node, Operand
from lamina.ops.dispatch import Array, Dual, at_once, dual, indices
from lamina.ops.sorting import share


def _kept_whole(function: Callable[..., Node], on_whole: Callable[..., Array], name: str = "") -> Dual:
    """A product that arrays of whole numbers have in whole numbers, as in Keras; a graph multiplies floats."""
    plain = dual(function, name)

    def on_arrays(x1: Array, x2: Array, *args: Any, **kwargs: Any) -> Array:
        whole = all(isinstance(x, np.ndarray) and x.dtype.kind in "iu" for x in (x1, x2))
        return (on_whole if whole else plain)(x1, x2, *args, **kwargs)

    return dual(function, name, on_arrays)


cdist: Dual = dual(products.cdist)
dot: Dual = _kept_whole(products.dot, np.dot)
einsum: Dual = dual(einsum_of_nodes, "einsum")
inner: Dual = _kept_whole(products.inner, np.inner)
kron: Dual = dual(products.kron)
matmul: Dual = _kept_whole(products.matmul, np.matmul)
outer: Dual = dual(products.outer)
vdot: Dual = _kept_whole(products.vdot, np.vdot)


@dual
def tensordot(x1: Operand, x2: Operand, axes: int | Sequence[int] | Sequence[Sequence[int]] = 2) -> Node:
    """The sum of products over paired axes: the last ``axes`` of x1 and the first of x2, or two lists of axes."""
    if isinstance(axes, int):
        axes = (range(-axes, 0), range(axes))
    first, second = ([a] if isinstance(a, int) else a for a in axes)
    return express.tensordot(x1, x2, (first, second))


def _norm(x: Operand, ord: float | str | None = None, axis: Axes = None, keepdims: bool = False) -> Node:
    """The length of vectors, or a norm of matrices, over some axes (all by default).

    Args:
        x: any array.
        ord: None or ``"fro"`` for √Σx²; for vectors also 0, 1, 2, ±∞ or a number p; for matrices ±1 and ±∞, of
            arrays alone also ±2 and ``"nuc"``, which singular values make.
        axis: one axis for vectors, two for matrices.
        keepdims: whether the axes stay, with size 1.

    Raises:
        ValueError: the order is none of these.
    """
    return products.norm_of_order(x, ord, axis, keepdims)


def _norm_of_arrays(x: Array, ord: Any = None, axis: Axes = None, keepdims: bool = False) -> Array:
    axes = tuple(range(np.ndim(x))) if axis is None else axis
    if ord in (2, -2, "nuc") and not isinstance(axes, int) and len(axes) == 2:
        return np.asarray(np.linalg.norm(share(x), ord, tuple(axes), keepdims))
    return _plain_norm(x, ord, axis, keepdims)


_plain_norm = dual(_norm, "norm")
norm: Dual = dual(_norm, "norm", _norm_of_arrays)


@dual
def cross(
    x1: Operand, x2: Operand, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Node:
    """The cross product of vectors of three along an axis."""
    a, b, c = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    product = products.cross(functions.moveaxis(x1, a, -1), functions.moveaxis(x2, b, -1))
    return functions.moveaxis(product, -1, c)


@dual
def trace(x: Operand, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Node:
    """The sum of a diagonal of matrices of fixed size."""
    return express.sum(moving.diagonal(x, offset, axis1, axis2), -1)


@dual
def trapezoid(y: Operand, x: Operand | None = None, dx: float = 1.0, axis: int = -1) -> Node:
    """The integral of samples along an axis by trapezes, at the places x or dx apart."""
    y = functions.moveaxis(as_node(y), axis, -1)
    width = dx if x is None else moving.diff(x)
    size = order.fixed_size(y, -1)
    pairs = express.slice_axis(y, -1, 1, size) + express.slice_axis(y, -1, 0, size - 1)
    return express.sum(pairs * width, -1) / 2.0


# -- of arrays


@at_once
def cholesky(x: Array, upper: bool = False) -> Array:
    """The lower (or upper) triangle L with L Lᵀ = x."""
    return np.linalg.cholesky(x, upper=upper)


@at_once
def cholesky_inverse(x: Array, upper: bool = False) -> Array:
    """The inverse of the matrix whose Cholesky factor is x."""
    x = np.asarray(x)
    return np.linalg.inv(np.swapaxes(x, -1, -2) @ x if upper else x @ np.swapaxes(x, -1, -2))


@at_once
def corrcoef(x: Array) -> Array:
    """The correlations of rows."""
    return np.corrcoef(x).astype(np.asarray(x).dtype)


@at_once
def correlate(x1: Array, x2: Array, mode: Any = "valid") -> Array:
    """The sums of products of x1 and x2 as x2 moves along x1."""
    return np.correlate(x1, x2, mode)


@at_once
def det(x: Array) -> Array:
    """The determinant of square matrices."""
    return np.linalg.det(x)


@at_once
def eig(x: Array) -> Any:
    """Eigenvalues and eigenvectors of square matrices, as complex numbers."""
    values, vectors = np.linalg.eig(x)
    kind = "complex64" if np.asarray(x).dtype == np.float32 else "complex128"
    return values.astype(kind), vectors.astype(kind)


@at_once
def eigh(x: Array) -> Any:
    """Eigenvalues, rising, and eigenvectors of symmetric matrices."""
    return tuple(np.linalg.eigh(x))


@at_once
def inv(x: Array) -> Array:
    """The inverse of square matrices."""
    return np.linalg.inv(x)


@at_once
def logdet(x: Array) -> Array:
    """log det x of positive definite matrices."""
    return np.linalg.slogdet(x)[1]


@at_once
def lstsq(a: Array, b: Array, rcond: float | None = None) -> Array:
    """The x of least length with the least ‖a x − b‖."""
    return np.linalg.lstsq(a, b, rcond)[0]


@at_once
def matrix_rank(x: Array, tol: float | None = None) -> Array:
    """The number of singular values above ``tol``."""
    return indices(np.linalg.matrix_rank(x, tol))


@at_once
def pinv(x: Array, rcond: float | None = None) -> Array:
    """The pseudoinverse of matrices (Moore and Penrose)."""
    return np.linalg.pinv(x, rcond)


@at_once
def qr(x: Array, mode: Any = "reduced") -> Any:
    """The orthogonal Q and the upper triangle R with Q R = x."""
    return tuple(np.linalg.qr(x, mode))


@at_once
def slogdet(x: Array) -> Any:
    """The sign of det x and log |det x|."""
    return tuple(np.linalg.slogdet(x))


@at_once
def solve(a: Array, b: Array) -> Array:
    """The x with a x = b."""
    a, b = np.asarray(a), np.asarray(b)
    return np.linalg.solve(a, b[..., None])[..., 0] if b.ndim == a.ndim - 1 else np.linalg.solve(a, b)


@at_once
def solve_triangular(a: Array, b: Array, lower: bool = False) -> Array:
    """The x with a x = b, of whose a only one triangle is read."""
    return solve(np.tril(a) if lower else np.triu(a), b)


@at_once
def svd(x: Array, full_matrices: bool = True, compute_uv: Any = True) -> Any:
    """Orthogonal U and V and the falling singular values s with U diag(s) Vᵀ = x; s alone if not ``compute_uv``."""
    found = np.linalg.svd(x, full_matrices, compute_uv)
    return tuple(found) if compute_uv else found


__all__ = [
    "cdist", "cholesky", "cholesky_inverse", "corrcoef", "correlate", "cross", "det", "dot", "eig", "eigh", "einsum",
    "inner", "inv", "kron", "logdet", "lstsq", "matmul", "matrix_rank", "norm", "outer", "pinv", "qr", "slogdet",
    "solve", "solve_triangular", "svd", "tensordot", "trace", "trapezoid", "vdot",
]  # fmt: skip
