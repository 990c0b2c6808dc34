"""Lifetimes → slots of one arena: values that do not live at the same time share memory of the same size."""

from __future__ import annotations

from collections.abc import Sequence

from lamina.graph.node import Node
from lamina.graph.shapes import count
from lamina.plan.fuse import Unit
from lamina.plan.place import Placement
from lamina.plan.schedule import SPLIT

Size = tuple[int, int]  # elements a batch row, fixed elements


class Arena:
    """The slot of each stored node that lives in the arena."""

    def __init__(self, phases: Sequence[tuple[str, list[Unit]]], placement: Placement):
        self.placement = placement
        self.slots: list[Size] = []
        self.slot_of: dict[Node, int] = {}
        self._free: dict[Size, list[int]] = {}
        units = list(_in_time(phases))
        self._product_of = {u.epilogue: u for together in units for u in together if u.epilogue}
        last = self._last_uses(units)
        for time, together in enumerate(units):
            dying = [node for node in last if last[node] == time]
            self._run(together, dying)

    def whole(self, node: Node) -> Node | None:
        """The arena value that a node is, or is a part of; None if it lives elsewhere."""
        node = self.placement.whole(node)
        elsewhere = node in self.placement.places or node in self.placement.partial
        return None if elsewhere or node.op in ("variable", "constant", "rows", "step") else node

    def _last_uses(self, units: Sequence[list[Unit]]) -> dict[Node, int]:
        last: dict[Node, int] = {}
        for time, together in enumerate(units):
            for unit in together:
                for node in (*unit.reads, *self._factors(unit), *made(unit)):
                    if (whole := self.whole(node)) is not None:
                        last[whole] = time
        return last

    def _factors(self, unit: Unit) -> list[Node]:
        """What the product reads whose epilogue a unit is: the two run together, piece by piece."""
        product = self._product_of.get(unit)
        return [] if product is None else list(product.reads)

    def _run(self, together: list[Unit], dying: Sequence[Node]) -> None:
        """A loop may write over what it reads for the last time; other instructions need both at once."""
        early: list[Node] = []
        if len(together) == 1 and together[0].op == "map":
            factors = [self.whole(node) for node in self._factors(together[0])]
            early = [n for n in dying if n in self.slot_of and n not in factors and _fills(n, together[0])]
        self._release(early)
        for unit in together:
            for node in made(unit):
                whole = self.whole(node)
                if whole is not None and whole not in self.slot_of:
                    self.slot_of[whole] = self._slot(count(whole.shape))
        self._release([n for n in dying if n not in early])

    def _slot(self, size: Size) -> int:
        if self._free.get(size):
            return self._free[size].pop()
        self.slots.append(size)
        return len(self.slots) - 1

    def _release(self, nodes: Sequence[Node]) -> None:
        for node in nodes:
            self._free.setdefault(count(node.shape), []).append(self.slot_of[node])


def _fills(node: Node, loop: Unit) -> bool:
    """Whether each element is read at one moment of a loop: a row or column is read again and again."""
    return count(node.shape) == count(tuple(loop.loop))


def _in_time(phases: Sequence[tuple[str, list[Unit]]]) -> list[list[Unit]]:
    """Units that may run at the same moment: all of a split phase, one at a time elsewhere."""
    moments: list[list[Unit]] = []
    for kind, units in phases:
        moments += [units] if kind == SPLIT else [[u] for u in units]
    return moments


def made(unit: Unit) -> list[Node]:
    """The nodes that a unit stores: of a loop, those that others read."""
    return unit.members if unit.op != "map" else [m for m in unit.members if m in unit.stores]
