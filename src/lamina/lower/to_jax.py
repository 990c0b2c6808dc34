"""Graph → a JAX function: the source of ``to_numpy``, in which ``np`` means ``jax.numpy``; XLA compiles whole runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from lamina.errors import required
from lamina.graph.node import Graph
from lamina.lower.device import DeviceExecutable
from lamina.lower.philox import uniform


class Jax:
    """What JAX does for ``device.DeviceExecutable``."""

    def __init__(self) -> None:
        self._jax = jax = required("jax", extra="jax")
        self._lax = jax.lax
        self.names: Mapping[str, Any] = {
            "np": jax.numpy, "uniform": uniform, "sigmoid": jax.nn.sigmoid, "softplus": jax.nn.softplus,
            "erf": jax.lax.erf, "take": self._take, "scatter_add": self._scatter_add,
        }  # fmt: skip

    @contextmanager
    def settings(self) -> Iterator[None]:
        """Types as wide as they are written, and products as exact, whatever the user's own settings are."""
        with self._jax.enable_x64(True), self._jax.default_matmul_precision("highest"):
            yield

    def array(self, x: Any) -> Any:
        """See ``device.Library``."""
        return self._jax.numpy.array(x)

    def rows(self, x: Any, begin: Any, count: int) -> Any:
        """See ``device.Library``."""
        return self._lax.dynamic_slice_in_dim(x, begin, count)

    def put(self, whole: Any, part: Any, begin: Any) -> Any:
        """See ``device.Library``."""
        return self._lax.dynamic_update_slice_in_dim(whole, part, begin, 0)

    def loop(self, count: Any, body: Callable[[Any, Any], Any], carried: Any) -> Any:
        """See ``device.Library``."""
        return self._lax.fori_loop(0, count, body, carried)

    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """See ``device.Library``."""
        compiled: Callable[..., Any] = self._jax.jit(function, donate_argnums=0)
        return compiled

    def _take(self, table: Any, indices: Any) -> Any:
        return self._jax.numpy.asarray(table)[indices]

    def _scatter_add(self, indices: Any, updates: Any, size: int) -> Any:
        table = self._jax.numpy.zeros((size, *updates.shape[indices.ndim :]), updates.dtype)
        return table.at[indices].add(updates)


def jax_executable(graph: Graph) -> DeviceExecutable:
    """The jax target of ``engine.compile``; it runs where JAX runs: on a GPU or TPU if there is one."""
    return DeviceExecutable(graph, Jax())
