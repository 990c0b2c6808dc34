"""The part that shows how time and memory grow: with rows, with width and with depth."""

from __future__ import annotations

import tempfile
from statistics import mean
from typing import Any

from rounds import Setting, call

ROWS = (10_000, 100_000, 1_000_000, 10_000_000)  # of 30 float32 numbers: 1.2 GB at most
MAPPED = "mapped"


def growth(setting: Setting) -> dict[str, Any]:
    rows = in_rows(setting)
    shapes = best_shapes([call(setting.python, "growth_shape.py") for _ in range(setting.rounds)])
    for what, grown in shapes.items():
        shares = ", ".join(f"{at}: {share(seen, setting):.0%}" for at, seen in grown.items())
        print(f"of the machine's limit by {what}: {shares}", flush=True)
    return {"rows": rows, **shapes}


def in_rows(setting: Setting) -> dict[str, Any]:
    """Seconds a row for each number of rows in memory, and for the most of them mapped from a file."""
    kinds = {str(rows): (str(rows), "array") for rows in ROWS} | {MAPPED: (str(ROWS[-1]), MAPPED)}
    with tempfile.TemporaryDirectory() as folder:
        call(setting.python, "growth_rows.py", "write", folder, str(ROWS[-1]))
        runs = [
            {kind: call(setting.python, "growth_rows.py", "fit", folder, *words) for kind, words in kinds.items()}
            for _ in range(setting.rounds)
        ]
    seconds = {kind: min(run[kind]["seconds_a_row"] for run in runs) for kind in kinds}
    middle = mean(seconds.values())
    # Of the arrays alone: pages of a mapped file count as the process's memory, but are the system's to drop.
    most = {kind: max(run[kind]["peak_above"] for run in runs) for kind in kinds if kind != MAPPED}
    seen = {
        "seconds_a_row": seconds,
        "deviation": max(abs(one / middle - 1) for one in seconds.values()),
        "peak_above": most,
        "beyond": max(most.values()) - 4 * runs[0][MAPPED]["parameter_bytes"],
    }
    for kind in kinds:
        memory = f", {most[kind] / 1e6:.0f} MB above the data" if kind in most else ""
        print(f"small, {kind:>10} rows: {1e9 * seconds[kind]:.0f} ns a row{memory}", flush=True)
    return seen


def best_shapes(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Each width and depth at its fastest."""
    return {
        what: {at: min((run[what][at] for run in runs), key=lambda seen: seen["seconds_a_row"]) for at in grown}
        for what, grown in runs[0].items()
    }


def share(seen: dict[str, float], setting: Setting) -> float:
    """Of the machine's limit."""
    return seen["flops_a_row"] / seen["seconds_a_row"] / 1e9 / setting.gigaflops
