"""Callbacks that change how training goes: its learning rate, its weights, its end."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from lamina.callbacks.base import Callback, Logs
from lamina.callbacks.monitor import say


class LearningRateScheduler(Callback):
    """Ask for a learning rate at the begin of each epoch.

    Args:
        schedule: ``f(epoch, learning_rate)`` or ``f(epoch)``, which gives a float.
        verbose: 1 says so.

    Source: Keras's class of the same name.

    Example:
        >>> callback = LearningRateScheduler(lambda epoch, rate: 0.9 * rate)
    """

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0):
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        rate = self._wanted(epoch, _learning_rate(self.model))
        if not isinstance(rate, float | np.float32):
            raise ValueError(f"The output of the `schedule` function should be a float. Got: {rate}")
        self.model.optimizer.learning_rate = float(rate)
        if self.verbose > 0:
            say(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def _wanted(self, epoch: int, rate: float) -> Any:
        try:
            inspect.signature(self.schedule).bind(epoch, rate)
        except TypeError:
            return self.schedule(epoch)
        return self.schedule(epoch, rate)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if logs is not None:
            logs["learning_rate"] = _learning_rate(self.model)


def _learning_rate(model: Any) -> float:
    return float(np.asarray(model.optimizer.learning_rate))


class TerminateOnNaN(Callback):
    """End training at the first batch after which the loss is not finite, without an error.

    The model then holds the weights from before that epoch: those of the batch are of no use to anybody. It makes
    training run batch by batch; without it ``fit`` notices at the end of the epoch, and raises ``NonFiniteError``.

    Args:
        raise_error: whether to raise a RuntimeError, so that no ``on_train_end`` is called.

    Source: Keras's class of the same name.
    """

    ends_on_nan = True

    def __init__(self, raise_error: bool = False):
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        loss = (logs or {}).get("loss", 0.0)
        if np.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(
                f"NaN or Inf loss encountered at batch {batch}. Loss value: {loss}. Terminating training immediately."
            )
        say(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True


class SwapEMAWeights(Callback):
    """Evaluate and predict with the moving averages of the weights, and train on with the weights themselves.

    The optimizer must have ``use_ema=True``.

    Args:
        swap_on_epoch: whether the averages are in the model from the end of an epoch to the begin of the next, for
            callbacks that come after this one, such as ``ModelCheckpoint``.

    Source: Keras's class of the same name.
    """

    def __init__(self, swap_on_epoch: bool = False):
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._kept: list[tuple[Any, np.ndarray]] = []  # the weights, while their averages are in the model

    def _average(self) -> None:
        optimizer = self.model.optimizer
        if optimizer.built and not optimizer.averages:
            raise ValueError(
                "SwapEMAWeights must be used when `use_ema=True` is set on the optimizer, as in "
                f"{type(optimizer).__name__}(use_ema=True)"
            )
        if self._kept or not optimizer.built or not int(optimizer.calls.value):
            return  # before the first step there is no average
        self._kept = [(v, v.numpy()) for v in optimizer.averages]
        for variable, average in optimizer.averages.items():
            variable.assign(average.value)

    def _back(self) -> None:
        for variable, value in self._kept:
            variable.assign(value)
        self._kept = []

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._back()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.swap_on_epoch:
            self._average()

    def on_train_end(self, logs: Logs | None = None) -> None:
        self._kept = []  # the averages are the weights now

    def on_test_begin(self, logs: Logs | None = None) -> None:
        self._average()

    def on_test_end(self, logs: Logs | None = None) -> None:
        self._back()

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._average()

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._back()
