"""Keras on JAX, many steps in each call; more than these gained nothing and compiled for longer."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "jax"

from typing import Any

import keras

import keras_style
from peer import Mark
from rungs import Rung, Table

PACKAGES = ("keras", "jax", "numpy")


def train(rung: Rung, table: Table, epochs: int, mark: Mark) -> Any:
    return keras_style.train(keras, rung, table, epochs, mark, jit_compile=True, steps_per_execution=128)
