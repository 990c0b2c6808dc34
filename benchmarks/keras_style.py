"""One network in Keras's words: what Lamina and Keras on each of its backends are given is the same code."""

from __future__ import annotations

from typing import Any

import numpy as np

from peer import Mark
from rungs import LEARNING_RATE, Rung


def train(
    api: Any, rung: Rung, x: np.ndarray, y: np.ndarray, epochs: int, mark: Mark, **compile_options: Any
) -> None:
    """Fits for `epochs` epochs with `api`, the module keras or lamina, calling `mark(loss)` as each ends."""
    *hidden, outputs = rung.sizes[1:]
    model = api.Sequential(
        [
            api.Input(shape=(rung.sizes[0],)),
            *(api.layers.Dense(units, activation="relu") for units in hidden),
            api.layers.Dense(outputs),
        ]
    )
    losses = api.losses
    loss = losses.BinaryCrossentropy if rung.binary else losses.SparseCategoricalCrossentropy
    model.compile(api.optimizers.Adam(LEARNING_RATE), loss=loss(from_logits=True), **compile_options)
    each = api.callbacks.LambdaCallback(on_epoch_end=lambda _, logs: mark(logs["loss"]))
    target = y.astype(np.float32)[:, None] if rung.binary else y
    model.fit(x, target, batch_size=rung.batch, epochs=epochs, shuffle=True, verbose=0, callbacks=[each])
