"""Keras on TensorFlow, many steps in each call; XLA was measured slower on these rungs, so it is off."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

import keras_style
from peer import Mark
from rungs import Rung, Table

PACKAGES = ("keras", "tensorflow-cpu", "numpy")


def train(rung: Rung, table: Table, epochs: int, mark: Mark) -> Any:
    return keras_style.train(keras, rung, table, epochs, mark, jit_compile=False, steps_per_execution=256)


def predictor(rung: Rung, threads: int) -> Callable[[np.ndarray, int | None], np.ndarray]:
    return keras_style.predictor(keras, rung, jit_compile=False)
