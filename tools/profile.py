"""Where a training step's time goes, instruction by instruction, as the machine itself measures it: `make profile`.

Each line is an instruction of the plan with its microseconds a step (of all threads together) and its share.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import keras_style
from rungs import RUNGS, Rung, table

import lamina
import lamina._core as _core


def trained(rung: Rung, x: np.ndarray, y: np.ndarray, dtype: str) -> Any:
    """The rung's model after one step, so that its step is compiled."""
    lamina.config.set_floatx(dtype)
    kept = SimpleNamespace()
    watch = lamina.callbacks.LambdaCallback()
    watch.on_train_begin = lambda logs=None: setattr(kept, "model", watch.model)  # type: ignore[method-assign]
    api = SimpleNamespace(**{name: getattr(lamina, name) for name in lamina.__dict__})
    api.callbacks = SimpleNamespace(LambdaCallback=lambda **_: watch)
    keras_style.train(api, rung, x[: rung.batch], y[: rung.batch], 1, lambda loss: None)
    return kept.model


def profile(model: Any, rows: Any, batch: int, threads: int, isa: str | None) -> tuple[str, dict[int, float], int]:
    """The plan, seconds by line and the number of steps of one epoch that nobody else watches."""
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
    parser.add_argument("rung", choices=RUNGS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--isa", help="portable, avx2 or avx512; the best by default")
    parser.add_argument("--dtype", default="float32")
    given = parser.parse_args()
    rung = RUNGS[given.rung]
    x, y = table(rung)
    model = trained(rung, x, y, given.dtype)
    rows = model._rows(x, y.astype(given.dtype)[:, None] if rung.binary else y)
    text, seconds, steps = profile(model, rows, rung.batch, given.threads, given.isa)
    passed = seconds.pop(0)
    for line, spent in seconds.items():
        words = text.splitlines()[line - 1]
        print(f"{1e6 * spent / steps:9.2f} µs {spent / passed:5.1%}  {words[:130]}")
    print(f"{1e6 * sum(seconds.values()) / steps:9.2f} µs of work in {1e6 * passed / steps:.2f} µs a step")


if __name__ == "__main__":
    main()
