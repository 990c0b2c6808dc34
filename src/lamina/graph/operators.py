"""Python's infix operators as rows of a table: a function of two operands makes an operator and its reflection."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

X = TypeVar("X")
Result = TypeVar("Result")


def infix(function: Callable[[X, X], Result]) -> tuple[Callable[[X, X], Result], Callable[[X, X], Result]]:
    """The methods for ``self ∘ other`` and for ``other ∘ self``, as ``__sub__, __rsub__ = infix(subtract)``."""
    return lambda self, other: function(self, other), lambda self, other: function(other, self)
