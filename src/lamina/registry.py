"""What a model file may name: Lamina's own closed table of classes and functions, and what a user registered.

A file names things by strings. They are looked up here and nowhere else: no string of a file is ever
imported, evaluated or used as an attribute.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

Thing = TypeVar("Thing", bound=Callable[..., Any])


@dataclass(frozen=True)
class Entry:
    """A row of the closed table.

    Attributes:
        thing: the class or function.
        module: Keras's public module, ``"keras.layers"``.
        name: its name there.
        registered_name: what a record holds under this key, None for most.
        contains: whether its ``from_config`` reads the records inside its config itself.
    """

    thing: Any
    module: str
    name: str
    registered_name: str | None = None
    contains: bool = False


_by_place: dict[tuple[str, str], Entry] = {}
_by_thing: dict[Any, Entry] = {}
_custom: dict[str, Any] = {}
_custom_names: dict[Any, str] = {}
_scope: ContextVar[Mapping[str, Any]] = ContextVar("custom_objects", default={})  # noqa: B039 (never changed in place)


def publish(
    module: str,
    *things: Callable[..., Any],
    read_as: tuple[str, ...] = (),
    registered_name: str | None = None,
    contains: bool = False,
) -> None:
    """Enter Lamina's own classes and functions into the closed table; only ``lamina.catalog`` calls this.

    Args:
        module: Keras's public module, ``"keras.layers"``; things are written with it.
        things: classes and functions, under their own names.
        read_as: other modules that files may give for them.
        registered_name: what their records hold under this key.
        contains: whether their ``from_config`` reads the records inside the config itself.
    """
    for thing in things:
        entry = Entry(thing, module, thing.__name__, registered_name, contains)
        _by_thing[thing] = entry
        for place in (module, *read_as):
            _by_place[place, thing.__name__] = entry


def published(thing: Any) -> Entry | None:
    """The row of one of Lamina's own classes or functions, or None."""
    return _by_thing.get(thing)


def find_published(module: str, name: str) -> Entry | None:
    """The row that a file names, or None."""
    return _by_place.get((module, name))


def all_published() -> tuple[Entry, ...]:
    """The whole closed table."""
    return tuple(_by_thing.values())


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Thing], Thing]:
    """Let model files name a class or function of your own.

    Args:
        package: the first part of its name in files.
        name: the second part, the thing's own name by default.

    Returns:
        A decorator that gives the thing back unchanged.

    Raises:
        ValueError: a class without ``get_config``.

    Example:
        >>> @register_keras_serializable("mine")
        ... def huber_like(y_true, y_pred): ...
        >>> get_registered_name(huber_like)
        'mine>huber_like'
    """

    def register(thing: Thing) -> Thing:
        if inspect.isclass(thing) and not hasattr(thing, "get_config"):
            raise ValueError(
                f"cannot register class {thing.__name__}: it has no get_config() method, "
                "so a file could not say how to make one"
            )
        full = f"{package}>{name or thing.__name__}"
        _custom[full] = thing
        _custom_names[thing] = full
        return thing

    return register


def get_custom_objects() -> dict[str, Any]:
    """The live table of what was registered: ``"package>name"`` → class or function."""
    return _custom


def get_registered_name(obj: Any) -> str:
    """The name a thing was registered under, else its own."""
    return _custom_names.get(obj) or str(obj.__name__)


def get_registered_object(
    name: str | None,
    custom_objects: Mapping[str, Any] | None = None,
    module_objects: Mapping[str, Any] | None = None,
) -> Any:
    """What a name stands for: in the active scope, registered, or in the tables given; None if nowhere."""
    for table in (_scope.get(), _custom, custom_objects or {}, module_objects or {}):
        if name is not None and name in table:
            return table[name]
    return None


@contextmanager
def custom_object_scope(custom_objects: Mapping[str, Any] | None) -> Iterator[None]:
    """Let model files read inside the block name these things.

    Args:
        custom_objects: name in the file → class or function.

    Example:
        >>> with custom_object_scope({"Twice": dict}):
        ...     get_registered_object("Twice")
        <class 'dict'>
    """
    token = _scope.set({**_scope.get(), **(custom_objects or {})})
    try:
        yield
    finally:
        _scope.reset(token)
