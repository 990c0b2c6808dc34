"""Trainer: fit, evaluate, predict, and the same for single batches."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from heapq import merge
from operator import itemgetter
from typing import Any

import numpy as np

from lamina import config, random
from lamina.callbacks import CallbackList
from lamina.errors import DataError
from lamina.models import loop
from lamina.models.compiled import CompiledMetrics
from lamina.models.data import Rows, unpack_x_y_sample_weight
from lamina.models.finite import Guard
from lamina.models.reader import Reader, held_back
from lamina.models.serving import ROWS, Serving, signature
from lamina.models.sources import Feed, Source, whole
from lamina.models.steps import Step
from lamina.tree import flatten, pack

BATCH = 512  # rows a thread takes at a time where a prediction may choose


class Trainer(Reader):
    """What runs over data: compiled steps, epoch by epoch."""

    # -- whole data sets

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: Mapping[int, float] | None = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: int | Sequence[int] = 1,
    ) -> Any:
        """Train on arrays, or on batches as they come.

        Args:
            x: an array (rows, …), a data frame, or a list or dictionary of them for several inputs; or what gives
                batches (x, y) or (x, y, sample_weight): a generator, a ``PyDataset``, a data loader, a
                ``tf.data.Dataset``, any other iterable.
            y: targets, likewise; not with batches.
            batch_size: rows a step, 32 by default.
            epochs: passes over the data; the number of the last one.
            verbose: 0 nothing, 1 one live line, 2 one line an epoch, ``"auto"`` is 1.
            callbacks: a list of Callbacks.
            validation_split: the last share of the rows validates and does not train.
            validation_data: (x, y) or (x, y, sample_weight) to validate on.
            shuffle: new order in each epoch; ``"batch"`` only inside batches.
            class_weight: weight of each class number.
            sample_weight: weight of each row, (rows,) or (rows, 1).
            initial_epoch: number of the first epoch.
            steps_per_epoch: batches an epoch, all by default.
            validation_steps: batches of a validation, all by default.
            validation_batch_size: the same as ``batch_size`` by default.
            validation_freq: validate after so many epochs, or after those of a list (counted from 1).

        Returns:
            A History: ``history`` has a list for each number that was recorded.

        Raises:
            NonFiniteError: the loss or a weight became infinite or nan; the weights are those before that epoch.
            DataError: data that cannot be used.
        """
        self._require_compiled()
        if validation_split and validation_data is None:
            x, y, sample_weight, validation_data = held_back(x, y, sample_weight, validation_split)
        epochs = _bounded(whole("epochs", epochs, least=0))
        self._order_generator = random.generator(None)
        source = self._source(
            x, y, sample_weight, class_weight, batch_size, steps_per_epoch, shuffle, self._order_generator
        )
        step_for = self._step_for("train")
        step_for(_there(source))
        validate = None
        if validation_data is not None:
            if not isinstance(validation_freq, int | list):
                raise ValueError(f"`validation_freq` must be a whole number or a list, got {validation_freq!r}")
            held_out = self._held_out(validation_data, validation_batch_size or batch_size, validation_steps)
            validate = partial(self._evaluate, self._step_for("test"), held_out)
        callbacks = _callback_list(callbacks, self, verbose, epochs=epochs, steps=source.epoch_steps)
        self.stop_training, self._initial_epoch = False, initial_epoch
        try:
            self._train(source, step_for, validate, epochs, validation_freq, callbacks)
        finally:
            callbacks.release()
        return self.history

    def _train(
        self,
        source: Source,
        step_for: loop.Chosen,
        validate: Callable[[CallbackList], dict[str, Any]] | None,
        epochs: int,
        validation_freq: int | Sequence[int],
        callbacks: CallbackList,
    ) -> None:
        callbacks.on_train_begin()
        logs: dict[str, Any] | None = None
        guard = Guard()
        for epoch in range(self._initial_epoch, epochs):  # which a callback may have moved
            if source.first() is None:
                break
            callbacks.on_epoch_begin(epoch)
            logs = self._train_epoch(source, step_for, epoch, callbacks, guard)
            if validate is not None and _due(epoch, validation_freq):
                held_out = {f"val_{name}": value for name, value in sorted(validate(callbacks).items())}
                logs = dict(merge(logs.items(), held_out.items(), key=itemgetter(0)))
            callbacks.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        if logs is not None and (trained := guard.step.parameters) is not None:
            self.optimizer.finalize_variable_values(trained.parts)
        callbacks.on_train_end(logs)

    def _train_epoch(
        self, source: Source, step_for: loop.Chosen, epoch: int, callbacks: CallbackList, guard: Guard
    ) -> dict[str, Any]:
        run = loop.Run(step_for, int(self.optimizer.calls.value), guard.begin)
        spans = source.epoch()
        once = not isinstance(source, Feed)
        going = guard.until_bad(spans, self._present_loss) if once else spans
        with guard.kept(self._present_loss):
            _watch(self, callbacks, "train", run)(going, run.execute)
        self._advance(run)
        logs = run.logs()
        if guard.good(loss := logs.get("loss", 0.0)):
            return logs
        if callbacks.ends_on_nan and self.stop_training:
            guard.restore()
        else:
            guard.refuse(loss, epoch, () if once else list(spans), run.first_step, self.history)
        return logs

    def _present_loss(self) -> float:
        return 0.0 if self._loss_tracker is None else float(self._loss_tracker.result())

    def _advance(self, run: loop.Run) -> None:
        """Steps are counted by the model's optimizer, and told to the one that a step of the user's own applied."""
        if run.step.optimizer is not None:
            for optimizer in {self.optimizer, run.step.optimizer}:
                optimizer.advance(run.first_step + run.done)

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Loss and metrics on arrays, or on batches as they come.

        Args:
            x, y, sample_weight: see ``fit``.
            batch_size: rows a step, 32 by default.
            verbose: see ``fit``.
            steps: batches, all by default.
            callbacks: a list of Callbacks.
            return_dict: whether the results come by name.

        Returns:
            The loss; with metrics a list (loss first), or a dictionary.
        """
        self._require_compiled()
        source = self._source(x, y, sample_weight, batch_size=batch_size, steps=steps)
        step_for = self._step_for("test")
        step_for(_there(source))
        callbacks = _callback_list(callbacks, self, verbose, epochs=1, steps=source.epoch_steps, add_history=False)
        try:
            logs = self._evaluate(step_for, source, callbacks)
        finally:
            callbacks.release()
        return logs if return_dict else self._in_order(logs)

    def _evaluate(self, step_for: loop.Chosen, source: Source, callbacks: CallbackList) -> dict[str, Any]:
        run = loop.Run(step_for)
        callbacks.on_test_begin()
        _watch(self, callbacks, "test", run)(source.epoch(anew=True), run.execute)
        logs = run.logs()
        callbacks.on_test_end(logs)
        return logs

    def _in_order(self, logs: Mapping[str, Any]) -> Any:
        """Loss, metrics in the user's order, losses of single outputs, then the rest by name; one value alone.

        As in Keras a metric counts under its own name, without an output's before it or a number behind it, and twice
        where two share one.
        """
        parts = (m.metrics if isinstance(m, CompiledMetrics) else [m] for m in self.metrics)
        first = [metric.name for part in parts for metric in part if metric.name in logs]
        values = [logs[name] for name in (*first, *(n for n in sorted(logs) if n not in first))]
        return values[0] if len(values) == 1 else values

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """The outputs for arrays, or for batches as they come.

        Args:
            x: see ``fit``.
            batch_size: rows a step, 32 by default; where no answer depends on it, steps may be larger.
            verbose: see ``fit``.
            steps: batches, all by default.
            callbacks: a list of Callbacks.

        Returns:
            An array (rows, …), or the list or dictionary that the model returns.
        """
        unwatched = callbacks is None and verbose != 2 and steps is None and config.max_steps_per_epoch() is None
        if unwatched and (known := self._serving(x)) is not None:
            if batch_size is not None:
                whole("batch_size", batch_size)
            return known(x)
        source = self._source(x, batch_size=batch_size, steps=steps)
        step = self._step("predict", rows := _there(source))
        if isinstance(source, Feed):
            self._serve(x, rows, step)
            if unwatched and step.row_by_row:
                source = Feed(rows, max(source.batch_size, BATCH * self._threads()))
        callbacks = _callback_list(callbacks, self, verbose, epochs=1, steps=source.epoch_steps, add_history=False)
        callbacks.on_predict_begin()
        run = self._predicting()
        _watch(self, callbacks, "predict", run)(source.epoch(), run.execute)
        callbacks.on_predict_end()
        return _joined(run.step, run.outputs)

    def _step_for(self, kind: str) -> loop.Chosen:
        return loop.Chosen(partial(self._step, kind))

    def _predicting(self) -> loop.Run:
        return loop.Run(self._step_for("predict"), keep=True)

    def _serving(self, x: Any) -> Serving | None:
        """What answers a few rows like these, if such rows have been seen before."""
        return self._steps.get(signature(x)) if type(x) is np.ndarray and x.ndim and 0 < len(x) <= ROWS else None

    def _serve(self, x: Any, rows: Rows, step: Step) -> None:
        """From now on rows like these, where they are few, need no second check."""
        if type(x) is np.ndarray and step.row_by_row and [*rows.arrays] == [*step.executable.graph.inputs]:
            (leaf,) = flatten(rows.x)
            self._steps[signature(x)] = Serving(step, leaf, self._float_dtype(), x.shape[1:])

    # -- single batches

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, return_dict: bool = False
    ) -> Any:  # fmt: skip
        """One training step on all rows given.

        Args:
            x, y, sample_weight, class_weight: see ``fit``.
            return_dict: whether the results come by name.

        Returns:
            The loss before the update; with metrics a list, or a dictionary.
        """
        self._require_compiled()
        source = self._at_once(x, y, sample_weight, class_weight)
        step_for = self._step_for("train")
        logs = self._train_epoch(source, step_for, 0, CallbackList(model=self), Guard())
        return logs if return_dict else self._in_order(logs)

    def _at_once(self, *data: Any) -> Feed:
        rows = self._rows(*data)
        return Feed(rows, rows.count)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Loss and metrics of all rows given, as one batch; see ``evaluate``."""
        self._require_compiled()
        step_for = self._step_for("test")
        logs = self._evaluate(step_for, self._at_once(x, y, sample_weight), CallbackList(model=self))
        return logs if return_dict else self._in_order(logs)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for all rows given, as one batch; see ``predict``."""
        if (known := self._serving(x)) is not None:
            return known(x)
        feed = self._at_once(x)
        run = self._predicting()
        loop.at_once(feed.epoch(), run.execute)
        self._serve(x, feed.rows, run.step)
        return _joined(run.step, run.outputs)

    # -- single batches, as they come

    def make_train_function(self, force: bool = False) -> None:
        """Set ``train_function``: of an iterator, which trains on its next batch and gives the logs.

        Args:
            force: whether the steps are compiled anew.
        """
        self._forget(force)
        self.train_function = partial(self._one_batch, "train")

    def make_test_function(self, force: bool = False) -> None:
        """Set ``test_function``; see ``make_train_function``."""
        self._forget(force)
        self.test_function = partial(self._one_batch, "test")

    def make_predict_function(self, force: bool = False) -> None:
        """Set ``predict_function``, which gives the outputs; see ``make_train_function``."""
        self._forget(force)
        self.predict_function = lambda data: self.predict_on_batch(unpack_x_y_sample_weight(next(data))[0])

    def _forget(self, force: bool) -> None:
        if force:
            self._steps.clear()

    def _one_batch(self, kind: str, data: Iterator[Any]) -> dict[str, Any]:
        """One step, on top of what the metrics have seen."""
        feed = self._at_once(*unpack_x_y_sample_weight(next(data)))
        run = loop.Run(self._step_for(kind), int(self.optimizer.calls.value), begin=Step.state)
        loop.at_once(feed.epoch(), run.execute)
        self._advance(run)
        return run.logs()


