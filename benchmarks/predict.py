"""How fast one peer predicts with a rung's network in this process, as one line of JSON. `prediction.py` starts it.

One row: the time of each of many calls, after some that do not count. Many rows: rows a second of one call over rows
that lie in memory, with the batch size that was the fastest on a tenth of them.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from peer import versions
from rungs import RUNGS, SEED

Predict = Callable[[np.ndarray, int | None], np.ndarray]
# Calls that do not count; at least and at most so many that do, and for about how many seconds.
WARM, LEAST, MOST, SECONDS = 1_000, 100, 20_000, 2.0
BATCHES = tuple(4**power for power in range(4, 10))  # 256 … 262,144
CHECKED = 5  # rows whose outputs are shown, so that all are seen to compute the same


def seconds_of(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def one_row(predict: Predict, x: np.ndarray) -> dict[str, Any]:
    """Seconds of one call: the median and the 99th percentile."""
    row = x[:1]

    def calls(least: int, most: int, seconds: float) -> list[float]:
        stop, measured = time.perf_counter() + seconds, []
        while len(measured) < least or (len(measured) < most and time.perf_counter() < stop):
            measured.append(seconds_of(lambda: predict(row, None)))
        return measured

    calls(1, WARM, SECONDS / 4)
    measured = calls(LEAST, MOST, SECONDS)
    median, high = np.percentile(measured, [50, 99])
    return {"median": median, "percentile_99": high, "calls": len(measured)}


def many_rows(predict: Predict, x: np.ndarray, times: int = 3) -> dict[str, Any]:
    part = x[: max(len(x) // 10, 1)]
    tried = {batch: min(seconds_of(lambda b=batch: predict(part, b)) for _ in range(2)) for batch in BATCHES}
    batch = min(tried, key=tried.__getitem__)
    seconds = min(seconds_of(lambda: predict(x, batch)) for _ in range(times))
    return {"rows_a_second": len(x) / seconds, "rows": len(x), "batch": batch}


MEASURES = {"one": one_row, "many": many_rows}


def measure(name: str, rung_name: str, what: str, rows: int, threads: int) -> dict[str, Any]:
    module = importlib.import_module(f"peer_{name}")
    rung = RUNGS[rung_name]
    x = np.random.default_rng(SEED).standard_normal((rows, rung.sizes[0]), dtype=np.float32)
    predict = module.predictor(rung, threads)
    outputs = np.asarray(predict(x[:CHECKED], None)).reshape(CHECKED, -1)
    return MEASURES[what](predict, x) | {"outputs": outputs.tolist(), "versions": versions(module)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name")
    parser.add_argument("rung_name", choices=RUNGS)
    parser.add_argument("what", choices=MEASURES)
    parser.add_argument("rows", type=int)
    parser.add_argument("threads", type=int)
    json.dump(measure(**vars(parser.parse_args())), sys.stdout)


if __name__ == "__main__":
    main()
