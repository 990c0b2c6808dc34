"""Objects → records: layers, losses, arrays, functions as plain dictionaries; what occurs twice has a number."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lamina.errors import RecordError
from lamina.records.reading import SLICE, without_counterpart
from lamina.registry import get_registered_name, published

PLAIN = (str, int, float, bool, type(None))
FUNCTION = {"module": "builtins", "class_name": "function", "registered_name": "function"}


@dataclass
class _Written:
    """The objects met while a file is written: a number for each, and which were met before.

    Holding an object keeps its id its own.
    """

    repeated: frozenset[int] = frozenset()
    numbers: dict[int, tuple[int, Any]] = field(default_factory=dict)
    again: set[int] = field(default_factory=set)


_written: ContextVar[_Written | None] = ContextVar("written", default=None)


def serialize_keras_object(obj: Any) -> Any:
    """The record of an object, or the plain value it is.

    Args:
        obj: a layer, model, loss …, an array, a function with a name, or lists and dictionaries of them.

    Raises:
        RecordError: there is no way to write it, as for a lambda.

    Example:
        >>> serialize_keras_object({"units": 4, "mean": np.zeros(2, "float32")})["mean"]["class_name"]
        '__numpy__'
    """
    if isinstance(obj, PLAIN) and not isinstance(obj, np.generic):
        return obj
    if isinstance(obj, list | tuple):
        parts = [serialize_keras_object(part) for part in obj]
        return tuple(parts) if isinstance(obj, tuple) else parts
    if isinstance(obj, Mapping) and not hasattr(obj, "get_config"):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    if isinstance(obj, np.ndarray | np.generic):
        return _array_record(np.asarray(obj))
    if isinstance(obj, slice):
        ends = {part: serialize_keras_object(getattr(obj, part)) for part in SLICE}
        return {"class_name": "__slice__", "config": ends}
    if obj is ...:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(obj, types.FunctionType):
        entry = published(obj)
        # Keras writes its activations by their names alone.
        return entry.name if entry is not None and entry.module == "keras.activations" else function_record(obj)
    return _object_record(obj)


def _array_record(array: np.ndarray) -> Any:
    if array.ndim == 0:
        return array.item()
    return {"class_name": "__numpy__", "config": {"value": array.tolist(), "dtype": array.dtype.name}}


def function_record(function: Callable[..., Any]) -> dict[str, Any]:
    """The record of a function that has a name.

    Raises:
        RecordError: a lambda.
    """
    if function.__name__ == "<lambda>":
        raise RecordError(
            "a lambda cannot be written to a model file: give the function a name with def and decorate it with "
            "@lamina.saving.register_keras_serializable()"
        )
    return {
        "module": FUNCTION["module"],
        "class_name": FUNCTION["class_name"],
        "config": get_registered_name(function),
        "registered_name": FUNCTION["registered_name"],
    }


def _object_record(obj: Any) -> dict[str, Any]:
    if not hasattr(obj, "get_config"):
        raise RecordError(
            f"cannot write {obj!r} of type {type(obj).__name__} to a model file: a class needs a get_config() method"
        )
    config = obj.get_config()
    if not isinstance(config, Mapping):
        raise RecordError(f"{type(obj).__name__}.get_config() must return a dictionary, it returned {config!r}")
    record = {**_place(type(obj)), "config": serialize_keras_object(config)}
    record["registered_name"] = record.pop("registered_name")  # Keras's order of keys
    for part in ("build_config", "compile_config"):
        given = getattr(obj, f"get_{part}", lambda: None)()
        if given is not None:
            record[part] = serialize_keras_object(given)
    return _share(obj, record)


def _place(cls: type) -> dict[str, Any]:
    """How a record names a class."""
    entry = published(cls)
    if entry is not None:
        return {"module": entry.module, "class_name": entry.name, "registered_name": entry.registered_name}
    module = None if cls.__module__ == "__main__" else cls.__module__
    return {"module": module, "class_name": cls.__name__, "registered_name": get_registered_name(cls)}


def _share(obj: Any, record: dict[str, Any]) -> dict[str, Any]:
    """Give the record of an object that occurs more than once its number."""
    written = _written.get()
    if written is not None:
        if id(obj) in written.numbers:
            written.again.add(id(obj))
        number, _ = written.numbers.setdefault(id(obj), (len(written.numbers) + 1, obj))
        if id(obj) in written.repeated:
            record["shared_object_id"] = number
    return record


def shared_records(obj: Any) -> Any:
    """``serialize_keras_object``, where objects that occur more than once have a ``shared_object_id``.

    A container copies the records of its parts, so which parts recur is found in a reading of its own.
    """
    first = _Written()
    record = _reading(obj, first)
    return _reading(obj, _Written(frozenset(first.again))) if first.again else record


def config_value(value: Any) -> Any:
    """What a layer's config holds of an argument: of functions and objects their record, as in Keras.

    What a record would not lead back to (a lambda, a class that nobody registered) stays itself, so that a layer can
    be made from its config in memory.
    """
    if not (isinstance(value, types.FunctionType | np.ndarray | np.generic) or hasattr(value, "get_config")):
        return value
    try:
        record = _reading(value, _Written())
    except RecordError:
        return value
    if without_counterpart(record):
        return value
    return record if _written.get() is None else serialize_keras_object(value)  # the file counts what occurs twice


def _reading(obj: Any, written: _Written) -> Any:
    token = _written.set(written)
    try:
        return serialize_keras_object(obj)
    finally:
        _written.reset(token)
