"""KerasTensor: an array that a functional model speaks of before there are numbers; it knows which call made it."""

from __future__ import annotations

from typing import Any, NamedTuple, NoReturn

from lamina import ops
from lamina.errors import GraphError
from lamina.graph.operators import infix
from lamina.graph.shapes import Shape
from lamina.tree import flatten


class History(NamedTuple):
    """Where a KerasTensor comes from: which output of which call of which layer."""

    operation: Any
    node_index: int
    tensor_index: int


class KerasTensor:
    """A place in a functional model: shape (None is the batch size), dtype and the layer call that fills it.

    Operators and the functions of ``lamina.ops`` give further KerasTensors and become steps of the model.

    Args:
        shape: sizes of its axes, ``None`` for the batch.
        dtype: its element type's name.
        name: what an input is called in dictionaries of data.

    Example:
        >>> x = KerasTensor((None, 4))
        >>> (2.0 * x[:, 1:3]).shape
        (None, 2)

    Source: Keras's class of the same name.
    """

    __array_ufunc__ = None

    def __init__(self, shape: Shape, dtype: str = "float32", name: str | None = None):
        self.shape = tuple(shape)
        self.dtype = dtype
        self.name = name or "keras_tensor"
        self._keras_history: History | None = None
        self._keras_mask: KerasTensor | None = None

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def reshape(self, newshape: Any) -> Any:
        """``ops.reshape(self, newshape)``."""
        return ops.reshape(self, newshape)

    def squeeze(self, axis: Any = None) -> Any:
        """``ops.squeeze(self, axis)``."""
        return ops.squeeze(self, axis)

    def __lamina_operation__(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        from lamina.layers.operation import symbolic_call  # operations are made of tensors: imported once both exist

        return symbolic_call(name, args, kwargs)

    def __lamina_node__(self) -> NoReturn:
        raise GraphError(
            f"{self!r} has no numbers yet: a functional model takes layers and functions of lamina.ops; put any other "
            "computation into the `call` of a layer of your own"
        )

    def __array__(self, *_: object) -> NoReturn:
        self.__lamina_node__()

    def __bool__(self) -> NoReturn:
        raise GraphError(f"{self!r} has no truth value yet: use ops.where(condition, a, b)")

    def __iter__(self) -> NoReturn:
        raise GraphError(f"{self!r} cannot be iterated: index it with slices, or use ops.split or ops.unstack")

    __add__, __radd__ = infix(ops.add)
    __sub__, __rsub__ = infix(ops.subtract)
    __mul__, __rmul__ = infix(ops.multiply)
    __truediv__, __rtruediv__ = infix(ops.divide)
    __floordiv__, __rfloordiv__ = infix(ops.floor_divide)
    __mod__, __rmod__ = infix(ops.mod)
    __pow__, __rpow__ = infix(ops.power)
    __matmul__, __rmatmul__ = infix(ops.matmul)
    __and__, __rand__ = infix(ops.logical_and)
    __or__, __ror__ = infix(ops.logical_or)
    __xor__, __rxor__ = infix(ops.logical_xor)
    __lt__, __le__ = infix(ops.less)[0], infix(ops.less_equal)[0]
    __gt__, __ge__ = infix(ops.greater)[0], infix(ops.greater_equal)[0]

    def __getitem__(self, key: Any) -> Any:
        return ops.get_item(self, key)

    def __neg__(self) -> Any:
        return ops.negative(self)

    def __abs__(self) -> Any:
        return ops.absolute(self)

    def __invert__(self) -> Any:
        return ops.logical_not(self)

    def __round__(self, ndigits: int | None = None) -> Any:
        return ops.round(self, ndigits or 0)

    def __ne__(self, other: object) -> Any:
        return ops.not_equal(self, other)

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"


class Call:
    """One call of a layer on KerasTensors: its arguments and what came out."""

    def __init__(self, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any):
        self.operation = operation
        self.args = args
        self.kwargs = kwargs
        self.outputs = outputs

    @property
    def inputs(self) -> list[KerasTensor]:
        """The tensors among its arguments, in order."""
        return [x for x in flatten([self.args, self.kwargs]) if isinstance(x, KerasTensor)]
