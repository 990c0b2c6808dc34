"""Where results go: a variable updated in place, a caller's array, a part of a joined vector, or the arena."""

from __future__ import annotations

from typing import NamedTuple

from lamina.graph.check import window_size
from lamina.graph.node import Graph, Node
from lamina.graph.shapes import count
from lamina.plan.domain import operand_kind, operands
from lamina.plan.fuse import Unit, depends, is_reduction
from lamina.plan.views import stored


class Part(NamedTuple):
    """A contiguous piece of a joined vector."""

    whole: Node
    offset: int


class Output(NamedTuple):
    """The caller's array of this name."""

    name: str
    shape: tuple[int | None, ...]


Place = Node | Part | Output  # a Node is a variable's window


class Move(NamedTuple):
    """A copy of a stored node's numbers to a place."""

    source: Node
    offset: int
    target: Place
    shape: tuple[int | None, ...]


class Placement:
    """Places of stored nodes that do not live in the arena, and the copies that the others need."""

    def __init__(self, graph: Graph, units: list[Unit], makers: dict[Node, list[Unit]]):
        self.units = units
        self.makers = makers
        self.places: dict[Node, Place] = {}
        self.moves: dict[Unit, list[Move]] = {}
        self.partial: set[Node] = set()
        for unit in [u for u in units if u.op == "concatenate" and _is_vector(u.node)]:
            self._join(unit)
        for variable, value in graph.updates:
            self._update(variable, value)
        for name, node in graph.outputs.items():
            self._output(name, node)
        self._drop_joined()

    def whole(self, node: Node) -> Node:
        """The node itself, or the joined vector that it is a part of."""
        while isinstance(place := self.places.get(node), Part):
            node = place.whole
        return node

    def merge(self, unit: Unit, into: Unit) -> None:
        """Two loops over the same rows become one."""
        into.members += [m for m in unit.members if m not in into.members]
        into.reads |= {x for x in unit.reads if x not in into.members}
        into.after |= unit.after - {into}
        into.waits |= unit.waits
        into.splits &= unit.splits
        into.partial |= unit.partial
        self.units.remove(unit)
        read = {x for u in self.units if u is not into for x in u.reads}
        into.stores = {m for m in into.stores if m in read or m in self.places} | unit.stores
        for node in unit.members:
            self.makers[node] = [into if u is unit else u for u in self.makers[node]]
        self._rewire(unit, {into})

    def _rewire(self, gone: Unit, instead: set[Unit]) -> None:
        for unit in self.units:
            if gone in unit.after:
                unit.after = unit.after - {gone} | instead
            if gone in unit.waits:
                unit.waits = unit.waits - {gone} | instead

    def _drop_joined(self) -> None:
        """A vector whose pieces are all in place needs no instruction: its users wait for the pieces."""
        whole = [u for u, moves in self.moves.items() if u.op == "concatenate" and not moves]
        for joined in whole:
            self.units.remove(joined)
            self._rewire(joined, joined.after)

    def _join(self, unit: Unit) -> None:
        """The pieces of a vector (the gradients, say) are computed where they belong in it."""
        begin, moves = 0, []
        for x in unit.node.inputs:
            node, offset = stored(x)
            part = Part(unit.node, begin)
            if self._is_free(node) and count(node.shape) == count(x.shape):
                self.places[node] = part
            else:
                moves.append(Move(node, offset, part, x.shape))
            begin += count(x.shape)[1]
        self.moves[unit] = moves

    def _is_free(self, node: Node) -> bool:
        """Whether a node is a result that can be computed anywhere."""
        makers = self.makers.get(node, [])
        return len(makers) == 1 and makers[0].op not in ("input", "concatenate", "pad") and node not in self.places

    def _update(self, variable: Node, value: Node) -> None:
        node, offset = stored(value)
        unit = self.makers[node][0]
        readers = {u for u in self.units if u is not unit and any(_overlap(x, variable) for x in u.reads)}
        if self._is_free(node) and self._in_place(unit, node, variable, readers):
            self.places[node] = variable
            unit.after |= readers
        else:
            copy = self._copy(Move(node, offset, variable, value.shape))
            copy.after |= readers | {unit} - {copy}

    def _in_place(self, unit: Unit, node: Node, variable: Node, readers: set[Unit]) -> bool:
        """Whether a loop may write a variable while it reads it: element by element, all other readers before it."""
        if unit.op != "map" or is_reduction(node) or count(node.shape) != count(variable.shape):
            return False
        same = all(
            _window(x) == _window(variable) and _reads_in_step(unit, x) for x in unit.reads if _overlap(x, variable)
        )
        return same and not any(depends(reader, unit) for reader in readers)

    def _output(self, name: str, value: Node) -> None:
        node, offset = stored(value)
        target = Output(name, value.shape)
        alone = self._is_free(node) and not any(node in u.reads for u in self.units)
        if alone and count(node.shape) == count(value.shape):
            self.places[node] = target
        else:
            self._copy(Move(node, offset, target, value.shape))

    def _copy(self, move: Move) -> Unit:
        unit = Unit("copy", [move.source], {move.source}, set(self.makers[move.source]))
        self.units.append(unit)
        self.moves[unit] = [move]
        return unit


def _is_vector(node: Node) -> bool:
    return node.ndim == 1 and None not in node.shape


def _window(variable: Node) -> tuple[str, int, int]:
    return variable.attrs["buffer"], variable.attrs["offset"], window_size(variable)


def _overlap(x: Node, variable: Node) -> bool:
    if x.op != "variable":
        return False
    (buffer, begin, size), (other, at, length) = _window(x), _window(variable)
    return buffer == other and begin < at + length and at < begin + size


def _reads_in_step(unit: Unit, x: Node) -> bool:
    for member in unit.members:
        inputs = member.inputs if is_reduction(member) else operands(member)
        shape = inputs[0].shape if is_reduction(member) else member.shape
        for operand in inputs:
            if stored(operand)[0] is x and operand_kind(operand.shape, shape, unit.split) != "full":
                return count(shape) == (0, 1)
    return True
