"""Nested structures of arrays: lists, tuples and dictionaries; the keys of the latter are sorted, as in Keras."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def is_nested(x: Any) -> bool:
    """Whether x is a list, a tuple or a dictionary."""
    return isinstance(x, list | tuple | dict)


def flatten(x: Any) -> list[Any]:
    """The leaves in order."""
    return [leaf for _, leaf in paths(x)]


def paths(x: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """(path, leaf) for each leaf; a path is the keys and positions that lead to it."""
    if not is_nested(x):
        yield path, x
        return
    for key, part in _items(x):
        yield from paths(part, (*path, key))


def _items(x: Any) -> list[tuple[Any, Any]]:
    return [(key, x[key]) for key in sorted(x)] if isinstance(x, dict) else list(enumerate(x))


def map_leaves(function: Callable[[Any], Any], x: Any) -> Any:
    """The same structure with each leaf replaced by ``function(leaf)``; a dictionary's keys keep their own order."""
    if isinstance(x, dict):
        made = {key: map_leaves(function, part) for key, part in _items(x)}
        return {key: made[key] for key in x}
    if isinstance(x, list | tuple):
        parts = [map_leaves(function, part) for part in x]
        return parts if isinstance(x, list) else tuple(parts)
    return function(x)


def pack(structure: Any, leaves: list[Any]) -> Any:
    """The leaves, in order, in the shape of ``structure``.

    Raises:
        ValueError: there are more or fewer leaves than the structure has.
    """
    expected = len(flatten(structure))
    if expected != len(leaves):
        raise ValueError(f"a structure of {expected} arrays cannot be filled with {len(leaves)}")
    source = iter(leaves)
    return map_leaves(lambda _: next(source), structure)
