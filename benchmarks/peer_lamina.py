"""Lamina."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import keras_style
import lamina
from peer import Mark
from rungs import Rung, Table

PACKAGES = ("lamina", "numpy")


def train(
    rung: Rung, table: Table, epochs: int, mark: Mark, threads: int | None = None, dtype: str = "float32"
) -> Any:  # fmt: skip
    lamina.config.set_floatx(dtype)
    return keras_style.train(lamina, rung, table, epochs, mark, threads=threads)


def predictor(rung: Rung, threads: int) -> Callable[[np.ndarray, int | None], np.ndarray]:
    return keras_style.predictor(lamina, rung, threads=threads)
