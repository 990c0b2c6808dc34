"""Records → objects, made from the closed table and what users gave alone: no string of a file is run or imported."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn

import numpy as np

from lamina.errors import LaminaError, RecordError
from lamina.registry import custom_object_scope, find_published, get_registered_object, published

SLICE = ("start", "stop", "step")
# Where Keras looks for a function that a record places in "builtins".
FUNCTION_MODULES = ("keras.activations", "keras.losses", "keras.metrics")
ARRAY_DTYPES = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32",
                "uint64", "bool")  # fmt: skip
# What a constructor may raise when a config does not fit it.
REASONS = (
    TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError, MemoryError, LaminaError,
)  # fmt: skip
# Fields that make an object allocate memory or work before any data are seen, each with the most a file may ask for.
FIELD_LIMITS = {
    "num_thresholds": 100_000, "num_labels": 1_000_000, "num_regressors": 1_000_000, "num_classes": 5_000,
    "power_iterations": 1_000, "num_oov_indices": 1_000_000,
}  # fmt: skip

_made: ContextVar[dict[int, Any] | None] = ContextVar("made", default=None)


def deserialize_keras_object(
    config: Any, custom_objects: Mapping[str, Any] | None = None, safe_mode: bool = True
) -> Any:
    """The object that a record describes; a plain value, or an object already made, is given back.

    Nothing is imported or executed: classes and functions come from Lamina's closed table, from
    ``custom_objects`` or from what was registered.

    Args:
        config: what ``serialize_keras_object`` (Lamina's or Keras's) returned.
        custom_objects: your own classes and functions by the names that records give them.
        safe_mode: taken for Keras's sake; code in a file is never run, whatever it is.

    Raises:
        RecordError: a record that names something unknown or forbidden, or does not fit its class.

    Example:
        >>> deserialize_keras_object({"class_name": "__numpy__", "config": {"value": [1, 2], "dtype": "int32"}})
        array([1, 2], dtype=int32)
    """
    with custom_object_scope(custom_objects):
        return _value(config)


def shared_objects(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """``deserialize_keras_object``, where records of one ``shared_object_id`` become one object."""
    token = _made.set({})
    try:
        return deserialize_keras_object(config, custom_objects)
    finally:
        _made.reset(token)


def _value(config: Any) -> Any:
    if isinstance(config, list | tuple):
        parts = [_value(part) for part in config]
        return tuple(parts) if isinstance(config, tuple) else parts
    if not isinstance(config, dict):
        return config
    if "class_name" not in config or "config" not in config:
        return {key: _value(part) for key, part in config.items()}
    name = config["class_name"]
    if not isinstance(name, str):
        raise RecordError(f"a record has the class_name {name!r}, which is not a name")
    return _SPECIAL.get(name, _object)(config)


def _lambda(record: dict[str, Any]) -> NoReturn:
    raise RecordError(
        f"it holds a {record['class_name'].strip('_')!r}: Python code that would run when the file is loaded. Lamina "
        "never runs code from a file; write the function as a layer of your own with @register_keras_serializable()"
    )


def _typespec(record: dict[str, Any]) -> NoReturn:
    raise RecordError("it holds a TensorFlow type (__typespec__), which Lamina does not read")


def _array(record: dict[str, Any]) -> np.ndarray:
    config = _fields(record)
    dtype = config.get("dtype")
    if dtype not in ARRAY_DTYPES:
        raise RecordError(f"an array in the config has the dtype {dtype!r}, expected one of {', '.join(ARRAY_DTYPES)}")
    try:
        return np.array(config.get("value"), dtype=dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise RecordError(f"an array in the config is no array of {dtype}: {error}") from error


def _bytes(record: dict[str, Any]) -> bytes:
    return str(_fields(record).get("value")).encode("utf-8")


def _slice(record: dict[str, Any]) -> slice:
    config = _fields(record)
    return slice(*(_value(config.get(part)) for part in SLICE))


def _function(record: dict[str, Any]) -> Any:
    name, module = record["config"], record.get("module")
    if not isinstance(name, str):
        raise RecordError(f"a function is named {name!r}, which is not a name")
    custom = get_registered_object(name)
    if custom is not None:
        return custom
    for place in FUNCTION_MODULES if module == "builtins" else (module,):
        entry = find_published(str(place), name)
        if entry is not None and isinstance(entry.thing, types.FunctionType):
            return entry.thing
    raise RecordError(_unknown("function", name, module))


def _object(record: dict[str, Any]) -> Any:
    made = _made.get()
    shared = record.get("shared_object_id")
    if made is not None and isinstance(shared, int) and shared in made:
        return made[shared]
    cls = _class(record)
    config = _fields(record)
    with _named(record["class_name"], config):
        _check_fields(config)
        instance = cls.from_config(config if _reads_records(cls) else _value(config))
        if record.get("build_config") and not getattr(instance, "built", True):
            instance.build_from_config(record["build_config"])
        if record.get("compile_config"):
            instance.compile_from_config(record["compile_config"])
    if made is not None and isinstance(shared, int):
        made[shared] = instance
    return instance


def without_counterpart(record: Any, owner: str = "") -> list[str]:
    """What a record names that there is no way to make here: each thing with the layer (or loss …) it belongs to.

    Args:
        record: what ``serialize_keras_object`` (Lamina's or Keras's) returned.
        owner: what the record stands in.

    Example:
        >>> without_counterpart({"module": "keras.layers", "class_name": "Conv2D", "config": {"name": "first"}})
        ["layer 'first': Lamina has no class keras.layers.Conv2D"]
    """
    if isinstance(record, list | tuple):
        return [line for part in record for line in without_counterpart(part, owner)]
    if not isinstance(record, dict):
        return []
    owner = _owner(record) or owner
    try:
        if "class_name" in record and "config" in record:
            _SPECIAL.get(record["class_name"], _class)(record)  # found, but not made
    except RecordError as error:
        return [f"{owner}: {error}" if owner else str(error)]
    return [line for part in record.values() for line in without_counterpart(part, owner)]


def _owner(record: dict[str, Any]) -> str:
    config = record.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    kind = "layer" if record.get("module") == "keras.layers" or "inbound_nodes" in record else record.get("class_name")
    return f"{kind} {name!r}" if isinstance(name, str) else ""


def _class(record: dict[str, Any]) -> Any:
    """The class a record names: one of Lamina's own, which nothing overrides, or one that the user gave."""
    name, registered = record["class_name"], record.get("registered_name")
    if "module" not in record:
        raise RecordError(f"the record of a {name!r} does not say its module: it is not in the format of Keras 3")
    entry = find_published(str(record["module"]), name)
    if entry is not None:
        if registered not in (None, name, entry.registered_name):
            raise RecordError(
                f"the record of a {record['module']}.{name} gives it the registered name {registered!r}: "
                "built-in classes are not replaced by a file"
            )
        found = entry.thing
    else:
        found = get_registered_object(registered) if isinstance(registered, str) else None
    if found is None or not hasattr(found, "from_config"):
        raise RecordError(_unknown("class", name, record["module"]))
    return found


