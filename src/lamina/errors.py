"""The errors that Lamina raises: each says what is wrong, where, what was expected and what to do."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import NoReturn


class LaminaError(Exception):
    """Base of all errors of Lamina's own."""


class GraphError(LaminaError, ValueError):
    """A graph that is not legal: an operation got an input it is not defined for."""

    placed = False  # whether the message names the user's layer


class ShapeError(GraphError):
    """Arrays whose shapes do not fit an operation or a layer."""


class DtypeError(GraphError, TypeError):
    """Arrays whose element types do not fit an operation, a layer or each other."""


class DataError(LaminaError, ValueError):
    """Training or prediction data that a model cannot use."""


class TableError(LaminaError, ValueError):
    """A table (file, column, row or value) that cannot be read or used."""


class ModelFileError(LaminaError, ValueError):
    """A model file that is damaged, unsafe or not of this format."""


class RecordError(ModelFileError, TypeError):
    """A record in a model file's config that describes no object that Lamina can make, or an object without one."""


class MissingLibraryError(LaminaError, ImportError):
    """A library that only some users need is not installed; the message says how to install it."""


def required(module: str, extra: str, instead: str = "") -> ModuleType:
    """A library that only some users have.

    Args:
        module: its name for ``import``.
        extra: what installs it with Lamina.
        instead: what can be done without it, if anything.

    Raises:
        MissingLibraryError: it is not installed; the message names the extra that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingLibraryError(
            f"this needs {module}, which cannot be imported ({error}): pip install 'lamina[{extra}]'{instead}"
        ) from error


class NonFiniteError(LaminaError, ArithmeticError):
    """Training met a loss or a weight that is not finite; the model holds the last good weights.

    Attributes:
        epoch: zero-based epoch in which it happened.
        layer: name of the first layer with a non-finite number, or None.
        history: the History recorded so far.
    """

    def __init__(self, message: str, *, epoch: int, layer: str | None = None, history: object = None):
        super().__init__(message)
        self.epoch = epoch
        self.layer = layer
        self.history = history


class TrapWarning(UserWarning):
    """Something that Keras computes in silence and that is seldom meant: the numbers are Keras's, the fix is named."""


_said: set[str] = set()


def warn_once(message: str, category: type[Warning] = TrapWarning, stacklevel: int = 2) -> None:
    """Warn, unless the same has been said in this session.

    Args:
        message: what is wrong, where, and what to do.
        category: the kind of warning.
        stacklevel: whose line is shown: 2 is the caller's caller.
    """
    if message not in _said:
        _said.add(message)
        warnings.warn(message, category, stacklevel + 1)


def forget_warnings() -> None:
    """What was said may be said again."""
    _said.clear()


def refusal(module: str, absent: Mapping[str, str]) -> Callable[[str], NoReturn]:
    """The ``__getattr__`` of a module, which says why a name of Keras's is not here.

    Args:
        module: the module's name.
        absent: its table ``ABSENT``: a reason for each such name, which docs/keras.md gives, too.
    """

    def __getattr__(name: str) -> NoReturn:
        reason = f": {absent[name]}" if name in absent else ""
        raise AttributeError(f"module {module!r} has no attribute {name!r}{reason}")

    return __getattr__
