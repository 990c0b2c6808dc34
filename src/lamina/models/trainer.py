"""Trainer: fit, evaluate, predict, and the same for single batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from lamina import random
from lamina.callbacks import CallbackList
from lamina.errors import DataError
from lamina.layers.nested import flatten, map_leaves, pack
from lamina.models import loop
from lamina.models.data import Leaf, Rows, as_arrays, check_rows, class_weights, engine_array, split, target_kind
from lamina.models.finite import Guard
from lamina.models.objective import Objective
from lamina.models.serving import ROWS, Serving, signature
from lamina.models.steps import Step, predict_step, test_step, train_step

BATCH = 512  # rows a thread takes at a time where a prediction may choose
_MAKE = {"train": train_step, "test": test_step, "predict": predict_step}


class Trainer(Objective):
    """What runs over data: compiled steps, epoch by epoch."""

    # -- data

    def _standard_inputs(self, x: Any, dtype: str) -> tuple[Any, list[str]]:
        """Data in the structure of the inputs, and the dtype that the graph sees for each array."""
        return x, ["int32" if a.dtype.kind in "iu" else dtype for a in map(np.asarray, flatten(x))]

    def _rows(self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None) -> Rows:
        """Checked and converted data."""
        x, y = as_arrays(x, "x"), as_arrays(y, "y")
        sample_weight = as_arrays(sample_weight, "sample_weight")
        if class_weight is not None:
            if sample_weight is not None:
                raise DataError("You cannot `class_weight` and `sample_weight` at the same time.")
            sample_weight = class_weights(y, class_weight)
        count = check_rows(x, y, sample_weight)
        dtype = self._float_dtype()
        x, kinds = self._standard_inputs(x, dtype)
        arrays: dict[str, np.ndarray] = {}

        def leaf_of(letter: str, what: str, array: np.ndarray | None, kind: str) -> Leaf | None:
            if array is None:
                return None
            name = f"{letter}{sum(known[0] == letter for known in arrays)}"
            arrays[name] = engine_array(array, kind, dtype, what)
            return Leaf(name, (None, *array.shape[1:]), kind)

        given = iter(kinds)
        return Rows(
            arrays, count,
            map_leaves(lambda a: leaf_of("x", "x", a, next(given)), x),
            map_leaves(lambda a: leaf_of("y", "y", a, "" if a is None else target_kind(a, dtype)), y),
            map_leaves(lambda a: leaf_of("w", "sample_weight", a, dtype), sample_weight),
        )  # fmt: skip

    def _held_out(self, validation_data: Any) -> Rows:
        try:
            return self._rows(*_unpacked(validation_data))
        except DataError as error:
            raise DataError(f"validation_data: {error}") from error

    def _step(self, kind: str, rows: Rows) -> Step:
        """The compiled step for such data, after a check of them; kept until ``compile``, and by ``trainable``."""
        frozen = tuple(layer.trainable for layer in self._flatten_layers()) if kind == "train" else ()
        key = (kind, rows.key, frozen, self._target(), self._threads())
        if key not in self._steps:
            self._steps[key] = _MAKE[kind](self, rows)
        self._steps[key].check(rows)
        return self._steps[key]

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
        """Train on arrays.

        Args:
            x: an array (rows, …), a data frame, or a list or dictionary of them for several inputs.
            y: targets, likewise.
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
            given = [as_arrays(a, n) for a, n in ((x, "x"), (y, "y"), (sample_weight, "sample_weight"))]
            (x, y, sample_weight), held = split(given, validation_split)
            validation_data = tuple(held)
        rows = self._rows(x, y, sample_weight, class_weight)
        step = self._step("train", rows)
        feed = loop.Feed(rows, batch_size, steps_per_epoch, shuffle, random.generator(None))
        epochs = loop.whole("epochs", epochs, least=0)
        validate = None
        if validation_data is not None:
            kept = self._held_out(validation_data)
            held_out = loop.Feed(kept, validation_batch_size or batch_size, validation_steps)
            validate = partial(self._evaluate, self._step("test", kept), held_out)
        callbacks = _callback_list(callbacks, self, verbose, epochs=epochs, steps=feed.epoch_steps)
        self.stop_training = False
        try:
            self._train(feed, step, validate, range(initial_epoch, epochs), validation_freq, callbacks)
        finally:
            callbacks.release()
        return self.history

    def _train(
        self,
        feed: loop.Feed,
        step: Step,
        validate: Callable[[CallbackList], dict[str, Any]] | None,
        epochs: range,
        validation_freq: int | Sequence[int],
        callbacks: CallbackList,
    ) -> None:
        callbacks.on_train_begin()
        logs: dict[str, Any] | None = None
        guard = Guard(step)
        for epoch in epochs:
            callbacks.on_epoch_begin(epoch)
            logs = self._train_epoch(step, feed, epoch, callbacks, guard)
            if validate is not None and _due(epoch, validation_freq):
                logs |= {f"val_{name}": value for name, value in validate(callbacks).items()}
                logs = dict(sorted(logs.items()))
            callbacks.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        if step.parameters is not None and epochs:
            self.optimizer.finalize_variable_values(step.parameters.parts)
        callbacks.on_train_end(logs)

    def _train_epoch(
        self, step: Step, feed: loop.Feed, epoch: int, callbacks: CallbackList, guard: Guard
    ) -> dict[str, Any]:
        step.reset()
        guard.keep()
        span, before = feed.epoch(), int(self.optimizer.calls.value)
        watch = _watch(self, callbacks, "train", step, before)
        parts = loop.run(step, feed, span, before, watch)
        self._advance(step, before, sum(part.steps for part in parts))
        logs = step.logs()
        guard.check(logs.get("loss", 0.0), epoch, feed, span, before, self.history)
        return logs

    def _advance(self, step: Step, before: int, steps: int) -> None:
        if step.parameters is not None:
            self.optimizer.advance(before + steps)

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
        """Loss and metrics on arrays.

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
        feed = loop.Feed(self._rows(x, y, sample_weight), batch_size, steps)
        callbacks = _callback_list(callbacks, self, verbose, epochs=1, steps=feed.epoch_steps, add_history=False)
        logs = self._evaluate(self._step("test", feed.rows), feed, callbacks)
        return logs if return_dict else self._in_order(logs)

    def _evaluate(self, step: Step, feed: loop.Feed, callbacks: CallbackList) -> dict[str, Any]:
        step.reset()
        callbacks.on_test_begin()
        loop.run(step, feed, feed.epoch(anew=True), 0, _watch(self, callbacks, "test", step, 0))
        logs = step.logs()
        callbacks.on_test_end(logs)
        return logs

    def _in_order(self, logs: Mapping[str, Any]) -> Any:
        """Loss, metrics in the user's order, losses of single outputs, then the rest by name; one value alone."""
        first = [name for name in self.metrics_names if name in logs]
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
        """The outputs for arrays.

        Args:
            x: see ``fit``.
            batch_size: rows a step, 32 by default; where no answer depends on it, steps may be larger.
            verbose: see ``fit``.
            steps: batches, all by default.
            callbacks: a list of Callbacks.

        Returns:
            An array (rows, …), or the list or dictionary that the model returns.
        """
        unwatched = callbacks is None and steps is None
        if unwatched and (known := self._serving(x)) is not None:
            if batch_size is not None:
                loop.whole("batch_size", batch_size)
            return known(x)
        rows = self._rows(x)
        feed = loop.Feed(rows, batch_size, steps)
        step = self._step("predict", rows)
        self._serve(x, rows, step)
        if unwatched and step.row_by_row:
            feed = loop.Feed(rows, max(feed.batch_size, BATCH * self._threads()))
        callbacks = _callback_list(callbacks, self, verbose, epochs=1, steps=feed.epoch_steps, add_history=False)
        callbacks.on_predict_begin()
        parts = loop.run(step, feed, feed.epoch(), 0, _watch(self, callbacks, "predict", step, 0))
        callbacks.on_predict_end()
        return _joined(step, parts)

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
        rows = self._rows(x, y, sample_weight, class_weight)
        step = self._step("train", rows)
        logs = self._train_epoch(step, loop.Feed(rows, rows.count), 0, CallbackList(model=self), Guard(step))
        return self._answer(logs, return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Loss and metrics of all rows given, as one batch; see ``evaluate``."""
        self._require_compiled()
        rows = self._rows(x, y, sample_weight)
        feed, step = loop.Feed(rows, rows.count), self._step("test", rows)
        return self._answer(self._evaluate(step, feed, CallbackList(model=self)), return_dict)

    def _answer(self, logs: dict[str, Any], return_dict: bool) -> Any:
        return logs if return_dict else self._in_order(logs)

    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for all rows given, as one batch; see ``predict``."""
        if (known := self._serving(x)) is not None:
            return known(x)
        rows = self._rows(x)
        feed = loop.Feed(rows, rows.count)
        step = self._step("predict", rows)
        self._serve(x, rows, step)
        return _joined(step, loop.run(step, feed, feed.epoch(), 0, loop.at_once))


def _unpacked(data: Any) -> tuple[Any, Any, Any]:
    if not isinstance(data, list | tuple) or not 1 <= len(data) <= 3:
        raise DataError("`validation_data` must be (x, y) or (x, y, sample_weight)")
    x, y, weight = (*data, None, None)[:3]
    return x, y, weight


def _due(epoch: int, frequency: int | Sequence[int]) -> bool:
    return (epoch + 1) % frequency == 0 if isinstance(frequency, int) else epoch + 1 in frequency


def _callback_list(callbacks: Any, model: Any, verbose: Any, add_history: bool = True, **params: Any) -> CallbackList:
    if isinstance(callbacks, CallbackList):
        return callbacks
    return CallbackList(
        callbacks, add_history=add_history, add_progbar=verbose != 0, model=model, verbose=verbose, **params
    )


def _watch(model: Any, callbacks: CallbackList, kind: str, step: Step, before: int) -> loop.Watch:
    """One call for everything, unless a callback or a terminal wants to hear more often."""
    if callbacks.wants_batches(kind):
        begin = getattr(callbacks, f"on_{kind}_batch_begin")
        end = getattr(callbacks, f"on_{kind}_batch_end")

        def after(batch: int, parts: Sequence[loop.Part]) -> bool:
            if kind == "train":
                model._advance(step, before, batch + 1)
            end(batch, {"outputs": _joined(step, parts[-1:])} if kind == "predict" else step.logs())
            return not (kind == "train" and model.stop_training)

        return loop.batch_by_batch(begin, after, int(model.compile_arguments.get("steps_per_execution", 1)))
    if callbacks.live is not None and kind == "train":
        tell = callbacks.live
        return loop.in_pieces(lambda done: tell(done, step.logs))
    return loop.at_once


def _joined(step: Step, parts: Sequence[loop.Part]) -> Any:
    names = [f"output{i}" for i in range(step.outputs.count)]
    arrays = [parts[0].outputs[n] if len(parts) == 1 else np.concatenate([p.outputs[n] for p in parts]) for n in names]
    return pack(step.outputs.structure, arrays)
