"""Writes the example tables from scikit-learn's data sets: `python tools/export_examples.py examples`."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

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


if __name__ == "__main__":
    target_folder = Path(sys.argv[1])
    breast_cancer(target_folder)
    diabetes(target_folder)
