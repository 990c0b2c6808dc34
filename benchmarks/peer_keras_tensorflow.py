"""Keras on TensorFlow, many steps in each call; XLA was measured slower on these rungs, so it is off."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np

import keras_style
from peer import Mark
from rungs import Rung

PACKAGES = ("keras", "tensorflow-cpu", "numpy")


def train(rung: Rung, x: np.ndarray, y: np.ndarray, epochs: int, mark: Mark) -> None:
    keras_style.train(keras, rung, x, y, epochs, mark, jit_compile=False, steps_per_execution=256)
