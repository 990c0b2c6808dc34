"""Keras on TensorFlow as `compile` and `fit` come, without what `peer_keras_tensorflow` sets for speed."""

from __future__ import annotations

from typing import Any

from peer import Mark
from peer_keras_tensorflow import PACKAGES as PACKAGES
from peer_keras_tensorflow import keras, keras_style
from rungs import Rung, Table


def train(rung: Rung, table: Table, epochs: int, mark: Mark) -> Any:
    return keras_style.train(keras, rung, table, epochs, mark)
