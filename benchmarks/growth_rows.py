"""How time and memory of `fit` grow with rows, on the small rung.

  growth_rows.py write FOLDER ROWS           writes inputs and targets as plain float32, a part of them at a time
  growth_rows.py fit FOLDER ROWS KIND        trains on the first rows, read into an array or mapped; a line of JSON
"""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import keras_style
import lamina
from rungs import RUNGS, Rows, Table, table

SMALL = RUNGS["small"]
PART = 100_000
STEADY_ROWS = 400_000  # so few rows are trained on for so many epochs that a figure does not hang on one short one


def write(folder: Path, rows: int) -> None:
    """The same rows again and again: how long they take does not depend on what they are."""
    (x,), y, _ = table(replace(SMALL, rows=PART)).train
    for name, array in (("x", x), ("y", y)):
        with open(folder / name, "wb") as file:
            for begin in range(0, rows, PART):
                array[: rows - begin].tofile(file)


def read(folder: Path, rows: int, kind: str) -> Table:
    shapes = {"x": (rows, SMALL.sizes[0]), "y": (rows, 1)}
    if kind == "mapped":
        mapped = [np.memmap(folder / name, np.float32, "r", shape=shape) for name, shape in shapes.items()]
        return Table(Rows((mapped[0],), mapped[1], None), None)
    x, y = (np.fromfile(folder / name, np.float32, np.prod(shape)).reshape(shape) for name, shape in shapes.items())
    return Table(Rows((x,), y, None), None)


def peak() -> int:
    """Bytes of memory that this process has had at most."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def fit(folder: Path, rows: int, kind: str) -> dict[str, Any]:
    data = read(folder, rows, kind)
    moments, before = [time.perf_counter()], peak()
    epochs = 1 + max(1, min(20, STEADY_ROWS // rows))
    rung = replace(SMALL, rows=rows)
    model = keras_style.train(lamina, rung, data, epochs, lambda logs: moments.append(time.perf_counter()))
    seconds = float(np.median(np.diff(moments)[1:]))
    return {
        "seconds_a_row": seconds / rows,
        "peak_above": peak() - before,
        "parameter_bytes": sum(array.nbytes for array in model.get_weights()),
    }


def main(what: str, folder: str, rows: str, *kind: str) -> None:
    result = {"write": write, "fit": fit}[what](Path(folder), int(rows), *kind)
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
