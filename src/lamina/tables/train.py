"""From a table to a trained network: the whole of ``lamina train`` but its words."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lamina import callbacks, random
from lamina.saving import save_model
from lamina.tables.network import Network, build_network
from lamina.tables.prepare import Training

Progress = Callable[[int, Mapping[str, float]], None]


@dataclass(frozen=True)
class Settings:
    """How to train: Keras's Adam, stopped when the validation loss has not fallen for ``patience`` epochs."""

    hidden: tuple[int, ...] = (64, 32)
    activation: str = "relu"
    epochs: int = 500
    batch_size: int | None = None
    learning_rate: float = 1e-3
    patience: int = 20
    seed: int = 0
    threads: int | None = None

    def rows_a_step(self, rows: int) -> int:
        """The batch size: as asked for, or a power of 2 for between ten and a thousand steps an epoch."""
        return self.batch_size or int(np.clip(_power(rows / 10), 4, max(32, _power(rows / 1000))))


def _power(limit: float) -> int:
    """The largest power of 2 that is not above a limit, 1 at least."""
    return 1 << max(0, int(limit).bit_length() - 1)


@dataclass(frozen=True)
class Trained:
    """A trained network.

    Attributes:
        network: with the weights of the best epoch.
        epochs: how many epochs it was trained.
        best: the epoch, counted from 1, whose weights it has.
    """

    network: Network
    epochs: int
    best: int


def train_network(training: Training, settings: Settings, progress: Progress) -> Trained:
    """Build and train a network.

    Args:
        training: from ``prepare_training``.
        settings: how to train.
        progress: called after each epoch with its number, counted from 1, and what to show: the loss and the
            accuracy, or for a regression the root mean squared error in the target's units; ``val_…`` likewise.

    Raises:
        NonFiniteError: the loss became infinite or nan.
    """
    random.set_random_seed(settings.seed)
    x, y = training.x, training.y
    rows, held = training.split.train, training.split.validation
    network = build_network(training.schema, x[rows], y[rows], settings.hidden, settings.activation)
    network.compile(training.schema, settings.learning_rate, settings.threads)
    targets = network.standard(y)
    stopping = callbacks.EarlyStopping(patience=settings.patience, restore_best_weights=True)
    report = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: progress(epoch + 1, network.shown(logs)))
    history = network.trained.fit(
        x[rows], targets[rows], batch_size=settings.rows_a_step(len(rows)), epochs=settings.epochs, verbose=0,
        validation_data=(x[held], targets[held]) if len(held) else None,
        callbacks=[report, stopping] if len(held) else [report],
    )  # fmt: skip
    losses = history.history.get("val_loss")
    epochs = len(history.epoch)
    return Trained(network, epochs, int(np.argmin(losses)) + 1 if losses else epochs)


def answers(model: Any, x: np.ndarray) -> np.ndarray:
    """What a model says: (rows, outputs)."""
    return np.asarray(model.predict(x, batch_size=1024, verbose=0))


def save_trained(path: str, trained: Trained, training: Training, settings: Settings, table: str) -> None:
    """Write the model with its schema, and with what one needs to train it again."""
    parts = dict(zip(training.split._fields, map(len, training.split), strict=True))
    extra = {
        "schema": training.schema.to_json(),
        "training": {
            "table_sha256": _hash(table), "rows": parts, "left_out": [name for name, _ in training.left_out],
            "epochs": trained.epochs, "best_epoch": trained.best, "seed": settings.seed, "patience": settings.patience,
            "learning_rate": settings.learning_rate, "batch_size": settings.rows_a_step(parts["train"]),
        },
    }  # fmt: skip
    model = trained.network.model
    if model is not trained.network.trained:  # its optimizer has not run: Keras expects its zeros in the file
        model.optimizer.build(model.trainable_weights)
    save_model(model, path, extra=extra)


def _hash(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
