"""How the time of a row grows with the width and the depth of a network, as one line of JSON."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np

import keras_style
import lamina
from rungs import Rung, table

BATCH, EPOCHS = 256, 4
EFFORT, MOST = 2e10, 50_000  # operations of an epoch at most, and rows
WIDTHS = tuple(2**power for power in range(4, 12))  # of two hidden layers on as many inputs
DEPTHS, WIDTH = tuple(2**power for power in range(6)), 64  # hidden layers of so many units


def sizes() -> dict[str, dict[int, tuple[int, ...]]]:
    return {
        "width": {width: (width, width, width, 1) for width in WIDTHS},
        "depth": {depth: (*[WIDTH] * (depth + 1), 1) for depth in DEPTHS},
    }


def rung_of(size: tuple[int, ...]) -> Rung:
    """With as many whole batches as the effort allows, two at least."""
    one = Rung("", 1, size, BATCH).flops
    return Rung("", max(2, int(min(MOST, EFFORT / one)) // BATCH) * BATCH, size, BATCH)


def timed(size: tuple[int, ...]) -> dict[str, Any]:
    rung, moments = rung_of(size), [time.perf_counter()]
    keras_style.train(lamina, rung, table(rung), EPOCHS, lambda logs: moments.append(time.perf_counter()))
    return {"seconds_a_row": min(np.diff(moments)[1:]) / rung.rows, "flops_a_row": rung.flops / rung.rows}


def main() -> None:
    json.dump({what: {at: timed(size) for at, size in grown.items()} for what, grown in sizes().items()}, sys.stdout)


if __name__ == "__main__":
    main()
