"""Where a training step's time goes, instruction by instruction, as the machine itself measures it: `make profile`.

Each line is an instruction of the plan with its microseconds a step (of all threads together) and its share.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import keras_style
import lamina
import lamina._core as _core
from rungs import ALL, table


def profile(model: Any, data: Any, batch: int, threads: int, isa: str | None) -> tuple[str, dict[int, float], int]:
    """The plan, seconds by line and the number of steps of one epoch that nobody else watches."""
    rows = model._rows(keras_style.inputs(data), data.y, data.weight)
    step = model._step("train", rows)
    text = str(step.executable.program)
    workspace = _core.Workspace(_core.Program(text), batch, threads, isa, profile=True)
    order = np.random.default_rng(0).permutation(rows.count)
    call = workspace.bind(rows.arrays, step.state(), {}, order, rows.count)
    warm = min(rows.count, 8 * batch)
    call(0, warm, 0)
    before = workspace.seconds
    steps = call(0, rows.count, warm // batch)
    return text, {line: seconds - before[line] for line, seconds in workspace.seconds.items()}, steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rung", choices=ALL)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--isa", help="portable, avx2 or avx512; the best by default")
    parser.add_argument("--dtype", default="float32")
    given = parser.parse_args()
    rung = ALL[given.rung]
    lamina.config.set_floatx(given.dtype)
    whole = table(rung)
    model = keras_style.train(lamina, rung, whole, 1, lambda logs: None)
    text, seconds, steps = profile(model, whole.train, rung.batch, given.threads, given.isa)
    passed = seconds.pop(0)
    for line, spent in seconds.items():
        words = text.splitlines()[line - 1]
        print(f"{1e6 * spent / steps:9.2f} µs {spent / passed:5.1%}  {words[:130]}")
    print(f"{1e6 * sum(seconds.values()) / steps:9.2f} µs of work in {1e6 * passed / steps:.2f} µs a step")


if __name__ == "__main__":
    main()
