"""Binds arrays to a Program and runs it; the only importer of the C++ extension."""

from __future__ import annotations

import numpy as np

import lamina._core as _core
from lamina.errors import DataError
from lamina.executable import Arrays, Bound, Executable, Stretch
from lamina.graph.node import Graph, Node
from lamina.plan.planner import plan

EXACT = {"float32": 2**24, "float64": 2**53}  # integers up to here are exact in the program's float type


def shuffle(order: np.ndarray, seed: int) -> None:
    """Fill an order (rows,) int64 with a permutation of the rows that the seed decides."""
    _core.shuffle(order, seed)


class CoreExecutable(Executable):
    """The core target of ``engine.compile``: one call runs whole epochs in the C++ machine."""

    def __init__(self, graph: Graph, threads: int = 1, together: bool = True):
        self.graph = graph
        self.program = plan(graph, together)
        self.threads = threads
        self._machine = _core.Program(str(self.program))
        self._workspaces: dict[int, _core.Workspace] = {}

    def _run(self, data: Arrays, state: Arrays, stretch: Stretch, step: int) -> dict[str, np.ndarray]:
        inputs = {name: self.prepare(name, data[name]) for name in self.program.inputs}
        count = stretch.stop - stretch.start
        outputs = {name: self._zeros(node, count) for name, node in self.graph.outputs.items()}
        workspace = self._workspace(min(stretch.batch_size, max(count, 1)))
        workspace.run(inputs, dict(state), outputs, stretch.order, stretch.rows, stretch.start, stretch.stop, step)
        return {name: self._typed(name, array) for name, array in outputs.items()}

    def bind(self, state: Arrays, rows: int) -> Bound:
        """See ``Executable.bind``; the call goes straight to the machine."""
        inputs = {name: self._zeros(node, rows) for name, node in self.graph.inputs.items()}
        outputs = {name: self._zeros(node, rows) for name, node in self.graph.outputs.items()}
        return inputs, outputs, self._workspace(rows).bind(inputs, dict(state), outputs, None, rows)

    def prepare(self, name: str, array: np.ndarray) -> np.ndarray:
        """An input as the machine reads it: C-contiguous, in the program's float type. Free if it is so already.

        Raises:
            DataError: integers too large to be exact in that type.
        """
        dtype = self.program.dtype
        if array.dtype.kind in "iu" and array.size:
            largest = max(abs(int(array.min())), abs(int(array.max())))
            if largest > EXACT[dtype]:
                raise DataError(
                    f"input {name!r} has the integer {largest}; {dtype} is exact up to {EXACT[dtype]}. "
                    "Use a float64 model or smaller numbers"
                )
        return np.ascontiguousarray(array, dtype)

    def _workspace(self, batch_size: int) -> _core.Workspace:
        """The arena for a batch size; the last few are kept."""
        found = self._workspaces.pop(batch_size, None) or _core.Workspace(self._machine, batch_size, self.threads)
        self._workspaces[batch_size] = found
        if len(self._workspaces) > 4:
            del self._workspaces[next(iter(self._workspaces))]
        return found

    def _zeros(self, node: Node, rows: int) -> np.ndarray:
        return np.zeros([rows if s is None else s for s in node.shape], self.program.dtype)

    def _typed(self, name: str, array: np.ndarray) -> np.ndarray:
        return array.astype(self.graph.outputs[name].dtype, copy=False)
