"""The weights of a model alone ⇄ ``.weights.h5`` files, in one piece or in shards."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lamina.errors import ModelFileError
from lamina.saving import archive
from lamina.saving.hdf5_reader import StoredArray, read_arrays
from lamina.saving.hdf5_writer import hdf5_bytes
from lamina.saving.places import FilePath, about, arrays, members, target
from lamina.saving.shards import INDEX_SUFFIX, SHARD_SUFFIX, read_shards, write_shards
from lamina.saving.state import OPTIMIZER, load_state, state_of

WEIGHTS_SUFFIX = SHARD_SUFFIX
GIBIBYTE = 1 << 30


def save_weights(
    model: Any,
    filepath: FilePath,
    overwrite: bool = True,
    max_shard_size: float | None = None,
    *,
    objects_to_skip: Iterable[Any] | None = None,
) -> None:
    """Write a model's weights, and its optimizer's state, to a ``.weights.h5`` file or to several.

    Args:
        model: what to save.
        filepath: ends in ``.weights.h5``; in ``.weights.json`` where ``max_shard_size`` is given.
        overwrite: whether a file that is there may be replaced.
        max_shard_size: how many GiB one file may hold; the path is then that of an index of the files beside it.
        objects_to_skip: layers (or the optimizer) to leave out, with all in them.

    Raises:
        ModelFileError: the path has another ending, the model has no weights yet, or one of them is too large.
        FileExistsError: there is a file and ``overwrite`` is false.

    Source: keras.saving.save_weights.
    """
    check_built(model, "save_weights")
    groups = state_of(model, objects_to_skip or ())
    if max_shard_size is not None:
        write_shards(_index_path(filepath), groups, _gibibytes(max_shard_size), overwrite)
        return
    path = target(filepath, (WEIGHTS_SUFFIX,), overwrite)
    content = hdf5_bytes(groups)
    with archive.replacing(path) as file:
        file.write(content)


def _index_path(filepath: FilePath) -> Path:
    path = target(filepath, (INDEX_SUFFIX, WEIGHTS_SUFFIX), True)
    if path.suffix != ".json":
        path = path.with_suffix(".json")
        warnings.warn(f"weights in shards have an index: it is saved as {path.name}", stacklevel=4)
    return path


def _gibibytes(size: float) -> float:
    if not float(size) > 0:
        raise ModelFileError(f"max_shard_size must be a positive number of GiB, got {size!r}")
    return float(size) * GIBIBYTE


def load_weights(
    model: Any,
    filepath: FilePath,
    skip_mismatch: bool = False,
    *,
    objects_to_skip: Iterable[Any] | None = None,
    by_name: bool | None = None,
) -> None:
    """Read a model's weights, and its optimizer's state if it is compiled, from a file.

    Args:
        model: built with the same layers in the same order.
        filepath: a ``.weights.h5``, ``.weights.json`` or ``.keras`` file of Lamina or Keras.
        skip_mismatch: warn about layers whose weights do not fit and leave them as they are.
        objects_to_skip: layers (or the optimizer) to leave as they are, with all in them; not for ``.keras``.
        by_name: for Keras's older ``.h5`` files only, so refused.

    Raises:
        ModelFileError: no such file, damaged or unsafe, or weights that do not fit the model.

    Source: keras.saving.load_weights.
    """
    check_built(model, "load_weights")
    if by_name is not None:
        raise ModelFileError(f"{filepath}: by_name is for older .h5 files, which Lamina does not read: leave it out")
    if objects_to_skip is not None and str(filepath).endswith(".keras"):
        raise ModelFileError(f"{filepath}: objects_to_skip is for {WEIGHTS_SUFFIX} files alone")
    stored = _stored(filepath)
    if getattr(model, OPTIMIZER, None) is not None and not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    with _all_or_none(model), about(filepath):
        load_state(model, stored, skip_mismatch=skip_mismatch, whole=False, skipped=objects_to_skip or ())


@contextmanager
def _all_or_none(model: Any) -> Iterator[None]:
    """Where the block fails, the model, its metrics and its optimizer have the numbers that they had before."""
    optimizer = getattr(model, OPTIMIZER, None)
    variables = [*model.variables, *model.metrics_variables, *(optimizer.variables if optimizer else ())]
    before = [variable.numpy().copy() for variable in variables]
    try:
        yield
    except BaseException:
        for variable, numbers in zip(variables, before, strict=True):
            variable.assign(numbers)
        raise


def _stored(filepath: FilePath) -> dict[str, StoredArray]:
    name = str(filepath)
    if name.endswith(".keras"):
        content = members(filepath)[archive.WEIGHTS]
        with about(filepath, archive.WEIGHTS):
            return read_arrays(content)
    return read_shards(Path(filepath)) if name.endswith(INDEX_SUFFIX) else arrays(filepath)


def check_built(model: Any, before: str) -> None:
    """Refuse a model without weights."""
    if not model.built:
        raise ModelFileError(
            f"model {model.name!r} has no weights yet: give it an Input, or call it on data, before {before}"
        )
