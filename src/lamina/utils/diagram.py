"""A model as boxes and arrows, and where they lie on paper: layers of boxes, long arrows around what is between."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from lamina.layers.activation import Activation
from lamina.layers.input_layer import InputLayer
from lamina.models import Functional, Model, Sequential
from lamina.tree import flatten

LETTER, BOLD, LINE = 7.3, 8.6, 18.0  # width of a letter, of one of a heading, and height of a line, in pixels
PAD, GAP, STEP = 12.0, 26.0, 44.0  # inside a box, between boxes side by side, between one row of boxes and the next
TURNED = {"LR", "RL"}
BACKWARDS = {"BT", "RL"}
DIRECTIONS = ("TB", "BT", "LR", "RL")


@dataclass(eq=False)
class Box:
    """A layer (or, without lines, a bend of a long arrow): its lines of text, the models around it, its place."""

    lines: list[str]
    frames: tuple[str, ...] = ()
    rank: int = 0
    x: float = 0.0  # of the middle
    y: float = 0.0

    @property
    def width(self) -> float:
        return max(len(self.lines[0]) * BOLD, *(len(x) * LETTER for x in self.lines)) + 2 * PAD if self.lines else 0.0

    @property
    def height(self) -> float:
        return len(self.lines) * LINE + PAD if self.lines else 0.0

    def extent(self, turned: bool) -> tuple[float, float]:
        """Its size along its row, and across it."""
        return (self.height, self.width) if turned else (self.width, self.height)


@dataclass
class Diagram:
    """Boxes, and arrows between them (each a list of boxes: the first, the bends, the last)."""

    boxes: list[Box] = field(default_factory=list)
    arrows: list[list[Box]] = field(default_factory=list)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the whole."""
        return (
            max(b.x + b.width / 2 for b in self.boxes) + GAP,
            max(b.y + b.height / 2 for b in self.boxes) + GAP,
        )

    def frames(self) -> Iterator[tuple[str, float, float, float, float]]:
        """(name, left, top, right, bottom) of the models inside that are drawn open."""
        inside: dict[tuple[str, ...], list[Box]] = defaultdict(list)
        for box in filter(lambda b: b.lines, self.boxes):
            for depth in range(len(box.frames)):
                inside[box.frames[: depth + 1]].append(box)
        deepest = max(map(len, inside), default=0)
        for path, boxes in inside.items():
            edge = PAD * (1 + deepest - len(path))
            left, right = min(b.x - b.width / 2 for b in boxes), max(b.x + b.width / 2 for b in boxes)
            top, bottom = min(b.y - b.height / 2 for b in boxes), max(b.y + b.height / 2 for b in boxes)
            yield path[-1], left - edge, top - edge - LINE / 2, right + edge, bottom + edge


@dataclass
class Shown:
    """What a box says, as in ``plot_model``'s arguments."""

    shapes: bool = False
    dtype: bool = False
    names: bool = False
    activations: bool = False
    trainable: bool = False
    nested: bool = False


def diagram_of(model: Model, shown: Shown, direction: str) -> Diagram:
    """The model's boxes and arrows in their places.

    Raises:
        ValueError: the model has no layers that are known yet, or there is no such direction.
    """
    if direction not in DIRECTIONS:
        raise ValueError(f"`rankdir` must be one of {', '.join(DIRECTIONS)}, got {direction!r}")
    if not model.built:
        raise ValueError(
            f"model {model.name!r} has not yet been built: give it an Input, or call it on data, before it is drawn"
        )
    made = Diagram()
    _Reader(made, shown).read(model, ())
    _bend(made)
    _place(made, turned=direction in TURNED)
    if direction in BACKWARDS:
        width, height = made.size
        for box in made.boxes:
            box.x, box.y = (width - box.x, box.y) if direction == "RL" else (box.x, height - box.y)
    return made


