"""Variable: a named array that layers, metrics and optimizers own; a node while a graph is built, numbers otherwise."""

from __future__ import annotations

import itertools
import mmap
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from lamina import config
from lamina.errors import GraphError, ShapeError
from lamina.graph.node import Node
from lamina.graph.operators import infix
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


def _read(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The function of operands, with what variables stand for in the place of them."""
    return lambda a, b: function(*(x.__lamina_node__() if isinstance(x, Variable) else x for x in (a, b)))


class Variable:
    """A mutable array with a fixed shape and dtype.

    Args:
        initializer: initial numbers (copied), or with a ``shape`` where they come from: an initializer or its name.
        shape: the shape, if the numbers come from an initializer.
        dtype: ``"float32"``, ``"float64"``, ``"int32"``, ``"int64"`` or ``"bool"``; an array's own by default, the
            session's float type for other numbers.
        trainable: whether an optimizer may change it.
        autocast, aggregation, synchronization, layout: taken for Keras's sake.
        name: last part of its path; numbered by default.

    Raises:
        ValueError: an initializer without a shape, or a name with a ``/``.

    Example:
        >>> v = Variable([1.0, 2.0], name="bias")
        >>> v.assign_add([1.0, 1.0])
        array([2., 3.], dtype=float32)
        >>> Variable("ones", shape=(2,), name="scale")
        <Variable path=scale, shape=(2,), dtype=float32, value=[1. 1.]>
    """

    __array_priority__ = 100
    moved = 0  # another number each time that the numbers of any variable have moved
    named_initializer: Callable[[Any], Any] = staticmethod(lambda name: None)  # set by `lamina.initializers`

    def __init__(
        self,
        initializer: Any,
        shape: Sequence[int] | None = None,
        dtype: str | None = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str = "none",
        synchronization: str = "auto",
        name: str | None = None,
        layout: Any = None,
    ):
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise ValueError(
                f"Argument `name` must be a string and cannot contain character `/`. Received: name={name}"
            )
        self.name = name or config.unique_name("Variable")
        self._value = self._first(initializer, shape, dtype)
        self._flat = self._value.reshape(-1)
        self.path = self.name
        self.trainable = trainable
        self.autocast = autocast
        self.aggregation = aggregation
        self.synchronization = synchronization
        self.regularizer: Callable[[Any], Any] | None = None  # a penalty added to the loss, ``f(node) → node``
        self.constraint: Callable[[Any], Any] | None = None  # a projection after each update, ``f(node) → node``
        self.key = f"{self.name}:{next(_numbers)}"  # names its buffer in a program's state

    def _first(self, given: Any, shape: Sequence[int] | None, dtype: str | None) -> np.ndarray:
        if isinstance(given, str) or callable(given):
            if shape is None:
                raise ValueError(
                    "When creating a Variable from an initializer, the `shape` argument should be specified. Received: "
                    f"initializer={given} and shape={shape}"
                )
            dtype = dtype or config.floatx()
            make = self.named_initializer(given) if isinstance(given, str) else given
            return np.array(make(tuple(shape), dtype), dtype, order="C")
        array = np.array(given, dtype=dtype, order="C")
        if array.dtype.kind not in "fiub":
            raise ValueError(f"A Variable holds numbers. Received: {given!r}")
        if dtype is None and array.dtype.kind in "fi" and not isinstance(given, np.ndarray | np.generic):
            return array.astype(config.floatx() if array.dtype.kind == "f" else "int32")
        return array

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
    def value(self) -> Any:
        """The numbers themselves, a view, not a copy; while a graph is built the node that stands for them."""
        return self.__lamina_node__()

    @property
    def flat(self) -> np.ndarray:
        """The numbers as one row: a view."""
        return self._flat

    def numpy(self) -> np.ndarray:
        """A copy of the numbers."""
        return self._value.copy()

    def assign(self, value: Any) -> Any:
        """Replace the numbers, now or (while a graph is built) in each run.

        Returns:
            The new value.

        Raises:
            ShapeError: the new value has another shape.
        """
        trace = current()
        if trace is not None and isinstance(value, Node):
            trace.assign(self, value)
            return trace.node(self)
        array = np.asarray(value)
        if array.shape != self.shape:
            raise ShapeError(f"variable {self.path!r} has shape {self.shape}, got an array of shape {array.shape}")
        self._value[...] = array
        return self.numpy()

    def assign_add(self, value: Any) -> Any:
        """Add to the numbers; returns the new value."""
        return self.assign(self + value)

    def assign_sub(self, value: Any) -> Any:
        """Subtract from the numbers; returns the new value."""
        return self.assign(self - value)

    def move(self, home: np.ndarray) -> None:
        """Keep the numbers in ``home`` (an array of this shape and dtype) from now on."""
        home[...] = self._value
        self._value, self._flat = home, home.reshape(-1)
        Variable.moved = next(_moves)

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """A copy, or what comes from a pickle, has numbers of its own and another name in programs."""
        vars(self).update(state)
        self._value = self._value.copy()
        self._flat = self._value.reshape(-1)
        self.key = f"{self.name}:{next(_numbers)}"

    def __lamina_node__(self) -> Any:
        trace = current()
        return self._value if trace is None else trace.node(self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self._now(), dtype=dtype, copy=copy is not False)  # what is kept must not train along

    def _now(self) -> np.ndarray:
        if current() is not None:
            raise GraphError(
                f"variable {self.path!r} has no numbers while a graph is built: each run reads and writes it. Compute "
                "with the variable itself and with lamina.ops; `numpy()` gives the numbers of this moment"
            )
        return self._value

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, value={self._value}>"

    def __float__(self) -> float:
        return float(self._now())

    def __int__(self) -> int:
        return int(self._now())

    def __getitem__(self, key: Any) -> Any:
        found = self.__lamina_node__()[key]
        return np.array(found) if isinstance(found, np.ndarray) else found  # what it is now, not what it becomes

    def __abs__(self) -> Any:
        return abs(self.__lamina_node__())

    def __neg__(self) -> Any:
        return -self.__lamina_node__()

    __add__, __radd__ = infix(_read(operator.add))
    __sub__, __rsub__ = infix(_read(operator.sub))
    __mul__, __rmul__ = infix(_read(operator.mul))
    __truediv__, __rtruediv__ = infix(_read(operator.truediv))
    __floordiv__, __rfloordiv__ = infix(_read(operator.floordiv))
    __mod__, __rmod__ = infix(_read(operator.mod))
    __pow__, __rpow__ = infix(_read(operator.pow))
    __matmul__, __rmatmul__ = infix(_read(operator.matmul))
    __lt__, __gt__ = infix(_read(operator.lt))
    __le__, __ge__ = infix(_read(operator.le))

    def __bool__(self) -> bool:
        raise TypeError(f"variable {self.path!r} cannot be used as a boolean: compare it, or take float(variable)")


class Count(Variable):
    """Whole numbers that programs change: these keep all numbers as floats, users and files see integers.

    Args:
        value: the first numbers.
        name: last part of its path.
        dtype: what users see, as ``"int64"`` or ``"bool"``.
        stored: the float type of programs.
    """

    def __init__(self, value: Any, name: str | None, dtype: str, stored: str):
        super().__init__(value, dtype=stored, trainable=False, name=name)
        self._seen = dtype

    @property
    def dtype(self) -> str:
        """Its element type's name."""
        return self._seen

    @property
    def value(self) -> np.ndarray:
        """The numbers as integers: a copy."""
        return self.numpy()

    def numpy(self) -> np.ndarray:
        """A copy of the numbers."""
        return np.asarray(self._value, self._seen)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.numpy(), dtype)


@contextmanager
def holding(variables: Sequence[Variable], values: Sequence[Any]) -> Iterator[None]:
    """Inside the block the variables have these values, after it their own again.

    Raises:
        ShapeError: a value has another shape.
    """
    own = [variable.numpy() for variable in variables]
    try:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        yield
    finally:
        for variable, value in zip(variables, own, strict=True):
            variable.assign(value)
