"""Graph → units: each unit becomes one instruction. Elementwise chains and reductions over one loop share a unit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from lamina.graph.node import Graph, Node, walk
from lamina.graph.ops import ELEMENTWISE, LEAF, OPS
from lamina.graph.shapes import count
from lamina.plan.domain import Loop, fitting_splits, loop_of, operands, reduction
from lamina.plan.views import View, contiguous, merged, stored, strided, unrepeated

SMALL = 64  # a fixed loop of at most so many elements is not worth sharing among threads


@dataclass(eq=False)
class Unit:
    """One instruction in the making.

    Attributes:
        op: map, or the operation that is an instruction of its own.
        members: the nodes it computes.
        reads: stored nodes of other units (or leaves) that it reads.
        after: units that must come before it.
        stores: the members of a loop whose numbers others need.
        partial: whether its sums over the batch are kept in parts.
        waits: units that must have run for all rows before it, since it reads their sums.
    """

    op: str
    members: list[Node]
    reads: set[Node] = field(default_factory=set)
    after: set[Unit] = field(default_factory=set)
    loop: Loop = ()
    splits: frozenset[int] = frozenset()
    across: str = ""  # how its sums cross rows: "", rows, all (then it holds nothing else)
    epilogue: Unit | None = None
    stores: set[Node] = field(default_factory=set)
    partial: bool = False
    waits: set[Unit] = field(default_factory=set)

    @property
    def node(self) -> Node:
        """The only, or the first, member."""
        return self.members[0]

    @property
    def split(self) -> int:
        """The chosen cut of the loop: as many columns as fit."""
        return min(self.splits)


def reads(node: Node) -> list[Node]:
    """The stored nodes that computing a node needs."""
    if node.op == "tensordot":
        free_summed = product_axes(node)
        return [product_view(x, *axes).stored for x, axes in zip(node.inputs, free_summed, strict=True)]
    inputs = operands(node) if OPS[node.op].kind == ELEMENTWISE else node.inputs
    return [stored(x)[0] for x in inputs]


def product_axes(node: Node) -> tuple[tuple[list[int], list[int]], tuple[list[int], list[int]]]:
    """(free, summed) axes of both factors of a product."""
    axes_a, axes_b = node.attrs["axes"]
    a, b = node.inputs
    free_a = [i for i in range(a.ndim) if i not in axes_a]
    free_b = [j for j in range(b.ndim) if j not in axes_b]
    return (free_a, list(axes_a)), (free_b, list(axes_b))


def product_view(x: Node, free: list[int], summed: list[int]) -> View:
    """How a product reads a factor: through reordered axes if one step walks each group, else as it is stored."""
    view = strided(x)
    if merged(view, free) is None or merged(view, summed) is None:
        view = View(*stored(x), x.shape, contiguous(x.shape))
    return view


def needed(graph: Graph) -> list[Node]:
    """The stored nodes that must be computed or read, inputs before users."""
    roots = [stored(root)[0] for root in graph.roots]
    found: set[Node] = set()
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node not in found:
            found.add(node)
            if OPS[node.op].kind != LEAF:
                stack.extend(reads(node))
    return [node for node in walk(graph.roots) if node in found]


def is_reduction(node: Node) -> bool:
    """Sums and maxima, which end a fused loop."""
    return node.op in ("sum", "max")


def sums_rows(node: Node) -> bool:
    """Whether a node needs all rows of the batch at once and has no part for each."""
    return None not in node.shape and any(None in x.shape for x in node.inputs)


def crossing(node: Node) -> str:
    """How a reduction crosses the rows of its loop: "", "rows" or "all"."""
    if not is_reduction(node):
        return ""
    kind, _ = reduction(node)
    return kind if kind != "cols" else ""


def fuse(graph: Graph, together: bool = True) -> tuple[list[Unit], dict[Node, list[Unit]]]:
    """The units of a legal graph in a possible order, and which units make each stored node.

    Args:
        graph: a legal graph.
        together: False gives each node a unit of its own: slower, and the same bits.
    """
    return _Fusion(graph, together).run()


class _Fusion:
    def __init__(self, graph: Graph, together: bool):
        self.nodes = needed(graph)
        self.position = {node: i for i, node in enumerate(self.nodes)}
        self.sources = {node: reads(node) for node in self.nodes if OPS[node.op].kind != LEAF}
        self.passes = self._passes()
        self.units: list[Unit] = []
        self.makers: dict[Node, list[Unit]] = {}
        self.roots = {stored(root)[0] for root in graph.roots}
        self.together = together
        self.deferred = self._deferred() if together else set()

    def run(self) -> tuple[list[Unit], dict[Node, list[Unit]]]:
        for node in self.nodes:
            if _is_looped(node):
                if node not in self.deferred:
                    self._place(node)
            elif OPS[node.op].kind != LEAF or node.op == "input":
                self._add(Unit(node.op, []), node)
        readers: dict[Node, set[Unit]] = {}
        for unit in self.units:
            for x in unit.reads:
                readers.setdefault(x, set()).add(unit)
        for unit in self.units:
            unit.stores = {m for m in unit.members if m in self.roots or readers.get(m, set()) - {unit}}
        return self.units, self.makers

    def _passes(self) -> dict[Node, int]:
        """How many times the whole batch must have been gone through before a node can be computed."""
        passes: dict[Node, int] = {}
        for node in self.nodes:
            known = self.sources.get(node, [])
            passes[node] = max((passes[x] + sums_rows(x) for x in known), default=0)
        return passes

    def _deferred(self) -> set[Node]:
        """Elementwise nodes that are computed inside the loop of what needs them.

        Those with one user (a relu's mask belongs to the backward loop, not to memory), and those that only sums
        across rows need, which may compute them twice.
        """
        users = self._users()
        single: set[Node] = set()
        across: set[Node] = set()
        owners: dict[Node, set[Node]] = {}  # the nodes in whose loops a deferred one is computed
        cuts: dict[Node, frozenset[int]] = {}  # the cuts that fit all that such a loop holds
        for node in reversed(self.nodes):
            mine = users.get(node)
            if OPS[node.op].kind != ELEMENTWISE or node in self.roots or not mine:
                continue
            if not all(_is_looped(user) and _same_loop(user, node) for user in mine):
                continue
            held, fitting = {o for user in mine for o in owners.get(user, {user})}, self._chain_splits(node)
            if not all(cuts.setdefault(o, _splits(o)) & fitting for o in held):
                continue
            if all(crossing(user) or user in across for user in mine):
                across.add(node)
            elif len(mine) == 1:
                single.add(node)
            else:
                continue
            owners[node] = held
            cuts |= {o: cuts[o] & fitting for o in held}
        return single | across

    def _users(self) -> dict[Node, set[Node]]:
        users: dict[Node, set[Node]] = {}
        for node, sources in self.sources.items():
            for x in sources:
                users.setdefault(x, set()).add(node)
        return users

    def _place(self, node: Node) -> None:
        """Put a node into the newest unit of its loop that it can join, or into a new one."""
        shape = node.inputs[0].shape if is_reduction(node) else node.shape
        loop, splits, across = loop_of(shape), _splits(node), crossing(node)
        splits = splits.intersection(*(self._chain_splits(x) for x in self._chain(node)))
        before = self._before(node) if self.together else {}
        for unit in reversed(self.units if self.together else []):
            alike = unit.op == "map" and (unit.loop, unit.across) == (loop, across) and unit.splits & splits
            if (
                alike
                and self._at_once(unit, node)
                and not any(unit in units for x, units in before.items() if not _is_inside(unit, x))
            ):
                unit.splits &= splits
                return self._add(unit, node)
        self._add(Unit("map", [], loop=loop, splits=splits, across=across), node)

    def _chain(self, node: Node) -> list[Node]:
        """The deferred nodes that a node brings along, inputs first."""
        chain: set[Node] = set()
        stack = [node]
        while stack:
            found = [x for x in self.sources.get(stack.pop(), ()) if x in self.deferred and x not in chain]
            chain.update(found)
            stack += found
        return sorted(chain, key=self.position.__getitem__)

    def _chain_splits(self, node: Node) -> frozenset[int]:
        return fitting_splits(node.shape, (x.shape for x in operands(node)))

    def _at_once(self, unit: Unit, node: Node) -> bool:
        """Rows of the batch must not wait for a loop that, in one of its members, needs all of them first."""
        return None in unit.loop or self.passes[unit.node] == self.passes[node]

    def _before(self, node: Node) -> dict[Node, set[Unit]]:
        """What a node and its chain read, each with the units that must have run before it can be read."""
        sources = {x for y in [*self._chain(node), node] for x in self.sources.get(y, ())}
        return {x: closure(self.makers.get(x, ())) for x in sources}

    def _add(self, unit: Unit, node: Node) -> None:
        if not unit.members:
            self.units.append(unit)
        for member in [*(x for x in self._chain(node) if x not in unit.members), node]:
            sources = [x for x in self.sources.get(member, ()) if not _is_inside(unit, x)]
            unit.members.append(member)
            unit.reads |= set(sources)
            unit.after |= {maker for x in sources for maker in self.makers.get(x, ())}
            self.makers.setdefault(member, []).append(unit)


def _is_looped(node: Node) -> bool:
    return OPS[node.op].kind == ELEMENTWISE or is_reduction(node) or node.op == "random"


def _same_loop(user: Node, node: Node) -> bool:
    """Whether a user reads all of a node, element by element, in one loop of the same shape."""
    shape = user.inputs[0].shape if is_reduction(user) else user.shape
    operands = (x for x in map(unrepeated, user.inputs) if stored(x)[0] is node)
    return {loop_of(shape)} == {loop_of(node.shape), *(loop_of(x.shape) for x in operands)}


def _is_inside(unit: Unit, x: Node) -> bool:
    """Whether a unit's members can read x from a register: it is theirs and not a sum, which only the end knows."""
    return x in unit.members and not is_reduction(x)


def _splits(node: Node) -> frozenset[int]:
    if not is_reduction(node):
        return fitting_splits(node.shape, (x.shape for x in operands(node)))
    shape = node.inputs[0].shape
    kind, cut = reduction(node)
    # A sum over everything adds in the order of memory, whatever is fused with it: one column.
    return fitting_splits(shape, [shape]) & {len(loop_of(shape)) if kind == "all" else cut}


def closure(units: Iterable[Unit]) -> set[Unit]:
    """Some units and all that come before them."""
    seen: set[Unit] = set()
    stack = list(units)
    while stack:
        u = stack.pop()
        if u not in seen:
            seen.add(u)
            stack.extend(u.after)
    return seen


def depends(unit: Unit, on: Unit) -> bool:
    """Whether a unit is, or comes after, another."""
    return on in closure([unit])


def glue(units: Iterable[Unit], makers: dict[Node, list[Unit]]) -> None:
    """Give each product the loop that works on its result row by row as its epilogue, where nothing comes between."""
    units = list(units)
    for product in units:
        if product.op == "tensordot":
            later = (u for u in units if u.op == "map" and not u.across and product.node in u.reads)
            product.epilogue = next((u for u in later if _continues(u, product, units)), None)
            if product.epilogue:
                product.epilogue.splits &= _product_split(product.node)


def _continues(unit: Unit, product: Unit, units: list[Unit]) -> bool:
    if any(u.epilogue is unit for u in units) or unit.loop != loop_of(product.node.shape):
        return False
    if not unit.splits & _product_split(product.node) or None not in product.node.shape:
        return False
    return not any(depends(u, product) for u in unit.after if u is not product)


def _product_split(node: Node) -> frozenset[int]:
    """The cut of a product's shape into the rows of its left and the columns of its right factor."""
    free_a = product_axes(node)[0][0]
    return frozenset({len(loop_of(node.shape[: len(free_a)]))})


def is_small(unit: Unit) -> bool:
    """A fixed-size loop that one thread does at once."""
    per_row, fixed = count(unit.loop)
    return per_row == 0 and fixed <= SMALL