class _Reader:
    """Reads a model into a diagram."""

    def __init__(self, into: Diagram, shown: Shown):
        self.into = into
        self.shown = shown

    def read(self, model: Model, frames: tuple[str, ...]) -> tuple[list[Box], list[Box]]:
        """Draw a model; the boxes that its inputs enter and its outputs leave."""
        if isinstance(model, Functional):
            return self._graph(model, frames)
        if isinstance(model, Sequential):
            return self._chain(model, frames)
        box = self._box(model, frames)
        return [box], [box]

    def _chain(self, model: Sequential, frames: tuple[str, ...]) -> tuple[list[Box], list[Box]]:
        first: list[Box] = []
        last: list[Box] = []
        for layer in model.layers:
            enter, leave = self._step(layer, frames)
            self._arrows(last, enter)
            first, last = first or enter, leave
        return first, last

    def _graph(self, model: Functional, frames: tuple[str, ...]) -> tuple[list[Box], list[Box]]:
        source: dict[int, Box] = {}
        entered: dict[Any, tuple[list[Box], list[Box]]] = {}
        for call in model._order:
            once = not (self.shown.nested and isinstance(call.operation, Model))  # a layer called twice is one box
            if not (once and call.operation in entered):
                entered[call.operation] = self._step(call.operation, frames)
            enter, leave = entered[call.operation]
            if not isinstance(call.operation, InputLayer):
                for i, x in enumerate(call.inputs):
                    self._arrows([source[id(x)]], [enter[min(i, len(enter) - 1)]])
            for i, x in enumerate(flatten(call.outputs)):
                source[id(x)] = leave[min(i, len(leave) - 1)]
        return [source[id(x)] for x in model.inputs], [source[id(x)] for x in model.outputs]

    def _step(self, layer: Any, frames: tuple[str, ...]) -> tuple[list[Box], list[Box]]:
        if self.shown.nested and isinstance(layer, Functional | Sequential):
            return self.read(layer, (*frames, layer.name))
        box = self._box(layer, frames)
        return [box], [box]

    def _box(self, layer: Any, frames: tuple[str, ...]) -> Box:
        box = Box(list(_lines(layer, self.shown)), frames)
        self.into.boxes.append(box)
        return box

    def _arrows(self, sources: list[Box], targets: list[Box]) -> None:
        for a in sources:
            self.into.arrows += [[a, b] for b in targets if [a, b] not in self.into.arrows]


def _lines(layer: Any, shown: Shown) -> Iterator[str]:
    kind = type(layer).__name__
    yield f"{layer.name} ({kind})" if shown.names else kind
    activation = getattr(layer, "activation", None)
    if shown.activations and activation is not None:
        yield f"activation: {getattr(activation, '__name__', activation)}"
    if shown.dtype:
        yield f"dtype: {layer.dtype}"
    if shown.shapes:
        yield from (f"{what}: {text}" for what in ("input", "output") if (text := _shape(layer, what)))
    if shown.trainable and not isinstance(layer, Activation) and hasattr(layer, "trainable"):
        yield "trainable" if layer.trainable else "not trainable"


def _shape(layer: Any, what: str) -> str:
    """The shapes of a layer's inputs or outputs, where it was called on KerasTensors."""
    calls = layer._inbound_nodes
    if not calls:
        return ""
    tensors = calls[0].inputs if what == "input" else flatten(calls[0].outputs)
    return ", ".join(str(tuple(x.shape)) for x in tensors)


# -- places


def _bend(made: Diagram) -> None:
    """Give each box its row, and each arrow over several rows a bend in each between."""
    changed = True
    while changed:
        changed = False
        for a, *_, b in made.arrows:
            if b.rank <= a.rank:
                b.rank, changed = a.rank + 1, True
    for arrow in made.arrows:
        first, last = arrow
        bends = [Box([], rank=rank) for rank in range(first.rank + 1, last.rank)]
        made.boxes += bends
        arrow[1:1] = bends


def _place(made: Diagram, turned: bool) -> None:
    """Rows one after the other; in a row each box near the middle of those that it is tied to."""
    ranks: dict[int, list[Box]] = defaultdict(list)
    for box in made.boxes:
        ranks[box.rank].append(box)
    rows = [ranks[rank] for rank in sorted(ranks)]
    _place_across(rows, _ties(made), turned)
    _place_along(rows, turned)
    left = min(box.x - box.extent(turned)[0] / 2 for box in made.boxes) - GAP
    for box in made.boxes:
        x, y = box.x - left, box.y
        box.x, box.y = (y, x) if turned else (x, y)


def _ties(made: Diagram) -> dict[Box, list[Box]]:
    """The boxes that each is joined to by a piece of an arrow."""
    ties: dict[Box, list[Box]] = defaultdict(list)
    for arrow in made.arrows:
        for a, b in pairwise(arrow):
            ties[a].append(b)
            ties[b].append(a)
    return ties


def _place_across(rows: list[list[Box]], ties: dict[Box, list[Box]], turned: bool) -> None:
    for row in rows:
        _spread(row, turned)
    for sweep in range(8):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            for box in row:
                if tied := [other.x for other in ties[box]]:
                    box.x = sum(tied) / len(tied)
            _spread(row, turned)


def _place_along(rows: list[list[Box]], turned: bool) -> None:
    begin = STEP / 2
    for row in rows:
        depth = max(box.extent(turned)[1] for box in row)
        for box in row:
            box.y = begin + depth / 2
        begin += depth + STEP


def _spread(row: list[Box], turned: bool) -> None:
    """Keep the order of the wished places, but let no two boxes touch; the row's middle stays."""
    row.sort(key=lambda b: b.x)
    wished = sum(b.x for b in row) / len(row)
    end = -float("inf")
    for box in row:
        half = box.extent(turned)[0] / 2
        box.x = max(box.x, end + half)
        end = box.x + half + GAP
    moved = sum(b.x for b in row) / len(row) - wished
    for box in row:
        box.x -= moved
