"""Trace: one reading of a model's equations into a graph: what variables become, which losses are added."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.errors import GraphError
from lamina.graph.express import as_node, stop_gradient, where
from lamina.graph.node import Node, leaf
from lamina.host.stage import Host, HostCall

if TYPE_CHECKING:
    from lamina.variables import Variable

_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


class Trace:
    """A graph in the making.

    Args:
        layout: variables that live in a larger buffer, each with its window; any other variable is a buffer of its own.
        training: what layers see as ``training`` when the caller does not say; None leaves it to the layer's default.
    """

    def __init__(self, layout: Mapping[Variable, Node] | None = None, training: bool | None = False):
        self.layout: dict[Variable, Node] = dict(layout or {})
        self.training = training
        self.losses: list[Node] = []
        self.calls: list[tuple[str, Node]] = []  # what each layer call put out, in order
        self.hosted: list[HostCall] = []  # inputs of the graph that the host makes of the user's
        self.weights: Variable | None = None  # the vector of what an optimizer may train here
        self.optimizer: object = None  # the one that did
        self.seen: dict[Variable, Node] = {}  # values of variables that are written as parts of a vector
        self.masks: dict[Node, Node] = {}  # which places of an array count, where not all do
        self._own: dict[Variable, Node] = {}
        self._new: dict[Variable, Node] = {}
        self._draws: dict[int, int] = {}

    def node(self, variable: Variable) -> Node:
        """The variable's present value: what it was assigned in this trace, else its window."""
        if variable in self._new:
            return self._new[variable]
        return self.seen[variable] if variable in self.seen else self.window(variable)

    def window(self, variable: Variable) -> Node:
        """The variable as a leaf of the graph."""
        if variable in self.layout:
            return self.layout[variable]
        if variable not in self._own:
            stored = variable.flat.dtype.name
            dtype = stored if stored in ("float32", "float64") else "float32"
            self._own[variable] = leaf("variable", variable.shape, dtype, buffer=variable.key, offset=0)
        return self._own[variable]

    def host(self, layer: Host, reads: tuple[Node, ...], dtype: str) -> Node:
        """An input of the graph that the layer's recipe makes, before it runs, of inputs of the user's.

        Raises:
            GraphError: what it reads is computed in the graph, from weights or random numbers.
        """
        call = HostCall(f"host{len(self.hosted)}", layer, reads)
        self.hosted.append(call)
        return leaf("input", reads[0].shape, dtype, name=call.name)

    def assign(self, variable: Variable, value: Node) -> None:
        """From here on in this trace, and after a run for good, the variable has this value.

        A trained one begins anew with it: no gradient goes through the assignment.
        """
        self._new[variable] = stop_gradient(value) if variable.trainable and variable in self.layout else value

    def forget(self, variables: Iterable[Variable]) -> bool:
        """Variables have the values of their windows again; whether any had been assigned another."""
        known = [v for v in variables if v in self._new]
        for variable in known:
            del self._new[variable]
        return bool(known)

    @contextmanager
    def only_if(self, condition: Node | None) -> Iterator[None]:
        """What variables are assigned inside the block holds only where the condition does; None always does."""
        before = dict(self._new)
        yield
        if condition is None:
            return
        for variable, new in self._new.items():
            old = before[variable] if variable in before else self.window(variable)
            if new is not old:
                self._new[variable] = where(condition, new, old)

    def updates(self) -> tuple[tuple[Node, Node], ...]:
        """(window, new value) of every variable that was assigned."""
        return tuple((self.window(variable), value) for variable, value in self._new.items())

    def state(self) -> dict[str, np.ndarray]:
        """The flat buffers of the variables that are buffers of their own."""
        return {variable.key: variable.flat for variable in self._own}

    @property
    def variables(self) -> list[Variable]:
        """The variables that are buffers of their own."""
        return list(self._own)

    @property
    def is_random(self) -> bool:
        """Whether anything drew random numbers."""
        return bool(self._draws)

    def stream(self, seed: int) -> int:
        """A random stream for a seed: another one for each call in a trace."""
        self._draws[seed] = self._draws.get(seed, -1) + 1
        return (seed + self._draws[seed]) & 0xFFFF_FFFF_FFFF_FFFF

    @contextmanager
    def active(self) -> Iterator[Trace]:
        """Read equations into this trace inside the block."""
        token = _current.set(self)
        try:
            yield self
        finally:
            _current.reset(token)


@contextmanager
def outside() -> Iterator[None]:
    """Functions run on numbers inside the block, even while a graph is built: initial values are numbers."""
    token = _current.set(None)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Trace | None:
    """The active trace, or None when functions run on numbers at once."""
    return _current.get()


def active() -> Trace:
    """The active trace.

    Raises:
        GraphError: there is none.
    """
    trace = _current.get()
    if trace is None:
        raise GraphError("equations are read into an active trace, and there is none")
    return trace


def mask_of(x: Any) -> Any:
    """Which places of an array count, or None for all: of a node in the active trace, or what goes with the numbers."""
    if not isinstance(x, Node):
        return getattr(x, "_keras_mask", None)
    trace = _current.get()
    return None if trace is None else trace.masks.get(x)


def set_mask(x: Any, mask: Any) -> None:
    """Say which places of a node count, in the active trace, or of a tensor."""
    trace = _current.get()
    if isinstance(x, Node) and trace is not None:
        trace.masks[x] = as_node(mask)
    elif not isinstance(x, Node):
        x._keras_mask = mask
