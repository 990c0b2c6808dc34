"""Vector: variables side by side in one flat array, so that one pass over it updates them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from lamina import config
from lamina.errors import DtypeError
from lamina.graph import express as e
from lamina.graph.node import Node, leaf
from lamina.trace import Trace
from lamina.variables import Variable, flat_zeros


class Vector(Variable):
    """A variable (N,) whose windows are other variables, once they live in it.

    Args:
        parts: float variables of one type.
        key: the name of its buffer in programs.

    Raises:
        DtypeError: they are of different types.
    """

    def __init__(self, parts: Sequence[Variable], key: str):
        super().__init__(0.0, trainable=False, name=key)
        self.key = key
        self.parts = list(parts)
        self._offsets = list(accumulate((v.flat.size for v in parts), initial=0))
        self._value = self._flat = flat_zeros(self._offsets[-1], common_dtype(parts))

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        super().__setstate__(state)
        self.key = state["key"]

    def layout(self) -> dict[Variable, Node]:
        """The vector, and each part as a window of it, as leaves of a graph."""
        windows = {v: self._leaf(v.shape, begin) for v, begin in zip(self.parts, self._offsets, strict=False)}
        return {self: self._leaf(self.shape, 0)} | windows

    def _leaf(self, shape: tuple[int, ...], offset: int) -> Node:
        return leaf("variable", shape, self.dtype, buffer=self.key, offset=offset)

    def attach(self) -> None:
        """Make the parts live here; another model that shares one may have moved it away."""
        for v, home in zip(self.parts, self._homes(), strict=True):
            if v.flat.base is not self.flat.base:
                v.move(home)

    def _homes(self) -> list[np.ndarray]:
        pairs = zip(self.parts, pairwise(self._offsets), strict=True)
        return [self.flat[begin:end].reshape(v.shape) for v, (begin, end) in pairs]

    def gather(self) -> None:
        """Copy the parts' numbers, which live elsewhere, into the vector."""
        for v, home in zip(self.parts, self._homes(), strict=True):
            home[...] = v.value

    def scatter(self) -> None:
        """Copy the vector's numbers back to its parts."""
        for v, home in zip(self.parts, self._homes(), strict=True):
            v.assign(home)

    def take_in(self, trace: Trace) -> None:
        """What layers have assigned to the parts in a trace becomes a piece of the vector's value."""
        values = [trace.node(v) for v in self.parts]
        if trace.forget(self.parts):
            trace.assign(self, join(values))

    def split(self, value: Node) -> list[Node]:
        """The parts of the vector's value, each of its variable's shape."""
        pairs = zip(self.parts, pairwise(self._offsets), strict=True)
        return [e.reshape(e.slice(value, [begin], [end]), v.shape) for v, (begin, end) in pairs]


def join(values: Sequence[Node]) -> Node:
    """Arrays of any shapes one after the other."""
    return e.concatenate([e.reshape(x, (-1,)) for x in values], 0)


def parts_of(variable: Variable) -> list[Variable]:
    """The parts of a vector; any other variable is its only part."""
    return variable.parts if isinstance(variable, Vector) else [variable]


def each(variable: Variable, value: Node, change: Callable[[Variable, Node], Node]) -> Node:
    """A variable's value after ``change(part, value)`` of each of its parts."""
    if not isinstance(variable, Vector):
        return change(variable, value)
    return join([change(v, x) for v, x in zip(variable.parts, variable.split(value), strict=True)])


def common_dtype(variables: Sequence[Variable]) -> str:
    """The float type of all variables, the session's if there are none.

    Raises:
        DtypeError: they are of different types.
    """
    paths = {v.dtype: v.path for v in variables} or {config.floatx(): ""}
    if len(paths) > 1:
        listed = ", ".join(f"{path} is {dtype}" for dtype, path in sorted(paths.items()))
        raise DtypeError(f"a model trains in one float type, but {listed}")
    return next(iter(paths))
