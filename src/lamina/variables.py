"""Variable: a named array that layers, metrics and optimizers own; a node while a graph is built, numbers otherwise."""

from __future__ import annotations

import itertools
import mmap
from collections.abc import Callable
from typing import Any

import numpy as np

from lamina.errors import ShapeError
from lamina.graph.node import Node
from lamina.trace import current

_numbers = itertools.count()
_moves = itertools.count(1)


CACHE_LINE, LARGE_PAGE = 2**6, 2**21  # bytes


def flat_zeros(size: int, dtype: str) -> np.ndarray:
    """Zeros (size,) where the core reads them fastest: from the begin of a line of the cache; many on large pages."""
    count = size * np.dtype(dtype).itemsize
    large = count > LARGE_PAGE and hasattr(mmap, "MADV_HUGEPAGE")
    align = LARGE_PAGE if large else CACHE_LINE
    room = np.frombuffer(_large_pages(count + align), np.uint8) if large else np.zeros(count + align, np.uint8)
    begin = -room.__array_interface__["data"][0] % align
    return room[begin : begin + count].view(dtype)


def _large_pages(count: int) -> mmap.mmap:
    memory = mmap.mmap(-1, count)
    memory.madvise(mmap.MADV_HUGEPAGE)
    return memory


class Variable:
    """A mutable array with a fixed shape and dtype.

    Args:
        value: initial numbers (an array of any shape, copied).
        name: last part of its path.
        dtype: ``"float32"``, ``"float64"`` or ``"int64"``; the value's own by default.
        trainable: whether an optimizer may change it.
        regularizer: a penalty added to the loss, ``f(node) → node``.
        constraint: a projection after each update, ``f(node) → node``.

    Example:
        >>> v = Variable([1.0, 2.0], name="bias", dtype="float32")
        >>> v.assign_add([1.0, 1.0]); v.numpy()
        array([2., 3.], dtype=float32)
    """

    __array_priority__ = 100
    moved = 0  # another number each time that the numbers of any variable have moved

    def __init__(
        self,
        value: Any,
        name: str = "variable",
        dtype: str | None = None,
        trainable: bool = True,
        regularizer: Callable[[Any], Any] | None = None,
        constraint: Callable[[Any], Any] | None = None,
    ):
        self._value = np.array(value, dtype=dtype, order="C")
        self._flat = self._value.reshape(-1)
        self.name = name
        self.path = name
        self.trainable = trainable
        self.regularizer = regularizer
        self.constraint = constraint
        self.key = f"{name}:{next(_numbers)}"  # names its buffer in a program's state

    @property
    def shape(self) -> tuple[int, ...]:
        """Its fixed shape."""
        return self._value.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._value.ndim

    @property
    def dtype(self) -> str:
        """Its element type's name."""
        return self._value.dtype.name

    @property
    def value(self) -> np.ndarray:
        """The numbers themselves: a view, not a copy."""
        return self._value

    @property
    def flat(self) -> np.ndarray:
        """The numbers as one row: a view."""
        return self._flat

    def numpy(self) -> np.ndarray:
        """A copy of the numbers."""
        return self._value.copy()

    def assign(self, value: Any) -> None:
        """Replace the numbers, now or (while a graph is built) in each run.

        Raises:
            ShapeError: the new value has another shape.
        """
        trace = current()
        if trace is not None and isinstance(value, Node):
            return trace.assign(self, value)
        array = np.asarray(value)
        if array.shape != self.shape:
            raise ShapeError(f"variable {self.path!r} has shape {self.shape}, got an array of shape {array.shape}")
        self._value[...] = array

    def assign_add(self, value: Any) -> None:
        """Add to the numbers."""
        self.assign(self + value)

    def assign_sub(self, value: Any) -> None:
        """Subtract from the numbers."""
        self.assign(self - value)

    def move(self, home: np.ndarray) -> None:
        """Keep the numbers in ``home`` (an array of this shape and dtype) from now on."""
        home[...] = self._value
        self._value, self._flat = home, home.reshape(-1)
        Variable.moved = next(_moves)

    def __lamina_node__(self) -> Any:
        trace = current()
        return self._value if trace is None else trace.node(self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self._value, dtype=dtype, copy=copy)

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, value={self._value}>"

    def __float__(self) -> float:
        return float(self._value)

    def __int__(self) -> int:
        return int(self._value)

    def __getitem__(self, key: Any) -> Any:
        return self.__lamina_node__()[key]

    def __abs__(self) -> Any:
        return abs(self.__lamina_node__())

    def __neg__(self) -> Any:
        return -self.__lamina_node__()

    def __matmul__(self, other: Any) -> Any:
        return self.__lamina_node__() @ _other(other)

    def __rmatmul__(self, other: Any) -> Any:
        return other @ self.__lamina_node__()

    def __mod__(self, other: Any) -> Any:
        return self.__lamina_node__() % _other(other)

    def __floordiv__(self, other: Any) -> Any:
        return self.__lamina_node__() // _other(other)

    def __rpow__(self, other: Any) -> Any:
        return other ** self.__lamina_node__()

    def __lt__(self, other: Any) -> Any:
        return self.__lamina_node__() < _other(other)

    def __le__(self, other: Any) -> Any:
        return self.__lamina_node__() <= _other(other)

    def __gt__(self, other: Any) -> Any:
        return self.__lamina_node__() > _other(other)

    def __ge__(self, other: Any) -> Any:
        return self.__lamina_node__() >= _other(other)

    def __add__(self, other: Any) -> Any:
        return self.__lamina_node__() + _other(other)

    def __radd__(self, other: Any) -> Any:
        return other + self.__lamina_node__()

    def __sub__(self, other: Any) -> Any:
        return self.__lamina_node__() - _other(other)

    def __rsub__(self, other: Any) -> Any:
        return other - self.__lamina_node__()

    def __mul__(self, other: Any) -> Any:
        return self.__lamina_node__() * _other(other)

    def __rmul__(self, other: Any) -> Any:
        return other * self.__lamina_node__()

    def __truediv__(self, other: Any) -> Any:
        return self.__lamina_node__() / _other(other)

    def __rtruediv__(self, other: Any) -> Any:
        return other / self.__lamina_node__()

    def __pow__(self, other: Any) -> Any:
        return self.__lamina_node__() ** _other(other)


def _other(x: Any) -> Any:
    return x.__lamina_node__() if isinstance(x, Variable) else x