def _unknown(kind: str, name: str, module: Any) -> str:
    if isinstance(module, str) and (module == "keras" or module.startswith("keras.")):
        return f"Lamina has no {kind} {module}.{name}"
    return (
        f"Could not locate {kind} {name!r}: decorate it with @lamina.saving.register_keras_serializable() before "
        f"loading, or give custom_objects={{{name!r}: …}}"
    )


def _fields(record: dict[str, Any]) -> dict[str, Any]:
    config = record["config"] if record["config"] is not None else {}
    if not isinstance(config, dict):
        raise RecordError(f"the config of a {record['class_name']!r} must be an object, it is {config!r}")
    return config


def _check_fields(config: Mapping[str, Any]) -> None:
    for name, limit in FIELD_LIMITS.items():
        value = config.get(name)
        if isinstance(value, int) and value > limit:
            raise RecordError(f"{name} is {value}, more than the {limit} that a file may ask for")


def _reads_records(cls: type) -> bool:
    """Whether the class's own ``from_config`` reads the records inside its config, as containers of layers do."""
    owner = next(base for base in cls.__mro__ if "from_config" in vars(base))
    entry = published(owner)
    return entry.contains if entry is not None else owner.__module__.split(".")[0] != "lamina"


@contextmanager
def _named(class_name: str, config: Mapping[str, Any]) -> Iterator[None]:
    """Say in an error which object of the file it is about."""
    try:
        yield
    except REASONS as error:
        name = config.get("name")
        place = f"{class_name} {name!r}" if isinstance(name, str) else class_name
        reason = f"it lacks {error}" if isinstance(error, KeyError) else error
        raise RecordError(f"{place}: {reason}") from error


_SPECIAL: dict[str, Callable[[dict[str, Any]], Any]] = {
    "__lambda__": _lambda,
    "__typespec__": _typespec,
    "__numpy__": _array,
    "__tensor__": _array,
    "__bytes__": _bytes,
    "__slice__": _slice,
    "__ellipsis__": lambda record: ...,
    "__keras_tensor__": lambda record: record,  # functional models read these themselves
    "function": _function,
}
