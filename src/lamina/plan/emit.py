"""Units → instruction text: what each unit reads and writes, in the words of the machine (core/README.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from lamina.graph.check import window_size
from lamina.graph.node import Node
from lamina.graph.shapes import Shape, count
from lamina.plan.domain import extent, operand_kind, operands, reduction
from lamina.plan.fuse import Unit, is_reduction, product_axes, product_view
from lamina.plan.memory import Arena
from lamina.plan.place import Output, Part, Place, Placement
from lamina.plan.program import Instruction, dimension, joined
from lamina.plan.views import View, contiguous, elements, is_free_cast, merged, stored


class Emitter:
    """Writes instructions and, as they need them, the table of values."""

    def __init__(self, arena: Arena, placement: Placement):
        self.arena = arena
        self.places = placement.places
        self.moves = placement.moves
        self.partial = placement.partial
        self.values: list[str] = []
        self._known: dict[object, int] = {}

    # -- values

    def value(self, node: Node, offset: int = 0, shape: Shape | None = None) -> int:
        """The value of a stored node, or of the fixed part of it from ``offset`` on that is shaped ``shape``."""
        if offset or (shape is not None and count(shape) != count(node.shape)):
            size = count(node.shape if shape is None else shape)[1]
            return self._new((node, offset, size), f"part {self.value(node)} {offset} {size}")
        place = self.places.get(node)
        return self._leaf(node) if place is None else self.place(place, node.shape)

    def place(self, place: Place, shape: Shape) -> int:
        """The value of a place."""
        if isinstance(place, Part):
            size = count(shape)[1]
            return self._new((place, size), f"part {self.value(place.whole)} {place.offset} {size}")
        if isinstance(place, Output):
            per_row, fixed = count(place.shape)
            return self._new(place.name, f"output {place.name} {per_row} {fixed}")
        return self._state(place)

    def _leaf(self, node: Node) -> int:
        if node.op == "variable":
            return self._state(node)
        if node.op == "constant":
            numbers = node.attrs["value"].reshape(-1).tolist()
            text = " ".join(float(x).hex() for x in numbers)
            return self._new((text, len(numbers)), f"constant {text}")
        if node.op in ("rows", "step"):
            return self._new(node.op, node.op)
        per_row, fixed = count(node.shape)
        if node in self.partial:
            return self._new(node, f"partial {fixed}")
        return self._new(node, f"temp {self.arena.slot_of[node]} {per_row} {fixed}")

    def _state(self, variable: Node) -> int:
        window = f"{variable.attrs['buffer']} {variable.attrs['offset']} {window_size(variable)}"
        return self._new(("state", window), f"state {window}")

    def _new(self, key: object, text: str) -> int:
        if key not in self._known:
            self._known[key] = len(self.values)
            self.values.append(text)
        return self._known[key]

    # -- instructions

    def emit(self, unit: Unit, is_epilogue: bool = False) -> list[Instruction]:
        """The instructions of one unit."""
        kind = {"map": self._map, "copy": self._moves, "concatenate": self._concatenate}.get(unit.op)
        lines = kind(unit) if kind else SINGLE[unit.op](self, unit.node)
        if is_epilogue:
            lines = ["then" + line.removeprefix("map") for line in lines]
        return [Instruction(line, unit.members[-1].label) for line in lines]

    def _map(self, unit: Unit) -> list[str]:
        loop = _Loop(self, unit)
        rows, columns = extent(unit.loop, unit.split)
        return [
            f"map m={dimension(*rows)} n={columns} in={joined(f'{v}:{k}' for v, k in loop.inputs)} "
            f"code={';'.join(loop.code)} out={joined(loop.outputs())}"
        ]

    def _moves(self, unit: Unit) -> list[str]:
        lines = []
        for move in self.moves[unit]:
            view = View(move.source, move.offset, move.shape, contiguous(move.shape))
            lines.append(self._copy(self.place(move.target, move.shape), 0, view, view.strides))
        return lines

    def _concatenate(self, unit: Unit) -> list[str]:
        if unit in self.moves:
            return self._moves(unit)
        node, axis, begin, lines = unit.node, unit.node.attrs["axis"], 0, []
        steps = contiguous(node.shape)
        for x in node.inputs:
            view = View(*stored(x), x.shape, contiguous(x.shape))
            lines.append(self._copy(self.value(node), begin * steps[axis], view, steps))
            begin += x.shape[axis] or 0
        return lines

    def _copy(self, target: int, offset: int, view: View, steps: Sequence[int]) -> str:
        source = self.value(view.stored)
        walked = [way for way in zip(view.shape, steps, view.strides, strict=True) if way[0] != 1] or [(1, 1, 1)]
        sizes, to, own = zip(*walked, strict=True)
        return (
            f"copy {target} {source} sizes={joined(map(_size, sizes))} "
            f"dst={offset}:{joined(to)} src={view.offset}:{joined(own)}"
        )

    def load(self, node: Node) -> list[str]:
        """Gather the batch's rows."""
        per_row, _ = count(node.shape)
        name = node.attrs["name"]
        given = self._new(("input", name), f"input {name} {per_row}")
        return [f"load {self.value(node)} {given}"]

    def product(self, node: Node) -> list[str]:
        """A matrix product with the steps of both factors."""
        (free_a, summed_a), (free_b, summed_b) = product_axes(node)
        a = product_view(node.inputs[0], free_a, summed_a)
        b = product_view(node.inputs[1], free_b, summed_b)
        return [
            f"matmul {self.value(node)} {self._whole(a)} {self._whole(b)} "
            f"m={dimension(*elements(a.shape, free_a))} n={elements(b.shape, free_b)[1]} "
            f"k={dimension(*elements(a.shape, summed_a))} "
            f"a={merged(a, free_a)},{merged(a, summed_a)} b={merged(b, summed_b)},{merged(b, free_b)}"
        ]

    def _whole(self, view: View) -> int:
        return self.value(view.stored, view.offset, view.shape) if view.offset else self.value(view.stored)

    def transpose(self, node: Node) -> list[str]:
        """A copy that reads along other axes."""
        x = node.inputs[0]
        base, offset = stored(x)
        steps = contiguous(x.shape)
        view = View(base, offset, node.shape, tuple(steps[a] for a in node.attrs["axes"]))
        return [self._copy(self.value(node), 0, view, contiguous(node.shape))]

    def broadcast(self, node: Node) -> list[str]:
        """A copy that reads repeated axes with step 0."""
        x = node.inputs[0]
        base, offset = stored(x)
        padded = (1,) * (node.ndim - x.ndim) + x.shape
        own = (0,) * (node.ndim - x.ndim) + contiguous(x.shape)
        steps = tuple(0 if p == 1 else s for p, s in zip(padded, own, strict=True))
        return [self._copy(self.value(node), 0, View(base, offset, node.shape, steps), contiguous(node.shape))]

    def slice(self, node: Node) -> list[str]:
        """A copy that begins inside."""
        x = node.inputs[0]
        base, offset = stored(x)
        steps = contiguous(x.shape)
        begin = sum(b * s for b, s in zip(node.attrs["begin"], steps, strict=True))
        return [self._copy(self.value(node), 0, View(base, offset + begin, node.shape, steps), contiguous(node.shape))]

    def pad(self, node: Node) -> list[str]:
        """Zeros, then a copy into their middle."""
        x = node.inputs[0]
        steps = contiguous(node.shape)
        begin = sum(b * s for b, s in zip(node.attrs["before"], steps, strict=True))
        view = View(*stored(x), x.shape, contiguous(x.shape))
        zero = f"fill {self.value(node)} const:{(0.0).hex()}"
        return [zero, self._copy(self.value(node), begin, view, steps)]

    def take(self, node: Node) -> list[str]:
        """Rows of a table."""
        table, indices = node.inputs
        return [
            f"take {self.value(node)} {self._operand(table)} {self._operand(indices)} "
            f"m={dimension(*count(indices.shape))} n={count(table.shape[1:])[1]} size={table.shape[0]}"
        ]

    def scatter_add(self, node: Node) -> list[str]:
        """Rows added into a table."""
        indices, updates = node.inputs
        return [
            f"scatter_add {self.value(node)} {self._operand(indices)} {self._operand(updates)} "
            f"m={dimension(*count(indices.shape))} n={count(node.shape[1:])[1]} size={node.shape[0]}"
        ]

    def argmax(self, node: Node) -> list[str]:
        """The first maximum of each row."""
        x = node.inputs[0]
        return [f"argmax {self.value(node)} {self._operand(x)} m={dimension(*count(node.shape))} n={x.shape[-1]}"]

    def _operand(self, x: Node) -> int:
        return self.value(*stored(x), x.shape)


