"""One peer on one rung in this process: prints its times as one line of JSON. `rounds.py` starts it.

A peer is a file `peer_<name>.py` with
  PACKAGES                                 the distributions whose versions belong to its figure
  train(rung, table, epochs, mark)         trains, calls `mark(logs)` with the numbers of each epoch when its work is
                                           done, and returns what it trained; Lamina's takes options too
  predictor(rung, threads)                 if it predicts: a function of rows (rows, inputs) and batch size
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from itertools import pairwise
from typing import Any

from rungs import ALL, table

REST = 0.5  # seconds: the threads of NumPy's BLAS, which made the table, look for more work for a while
Mark = Callable[[Mapping[str, Any]], None]


def measure(name: str, rung_name: str, epochs: int, **options: Any) -> dict[str, Any]:
    """Seconds and processor seconds of each epoch, and its logs; the first also holds building and compiling.

    `idle_cpu` is the share of a processor that this process uses while it keeps what it trained and sleeps.
    """
    module = importlib.import_module(f"peer_{name}")
    rung = ALL[rung_name]
    data = table(rung)
    time.sleep(REST)
    moments, logs = [(time.perf_counter(), time.process_time())], []

    def mark(of_epoch: Mapping[str, Any]) -> None:
        logs.append({key: float(value) for key, value in of_epoch.items()})
        moments.append((time.perf_counter(), time.process_time()))

    kept = module.train(rung, data, epochs, mark, **options)
    seconds, processor = zip(*([b - a for a, b in zip(*pair, strict=True)] for pair in pairwise(moments)), strict=True)
    return {
        "seconds": seconds,
        "cpu_seconds": processor,
        "logs": logs,
        "idle_cpu": idle_cpu(kept),
        "versions": versions(module),
    }


def idle_cpu(kept: Any, seconds: float = 0.2) -> float:
    before = time.process_time()
    time.sleep(seconds)
    assert kept is not None  # it lives until here, its threads too
    return (time.process_time() - before) / seconds


def versions(module: Any) -> dict[str, str]:
    return {package: version(package) for package in module.PACKAGES}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peer")
    parser.add_argument("rung", choices=ALL)
    parser.add_argument("epochs", type=int)
    parser.add_argument("options", type=json.loads, nargs="?", default={}, help="of its `train`, as JSON")
    given = parser.parse_args()
    json.dump(measure(given.peer, given.rung, given.epochs, **given.options), sys.stdout)


if __name__ == "__main__":
    main()
