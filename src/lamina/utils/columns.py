"""The columns of a table as a FeatureSpace takes them: dictionaries, data frames, and streams of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from lamina.errors import DataError

BATCH = 32  # rows that Keras adapts with at a time; a sketch of a distribution depends on it


def columns_of(data: Any, names: Sequence[str]) -> dict[str, Any]:
    """The columns of these names, in a dictionary or a data frame."""
    if not isinstance(data, Mapping) and not hasattr(data, "columns"):
        raise DataError(
            f"A FeatureSpace can only be called with a dict of columns, or a data frame. Received: {type(data)}"
        )
    known = list(data.keys() if isinstance(data, Mapping) else data.columns)
    missing = [name for name in names if name not in known]
    if missing:
        raise DataError(f"there is no column for the feature {missing[0]!r}: the data have {known}")
    return {name: data[name] if np.ndim(data[name]) == 0 else np.asarray(data[name]) for name in names}


def column_of(values: Any) -> np.ndarray:
    """Values as a column (rows, …): a single one has one row."""
    array = np.asarray(values)
    return array.reshape(-1, 1) if array.ndim < 2 else array


def batches_of(data: Any, names: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
    """(feature, batch) of the data for ``adapt``, cut as Keras cuts them."""
    if isinstance(data, Mapping) or hasattr(data, "columns"):
        for name, column in columns_of(data, names).items():
            size = BATCH if column.ndim == 1 else 1
            yield from ((name, column_of(column[at : at + size])) for at in range(0, len(column), size))
        return
    if not hasattr(data, "__iter__") or isinstance(data, str | bytes | np.ndarray):
        raise DataError(
            "`adapt()` takes a dict of columns, a data frame, or batches as dicts: a tf.data.Dataset or another "
            f"iterable. Received: {type(data)}"
        )
    for rows in _together(data):
        columns = columns_of(rows, names)
        yield from ((name, column_of(columns[name])) for name in names)


def _together(stream: Iterable[Any]) -> Iterator[Any]:
    """Batches as they come; single rows in batches."""
    coming = iter(stream)
    for first in coming:
        if any(np.ndim(value) for value in _checked(first).values()):
            yield first
            continue
        rows = [first, *islice(coming, BATCH - 1)]
        yield {name: np.array([np.asarray(row[name])[()] for row in rows]) for name in first}


def _checked(batch: Any) -> Mapping[str, Any]:
    if not isinstance(batch, Mapping):
        raise DataError(f"`adapt()` needs each batch as a dict of columns, got {type(batch)}")
    return batch
