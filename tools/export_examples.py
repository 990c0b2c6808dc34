"""Writes the example tables, two from scikit-learn's data sets: `python tools/export_examples.py examples`."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes


def number(value: float) -> str:
    """The shortest text that reads back as the same float64, without a useless `.0`."""
    return repr(float(value)).removesuffix(".0")


def write(path: Path, header: list[str], rows: list[list[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def breast_cancer(folder: Path) -> None:
    data: Any = load_breast_cancer()
    header = [name.replace(" ", "_") for name in data.feature_names] + ["diagnosis"]
    labels = [str(data.target_names[label]) for label in data.target]
    rows = [[*map(number, row), label] for row, label in zip(data.data, labels, strict=True)]
    write(folder / "breast_cancer.csv", header, rows)


def diabetes(folder: Path) -> None:
    data: Any = load_diabetes(scaled=False)
    header = [*data.feature_names, "progression"]
    rows = [[*map(number, row), number(target)] for row, target in zip(data.data, data.target, strict=True)]
    write(folder / "diabetes.csv", header, rows)


DISTRICTS = {"Harbour": 2.0, "Hill": 1.5, "Mill": 0.5, "North": -0.5, "Old Town": 2.5, "Station": -1.0}  # euro a m²
HEATINGS = {"district": 1.9, "gas": 1.6, "heat pump": 1.1, "oil": 2.3}  # euro a m²


def apartments(folder: Path) -> None:
    """600 apartments that nobody rents: drawn from the formulas below."""
    rng = np.random.default_rng(5)
    header = ["district", "heating", "area", "rooms", "floor", "built", "rent", "costs", "taken"]
    rows = []
    for _ in range(600):
        district, heating = (str(rng.choice(list(names))) for names in (DISTRICTS, HEATINGS))
        area, floor, built = round(rng.gamma(9, 8) + 18), int(rng.integers(0, 7)), int(rng.integers(1890, 2024))
        rooms = max(1, round(area / 28 + rng.normal(0, 0.5)))
        fair = area * (9 + DISTRICTS[district] + 0.015 * (built - 1950)) + 15 * floor
        rent = round(fair * rng.normal(1, 0.12))
        costs = round(area * HEATINGS[heating] * (1.3 if built < 1960 else 1.0) + 20 * rooms + rng.normal(0, 8))
        bargain = 14 * (1 - rent / fair) + (heating == "heat pump") + (district == "Old Town") * (floor > 2)
        taken = "yes" if rng.random() < 1 / (1 + np.exp(-bargain)) else "no"
        rows.append([district, heating, *map(str, (area, rooms, floor, built, rent, costs)), taken])
    write(folder / "apartments.csv", header, rows)


if __name__ == "__main__":
    target_folder = Path(sys.argv[1])
    breast_cancer(target_folder)
    diabetes(target_folder)
    apartments(target_folder)
