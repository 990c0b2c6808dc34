"""The part that times prediction: one row on small, and very many on every rung against ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np

from rounds import LAMINA, Report, Setting, alternate, spread

ONE_ROW = (LAMINA, "onnxruntime", "sklearn", "keras_tensorflow")
MANY_ROWS = (LAMINA, "onnxruntime")
ROWS = {"large": 200_000}  # 0.6 GB of inputs; a million for the other rungs
MILLION = 1_000_000
THREADS = 2


def prediction(setting: Setting) -> dict[str, Any]:
    many = {name: raced(setting, MANY_ROWS, name, "many", ROWS.get(name, MILLION)) for name in setting.rungs}
    return {"one_row": one_row(raced(setting, ONE_ROW, "small", "one", 10))} | many_rows(many)


def raced(setting: Setting, peers: tuple[str, ...], rung: str, what: str, rows: int) -> dict[str, list[Report]]:
    words = (rung, what, str(rows), str(THREADS))
    reports = alternate(
        {peer: [setting.python_of(peer), "predict.py", peer, *words] for peer in peers}, setting.rounds
    )
    agree(rung, reports)
    return reports


def agree(rung: str, reports: dict[str, list[Report]]) -> None:
    """All compute the same network."""
    for peer, of_peer in reports.items():
        if not np.allclose(of_peer[0]["outputs"], reports[LAMINA][0]["outputs"], rtol=1e-3, atol=1e-3):
            raise ValueError(f"{peer} predicts other numbers than Lamina on {rung}")


def one_row(reports: dict[str, list[Report]]) -> dict[str, Any]:
    """Seconds a call; of each peer the round with the least median."""
    seen = {}
    for peer, of_peer in reports.items():
        best = min(of_peer, key=lambda report: report["median"])
        medians = spread([report["median"] for report in of_peer])
        seen[peer] = {key: best[key] for key in ("median", "percentile_99", "calls", "versions")} | {"spread": medians}
        median, high = 1e6 * best["median"], 1e6 * best["percentile_99"]
        print(f"one row, small   {peer:17} median {median:9.1f} µs, 99th percentile {high:9.1f} µs", flush=True)
    return seen


def many_rows(reports: dict[str, dict[str, list[Report]]]) -> dict[str, Any]:
    """Rows a second; `ratio` is Lamina's to ONNX Runtime's."""
    return {name: many_rows_of(name, of_rung) for name, of_rung in reports.items()}


def many_rows_of(name: str, reports: dict[str, list[Report]]) -> dict[str, Any]:
    best = {peer: max(of_peer, key=lambda report: report["rows_a_second"]) for peer, of_peer in reports.items()}
    speed = {peer: report["rows_a_second"] for peer, report in best.items()}
    for peer, report in best.items():
        millions = speed[peer] / 1e6
        print(f"many rows, {name:6} {peer:17} {millions:8.2f} million a second, batch {report['batch']}", flush=True)
    return {
        "rows": best[LAMINA]["rows"],
        "rows_a_second": speed,
        "batch": {peer: report["batch"] for peer, report in best.items()},
        "ratio": speed[LAMINA] / speed["onnxruntime"],
    }
