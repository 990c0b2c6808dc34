"""Which sums over the batch are kept in parts, one for each shard of its rows, and added up where they are read.

A shard's rows then go through forward, backward and these sums in one phase, on one thread and in its cache. The cut
into shards depends on the number of rows alone (core/README.md), hence so do the bits of every sum.
"""

from __future__ import annotations

from collections.abc import Iterable

from lamina.graph.node import Graph, Node
from lamina.graph.shapes import count
from lamina.plan.domain import loop_of, operands
from lamina.plan.fuse import Unit, closure, is_reduction, sums_rows
from lamina.plan.memory import made
from lamina.plan.place import Placement
from lamina.plan.views import stored

ADDS = ("sum", "tensordot", "scatter_add")  # whose results over some rows add up to those over all
MOST = 2**18  # elements: more are better divided by outputs than added up from several copies


def keep_parts(graph: Graph, placement: Placement, together: bool) -> None:
    """Mark units whose sums are kept in parts, and what holds them; put such sums into the loops that they read."""
    wanted = _wanted(graph, placement)
    for unit in placement.units:
        nodes = made(unit)
        unit.partial = all(x.op in ADDS and sums_rows(x) and placement.whole(x) in wanted for x in nodes)
        if unit.partial:
            placement.partial |= set(map(placement.whole, nodes))
    for unit in placement.units:
        parts = {x for x in unit.reads if placement.whole(x) in placement.partial}
        holders = _wholes(placement, parts)
        unit.waits = {u for u in unit.after if holders & _wholes(placement, made(u))}
    if together:
        for unit in [u for u in placement.units if u.partial and u.op == "map"]:
            _join_loop(placement, unit)


def _wholes(placement: Placement, nodes: Iterable[Node]) -> set[Node]:
    return set(map(placement.whole, nodes))


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


def _join_loop(placement: Placement, sums: Unit) -> None:
    """Sums of what a loop over the rows makes need no pass of their own."""
    for loop in [u for u in placement.units if u in sums.after]:  # in their order, so that the plan is always the same
        alike = loop.op == "map" and not loop.across and loop.loop == sums.loop and loop.splits & sums.splits
        done_in_rows = any(is_reduction(x) for x in sums.reads if x in loop.members)  # known only after a whole row
        at_once = {loop, *(u for u in placement.units if u.epilogue is loop)}
        if alike and not done_in_rows and closure(sums.after - at_once).isdisjoint(at_once):
            return placement.merge(sums, loop)
