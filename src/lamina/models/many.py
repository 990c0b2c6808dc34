"""fit_many: several models trained at the same time, each with the bits that it would have alone."""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from math import inf
from threading import Event
from typing import TYPE_CHECKING, Any

from lamina.callbacks.base import Callback, History, Logs
from lamina.callbacks.monitor import say
from lamina.callbacks.progress import numbers
from lamina.layers.input_layer import InputLayer
from lamina.metrics import Metric
from lamina.models.model import Model
from lamina.models.objective import share_of_cores, usable_cores
from lamina.models.sources import whole
from lamina.tree import flatten

if TYPE_CHECKING:
    from concurrent.futures import Future

LONG = 0.1  # seconds of an epoch in which nobody wants to wait for its end
# Seconds between two looks for Ctrl-C: once Polars is imported, its handler lets a wait without an end go on.
LISTEN = 0.2
SWITCH = 5e-4  # seconds that a model waits at most for another's Python code, which is most of a preparation


def fit_many(
    models: Sequence[Model],
    x: Any = None,
    y: Any = None,
    *,
    each: Sequence[Mapping[str, Any]] | None = None,
    workers: int | None = None,
    **fit: Any,
) -> list[History]:
    """Train many models at the same time: the folds of a cross-validation, seeds, a grid of settings.

    Weights, histories and optimizers get the same bits as from ``for model in models: model.fit(...)``, however many
    train at once. A model's preparation (its data, its compilation, its ``on_train_begin``) is done in the order of
    ``models``, one at a time; only what a callback draws from the session's generator later than that depends on time.

    Args:
        models: compiled models that share neither layers nor optimizers nor metrics.
        x: the inputs of all models, arrays (rows, …) as in ``Model.fit``.
        y: the targets of all models, likewise.
        each: for each model a dictionary with the arguments of ``Model.fit`` that are its own: ``x``, ``y``,
            ``validation_data``, ``callbacks`` …; they go before those for all.
        workers: how many models train at the same time; the usable cores by default. Each gets an equal share of the
            cores, at least one, also where ``compile`` named more ``threads``.
        fit: further arguments of ``Model.fit`` for all models. ``verbose`` is 0 by default; with any other value
            each model has one line when it is done.

    Returns:
        The History of each model, in the order of ``models``.

    Raises:
        ValueError: a model that is not compiled or is there twice, something that two models share, an ``each`` of
            another length. Nothing has been trained.
        TypeError: what is no model or no dictionary, or an argument that ``Model.fit`` does not take. Nothing has been
            trained.
        Exception: what the fit of a model raised, the first in the order of ``models``. All others were trained to
            their ends before; ``model.history`` holds what each recorded.
        KeyboardInterrupt: Ctrl-C stops every model, a long epoch in its midst; those that have not begun stay as they
            are.

    Example:
        >>> from lamina import Input, Sequential, layers, optimizers
        >>> random = np.random.default_rng(0)
        >>> x = random.normal(size=(200, 3)).astype("float32")
        >>> y = x @ np.array([[1.0], [-2.0], [0.5]], "float32")
        >>> folds = np.array_split(random.permutation(200), 5)
        >>> models, each = [], []
        >>> for held in folds:
        ...     model = Sequential([Input((3,)), layers.Dense(1)])
        ...     model.compile(optimizers.SGD(0.1), "mse")
        ...     train = np.setdiff1d(np.arange(200), held)
        ...     models.append(model)
        ...     each.append({"x": x[train], "y": y[train], "validation_data": (x[held], y[held])})
        >>> histories = fit_many(models, each=each, epochs=60)
        >>> len(histories), all(h.history["val_loss"][-1] < 0.01 for h in histories)
        (5, True)
    """
    fits = _fits(list(models), {"x": x, "y": y, "verbose": 0, **fit}, each)
    _refuse_sharing(fits)
    cores = usable_cores()
    at_once = min(whole("workers", cores if workers is None else workers), max(len(fits), 1))
    with share_of_cores(max(1, cores // at_once)), _quick_switches():
        return _results(_train(fits, at_once))


@dataclass(frozen=True, eq=False)
class _Fit:
    """A model and the arguments of its fit."""

    name: str
    model: Model
    arguments: dict[str, Any]

    def run(self, turn: _Turn) -> History:
        callbacks = [self.arguments.get("callbacks"), turn]
        with turn.taken():
            return self.model.fit(**{**self.arguments, "verbose": 0, "callbacks": callbacks})

    def parts(self) -> Iterator[tuple[str, Any]]:
        """Everything that changes as the model trains, and what to call it."""
        yield "model", self.model
        yield from (("layer", x) for x in self.model._flatten_layers() if not isinstance(x, InputLayer))
        yield from (("variable", x) for x in self.model.weights)
        yield "optimizer", self.model.optimizer
        yield from (("metric", x) for x in [*self.model.metrics, *_given_metrics(self.model)])
        yield from (("callback", x) for x in flatten(self.arguments.get("callbacks")) if hasattr(x, "set_model"))


class _Turn(Callback):
    """A model's place in the row: it prepares once the one before trains, and stops when all shall stop."""

    def __init__(self, before: Event, stop: Event):
        super().__init__()
        self.begun = Event()
        self._before = before
        self._stop = stop
        self._long = True
        self._epoch_began = -inf

    @contextmanager
    def taken(self) -> Iterator[None]:
        """A fit runs inside the block; however it ends, the next model's turn has come."""
        self._before.wait()
        try:
            self._check()
            yield
        finally:
            self.begun.set()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.begun.set()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._check()
        now = time.perf_counter()
        self._long, self._epoch_began = now - self._epoch_began > LONG, now

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._check()

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._check()

    @property
    def live(self) -> Callable[..., None] | None:
        """What to call within an epoch, unless the one before was short: parts have their price."""
        return self._check if self._long else None

    def _check(self, *_: object) -> None:
        if self._stop.is_set():
            raise KeyboardInterrupt

    def wants_batches(self, kind: str) -> bool:
        """Never: it listens where others made training run batch by batch."""
        return False


def _fits(models: list[Any], shared: dict[str, Any], each: Sequence[Any] | None) -> list[_Fit]:
    """The models with the arguments of each, checked."""
    own = [{}] * len(models) if each is None else list(each)
    if len(own) != len(models):
        raise ValueError(f"`each` has {len(own)} dictionaries for {len(models)} models: give one for each model")
    return [_fit(place, *pair, shared) for place, pair in enumerate(zip(models, own, strict=True))]


def _fit(place: int, model: Any, own: Any, shared: dict[str, Any]) -> _Fit:
    if not isinstance(model, Model):
        raise TypeError(f"models[{place}] must be a model, got {model!r}")
    if not isinstance(own, Mapping):
        raise TypeError(f"each[{place}] must be a dictionary of arguments of `fit`, got {own!r}")
    name = f"models[{place}] ({model.name!r})"
    if not model.compiled:
        raise ValueError(f"{name} is not compiled: call its `compile()` first")
    arguments = {**shared, **own}
    try:
        inspect.signature(model.fit).bind(**arguments)
    except TypeError as error:
        raise TypeError(f"the fit of {name}: {error}") from None
    return _Fit(name, model, arguments)


def _refuse_sharing(fits: Iterable[_Fit]) -> None:
    """What changes as one model trains must not be another's, too."""
    owners: dict[int, _Fit] = {}
    for fit in fits:
        for kind, part in fit.parts():
            other = owners.setdefault(id(part), fit)
            if other is not fit:
                name = getattr(part, "name", type(part).__name__)
                raise ValueError(f"{other.name} and {fit.name} share the {kind} {name!r}: {_ADVICE[kind]}")


_OWN = "models that train at the same time need parts of their own"
_ADVICE = dict.fromkeys(("layer", "variable", "optimizer", "metric"), _OWN) | {
    "model": "list each model once",
    "callback": "give each model one of its own, as each=[{'callbacks': [...]}, ...]",
}


def _given_metrics(model: Model) -> list[Metric]:
    """The metrics that ``compile`` was given as objects; the model has them as its own from its first fit on."""
    compiled = model._compiled_metrics
    given = [] if compiled is None else flatten([compiled.given, compiled.given_weighted])
    return [metric for metric in given if isinstance(metric, Metric)]


@contextmanager
def _quick_switches() -> Iterator[None]:
    """A thread that comes back from the core need not wait 5 ms, Python's default, for one that runs Python code."""
    before = sys.getswitchinterval()
    if before <= SWITCH:  # also where a call of `fit_many` runs beside another, which sets it back
        yield
        return
    sys.setswitchinterval(SWITCH)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _train(fits: Sequence[_Fit], workers: int) -> dict[Future[History], _Fit]:
    """Every fit, ended; what is to end the program (Ctrl-C) ends them all before."""
    from concurrent.futures import ThreadPoolExecutor  # it loads `logging`, which takes a while

    futures: dict[Future[History], _Fit] = {}
    stop, begun = Event(), Event()
    begun.set()
    with ThreadPoolExecutor(workers, "lamina.fit_many") as pool:
        try:
            for fit in fits:
                turn = _Turn(begun, stop)
                futures[pool.submit(copy_context().run, fit.run, turn)] = fit
                begun = turn.begun
            _wait(futures)
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return futures


def _wait(futures: Mapping[Future[History], _Fit]) -> None:
    """Until all have ended, with a line for each where that is wanted."""
    from concurrent.futures import FIRST_COMPLETED, wait

    start, ended, left = time.perf_counter(), 0, set(futures)
    while left:
        done, left = wait(left, LISTEN, FIRST_COMPLETED)
        for future in done:
            fit, error = futures[future], future.exception()
            if error is not None and not isinstance(error, Exception):
                raise error
            ended += 1
            if fit.arguments["verbose"]:
                told = _summary(future.result()) if error is None else f"{type(error).__name__}: {error}"
                say(f"{ended}/{len(futures)} - {time.perf_counter() - start:.0f}s - {fit.model.name} - {told}")


def _summary(history: History) -> str:
    """How long a model trained, and the numbers of its last epoch."""
    last = {name: values[-1] for name, values in history.history.items()}
    return f"{len(history.epoch)} epochs{numbers(last)}"


def _results(futures: Mapping[Future[History], _Fit]) -> list[History]:
    failed = {fit: error for future, fit in futures.items() if (error := future.exception()) is not None}
    if failed:
        first, *others = failed
        also = f" So did {', '.join(fit.name for fit in others)}." if others else ""
        failed[first].add_note(f"The fit of {first.name} raised this.{also} All other models are trained.")
        raise failed[first]
    return [future.result() for future in futures]
