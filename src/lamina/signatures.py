"""Constructors' signatures: how objects become plain configs and come back, and what an unknown argument looks like."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self


def init_parameters(cls: type) -> list[str]:
    """The arguments of a class's ``__init__``, with those of its bases where it passes ``**kwargs`` on."""
    names: dict[str, None] = {}
    for base in cls.__mro__[:-1]:  # `object` takes nothing
        if "__init__" not in vars(base):
            continue
        given = list(inspect.signature(vars(base)["__init__"]).parameters.values())[1:]
        names |= {p.name: None for p in given if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
        if not any(p.kind is p.VAR_KEYWORD for p in given):
            break
    return list(names)


def signature_config(thing: object, strict: bool = True) -> dict[str, Any]:
    """An object's config: for each argument of its ``__init__`` the attribute of the same name.

    Args:
        thing: the object.
        strict: whether each argument must be kept; a class that writes ``get_config`` itself need not keep its own.

    Raises:
        TypeError: an argument is not kept as an attribute, and ``strict``.
    """
    names = init_parameters(type(thing))
    missing = [name for name in names if not hasattr(thing, name)]
    if missing and strict:
        raise TypeError(
            f"{type(thing).__name__}.__init__ takes {missing[0]!r} but does not keep it: "
            f"set self.{missing[0]} there, or write get_config yourself"
        )
    return {name: getattr(thing, name) for name in names if name not in missing}


class Configured:
    """An object that a plain dictionary describes: the arguments of its ``__init__``, kept as attributes."""

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an object like this one."""
        return signature_config(self)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """An object from what ``get_config`` returned."""
        return cls(**config)


def unknown_arguments(kind: type, names: Sequence[str]) -> str:
    """The names of arguments that a class does not take, each with the nearest that it does."""
    return ", ".join(name + nearest(name, init_parameters(kind)) for name in names)


def nearest(identifier: Any, table: Iterable[str]) -> str:
    """The names in a table that look most like a wrong one, as the end of a message."""
    near = difflib.get_close_matches(str(identifier), table, 3)
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
