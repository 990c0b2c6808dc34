"""KerasTensor: an array that a functional model speaks of before there are numbers; it knows which layer made it."""

from __future__ import annotations

from typing import Any, NamedTuple, NoReturn

from lamina.errors import GraphError
from lamina.graph.shapes import Shape


class History(NamedTuple):
    """Where a KerasTensor comes from: which output of which call of which layer."""

    operation: Any
    node_index: int
    tensor_index: int


class KerasTensor:
    """A place in a functional model: shape (None is the batch size), dtype and the layer call that fills it.

    Args:
        shape: sizes of its axes, ``None`` for the batch.
        dtype: its element type's name.
        name: what an input is called in dictionaries of data.

    Source: Keras's class of the same name.
    """

    __array_ufunc__ = None

    def __init__(self, shape: Shape, dtype: str = "float32", name: str | None = None):
        self.shape = tuple(shape)
        self.dtype = dtype
        self.name = name or "keras_tensor"
        self._keras_history: History | None = None

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __lamina_node__(self) -> NoReturn:
        raise GraphError(
            f"{self!r} has no numbers yet: give it to a layer (Add, Multiply, …), or put the equation into the "
            "`call` of a layer of your own"
        )

    def __array__(self, *_: object) -> NoReturn:
        self.__lamina_node__()

    def __add__(self, *_: Any) -> NoReturn:
        self.__lamina_node__()

    __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __add__
    __neg__ = __abs__ = __pow__ = __rpow__ = __matmul__ = __getitem__ = __add__

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"


class Call:
    """One call of a layer on KerasTensors: its arguments and what came out."""

    def __init__(self, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any):
        self.operation = operation
        self.args = args
        self.kwargs = kwargs
        self.outputs = outputs
