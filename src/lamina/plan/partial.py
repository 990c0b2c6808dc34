"""Which sums over the batch are kept in parts, one for each shard of its rows, and added up where they are read.

A shard's rows then go through forward, backward and these sums in one phase, on one thread and in its cache. The cut
into shards depends on the number of rows alone (core/README.md), hence so do the bits of every sum.
"""

from __future__ import annotations

from collections.abc import Iterable

from lamina.graph.node import Graph, Node
from lamina.graph.shapes import count
from lamina.plan.domain import loop_of, operands
from lamina.plan.fuse import Unit, is_reduction, product_axes
from lamina.plan.memory import made
from lamina.plan.place import Placement
from lamina.plan.views import stored

MOST = 2**18  # elements: more are better divided by outputs than added up from several copies


def mark(graph: Graph, placement: Placement) -> None:
    """Set ``partial`` on the units whose sums are kept in parts, and ``placement.partial`` to what holds them."""
    sums = {unit: {placement.whole(node) for node in made(unit)} for unit in placement.units}
    good = _wanted(graph, placement) - _wholes(sums, (u for u in sums if not _sums_rows(u)))
    fixed: set[Unit] = set()
    while bad := [u for u in sums if u not in fixed and _sums_rows(u) and not sums[u] <= good]:
        fixed.update(bad)
        good -= _wholes(sums, bad)
    placement.partial = good
    for unit in sums:
        unit.partial = _sums_rows(unit) and unit not in fixed


def _wholes(sums: dict[Unit, set[Node]], units: Iterable[Unit]) -> set[Node]:
    return {whole for unit in units for whole in sums[unit]}


def _sums_rows(unit: Unit) -> bool:
    """Whether all that a unit stores are sums over the batch."""
    if unit.op == "tensordot":
        a, axes = unit.node.inputs[0], product_axes(unit.node)[0][1]
        return any(a.shape[axis] is None for axis in axes)
    if unit.op == "scatter_add":
        return None in unit.node.inputs[0].shape
    return bool(unit.across) and None in unit.loop and all(m.op == "sum" for m in made(unit))


def _wanted(graph: Graph, placement: Placement) -> set[Node]:
    """What lives in the arena, is not too large, and is read by loops of its own size alone."""
    found = {placement.whole(node) for unit in placement.units for node in made(unit)}
    refused = {placement.whole(stored(root)[0]) for root in graph.roots}
    for unit in placement.units:
        refused |= {placement.whole(x) for x in unit.reads if not _reads_in_full(unit, x)}
    return {x for x in found - refused if x not in placement.places and _elements(x) <= MOST}


def _elements(node: Node) -> int:
    per_row, fixed = count(node.shape)
    return MOST + 1 if per_row else fixed


def _reads_in_full(unit: Unit, x: Node) -> bool:
    if unit.op != "map" or None in unit.loop:
        return False
    for member in unit.members:
        for operand in member.inputs if is_reduction(member) else operands(member):
            if stored(operand)[0] is x and loop_of(operand.shape) != unit.loop:
                return False
    return True
