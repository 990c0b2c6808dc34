"""Short programs for the machine, written by hand, and what runs them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lamina import _core

SIZES = (1, 2, 15, 16, 17, 31, 33, 255, 257, 1025)


def run(
    text: str,
    data: Mapping[str, np.ndarray],
    *,
    rows: int = 1,
    batch: int | None = None,
    order: np.ndarray | None = None,
    start: int = 0,
    stop: int | None = None,
    step: int = 0,
    threads: int = 1,
    isa: str | None = None,
) -> dict[str, np.ndarray]:
    """Run a program on arrays by name; states are changed in place, outputs come back flat."""
    program = _core.Program(text)
    stop = (rows if order is None else len(order)) if stop is None else stop
    outputs = {
        name: np.full(per_row * (stop - start) or fixed, np.nan, program.dtype)
        for name, (per_row, fixed) in program.outputs.items()
    }
    workspace = _core.Workspace(program, batch or max(rows, 1), threads, isa)
    inputs = {name: data[name] for name in program.inputs}
    states = {name: data[name] for name in program.states}
    workspace.run(inputs, states, outputs, order, rows, start, stop, step)
    return outputs


def map_program(
    dtype: str, m: int, n: int, inputs: list[tuple[str, int]], code: str, outputs: list[tuple[str, int]]
) -> str:
    """One map over states a, b, c … into outputs x, y …: (kind, count) of each; registers of outputs are the last."""
    registers = len(inputs) + len([op for op in code.split(";") if op])
    lines = [f"lamina 1 {dtype}"]
    lines += [f"value {i} state {'abcdef'[i]} 0 {count}" for i, (_, count) in enumerate(inputs)]
    lines += [f"value {10 + i} output {'xyzuvw'[i]} 0 {count}" for i, (_, count) in enumerate(outputs)]
    read = ",".join(f"{i}:{kind}" for i, (kind, _) in enumerate(inputs))
    write = ",".join(f"{10 + i}:{kind}:{registers - 1}" for i, (kind, _) in enumerate(outputs))
    return "\n".join([*lines, "phase one", f"map m={m} n={n} in={read} code={code} out={write}", ""])


def ulps(found: np.ndarray, exact: np.ndarray) -> float:
    """The largest distance from the exact numbers, in units of the found numbers' last place."""
    tiny = np.finfo(found.dtype).tiny
    exact = np.where(np.abs(exact) < tiny, 0, exact)  # the machine flushes subnormal results
    with np.errstate(over="ignore"):
        rounded = exact.astype(found.dtype)
    same = (found == rounded) | (np.isnan(found) & np.isnan(rounded))
    spacing = np.spacing(np.maximum(np.abs(np.where(same, 1, rounded)), tiny)).astype(exact.dtype)
    with np.errstate(invalid="ignore"):
        distance = np.abs(found.astype(exact.dtype) - exact) / spacing
    return float(np.max(np.where(same, 0, np.nan_to_num(distance, nan=np.inf)), initial=0))
