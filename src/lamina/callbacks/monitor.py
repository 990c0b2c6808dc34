"""Callbacks that watch one number of the logs."""

from __future__ import annotations

import warnings

import numpy as np

from lamina.callbacks.base import Callback, Logs


def say(message: str) -> None:
    """Print a message that the user asked for with ``verbose``."""
    print(message, flush=True)  # noqa: T201 - this is what verbose=1 is for


class MonitorCallback(Callback):
    """Base: whether a number got better.

    Args:
        monitor: its name in logs.
        mode: ``"min"``, ``"max"`` or ``"auto"``: by the metric of this name.
        baseline: the first number to beat.
        min_delta: a smaller change is no improvement.
    """

    def __init__(
        self, monitor: str = "val_loss", mode: str = "auto", baseline: float | None = None, min_delta: float = 0
    ):
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warnings.warn(f"{type(self).__name__} mode '{mode}' is unknown, fallback to auto mode.", stacklevel=3)
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = baseline
        self.min_delta = abs(min_delta)
        self._upward: bool | None = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self._upward is None:
            self._upward = self._goes_up()

    def _goes_up(self) -> bool:
        name = self.monitor.removeprefix("val_")
        if self.mode != "auto" or name == "loss":
            return self.mode == "max"
        directions = [m._direction for m in self.model._named_metrics().values() if m.name == name and m._direction]
        if not directions:
            raise ValueError(
                f"{type(self).__name__} callback received monitor={self.monitor}, but Lamina isn't able to "
                "automatically determine whether that metric should be maximized or minimized. Pass "
                "`mode='max'` in order to monitor based on the highest metric value, or pass `mode='min'` in order to "
                "use the lowest value."
            )
        return str(directions[-1]) == "up"

    def _improved(self, value: float, reference: float | None) -> bool:
        if reference is None:
            return True
        return value - self.min_delta > reference if self._upward else value + self.min_delta < reference


class EarlyStopping(MonitorCallback):
    """Stop when a number no longer gets better.

    Args:
        monitor, mode, min_delta: see ``MonitorCallback``.
        patience: how many epochs without improvement are borne.
        verbose: 1 says so.
        baseline: improvement only counts beyond it.
        restore_best_weights: whether the model gets the weights of its best epoch at the end, however it ends.
        start_from_epoch: epochs before this one are not looked at.

    Source: Keras's class of the same name.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ):
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._begin()

    def _begin(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_epoch = 0
        self.best_weights: list[np.ndarray] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._begin()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        super().on_epoch_end(epoch, logs)
        current = self._current(logs or {})
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self._keep(epoch)
        self.wait += 1
        if self._improved(current, self.best):
            self.best = current
            self._keep(epoch)
            if self.baseline is None or self._improved(current, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _current(self, logs: Logs) -> float | None:
        if self.monitor not in logs:
            warnings.warn(
                f"Early stopping conditioned on metric `{self.monitor}` which is not available. "
                f"Available metrics are: {','.join(logs)}",
                stacklevel=5,
            )
        return logs.get(self.monitor)

    def _keep(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.stopped_epoch > 0 and self.verbose > 0:
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is None:
            return
        if self.verbose > 0:
            say(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
        self.model.set_weights(self.best_weights)


class ReduceLROnPlateau(MonitorCallback):
    """Multiply the learning rate by a factor when a number no longer gets better.

    Args:
        monitor, mode, min_delta: see ``MonitorCallback``.
        factor: below 1.
        patience: how many epochs without improvement are borne.
        verbose: 1 says so.
        cooldown: epochs after a reduction in which none is counted.
        min_lr: the least learning rate.

    Source: Keras's class of the same name.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ):
        super().__init__(monitor, mode, min_delta=min_delta)
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau does not support a factor >= 1.0. Received factor={factor}")
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._begin()

    def _begin(self) -> None:
        self.best = None
        self.cooldown_counter = 0
        self.wait = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._begin()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        super().on_epoch_end(epoch, logs)
        logs = {} if logs is None else logs
        logs["learning_rate"] = float(np.asarray(self.model.optimizer.learning_rate))
        current = logs.get(self.monitor)
        if current is None:
            warnings.warn(
                f"Learning rate reduction is conditioned on metric `{self.monitor}` which is not available. "
                f"Available metrics are: {','.join(logs)}.",
                stacklevel=4,
            )
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self._improved(current, self.best):
            self.best = current
            self.wait = 0
        elif self.cooldown_counter == 0:
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch, logs["learning_rate"])

    def _reduce(self, epoch: int, old: float) -> None:
        if old <= np.float32(self.min_lr):
            return
        new = max(old * self.factor, self.min_lr)
        self.model.optimizer.learning_rate = new
        if self.verbose > 0:
            say(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {new}.")
        self.cooldown_counter = self.cooldown
        self.wait = 0
