"""How users name things: by a string, a record, a class or the thing itself, and how names are written and read."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from lamina import config
from lamina.records import deserialize_keras_object
from lamina.registry import custom_object_scope, get_registered_object
from lamina.signatures import nearest

Table = Mapping[str, Callable[..., Any]]


def names_of(*things: Callable[..., Any], **aliases: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """A table of classes and functions by their names, classes by their snake-case names too."""
    table = {getattr(thing, "__name__", ""): thing for thing in things}
    return table | {config.snake_case(name): thing for name, thing in table.items()} | aliases


def lookup(kind: str, table: Table, identifier: Any, absent: Mapping[str, str] | None = None) -> Any:
    """What a user named: None, a name, a record, a class, or the thing itself.

    Args:
        kind: what is looked for, for messages (``"initializer"``).
        table: the closed table of names; names that the user registered are found too.
        identifier: ``None``, a string, ``{"class_name": …, "config": {…}}``, a class or any callable.
        absent: names of Keras's that are not here, each with the reason.

    Returns:
        None, a function, or an instance (classes are called without arguments).

    Raises:
        ValueError: there is no such name, or the thing cannot be called.
        RecordError: a full record, with its module, that names something unknown.
    """
    given: Mapping[str, Any] = {}
    found = identifier
    if isinstance(identifier, Mapping):
        if "module" in identifier:
            return deserialize_keras_object(identifier)
        found, given = identifier.get("class_name"), identifier.get("config") or {}
        if found == "function":
            found, given = given, {}
    if isinstance(found, str):
        found = table.get(found) or get_registered_object(found)
    if found is None and identifier is None:
        return None
    if not callable(found):
        raise ValueError(f"Could not interpret {kind} identifier: {identifier!r}{_hint(identifier, table, absent)}")
    if not inspect.isclass(found):
        return found
    return found.from_config(given) if hasattr(found, "from_config") else found(**given)


def _hint(identifier: Any, table: Table, absent: Mapping[str, str] | None) -> str:
    name = identifier.get("class_name") if isinstance(identifier, Mapping) else identifier
    reason = (absent or {}).get(str(name))
    return f"; {reason}" if reason else nearest(name, table)


def reader(kind: str, table: Table) -> Callable[..., Any]:
    """The ``deserialize`` of a module, for the things in its table."""
    return reader_of(lambda identifier: lookup(kind, table, identifier))


def reader_of(look_up: Callable[[Any], Any]) -> Callable[..., Any]:
    """The ``deserialize`` of a module that looks things up in a way of its own."""

    def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
        """What a record describes, or a name stands for.

        Args:
            config: what ``serialize`` (Lamina's or Keras's) returned, or a name.
            custom_objects: your own classes and functions by the names that records give them.

        Raises:
            ValueError: there is no such thing.
        """
        with custom_object_scope(custom_objects):
            return look_up(config)

    return deserialize
