"""Graph → a TensorFlow function: the source of ``to_numpy``, with a small ``np`` of TensorFlow's functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from lamina.errors import required
from lamina.graph.node import DTYPES, Graph
from lamina.lower.device import DeviceExecutable
from lamina.lower.philox import uniform

# Functions of the source's ``np`` that TensorFlow has under the same name and with the same arguments.
SAME = "abs sign exp sqrt sin cos tanh round where tensordot reshape transpose broadcast_to pad stack \
zeros_like".split()
SAME_IN_MATH = "expm1 log log1p".split()


class Numpy(SimpleNamespace):
    """The functions of NumPy that the source names, as TensorFlow has them."""

    def __init__(self, tf: Any):
        def either(kind: str, its: Callable[..., Any], others: Callable[..., Any]) -> Callable[..., Any]:
            """One function for values of a kind of type, another for the rest."""
            return lambda x, *more, **how: (its if getattr(_dtype(tf, x), kind) else others)(x, *more, **how)

        super().__init__(
            **{name: getattr(tf, name) for name in SAME},
            **{name: getattr(tf.math, name) for name in SAME_IN_MATH},
            **{dtype: partial(self._typed, dtype=dtype) for dtype in (*DTYPES, "uint64")},
            asarray=self._typed,
            arange=lambda size, dtype: tf.cast(tf.range(size), dtype),
            argmax=tf.argmax,
            ceil=either("is_floating", tf.math.ceil, tf.identity),
            clip=lambda x, low, high: tf.clip_by_value(x, self._typed(low, x.dtype), self._typed(high, x.dtype)),
            concatenate=tf.concat,
            floor=either("is_floating", tf.floor, tf.identity),
            isfinite=either("is_floating", tf.math.is_finite, lambda x: tf.ones_like(x, "bool")),
            max=either("is_bool", tf.reduce_any, tf.reduce_max),
            maximum=either("is_bool", tf.logical_or, tf.maximum),
            minimum=either("is_bool", tf.logical_and, tf.minimum),
            right_shift=tf.bitwise.right_shift,
            sum=lambda x, axis, keepdims, dtype: tf.cast(tf.reduce_sum(x, axis, keepdims), dtype),
        )
        self._tf = tf

    def _typed(self, x: Any, dtype: Any) -> Any:
        tf = self._tf
        return tf.cast(x, dtype) if tf.is_tensor(x) else tf.constant(np.asarray(x, tf.as_dtype(dtype).as_numpy_dtype))


def _dtype(tf: Any, x: Any) -> Any:
    return tf.convert_to_tensor(x).dtype


class TensorFlow:
    """What TensorFlow does for ``device.DeviceExecutable``."""

    def __init__(self) -> None:
        self.tf = tf = required("tensorflow", extra="tensorflow")
        self.names: Mapping[str, Any] = {
            "np": Numpy(tf), "uniform": uniform, "sigmoid": tf.sigmoid, "softplus": tf.math.softplus,
            "erf": tf.math.erf, "take": self._take, "scatter_add": self._scatter_add,
        }  # fmt: skip

    def settings(self) -> AbstractContextManager[Any]:
        """See ``device.Library``."""
        return nullcontext()

    def array(self, x: Any) -> Any:
        """See ``device.Library``."""
        return self.tf.constant(x)

    def rows(self, x: Any, begin: Any, count: int) -> Any:
        """See ``device.Library``."""
        rest = x.shape[1:]
        return self.tf.slice(x, [begin, *(0 for _ in rest)], [count, *rest])

    def put(self, whole: Any, part: Any, begin: Any) -> Any:
        """See ``device.Library``."""
        places = begin + self.tf.range(part.shape[0], dtype="int64")
        return self.tf.tensor_scatter_nd_update(whole, places[:, None], part)

    def loop(self, count: Any, body: Callable[[Any, Any], Any], carried: Any) -> Any:
        """See ``device.Library``."""
        tf = self.tf
        first = (tf.constant(0, tf.int64), carried)
        return tf.while_loop(lambda i, _: i < count, lambda i, x: (i + 1, body(i, x)), first)[1]

    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """See ``device.Library``."""
        compiled: Callable[..., Any] = self.tf.function(function, jit_compile=True, autograph=False)
        return compiled

    def _take(self, table: Any, indices: Any) -> Any:
        return self.tf.gather(table, self._from_front(indices, self.tf.shape(table, indices.dtype)[0]))

    def _scatter_add(self, indices: Any, updates: Any, size: int) -> Any:
        return self.tf.math.unsorted_segment_sum(updates, self._from_front(indices, size), size)

    def _from_front(self, indices: Any, size: Any) -> Any:
        return self.tf.where(indices < 0, indices + size, indices)


def tensorflow_executable(graph: Graph) -> DeviceExecutable:
    """The tensorflow target of ``engine.compile``; it runs where TensorFlow runs: on a GPU if there is one."""
    return DeviceExecutable(graph, TensorFlow())