def _there(source: Source) -> Rows:
    """The first rows.

    Raises:
        DataError: there are none.
    """
    if (rows := source.first()) is None:
        raise DataError("there are no data: x gives no batch")
    return rows


def _due(epoch: int, frequency: int | Sequence[int]) -> bool:
    return (epoch + 1) % frequency == 0 if isinstance(frequency, int) else epoch + 1 in frequency


def _callback_list(callbacks: Any, model: Any, verbose: Any, add_history: bool = True, **params: Any) -> CallbackList:
    if isinstance(callbacks, CallbackList):
        return callbacks
    return CallbackList(
        callbacks, add_history=add_history, add_progbar=verbose != 0, model=model, verbose=verbose, **params
    )


def _watch(model: Any, callbacks: CallbackList, kind: str, run: loop.Run) -> loop.Watch:
    """One call for everything, unless a callback or a terminal wants to hear more often."""
    if callbacks.wants_batches(kind):
        begin = getattr(callbacks, f"on_{kind}_batch_begin")
        end = getattr(callbacks, f"on_{kind}_batch_end")

        def after(batch: int) -> bool:
            if kind == "train":
                model._advance(run)
            end(batch, {"outputs": _joined(run.step, run.outputs[-1:])} if kind == "predict" else run.logs())
            return not (kind == "train" and model.stop_training)

        return loop.batch_by_batch(begin, after, model.steps_per_execution)
    if callbacks.live is not None and kind == "train":
        tell = callbacks.live
        return loop.in_pieces(lambda done: tell(done, run.logs))
    return loop.at_once


def _joined(step: Step, outputs: Sequence[loop.Outputs]) -> Any:
    names = [f"output{i}" for i in range(step.outputs.count)]
    arrays = [outputs[0][n] if len(outputs) == 1 else np.concatenate([made[n] for made in outputs]) for n in names]
    return pack(step.outputs.structure, arrays)


def _bounded(epochs: int) -> int:
    """The epochs, no more than the session allows."""
    most = config.max_epochs()
    if most is None or epochs <= most:
        return epochs
    warnings.warn(f"Limiting epochs to {most}", stacklevel=3)
    return most
