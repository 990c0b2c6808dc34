"""Keras on JAX, many steps in each call; more than these gained nothing and compiled for longer."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np

import keras_style
from peer import Mark
from rungs import Rung

PACKAGES = ("keras", "jax", "numpy")


def train(rung: Rung, x: np.ndarray, y: np.ndarray, epochs: int, mark: Mark) -> None:
    keras_style.train(keras, rung, x, y, epochs, mark, jit_compile=True, steps_per_execution=128)
