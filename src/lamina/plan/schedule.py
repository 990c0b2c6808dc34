"""Units → phases: as few as possible, since threads wait for each other after each."""

from __future__ import annotations

from collections.abc import Iterable

from lamina.graph.shapes import count
from lamina.plan.fuse import SMALL, Unit, is_small

ROWS, SPLIT, ONE = "rows", "split", "one"


def kind_of(unit: Unit) -> str:
    """How threads share a unit: by batch rows, by its outputs, or not at all."""
    if unit.partial:
        return ROWS
    if unit.op == "map":
        if unit.across:
            return ONE if is_small(unit) else SPLIT
        return ROWS if unit.loop[:1] == (None,) else ONE if is_small(unit) else SPLIT
    if unit.op in ("concatenate", "pad") and None not in unit.node.shape:
        return ONE  # several instructions that write to one array
    if unit.op == "copy":
        return ROWS if None in unit.node.shape else ONE if count(unit.node.shape)[1] <= SMALL else SPLIT
    return ROWS if None in unit.node.shape[:1] else SPLIT


def schedule(units: Iterable[Unit]) -> list[tuple[str, list[Unit]]]:
    """Phases in order: (kind, units in order). Within rows and one, a unit may use what an earlier one made."""
    left = dict.fromkeys(units)
    glued = {u.epilogue: u for u in left if u.epilogue}
    waiting = {kind: {u: None for u in left if u not in glued and kind_of(u) == kind} for kind in (ONE, ROWS, SPLIT)}
    phase_of: dict[Unit, int] = {}
    phases: list[tuple[str, list[Unit]]] = []
    while left:
        taken: list[Unit] = []
        for kind in (ONE, ROWS, SPLIT):  # what is small goes first, so that rows need not stop for it
            taken = _take(kind, waiting[kind], phase_of, len(phases))
            if taken:
                phases.append((kind, taken))
                break
        for unit in taken:
            del left[unit]
        if not taken:
            raise AssertionError("the units wait for each other in a circle")
    return phases


def _take(kind: str, left: dict[Unit, None], phase_of: dict[Unit, int], phase: int) -> list[Unit]:
    taken: list[Unit] = []
    before = -1
    while before != len(taken):
        before = len(taken)
        for unit in list(left):
            bundle = [u for u in (unit, unit.epilogue) if u]
            if all(_is_ready(u, bundle, kind, phase_of, phase) for u in bundle):
                taken += bundle
                phase_of |= dict.fromkeys(bundle, phase)
                del left[unit]
    return taken


def _is_ready(unit: Unit, bundle: list[Unit], kind: str, phase_of: dict[Unit, int], phase: int) -> bool:
    def latest(u: Unit) -> int:
        return phase - 1 if kind == SPLIT or u in unit.waits else phase

    return all(u in bundle or phase_of.get(u, phase + 1) <= latest(u) for u in unit.after)
