"""Runs things that are compared in rounds, each in a process of its own.

The order turns from round to round, so that what else the machine does falls on all alike. What else it does only adds
time, so the figure of each is the least of its rounds; the spread shows the ratios within each round.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from rungs import ALL, Rung

HERE = Path(__file__).parent
LAMINA = "lamina"
PEERS = (LAMINA, "keras_tensorflow", "keras_defaults", "keras_jax", "torch", "jax", "sklearn")
Report = dict[str, Any]


class Setting(NamedTuple):
    """How everything is run.

    Attributes:
        python, peer_python: the interpreters that have Lamina, and the peers.
        rungs: names of those that are run.
        peers: names of those that train, Lamina among them.
        rounds: how often all are run.
        epochs: of each process that trains, or None for what its rung asks for.
        gigaflops: the machine's limit.
    """

    python: str
    peer_python: str
    rungs: list[str]
    peers: list[str]
    rounds: int
    epochs: int | None
    gigaflops: float

    def python_of(self, peer: str) -> str:
        return self.python if peer == LAMINA else self.peer_python


def call(*command: str) -> Any:
    """Runs one of this folder's scripts and reads the JSON it prints; shows its own words if it fails."""
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def alternate(commands: Mapping[str, list[str]], rounds: int) -> dict[str, list[Report]]:
    """What each command reported, a list over the rounds."""
    names = list(commands)
    reports: dict[str, list[Report]] = {name: [] for name in names}
    for turn in range(rounds):
        start = turn % len(names)
        for name in names[start:] + names[:start]:
            reports[name].append(call(*commands[name]))
    return reports


def training(setting: Setting, peer: str, rung: str, **options: Any) -> list[str]:
    """The command that trains a peer on a rung."""
    epochs = setting.epochs or epochs_of(ALL[rung])
    return [setting.python_of(peer), "peer.py", peer, rung, str(epochs), json.dumps(options)]


def epochs_of(rung: Rung) -> int:
    """Fewer the longer they take."""
    return 8 if rung.flops < 3e10 else 4


def steady(report: Report) -> float:
    """The figure of one process: the median second of its epochs but the first, which also builds and compiles."""
    return median(report["seconds"][1:])


def least(reports: list[Report]) -> float:
    return min(map(steady, reports))


def spread(values: list[float]) -> list[float]:
    return [min(values), max(values)]


def figures(rung: Rung, reports: Mapping[str, list[Report]]) -> dict[str, Any]:
    """The rung's part of the result: for each peer its epoch, first epoch and ratio to Lamina's, and their spread."""
    rounds = {peer: [steady(report) for report in of_peer] for peer, of_peer in reports.items()}
    peers = {}
    for peer, seconds in rounds.items():
        ratios = [own / base for own, base in zip(seconds, rounds[LAMINA], strict=True)]
        peers[peer] = {
            "epoch_seconds": min(seconds),
            "epoch_spread": spread(seconds),
            "first_epoch_seconds": min(report["seconds"][0] for report in reports[peer]),
            "ratio": min(seconds) / min(rounds[LAMINA]),
            "ratio_spread": spread(ratios),
            "gigaflops": rung.flops / min(seconds) / 1e9,
            "last_logs": reports[peer][-1]["logs"][-1],
            "rounds": [report["seconds"] for report in reports[peer]],
            "versions": reports[peer][-1]["versions"],
        }
    what = {"rows": rung.rows, "network": network(rung), "batch": rung.batch, "peers": peers}
    return what | ({"fastest": fastest(peers)} if len(peers) > 1 else {})


def network(rung: Rung) -> str:
    """30-64-32-1, or 32-(16 × 32)-1 where many layers are alike."""
    first, *hidden, last = rung.sizes
    alike = len(set(hidden)) == 1 and len(hidden) > 3
    middle = [f"({len(hidden)} × {hidden[0]})"] if alike else list(map(str, hidden))
    return "-".join([str(first), *middle, str(last)])


def fastest(peers: Mapping[str, Any]) -> dict[str, Any]:
    """The fastest peer other than Lamina, and its ratio."""
    ratio, peer = min((seen["ratio"], peer) for peer, seen in peers.items() if peer != LAMINA)
    return {"peer": peer, "ratio": ratio}
