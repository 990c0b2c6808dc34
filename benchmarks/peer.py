"""One peer on one rung in this process: prints its times as one line of JSON. `run.py` starts it.

A peer is a file `peer_<name>.py` with
  PACKAGES                             the distributions whose versions belong to its figure
  train(rung, x, y, epochs, mark)      trains, and calls `mark(loss)` when each epoch's work is done
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from itertools import pairwise
from typing import Any

from rungs import RUNGS, table

Mark = Callable[[Any], None]


def measure(name: str, rung_name: str, epochs: int) -> dict[str, Any]:
    """Seconds of each epoch and the mean loss of each; the first also holds building and compiling."""
    module = importlib.import_module(f"peer_{name}")
    rung = RUNGS[rung_name]
    x, y = table(rung)
    moments, losses = [time.perf_counter()], []

    def mark(loss: Any) -> None:
        losses.append(float(loss))
        moments.append(time.perf_counter())

    module.train(rung, x, y, epochs, mark)
    seconds = [end - start for start, end in pairwise(moments)]
    return {
        "seconds": seconds,
        "losses": losses,
        "versions": {package: version(package) for package in module.PACKAGES},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peer")
    parser.add_argument("rung", choices=RUNGS)
    parser.add_argument("epochs", type=int)
    given = parser.parse_args()
    json.dump(measure(given.peer, given.rung, given.epochs), sys.stdout)


if __name__ == "__main__":
    main()
