"""Callbacks that write files."""

from __future__ import annotations

import csv
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from lamina.callbacks.base import Callback, Logs
from lamina.callbacks.monitor import MonitorCallback, say


class CSVLogger(Callback):
    """One line of a CSV file for each epoch.

    Args:
        filename: the file.
        separator: between the fields.
        append: whether lines are added to a file that is there.

    Source: Keras's class of the same name.
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False):
        super().__init__()
        self.filename = os.fspath(filename)
        self.separator = separator
        self.append = append
        self.keys: list[str] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.keys = None
        self._header = not (self.append and Path(self.filename).is_file() and Path(self.filename).stat().st_size)
        if not self.append:
            Path(self.filename).write_text("", encoding="utf-8")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        if self.keys is None:
            self.keys = sorted(logs)
            if not any(key.startswith("val_") for key in self.keys):
                self.keys += [f"val_{key}" for key in self.keys]
        with open(self.filename, "a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter=self.separator)
            if self._header:
                writer.writerow(["epoch", *self.keys])
                self._header = False
            writer.writerow([epoch, *(_field(logs.get(key, "NA")) for key in self.keys)])


def _field(value: Any) -> Any:
    several = isinstance(value, np.ndarray) and value.ndim > 0
    return f'"[{", ".join(map(str, value))}]"' if several else value


class ModelCheckpoint(MonitorCallback):
    """Save the model (or its weights) as it trains.

    Args:
        filepath: ends in ``.keras``, or ``.weights.h5`` for weights alone; ``{epoch}``, ``{batch}`` and names in
            logs are filled in.
        monitor, mode: see ``MonitorCallback``.
        verbose: 1 says so.
        save_best_only: whether only improvements are saved.
        save_weights_only: whether only weights are.
        save_freq: ``"epoch"``, or after so many batches.
        initial_value_threshold: the first number to beat.

    Source: Keras's class of the same name.
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ):
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self._epoch = 0
        self._unsaved = 0
        self._last_batch = -1
        if save_freq != "epoch" and (isinstance(save_freq, bool) or not isinstance(save_freq, int)):
            raise ValueError(f"Unrecognized save_freq: {save_freq}. Expected save_freq are 'epoch' or integer values")
        ending = ".weights.h5" if save_weights_only else ".keras"
        if not self.filepath.endswith(ending):
            what = "weights" if save_weights_only else "models"
            raise ValueError(
                f"The filepath provided must end in `{ending}` for {what}. Received: filepath={self.filepath}"
            )

    def wants_batches(self, kind: str) -> bool:
        """Only when it saves after a number of batches."""
        return kind == "train" and self.save_freq != "epoch"

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if not isinstance(self.save_freq, int):
            return
        self._unsaved += batch - self._last_batch if batch > self._last_batch else batch + 1
        self._last_batch = batch
        if self._unsaved >= self.save_freq:
            self._unsaved = 0
            self._save(self._epoch, batch, logs or {})

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.save_best_only:
            super().on_epoch_end(epoch, logs)
        if self.save_freq == "epoch":
            self._save(epoch, None, logs or {})

    def _save(self, epoch: int, batch: int | None, logs: Logs) -> None:
        path = self._path(epoch, batch, logs)
        if not self._should(epoch, logs, path):
            return
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        (self.model.save_weights if self.save_weights_only else self.model.save)(path, overwrite=True)
        self._say(epoch, f"finished saving model to {path}")

    def _path(self, epoch: int, batch: int | None, logs: Logs) -> str:
        numbers = {"epoch": epoch + 1} | ({} if batch is None else {"batch": batch + 1}) | logs
        try:
            return self.filepath.format(**numbers)
        except KeyError as error:
            raise KeyError(f'Failed to format this callback filepath: "{self.filepath}". Reason: {error}') from None

    def _should(self, epoch: int, logs: Logs, path: str) -> bool:
        if not self.save_best_only:
            self._say(epoch, f"saving model to {path}")
            return True
        current = logs.get(self.monitor)
        if current is None:
            warnings.warn(f"Can save best model only with {self.monitor} available.", stacklevel=5)
            return True
        if self._upward is None:
            self._upward = self._goes_up()
        best = "None" if self.best is None else f"{self.best:.5f}"
        if not self._improved(current, self.best):
            self._say(epoch, f"{self.monitor} did not improve from {best}")
            return False
        self._say(epoch, f"{self.monitor} improved from {best} to {current:.5f}, saving model to {path}")
        self.best = current
        return True

    def _say(self, epoch: int, what: str) -> None:
        if self.verbose > 0:
            say(f"\nEpoch {epoch + 1}: {what}")
