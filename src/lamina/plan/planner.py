"""Graph → Program: legal forms, fusion, places, phases, memory, text."""

from __future__ import annotations

from lamina.errors import GraphError
from lamina.graph.check import check, place
from lamina.graph.mixing import paired_rows
from lamina.graph.node import Graph, Node, walk
from lamina.plan.emit import Emitter
from lamina.plan.fuse import Unit, fuse, glue
from lamina.plan.legal import legalise
from lamina.plan.memory import Arena
from lamina.plan.partial import keep_parts
from lamina.plan.place import Placement
from lamina.plan.program import Instruction, Phase, Program
from lamina.plan.schedule import schedule


def plan(graph: Graph, together: bool = True) -> Program:
    """The program that computes a graph.

    Args:
        graph: what to compute.
        together: fuse operations into loops; without, the program is slower and its results have the same bits.

    Raises:
        GraphError: the graph is not legal, or has a form the core does not compute.
    """
    pairs = paired_rows(check(graph).roots)
    if pairs is not None:
        raise GraphError(f"{place(pairs)} has the batch on two axes, {pairs.shape}, which the core does not compute")
    graph = legalise(graph)
    units, makers = fuse(graph, together)
    if together:
        glue(units, makers)
    placement = Placement(graph, units, makers)
    keep_parts(graph, placement, together)
    phases = schedule(placement.units)
    arena = Arena(phases, placement)
    emitter = Emitter(arena, placement)
    written = tuple(Phase(kind, _lines(emitter, taken)) for kind, taken in phases)
    inputs = {n.attrs["name"]: n.dtype for n in walk(graph.roots) if n.op == "input"}
    return Program(_float_type(graph), tuple(arena.slots), tuple(emitter.values), written, inputs)


def _lines(emitter: Emitter, units: list[Unit]) -> tuple[Instruction, ...]:
    lines: list[Instruction] = []
    previous: Unit | None = None
    for unit in units:
        lines += emitter.emit(unit, is_epilogue=previous is not None and previous.epilogue is unit)
        previous = unit
    return tuple(lines)


def _float_type(graph: Graph) -> str:
    found: dict[str, Node] = {n.dtype: n for n in walk(graph.roots) if n.dtype.startswith("float")}
    if len(found) > 1:
        raise GraphError(f"one program computes in one float type, got {' and '.join(found)}")
    return next(iter(found), "float32")
