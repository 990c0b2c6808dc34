"""Lamina."""

from __future__ import annotations

import numpy as np

import keras_style
import lamina
from peer import Mark
from rungs import Rung

PACKAGES = ("lamina", "numpy")


def train(rung: Rung, x: np.ndarray, y: np.ndarray, epochs: int, mark: Mark) -> None:
    keras_style.train(lamina, rung, x, y, epochs, mark)