SINGLE: dict[str, Callable[[Emitter, Node], list[str]]] = {
    "input": Emitter.load,
    "tensordot": Emitter.product,
    "transpose": Emitter.transpose,
    "broadcast_to": Emitter.broadcast,
    "slice": Emitter.slice,
    "pad": Emitter.pad,
    "take": Emitter.take,
    "scatter_add": Emitter.scatter_add,
    "argmax": Emitter.argmax,
}


def _size(s: int | None) -> str:
    return "B" if s is None else str(s)


class _Loop:
    """The code of one fused loop: registers are its inputs and then its results."""

    def __init__(self, emitter: Emitter, unit: Unit):
        self.emitter = emitter
        self.unit = unit
        self.inputs: list[tuple[int, str]] = []
        self.code: list[str] = []
        self._register: dict[Node, int] = {}
        self._pending: list[tuple[Node, list[str]]] = []
        self._collect()
        for member in unit.members:
            if not is_reduction(member):
                self._compute(member)

    def _collect(self) -> None:
        for member in self.unit.members:
            for x in member.inputs if is_reduction(member) else operands(member):
                if self._is_outside(x) and _scalar(x) is None:
                    self._input(x, member)

    def _is_outside(self, x: Node) -> bool:
        node = stored(x)[0]
        return node not in self.unit.members or is_reduction(node)

    def _input(self, x: Node, member: Node) -> int:
        shape = member.inputs[0].shape if is_reduction(member) else member.shape
        kind = operand_kind(x.shape, shape, self.unit.split)
        assert kind is not None, "the cut was chosen to fit every operand"
        entry = (self.emitter.value(*stored(x), x.shape), kind)
        if entry not in self.inputs:
            self.inputs.append(entry)
        return self.inputs.index(entry)

    def _argument(self, x: Node, member: Node) -> str:
        number = _scalar(x)
        if number is not None:
            return f"const:{number.hex()}"
        return str(self._input(x, member) if self._is_outside(x) else self._register[stored(x)[0]])

    def _line(self, op: str, *arguments: str) -> str:
        self.code.append(" ".join((op, *arguments)))
        return str(len(self.inputs) + len(self.code) - 1)

    def _compute(self, node: Node) -> None:
        arguments = [self._argument(x, node) for x in operands(node)]
        special = SPECIAL.get(node.op)
        result = special(self._line, node, *arguments) if special else self._line(node.op, *arguments)
        self._register[node] = int(result)

    def outputs(self) -> Iterable[str]:
        """What is stored, and how."""
        for node in self.unit.members:
            if node not in self.unit.stores:
                continue
            if is_reduction(node):
                register = self._argument(node.inputs[0], node)
                yield f"{self.emitter.value(node)}:{node.op}_{reduction(node)[0]}:{register}"
            else:
                yield f"{self.emitter.value(node)}:full:{self._register[node]}"


def _scalar(x: Node) -> float | None:
    node = stored(x)[0]
    return float(node.attrs["value"].reshape(())) if node.op == "constant" and node.attrs["value"].size == 1 else None


def _const(x: float) -> str:
    return f"const:{float(x).hex()}"


def _clip(line: Callable[..., str], node: Node, x: str) -> str:
    return line("clip", x, _const(node.attrs["low"]), _const(node.attrs["high"]))


def _cast(line: Callable[..., str], node: Node, x: str) -> str:
    """Towards zero for integers; for booleans, whether it is not zero."""
    assert not is_free_cast(node)
    if node.dtype == "bool":
        return line("equal", line("equal", x, _const(0.0)), _const(0.0))
    return line("where", line("less", x, _const(0.0)), line("ceil", x), line("floor", x))


def _random(line: Callable[..., str], node: Node) -> str:
    return line("random", str(node.attrs["stream"]))


SPECIAL: dict[str, Callable[..., str]] = {"clip": _clip, "cast": _cast, "random": _random}
