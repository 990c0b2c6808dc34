"""What holds for a whole session (float type, ε, names in use); how objects become plain configs and come back."""

from __future__ import annotations

import difflib
import inspect
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from lamina.errors import DtypeError, forget_warnings

VERSION = "0.1.0"  # of Lamina
FLOATS = ("float32", "float64")


@dataclass
class _Session:
    floatx: str = "float32"
    epsilon: float = 1e-7
    names: Counter[str] = field(default_factory=Counter)


_session = _Session()


def floatx() -> str:
    """The float type of new layers, losses and metrics: ``"float32"`` unless it was set."""
    return _session.floatx


def set_floatx(value: str) -> None:
    """Choose the float type of new layers, losses and metrics.

    Args:
        value: ``"float32"`` or ``"float64"``.

    Raises:
        DtypeError: another type.

    Example:
        >>> set_floatx("float64"); floatx()
        'float64'
        >>> set_floatx("float32")
    """
    _session.floatx = float_dtype(value)


def float_dtype(name: str | None) -> str:
    """A float type by name, the session's by default.

    Raises:
        DtypeError: Lamina does not compute in this type.
    """
    name = _session.floatx if name is None else str(name)
    if name not in FLOATS:
        raise DtypeError(f"Lamina computes in {' or '.join(FLOATS)}, got dtype {name!r}")
    return name


# The element types that a graph has, for those that Keras's users may name.
_HELD = {
    **dict.fromkeys(("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "int"), "int32"),
    **dict.fromkeys(("float16", "bfloat16", "float32"), "float32"),
    "float64": "float64", "bool": "bool", "float": "float32",
}  # fmt: skip


def held_dtype(name: Any) -> str:
    """The element type in which a graph holds numbers of some type: whole ones as int32, short floats as float32.

    Raises:
        DtypeError: a type of no numbers.
    """
    found = _HELD.get(getattr(name, "name", None) or getattr(name, "__name__", None) or str(name))
    if found is None:
        raise DtypeError(f"Invalid dtype: {name!r}; known are {', '.join(_HELD)}")
    return found


def epsilon() -> float:
    """The small number that keeps logarithms and quotients finite: 1e-7 unless it was set."""
    return _session.epsilon


def set_epsilon(value: float) -> None:
    """Choose the small number that keeps logarithms and quotients finite."""
    _session.epsilon = float(value)


def snake_case(name: str) -> str:
    """``BatchNormalization`` → ``batch_normalization``; ``ReLU`` → ``re_lu``, as Keras does."""
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def unique_name(prefix: str) -> str:
    """A name that this session has not given yet: ``dense``, ``dense_1``, ``dense_2`` …

    Example:
        >>> clear_session(); unique_name("Dense"), unique_name("Dense")
        ('dense', 'dense_1')
    """
    name = snake_case(prefix)
    count = _session.names[name]
    _session.names[name] += 1
    return f"{name}_{count}" if count else name


def clear_session(free_memory: bool = True) -> None:
    """Forget the names given and the warnings said so far: automatic names count from the start again.

    Args:
        free_memory: taken for Keras's sake; Lamina keeps no global graphs that could be freed.
    """
    _session.names.clear()
    forget_warnings()


def init_parameters(cls: type) -> list[str]:
    """The arguments of a class's ``__init__``, with those of its bases where it passes ``**kwargs`` on."""
    names: dict[str, None] = {}
    for base in cls.__mro__:
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
    return ", ".join(name + nearest(name, _arguments(kind)) for name in names)


def _arguments(kind: type) -> dict[str, None]:
    makers = [vars(c)["__init__"] for c in kind.__mro__ if c is not object and "__init__" in vars(c)]
    return dict.fromkeys(name for maker in makers for name in inspect.signature(maker).parameters if name != "self")


def nearest(identifier: Any, table: Iterable[str]) -> str:
    """The names in a table that look most like a wrong one, as the end of a message."""
    near = difflib.get_close_matches(str(identifier), table, 3)
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
