"""BackupAndRestore: a training that was killed goes on where it was, when the same script runs again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

from lamina.callbacks.base import Callback, Logs
from lamina.errors import ModelFileError
from lamina.saving.archive import replacing

WEIGHTS, NEXT, NOTES, EARLIER = "latest.weights.h5", "next.weights.h5", "training_metadata.json", ".bkp"


class BackupAndRestore(Callback):
    """Keep the state of training in a folder, and begin with what is there.

    At any instant the folder holds one whole state: weights, optimizer, number of the epoch, and the order of the rows
    to come, so that training goes on with the same numbers. A state within an epoch begins that epoch again.

    Args:
        backup_dir: the folder, of this training alone.
        save_freq: ``"epoch"``, or after so many batches.
        double_checkpoint: whether the state before is kept as well, for the case that a file gets damaged.
        delete_checkpoint: whether the state is deleted when training has ended.

    Raises:
        ValueError: no folder, or a ``save_freq`` that is neither.

    Source: Keras's class of the same name; the names of the files are Keras's.
    """

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ):
        super().__init__()
        if not backup_dir:
            raise ValueError("Empty `backup_dir` argument passed")
        if save_freq != "epoch" and (not isinstance(save_freq, int) or save_freq is True):
            raise ValueError(
                f"Invalid value for argument `save_freq`. Received: save_freq={save_freq}. Expected either 'epoch' or "
                "an integer value."
            )
        self.backup_dir = Path(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._epoch = 0
        self._unsaved = 0
        self._last_batch = -1

    def wants_batches(self, kind: str) -> bool:
        """Only when it saves after a number of batches."""
        return kind == "train" and self.save_freq not in ("epoch", False)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        if not self.model.built:
            raise ValueError(
                "To use the BackupAndRestore callback, your model must be built before you call `fit()`: give it an "
                "Input, or call it on a batch of data."
            )
        try:
            self._restore("")
        except (ModelFileError, OSError, ValueError, KeyError):
            if not self._path(WEIGHTS + EARLIER).exists():
                raise
            self._restore(EARLIER)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._epoch, self._last_batch = epoch, -1

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._unsaved += batch - self._last_batch
        self._last_batch = batch
        if self.save_freq and isinstance(self.save_freq, int) and self._unsaved >= self.save_freq:
            self._save(self._epoch, batch)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch + 1, 0)

    def on_train_end(self, logs: Logs | None = None) -> None:
        if not self.delete_checkpoint:
            return
        for name in (WEIGHTS, NEXT, NOTES, WEIGHTS + EARLIER, NOTES + EARLIER):
            self._path(name).unlink(missing_ok=True)
        if self.backup_dir.is_dir() and not any(self.backup_dir.iterdir()):
            self.backup_dir.rmdir()

    def _path(self, name: str) -> Path:
        return self.backup_dir / name

    def _save(self, epoch: int, batch: int) -> None:
        """Weights, then notes with their digest, then the weights in place: after each there is a whole state."""
        self._unsaved = 0
        self.backup_dir.mkdir(parents=True, exist_ok=True)
        if self.double_checkpoint and self._path(NOTES).exists():
            for name in (WEIGHTS, NOTES):
                shutil.copyfile(self._path(name), self._path(name + EARLIER))
        self.model.save_weights(self._path(NEXT), overwrite=True)
        order = self.model._order_generator.bit_generator.state
        notes = {"epoch": epoch, "batch": batch, "digest": _digest(self._path(NEXT)), "order": order}
        with replacing(self._path(NOTES)) as file:
            file.write(json.dumps(notes).encode())
        self._path(NEXT).replace(self._path(WEIGHTS))

    def _restore(self, ending: str) -> None:
        if not self._path(NOTES + ending).exists():
            return
        notes = json.loads(self._path(NOTES + ending).read_text(encoding="utf-8"))
        weights = self._whole(notes, ending)
        if weights == self._path(NEXT):  # a save that was interrupted ends now, before the next one writes there
            weights = weights.replace(self._path(WEIGHTS + ending))
        self.model.load_weights(weights)
        self.model._initial_epoch = notes["epoch"]
        if "order" in notes:
            self.model._order_generator.bit_generator.state = notes["order"]

    def _whole(self, notes: dict[str, Any], ending: str) -> Path:
        """The file of weights that the notes are about; Keras's notes know only one."""
        places = [self._path(WEIGHTS + ending), self._path(NEXT)]
        if "digest" not in notes:
            return places[0]
        for path in places:
            if path.exists() and _digest(path) == notes["digest"]:
                return path
        raise ModelFileError(
            f"{places[0]} is not the file that {NOTES + ending} is about: it was changed or damaged. Delete the folder "
            "to train from the beginning"
        )


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
