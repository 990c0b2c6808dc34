"""Tables made up for the commands' tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def flowers(path: Path, rows: int = 90, seed: int = 5, spread: float = 0.5) -> Path:
    """Three kinds of flowers with a name that needs quotes, a text column and columns in centimetres."""
    random = np.random.default_rng(seed)
    kinds = ["rosé", 'tulip "red"', "iris, blue"]
    lines = ["petal (cm),garden,sepal (cm),kind"]
    for i in range(rows):
        petal, sepal = random.normal(2 + 3 * (i % 3), spread), random.normal(5 - i % 3, spread)
        quoted = '"' + kinds[i % 3].replace('"', '""') + '"'
        lines.append(f"{petal:.3f},north,{sepal:.3f},{quoted}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def houses(path: Path, rows: int = 120, seed: int = 6) -> Path:
    """Prices in a currency of large numbers."""
    random = np.random.default_rng(seed)
    size, age = random.uniform(40, 200, rows), random.uniform(0, 90, rows)
    price = 250_000 + 4_000 * size - 900 * age + random.normal(0, 20_000, rows)
    lines = ["size;age;price", *(f"{s:.1f};{a:.0f};{p:.2f}" for s, a, p in zip(size, age, price, strict=True))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
