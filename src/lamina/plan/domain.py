"""The two-dimensional domain of a fused loop: which splits of a shape into rows × columns fit all operands."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from lamina.graph.node import Node
from lamina.graph.shapes import Shape, count
from lamina.plan.views import unrepeated

Loop = tuple[int | None, ...]


@lru_cache(maxsize=4096)
def loop_of(shape: Shape) -> Loop:
    """A shape without its axes of size 1: nodes of one loop are computed element by element together."""
    return tuple(s for s in shape if s != 1)


@lru_cache(maxsize=4096)
def operand_kind(operand: Shape, shape: Shape, split: int) -> str | None:
    """How an operand lies in rows × columns: full, row (repeated for each row), column, scalar; None if in no way."""
    padded = (1,) * (len(shape) - len(operand)) + tuple(operand)
    slim = tuple(p for p, s in zip(padded, shape, strict=True) if s != 1)
    loop = loop_of(shape)
    head_full, tail_full = slim[:split] == loop[:split], slim[split:] == loop[split:]
    head_one, tail_one = all(s == 1 for s in slim[:split]), all(s == 1 for s in slim[split:])
    kinds = (
        ("full", head_full and tail_full),
        ("scalar", head_one and tail_one),
        ("row", head_one and tail_full),
        ("column", head_full and tail_one),
    )
    return next((kind for kind, holds in kinds if holds), None)


def all_splits(loop: Loop) -> range:
    """Where a loop may be cut into rows and columns: the batch is always among the rows."""
    return range(1 if loop and loop[0] is None else 0, len(loop) + 1)


def fitting_splits(shape: Shape, operands: Iterable[Shape]) -> frozenset[int]:
    """The cuts for which every operand is full, row, column or scalar."""
    return _fitting_splits(shape, tuple(operands))


@lru_cache(maxsize=4096)
def _fitting_splits(shape: Shape, operands: tuple[Shape, ...]) -> frozenset[int]:
    # A whole operand and a single number fit any cut; only those between have to be asked.
    partial = {x for x in operands if x != shape and any(size != 1 for size in x)}
    return frozenset(s for s in all_splits(loop_of(shape)) if all(operand_kind(x, shape, s) for x in partial))


def operands(node: Node) -> tuple[Node, ...]:
    """What an elementwise node reads: operands before repetition if some cut fits them, else as they are."""
    slim = tuple(map(unrepeated, node.inputs))
    return slim if fitting_splits(node.shape, (x.shape for x in slim)) else node.inputs


def reduction(node: Node) -> tuple[str, int]:
    """A sum or maximum as (cols, rows or all; the cut): which part of rows × columns it runs over."""
    shape = node.inputs[0].shape
    axes = [i for i in range(len(shape)) if shape[i] != 1]
    reduced = [i in node.attrs["axes"] for i in axes]
    outer = reduced.count(True)
    if all(reduced):
        return "all", len(axes)
    if all(reduced[:outer]):
        return "rows", outer
    return "cols", len(axes) - outer


def extent(loop: Loop, split: int) -> tuple[tuple[int, int], int]:
    """Rows as (per batch row, fixed), and columns."""
    columns = count(loop[split:])[1]
    return count(loop[:split]), columns
