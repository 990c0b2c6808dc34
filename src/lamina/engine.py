"""Stage 5: ``compile(graph, target)`` → an Executable; the only place that knows both ``plan`` and ``lower``."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np

from lamina.errors import GraphError, warn_once
from lamina.executable import Executable
from lamina.graph.check import place
from lamina.graph.mixing import paired_rows
from lamina.graph.node import TEXT, Graph
from lamina.graph.show import show_stage
from lamina.lower.to_numpy import NumpyExecutable
from lamina.rewrite.simplify import simplify


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
