"""How a model reads data: arrays and streams of batches become Rows, each kind of which has its compiled step."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from lamina import config
from lamina.errors import DataError
from lamina.layers.arrays import kind_of
from lamina.models.data import (
    Leaf,
    Rows,
    as_arrays,
    check_rows,
    class_weights,
    engine_array,
    ready,
    split,
    target_kind,
    unpack_x_y_sample_weight,
)
from lamina.models.sources import Feed, Source, Stream, is_stream
from lamina.models.stepper import Stepper
from lamina.models.steps import Step, predict_step, test_step, train_step
from lamina.tree import flatten, map_leaves

_MAKE = {"train": train_step, "test": test_step, "predict": predict_step}


class Reader(Stepper):
    """What takes data in."""

    def _standard_inputs(self, x: Any, dtype: str) -> tuple[Any, list[str]]:
        """Data in the structure of the inputs, and the dtype that the graph sees for each array."""
        kinds = (kind_of(np.asarray(array), dtype) for array in flatten(x))
        return x, [dtype if kind == "bool" else kind for kind in kinds]

    def _by_input(self, x: Any) -> Any:
        """Data as they are, but the columns of a frame for a model with several inputs."""
        return x

    def _rows(self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None) -> Rows:
        """Checked and converted data."""
        raw = self._reads_raw()
        x, y = as_arrays(self._by_input(x), "x", text=raw), as_arrays(y, "y")
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
            wait = raw and letter == "x" and not ready(array, dtype)  # for the host, or until it is read
            arrays[name] = array if wait else engine_array(array, kind, dtype, what)
            return Leaf(name, (None, *array.shape[1:]), kind)

        given = iter(kinds)
        return Rows(
            arrays, count,
            map_leaves(lambda a: leaf_of("x", "x", a, next(given)), x),
            map_leaves(lambda a: leaf_of("y", "y", a, "" if a is None else target_kind(a, dtype)), y),
            map_leaves(lambda a: leaf_of("w", "sample_weight", a, dtype), sample_weight),
        )  # fmt: skip

    def _source(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Mapping[int, float] | None = None,
        batch_size: int | None = None, steps: int | None = None, shuffle: bool | str = False,
        generator: np.random.Generator | None = None,
    ) -> Source:  # fmt: skip
        """Where a pass over such data takes its rows."""
        if not is_stream(x):
            rows = self._rows(x, y, sample_weight, class_weight)
            return _bounded(Feed(rows, batch_size, steps, shuffle, generator))
        for name, value in (("y", y), ("sample_weight", sample_weight)):
            if value is not None:
                raise DataError(
                    f"`{name}` should not be passed when x is a {type(x).__name__}: each batch that x gives is (x, y) "
                    "or (x, y, sample_weight)"
                )
        if batch_size is not None:
            warnings.warn(f"`batch_size` is ignored: a {type(x).__name__} gives whole batches", stacklevel=4)
        convert = partial(self._batch, class_weight=class_weight)
        return _bounded(Stream(x, convert, steps, generator if shuffle is True else None))

    def _batch(self, batch: Any, class_weight: Mapping[int, float] | None) -> Rows:
        return self._rows(*unpack_x_y_sample_weight(batch), class_weight)

    def _held_out(self, data: Any, batch_size: int | None, steps: int | None) -> Source:
        """Where a validation takes its rows."""
        x, y, weight = unpack_x_y_sample_weight(data)
        try:
            source = self._source(x, y, weight, batch_size=None if is_stream(x) else batch_size, steps=steps)
            if (rows := source.first()) is not None:
                self._step("test", rows)
            return source
        except DataError as error:
            raise DataError(f"validation_data: {error}") from error

    def _step(self, kind: str, rows: Rows) -> Step:
        """The compiled step for such data, once they are ready for it; kept until ``compile``."""
        if kind == "train":
            self._warn_of_freezing()
        key = (kind, rows.key, self._target(), self._threads())
        if key not in self._steps:
            self._steps[key] = _MAKE[kind](self, rows)
        self._steps[key].prepare(rows, self._float_dtype())
        return self._steps[key]


def _bounded(source: Source) -> Source:
    """The source, with no more steps an epoch than the session allows."""
    most = config.max_steps_per_epoch()
    if most is not None and (source.epoch_steps is None or source.epoch_steps > most):
        source.steps = most
    return source


def held_back(x: Any, y: Any, sample_weight: Any, share: float) -> tuple[Any, Any, Any, tuple[Any, ...]]:
    """The rows to train on, and the last ones to validate with."""
    if is_stream(x):
        raise DataError(
            f"`validation_split` is only supported for arrays, and x is a {type(x).__name__}: give `validation_data`"
        )
    named = ((x, "x"), (y, "y"), (sample_weight, "sample_weight"))
    given = [as_arrays(part, name, text=name == "x") for part, name in named]
    (x, y, sample_weight), held = split(given, share)
    return x, y, sample_weight, tuple(held)
