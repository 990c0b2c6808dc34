"""Whole runs inside a library with devices of its own: what the jax and tensorflow targets share.

The batches of a run are one compiled loop over the source that ``to_numpy`` prints, whose names mean the library's
functions; the last, short batch is a loop of one. Data and state are on the device during a run, and what changed
comes back into the caller's arrays at its end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import reduce
from typing import Any, Protocol

import numpy as np

from lamina.executable import Arrays, Executable, Stretch, zeros
from lamina.graph import express as e
from lamina.graph.check import window_size
from lamina.graph.node import Graph, Node, leaf, walk
from lamina.lower.to_numpy import NumpyExecutable, compile_source

KEPT = 64  # sizes of batches whose programs stay: a server meets each number of rows up to a few dozen
FAULT = "fault"  # the output that says whether an index was outside its table


class Library(Protocol):
    """What a library does for the loop; ``names`` are those of ``to_numpy``'s source."""

    names: Mapping[str, Any]

    def settings(self) -> AbstractContextManager[Any]:
        """What holds while something is compiled or run."""
        ...

    def array(self, x: Any) -> Any:
        """A copy on the device."""
        ...

    def rows(self, x: Any, begin: Any, count: int) -> Any:
        """Rows from ``begin`` on."""
        ...

    def put(self, whole: Any, part: Any, begin: Any) -> Any:
        """The whole with the part's rows in place of those from ``begin`` on."""
        ...

    def loop(self, count: Any, body: Callable[[Any, Any], Any], carried: Any) -> Any:
        """``carried = body(i, carried)`` for i below ``count``."""
        ...

    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, compiled for each shape of its arguments; the first one's memory may be used again."""
        ...


class DeviceExecutable(Executable):
    """A target of ``engine.compile`` in a library with devices of its own."""

    def __init__(self, graph: Graph, library: Library):
        self.graph = graph
        self._library = library
        self._function = compile_source(with_fault(graph), library.names)
        self._changing = _by_buffer(graph)
        read = {node.attrs["buffer"] for node in walk(graph.roots) if node.op == "variable"}
        self._fixed = sorted(read - set(self._changing))
        self._loops: dict[int, Callable[..., Any]] = {}

    def _run(self, data: Arrays, state: Arrays, stretch: Stretch, step: int) -> dict[str, np.ndarray]:
        made = {name: zeros(node, stretch.stop - stretch.start) for name, node in self.graph.outputs.items()}
        array = self._library.array
        with self._library.settings():
            inputs = {name: array(np.asarray(data[name], node.dtype)) for name, node in self.graph.inputs.items()}
            fixed = {name: array(state[name]) for name in self._fixed}
            places = None if stretch.order is None else array(stretch.order)
            carried = _each(array, ({name: state[name] for name in self._changing}, made, np.zeros((), np.int32)))
            for begin, count, size in parts(stretch.start, stretch.stop, stretch.batch_size):
                now = step + (begin - stretch.start) // stretch.batch_size
                *piece, now = (array(np.int64(n)) for n in (stretch.start, begin, count, now))
                carried = self._loop(size)(carried, inputs, fixed, places, piece, now)
            changed, made, fault = _each(np.asarray, carried)
        if fault:
            self._raise_fault(data, state, stretch, step)
        for name, values in changed.items():
            state[name][...] = values
        return {name: np.array(value) for name, value in made.items()}

    def _loop(self, size: int) -> Callable[..., Any]:
        """Batches of one size, compiled; the last few sizes are kept."""
        found = self._loops.pop(size, None) or self._library.compiled(self._batches(size))
        self._loops[size] = found
        if len(self._loops) > KEPT:
            del self._loops[next(iter(self._loops))]
        return found

    def _batches(self, size: int) -> Callable[..., Any]:
        library = self._library

        def batches(carried: Any, data: Any, fixed: Any, order: Any, span: Any, step: Any) -> Any:
            start, begin, count = span

            def batch(i: Any, carried: Any) -> Any:
                changing, outputs, fault = carried
                first = begin + i * size
                taken = {name: self._rows(array, order, first, size) for name, array in data.items()}
                made, values = self._function(taken, {**fixed, **changing}, size, step + i)
                return (
                    self._updated(changing, values),
                    {name: self._with(name, array, made[name], first - start) for name, array in outputs.items()},
                    library.names["np"].maximum(fault, made[FAULT]),
                )

            return library.loop(count, batch, carried)

        return batches

    def _rows(self, array: Any, order: Any, begin: Any, count: int) -> Any:
        if order is None:
            return self._library.rows(array, begin, count)
        return self._library.names["take"](array, self._library.rows(order, begin, count))

    def _with(self, name: str, whole: Any, part: Any, begin: Any) -> Any:
        """An output with a batch's part in it."""
        node = self.graph.outputs[name]
        part = self._library.names["np"].asarray(part, node.dtype)
        return self._library.put(whole, part, begin) if None in node.shape else part

    def _updated(self, changing: dict[str, Any], values: list[Any]) -> dict[str, Any]:
        """The buffers with the variables' new values in their windows."""
        np_ = self._library.names["np"]
        new: dict[str, Any] = {}
        for name, windows in self._changing.items():
            old, pieces, at = changing[name], [], 0
            for begin, end, index in windows:
                pieces += [old[at:begin], np_.reshape(np_.asarray(values[index], old.dtype), (end - begin,))]
                at = end
            new[name] = np_.concatenate([*pieces, old[at:]], axis=0)
        return new

    def _raise_fault(self, data: Arrays, state: Arrays, stretch: Stretch, step: int) -> None:
        """The run again by the reference, which says which index it is."""
        kept = {name: array.copy() for name, array in state.items()}
        NumpyExecutable(self.graph)._run(data, kept, stretch, step)
        raise IndexError("an index is outside its table")


def parts(start: int, stop: int, batch_size: int) -> list[tuple[int, int, int]]:
    """(begin, number of batches, rows of each): the full batches, then the last one if it is shorter."""
    full, rest = divmod(stop - start, batch_size)
    found = [(start, full, batch_size), (stop - rest, 1, rest)]
    return [part for part in found if part[1] and part[2]]


def with_fault(graph: Graph) -> Graph:
    """The graph with one more output, 1 where an index of any ``take`` is outside its table, else 0."""
    found = [_outside(*node.inputs) for node in walk(graph.roots) if node.op == "take"]
    fault = reduce(e.maximum, found) if found else e.constant(0, "int32")
    return Graph({**graph.outputs, FAULT: fault}, graph.updates)


def _outside(table: Node, indices: Node) -> Node:
    size = leaf("rows", (), "int32") if table.shape[0] is None else e.constant(table.shape[0], "int32")
    return e.max(e.cast(e.where(indices < 0, indices < -size, indices >= size), "int32"))


def _by_buffer(graph: Graph) -> dict[str, list[tuple[int, int, int]]]:
    """(begin, end, index of the update) of the windows that each buffer gets anew, in their order."""
    found: dict[str, list[tuple[int, int, int]]] = {}
    for index, (variable, _) in enumerate(graph.updates):
        begin = variable.attrs["offset"]
        found.setdefault(variable.attrs["buffer"], []).append((begin, begin + window_size(variable), index))
    return {name: sorted(windows) for name, windows in found.items()}


def _each(function: Callable[[Any], Any], carried: Any) -> Any:
    changing, outputs, fault = carried
    return (
        {name: function(array) for name, array in changing.items()},
        {name: function(array) for name, array in outputs.items()},
        function(fault),
    )
