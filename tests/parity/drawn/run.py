"""`make parity`: many cases on two processes; what differs, how it was decided, and which classes were drawn how often.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

LEAST = 10  # times that every public class is to be drawn, in a run of 2,000 cases


class Outcome(NamedTuple):
    """What a process says of one case."""

    name: str
    differences: list[str]
    how: str
    drawn: list[str]


def outcome(place: tuple[int, int, bool]) -> Outcome:
    """Draw and judge one case, beside Keras or beside the NumPy target; an error is a difference, too."""
    from drawn.draw import draw_case
    from drawn.judge import judge, judge_core

    seed, index, core = place
    drawn: list[str] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            case = draw_case(seed, index)
            drawn = [part.name for part in case.parts()]
            verdict = (judge_core if core else judge)(case)
    except Exception:
        return Outcome(f"{seed}:{index}", [traceback.format_exc(limit=-3)], "error", drawn)
    return Outcome(verdict.name, verdict.differences, verdict.how, drawn)


def outcomes(seed: int, cases: Iterable[int], processes: int, core: bool) -> Iterable[Outcome]:
    """All cases, as they are done."""
    places = [(seed, index, core) for index in cases]
    if processes == 1:
        yield from map(outcome, places)
        return
    with multiprocessing.get_context("spawn").Pool(processes, maxtasksperchild=200) as pool:
        yield from pool.imap_unordered(outcome, places)


# Modules whose classes are drawn.
MODULES = {f"keras.{m}" for m in "layers initializers regularizers constraints losses metrics optimizers".split()}
MODULES.add("keras.optimizers.schedules")
# Made by every case, or of other objects: a case of their own is where these are tested.
NOT_DRAWN = {
    "InputLayer", "Wrapper", "Pipeline", "MeanMetricWrapper", "MultiOptimizer", "OptimizerMap",
}  # fmt: skip


def seldom(drawn: Counter[str], cases: int) -> dict[str, int]:
    """The public classes that were drawn less often than they should be."""
    from lamina.registry import all_published

    wanted = max(1, LEAST * cases // 2000)
    entries = [entry for entry in all_published() if isinstance(entry.thing, type) and entry.module in MODULES]
    names = {entry.name for entry in entries} - NOT_DRAWN
    return {name: drawn[name] for name in sorted(names) if drawn[name] < wanted}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first case")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--core", action="store_true", help="beside the NumPy target, not Keras: ten times as fast")
    given = parser.parse_args()
    start, how, drawn, bad = time.perf_counter(), Counter[str](), Counter[str](), 0
    for done in outcomes(given.seed, range(given.first, given.first + given.cases), given.processes, given.core):
        how[done.how] += 1
        drawn.update(done.drawn)
        if done.differences:
            bad += 1
            print(f"{done.name}: {'; '.join(done.differences)[:600]}", flush=True)
    spent = time.perf_counter() - start
    print(f"{given.cases} cases, {bad} with differences, in {spent:.0f} s; decided in {dict(how)}")
    for name, times in seldom(drawn, given.cases).items():
        print(f"{name} was drawn {times} times only")
    return int(bad > 0)
