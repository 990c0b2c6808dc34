"""``lamina.tree``: nested lists, tuples and dictionaries of leaves; dictionaries go by sorted keys, as in Keras."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

_DIFFERENT = "Structures don't have the same nested structure."


class MAP_TO_NONE:
    """What a function returns to ``traverse`` to put None in a place."""


def is_nested(structure: Any) -> bool:
    """Whether it is a list, a tuple or a dictionary."""
    return isinstance(structure, list | tuple | dict)


def flatten(structure: Any) -> list[Any]:
    """The leaves in order.

    Example:
        >>> flatten({"b": [1, 2], "a": (3, None)})
        [3, None, 1, 2]
    """
    return [leaf for _, leaf in paths(structure)]


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """(path, leaf) for each leaf; a path is the keys and positions that lead to it.

    Example:
        >>> flatten_with_path({"a": [1, 2]})
        [(('a', 0), 1), (('a', 1), 2)]
    """
    return list(paths(structure))


def paths(x: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """(path, leaf) for each leaf, one after the other."""
    if not is_nested(x):
        yield path, x
        return
    for key, part in _items(x):
        yield from paths(part, (*path, key))


def _items(x: Any) -> list[tuple[Any, Any]]:
    if not isinstance(x, dict):
        return list(enumerate(x))
    return list(x.items()) if isinstance(x, OrderedDict) else [(key, x[key]) for key in sorted(x)]


def _like(x: Any, parts: Sequence[Any]) -> Any:
    """A container like x that holds these parts, given in the order of ``_items``; a dictionary's keys keep theirs."""
    if isinstance(x, dict):
        made = dict(zip((key for key, _ in _items(x)), parts, strict=True))
        ordered = {key: made[key] for key in x}
        return OrderedDict(ordered) if isinstance(x, OrderedDict) else ordered
    if isinstance(x, list):
        return list(parts)
    return type(x)(*parts) if hasattr(x, "_fields") else tuple(parts)


def map_leaves(function: Callable[[Any], Any], x: Any) -> Any:
    """The same structure with each leaf replaced by ``function(leaf)``."""
    return _like(x, [map_leaves(function, part) for _, part in _items(x)]) if is_nested(x) else function(x)


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """The structure whose leaves are ``func`` of the leaves at the same places of one or several structures.

    Args:
        func: takes a leaf of each.
        structures: all of one structure.
        none_is_leaf: whether None is a leaf like others, instead of staying None.

    Raises:
        ValueError: the structures differ, or there is none.

    Example:
        >>> map_structure(lambda a, b: a + b, {"x": 1}, {"x": 2})
        {'x': 3}
    """
    if not structures:
        raise ValueError("Must provide at least one structure")
    for other in structures[1:]:
        assert_same_structure(structures[0], other)

    def mapped(*leaves: Any) -> Any:
        return None if not none_is_leaf and leaves[0] is None else func(*leaves)

    return map_structure_up_to(structures[0], mapped, *structures)


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """``func`` of what stands in the structures where the shallow one has its leaves.

    Raises:
        ValueError: a structure is not as deep as the shallow one.

    Example:
        >>> map_structure_up_to([0, 0], len, [[1, 2], [3]])
        [2, 1]
    """
    if not structures:
        raise ValueError("Must provide at least one structure")
    if not is_nested(shallow_structure):
        return func(*structures)
    inner = [_same_items(shallow_structure, x) for x in structures]
    parts = [
        map_structure_up_to(part, func, *parts)
        for (_, part), *parts in zip(_items(shallow_structure), *inner, strict=True)
    ]
    return _like(shallow_structure, parts)


def _same_items(model: Any, x: Any) -> list[Any]:
    """The parts of x, a container like the model."""
    if not _alike(model, x):
        raise ValueError(_DIFFERENT)
    return [part for _, part in _items(x)]


def _alike(a: Any, b: Any) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return set(a) == set(b)
    return type(a) is type(b) and len(a) == len(b)


def assert_same_structure(a: Any, b: Any) -> None:
    """Nothing if two structures differ in their leaves alone.

    Raises:
        ValueError: they differ.
    """
    if is_nested(a) != is_nested(b) or (is_nested(a) and not _alike(a, b)):
        raise ValueError(f"{_DIFFERENT} Received: {a!r} and {b!r}")
    if is_nested(a):
        for (_, x), (_, y) in zip(_items(a), _items(b), strict=True):
            assert_same_structure(x, y)


def assert_same_paths(a: Any, b: Any) -> None:
    """Nothing if the leaves of two structures have the same paths, in lists or tuples alike.

    Raises:
        ValueError: a path is in one alone.
    """
    ours, theirs = ({path for path, _ in paths(x)} for x in (a, b))
    if ours != theirs:
        raise ValueError(f"`a` and `b` don't have the same paths: {sorted(map(str, ours ^ theirs))} are in one alone")


def pack_sequence_as(structure: Any, flat_sequence: Sequence[Any]) -> Any:
    """The leaves, in order, in the shape of ``structure``.

    Raises:
        ValueError: there are more or fewer leaves than the structure has.

    Example:
        >>> pack_sequence_as({"a": 0, "b": (0, 0)}, [1, 2, 3])
        {'a': 1, 'b': (2, 3)}
    """
    return pack(structure, list(flat_sequence))


def pack(structure: Any, leaves: list[Any]) -> Any:
    """The leaves, in order, in the shape of ``structure``; see ``pack_sequence_as``."""
    expected = len(flatten(structure))
    if expected != len(leaves):
        raise ValueError(f"a structure of {expected} arrays cannot be filled with {len(leaves)}")
    source = iter(leaves)
    return map_leaves(lambda _: next(source), structure)


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """The structure with each part, leaf or not, replaced by what ``func`` returns, unless that is None.

    Args:
        func: takes a part; ``MAP_TO_NONE`` as its result puts None in the place.
        structure: any.
        top_down: whether a part is asked for before what is in it.
    """
    if not top_down:
        structure = _traverse_parts(func, structure, top_down)
    made = func(structure)
    if made is None:
        return _traverse_parts(func, structure, top_down) if top_down else structure
    return None if made is MAP_TO_NONE else made


def _traverse_parts(func: Callable[[Any], Any], x: Any, top_down: bool) -> Any:
    return _like(x, [traverse(func, part, top_down) for _, part in _items(x)]) if is_nested(x) else x


def lists_to_tuples(structure: Any) -> Any:
    """The structure with tuples for lists."""
    return traverse(lambda x: tuple(x) if isinstance(x, list) else None, structure, top_down=False)


def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """The structure with each shape, a tuple or list of sizes, replaced by ``func(shape)``.

    Example:
        >>> map_shape_structure(len, {"a": (None, 3), "b": [2]})
        {'a': 2, 'b': 1}
    """
    if isinstance(structure, list | tuple) and all(x is None or isinstance(x, int) for x in structure):
        return func(structure)
    if not is_nested(structure):
        return func(structure)
    return _like(structure, [map_shape_structure(func, part) for _, part in _items(structure)])
