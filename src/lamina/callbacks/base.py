"""Callback: what a user hears of training, and CallbackList, which tells all of them in turn."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from lamina.tree import flatten

Logs = dict[str, Any]


class Callback:
    """Base of all callbacks; a subclass overrides the hooks that it needs.

    Attributes:
        model: the model that trains.
        params: ``verbose``, ``epochs`` and ``steps`` of the fit.

    Hooks for single batches make training run batch by batch; without them a whole epoch is one call.
    ``ends_on_nan`` says that a loss that is not finite ends training without an error.

    Example:
        >>> class Stop(Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         self.model.stop_training = logs["loss"] < 0.1
    """

    ends_on_nan = False

    def __init__(self) -> None:
        self.model: Any = None
        self.params: dict[str, Any] = {}

    def set_model(self, model: Any) -> None:
        """Hear which model it is."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Hear with which settings it runs."""
        self.params = params

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """A fit begins."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """A fit has ended; ``logs`` are the last epoch's."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """An epoch begins; they count from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """An epoch has ended; ``logs`` are its loss and metrics, those of the validation as ``val_…``."""

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Another name of ``on_train_batch_begin``."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Another name of ``on_train_batch_end``."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """A training batch begins."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """A training batch has ended; ``logs`` are the epoch's loss and metrics so far."""
        self.on_batch_end(batch, logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """An evaluation begins."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """An evaluation has ended."""

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """A batch of an evaluation begins."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """A batch of an evaluation has ended."""

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """A prediction begins."""

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """A prediction has ended."""

    def on_predict_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """A batch of a prediction begins."""

    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """A batch of a prediction has ended."""

    def release(self) -> None:
        """Let go of what it holds, such as the screen; called however training ends."""

    def wants_batches(self, kind: str) -> bool:
        """Whether it wants to hear of single batches of ``"train"``, ``"test"`` or ``"predict"``."""
        of: Any = type(self)
        return not _BATCH_HOOKS[kind].isdisjoint(vars(self)) or _listens(of, kind)


@cache
def _listens(of: Any, kind: str) -> bool:
    """Whether a class of callbacks overrides a hook for single batches."""
    return any(getattr(of, name) is not getattr(Callback, name) for name in _BATCH_HOOKS[kind])


_BATCH_HOOKS = {
    "train": {"on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end"},
    "test": {"on_test_batch_begin", "on_test_batch_end"},
    "predict": {"on_predict_batch_begin", "on_predict_batch_end"},
}
_HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))
_ASKED = ("set_model", *_HOOKS)


class History(Callback):
    """What each epoch gave; ``fit`` returns one.

    Attributes:
        epoch: the numbers of the epochs.
        history: a list for each name in logs.
    """

    def __init__(self) -> None:
        super().__init__()
        self.epoch: list[int] = []
        self.history: dict[str, list[Any]] = {}

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        self.model.history = self


class LambdaCallback(Callback):
    """Functions as a callback.

    Args:
        on_epoch_begin, on_epoch_end: ``f(epoch, logs)``.
        on_train_begin, on_train_end: ``f(logs)``.
        on_train_batch_begin, on_train_batch_end: ``f(batch, logs)``.
        kwargs: any other hook.

    Example:
        >>> LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))  # doctest: +ELLIPSIS
        <...LambdaCallback object at ...>
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **kwargs: Any,
    ):
        super().__init__()
        given = {
            "on_epoch_begin": on_epoch_begin, "on_epoch_end": on_epoch_end, "on_train_begin": on_train_begin,
            "on_train_end": on_train_end, "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end, **kwargs,
        }  # fmt: skip
        unknown = [name for name in kwargs if name not in _HOOKS]
        if unknown:
            raise ValueError(f"LambdaCallback knows no hook {unknown[0]!r}; hooks are {', '.join(_HOOKS)}")
        for name, function in given.items():
            if function is not None:
                setattr(self, name, function)


class CallbackList(Callback):
    """Several callbacks as one, in order: the user's, then the progress bar and the History.

    Args:
        callbacks: a callback, or a list of them (of lists).
        add_history: whether a History is among them.
        add_progbar: whether a progress bar is.
        model: the model.
        params: what callbacks see as ``params``.
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ):
        super().__init__()
        self.callbacks: list[Callback] = [x for x in flatten(callbacks) if x is not None]
        bad = [x for x in self.callbacks if isinstance(x, type) or not all(hasattr(x, name) for name in _ASKED)]
        if bad:
            call = f"; make one: {bad[0].__name__}()" if isinstance(bad[0], type) else ""
            raise ValueError(f"`callbacks` must be Callback objects, got {bad[0]!r}{call}")
        self._complete(add_history, add_progbar)
        self.set_params(params)
        if model is not None:
            self.set_model(model)

    def _complete(self, add_history: bool, add_progbar: bool) -> None:
        from lamina.callbacks.progress import ProgbarLogger  # a Callback too: it must come after this class

        if add_progbar and not any(isinstance(x, ProgbarLogger) for x in self.callbacks):
            self.callbacks.append(ProgbarLogger())
        if add_history and not any(isinstance(x, History) for x in self.callbacks):
            self.callbacks.append(History())

    def set_model(self, model: Any) -> None:
        """Tell all of them the model."""
        super().set_model(model)
        for callback in self.callbacks:
            callback.set_model(model)
            if isinstance(callback, History):
                model.history = callback

    def set_params(self, params: dict[str, Any]) -> None:
        """Tell all of them the settings."""
        super().set_params(params)
        for callback in self.callbacks:
            callback.set_params(params)

    def append(self, callback: Callback) -> None:
        """One more."""
        self.callbacks.append(callback)

    def release(self) -> None:
        """Let all of them let go."""
        for callback in self.callbacks:
            callback.release()

    def wants_batches(self, kind: str) -> bool:
        """Whether any of them wants to hear of single batches."""
        return any(callback.wants_batches(kind) for callback in self.callbacks)

    @property
    def ends_on_nan(self) -> bool:  # type: ignore[override]
        """Whether one of them ends training at a loss that is not finite."""
        return any(getattr(callback, "ends_on_nan", False) for callback in self.callbacks)

    @property
    def live(self) -> Callable[[int, Callable[[], Logs]], None] | None:
        """What a progress bar in a terminal wants to be told while an epoch runs, if there is one."""
        found = (getattr(callback, "live", None) for callback in self.callbacks)
        return next((tell for tell in found if tell is not None), None)


def _all(name: str) -> Callable[..., None]:
    """A hook of the list: the same hook of each callback."""

    counted = int("epoch" in name or "batch" in name)  # whether a number comes first

    def hook(self: CallbackList, *args: Any, logs: Logs | None = None) -> None:
        numbers, (given, *_) = args[:counted], (*args[counted:], logs)
        told = given or {}  # the same for all, so that one may add to it
        for callback in self.callbacks:
            getattr(callback, name)(*numbers, told)

    hook.__doc__ = getattr(Callback, name).__doc__
    return hook


for _name in _HOOKS:
    setattr(CallbackList, _name, _all(_name))
