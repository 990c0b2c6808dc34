"""Measures all figures, shows them beside what is wanted of them, and writes them down: `make bench`.

A part is a figure: `--parts plain,prediction` measures some alone. A run of everything is written to results/.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import targets
from accelerate import accelerate
from first_second import first_second
from growth import growth
from machine import QUIET, machine
from many import many
from prediction import prediction
from rounds import HERE, PEERS, Setting, call
from rungs import RUNGS
from training import dressed, float64, plain, shapes, threads

PARTS: dict[str, Callable[[Setting], dict[str, Any]]] = {
    "plain": plain,
    "dressed": dressed,
    "shapes": shapes,
    "prediction": prediction,
    "first_second": first_second,
    "threads": threads,
    "many": many,
    "growth": growth,
    "float64": float64,
    "accelerate": accelerate,
}
# 3 for the others, so that all take less than half an hour.
ROUNDS = dict.fromkeys(("dressed", "shapes", "prediction", "growth"), 2)


def names(known: Any) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        unknown = [name for name in text.split(",") if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{unknown[0]} is not one of {', '.join(known)}")
        return text.split(",")

    return parse


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for option, known in {"parts": PARTS, "rungs": RUNGS, "peers": PEERS}.items():
        parser.add_argument(f"--{option}", type=names(known), default=list(known), help=", ".join(known))
    parser.add_argument("--rounds", type=int, help="2 or 3 by default, as long as they take")
    parser.add_argument("--epochs", type=int, help="in each process; at least 2")
    parser.add_argument("--peer-python", default=sys.executable, type=os.path.abspath, help="has the peers")
    parser.add_argument("--out", type=Path, help="where the figures go; those of everything go to results/ by default")
    given = parser.parse_args()
    if "lamina" not in given.peers:
        parser.error("--peers must name lamina: the ratios are to it")
    if given.epochs is not None and given.epochs < 2:
        parser.error("--epochs must be at least 2: the first is kept apart")
    return given


def place(given: argparse.Namespace, date: str) -> Path | None:
    """Where the figures go; nowhere, unless asked for, if they are not everything."""
    everything = (len(given.parts), len(given.rungs), len(given.peers)) == (len(PARTS), len(RUNGS), len(PEERS))
    short = given.rounds is not None or given.epochs is not None
    return given.out or (HERE / "results" / f"{date}.json" if everything and not short else None)


def setting_of(given: argparse.Namespace, part: str, gigaflops: float) -> Setting:
    rounds = given.rounds or ROUNDS.get(part, 3)
    return Setting(sys.executable, given.peer_python, given.rungs, given.peers, rounds, given.epochs, gigaflops)


def measured(given: argparse.Namespace, part: str, gigaflops: float) -> dict[str, Any]:
    start = time.perf_counter()
    print(f"\n{part}, figure {targets.FIGURES[part]}", flush=True)
    seen = PARTS[part](setting_of(given, part, gigaflops))
    print(f"({time.perf_counter() - start:.0f} s)", flush=True)
    return seen


def main() -> None:
    given = arguments()
    about = machine()
    if about["load_before"] > QUIET:
        print(f"the machine is not quiet: a load of {about['load_before']} before anything was measured")
    limit = call(given.peer_python, "limit.py")
    print(f"the machine's limit: {limit['gigaflops']:.0f} GFLOP/s ({limit['by']})")
    result: dict[str, Any] = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": about,
        "limit": limit,
        "rounds": {part: setting_of(given, part, 0).rounds for part in given.parts},
        "parts": {part: measured(given, part, limit["gigaflops"]) for part in given.parts},
    }
    result["targets"] = [verdict._asdict() for verdict in targets.verdicts(result)]
    targets.show(result["targets"])
    path = place(given, result["date"])
    if path is not None:
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
