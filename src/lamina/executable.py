"""Executable: what every target makes of a graph, which runs over rows of data, batch by batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from lamina.graph.node import Graph, Node

Arrays: TypeAlias = Mapping[str, np.ndarray]
Bound: TypeAlias = tuple[dict[str, np.ndarray], dict[str, np.ndarray], Callable[[int, int, int], Any]]


class Stretch(NamedTuple):
    """Which rows of the data a run goes through, in what order, and how many a step; see ``Executable.run``."""

    rows: int
    batch_size: int
    order: np.ndarray | None
    start: int
    stop: int


class Executable(ABC):
    """A compiled graph; a target says how it goes through a stretch."""

    graph: Graph

    def run(
        self,
        data: Arrays,
        state: Arrays,
        *,
        rows: int,
        batch_size: int,
        order: np.ndarray | None = None,
        start: int = 0,
        stop: int | None = None,
        step: int = 0,
    ) -> dict[str, np.ndarray]:
        """Run the graph over rows of data, batch by batch.

        Args:
            data: an array (rows, …) for each input.
            state: a flat array for each buffer that variables are windows of; updated in place.
            rows: number of rows that every array of ``data`` has.
            batch_size: rows a step; the last step takes what is left.
            order: the rows' order (int64 permutation), or None for their own order.
            start: first place in the order.
            stop: place in the order where to stop; all rows by default.
            step: number of the first step, for ``step`` and ``random`` nodes.

        Returns:
            For each output: rows of all batches joined, if it has a batch axis; else its value in the last step.
        """
        return self._run(data, state, Stretch(rows, batch_size, order, start, rows if stop is None else stop), step)

    @abstractmethod
    def _run(self, data: Arrays, state: Arrays, stretch: Stretch, step: int) -> dict[str, np.ndarray]: ...

    def bind(self, state: Arrays, rows: int) -> Bound:
        """Arrays for many runs of a few rows.

        Args:
            state: see ``run``.
            rows: how many rows the arrays have.

        Returns:
            An array (rows, …) for each input, one for each output, and what computes the one from the other, as one
            batch, when it is called with (start, stop, step): row 0 of an output answers row ``start`` of the inputs.
        """
        inputs = {name: zeros(node, rows) for name, node in self.graph.inputs.items()}
        outputs = {name: zeros(node, rows) for name, node in self.graph.outputs.items()}

        def call(start: int, stop: int, step: int) -> None:
            made = self._run(inputs, state, Stretch(rows, rows, None, start, stop), step)
            for name, array in outputs.items():
                array[: stop - start] = made[name]

        return inputs, outputs, call


def zeros(node: Node, rows: int) -> np.ndarray:
    """Zeros in the shape and type that a node has in a batch of so many rows."""
    return np.zeros([rows if s is None else s for s in node.shape], node.dtype)
