"""Stage 5: ``compile(graph, target)`` → an Executable; the only place that knows both ``plan`` and ``lower``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from lamina.errors import GraphError, warn_once
from lamina.graph.check import place
from lamina.graph.mixing import paired_rows
from lamina.graph.node import TEXT, Graph
from lamina.graph.show import show_stage
from lamina.lower.to_numpy import NumpyExecutable
from lamina.rewrite.simplify import simplify

Bound = tuple[dict[str, np.ndarray], dict[str, np.ndarray], Callable[[int, int, int], Any]]


class Executable(Protocol):
    """A compiled graph."""

    graph: Graph

    def run(
        self,
        data: Mapping[str, np.ndarray],
        state: Mapping[str, np.ndarray],
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
        ...

    def bind(self, state: Mapping[str, np.ndarray], rows: int) -> Bound:
        """Arrays for many runs of a few rows.

        Args:
            state: see ``run``.
            rows: how many rows the arrays have.

        Returns:
            An array (rows, …) for each input, one for each output, and what computes the one from the other, as one
            batch, when it is called with (start, stop, step): row 0 of an output answers row ``start`` of the inputs.
        """
        ...


def _load_core() -> tuple[ModuleType | None, str]:
    try:
        from lamina.plan import run
    except ImportError as error:
        return None, str(error)
    return run, ""


core, missing = _load_core()


def _numpy(graph: Graph, threads: int) -> Executable:
    return NumpyExecutable(graph)


def _core(graph: Graph, threads: int) -> Executable:
    if core is None:
        return _instead(f"Lamina's C++ core is not available ({missing})", graph)
    pairs = paired_rows(graph.roots)
    if pairs is not None:
        return _instead(f"{place(pairs)} compares all rows of a batch with each other, which the core does not", graph)
    made = core.CoreExecutable(graph, threads)
    show_stage("plan", made.program)
    executable: Executable = made
    return executable


def _instead(reason: str, graph: Graph) -> Executable:
    warn_once(f"{reason}; running on the slower numpy target", RuntimeWarning, stacklevel=4)
    return NumpyExecutable(graph)


def _jax(graph: Graph, threads: int) -> Executable:
    from lamina.lower.to_jax import jax_executable

    return jax_executable(graph)


def _tensorflow(graph: Graph, threads: int) -> Executable:
    from lamina.lower.to_tensorflow import tensorflow_executable

    return tensorflow_executable(graph)


TARGETS: dict[str, Callable[[Graph, int], Executable]] = {
    "core": _core, "numpy": _numpy, "jax": _jax, "tensorflow": _tensorflow,
}  # fmt: skip


def check_target(target: str) -> None:
    """Raise a GraphError if there is no such target."""
    if target not in TARGETS:
        raise GraphError(f"target {target!r} is not one of {', '.join(TARGETS)}")


def compile(graph: Graph, target: str = "core", threads: int = 1) -> Executable:
    """Simplify a graph and compile it for a target.

    Args:
        graph: what to compute.
        target: ``"core"`` (the C++ machine), ``"numpy"`` (the readable reference), ``"jax"`` or ``"tensorflow"`` (both
            compile with XLA, and run on a GPU or TPU where they find one).
        threads: threads of the core; the result's bits do not depend on it.

    Raises:
        GraphError: no such target, or the graph is not legal.
        MissingLibraryError: JAX or TensorFlow is not installed.

    Set ``LAMINA_SHOW=graph,gradients,plan`` to print the stages to standard error.
    """
    check_target(target)
    graph = simplify(graph)
    if any(node.dtype == TEXT for node in graph.inputs.values()):
        raise GraphError("the network would compute with text: a StringLookup or Hashing layer makes numbers of it")
    show_stage("graph", graph)
    return TARGETS[target](graph, threads)


def shuffle(order: np.ndarray, generator: np.random.Generator) -> None:
    """Fill an order (rows,) int64 with a random permutation: by the core, or by NumPy where it is missing."""
    if core is None:
        order[:] = generator.permutation(len(order))
    else:
        core.shuffle(order, int(generator.integers(2**64, dtype=np.uint64)))
