"""Input: where data enter a functional model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lamina.errors import ShapeError
from lamina.layers.calling import record
from lamina.layers.layer import Layer
from lamina.layers.tensor import KerasTensor


class InputLayer(Layer):
    """Stands for data of a certain shape.

    Args:
        shape: sizes without the batch axis.
        batch_size: fixed batch size; None takes any.
        dtype: element type of the data inside the model.
        sparse, ragged: taken for Keras's sake, must be false.
        batch_shape: sizes with the batch axis, instead of ``shape``.
        optional: taken for Keras's sake, must be false.
        name: what the input is called in dictionaries of data.
    """

    def __init__(
        self,
        shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Sequence[int | None] | None = None,
        optional: bool = False,
        name: str | None = None,
    ):
        super().__init__(name=name, dtype=dtype)
        if sparse or ragged or optional:
            raise ValueError(f"Input {self.name!r}: sparse, ragged and optional inputs are not supported")
        if (shape is None) == (batch_shape is None):
            raise ValueError("You must pass exactly one of `shape` and `batch_shape`.")
        sizes = (batch_size, *_sizes(shape)) if batch_shape is None else _sizes(batch_shape)
        # A program's batch size is bound when it runs, so a fixed one is no condition.
        self.batch_shape = (None, *sizes[1:])
        if None in self.batch_shape[1:]:
            raise ShapeError(
                f"Input {self.name!r} has the shape {self.batch_shape}: only the batch size may be unknown"
            )
        self.built = True
        record(self, (), {}, KerasTensor(self.batch_shape, self.dtype, self.name))

    def call(self) -> None:
        """An input is not computed."""

    def get_config(self) -> dict[str, Any]:
        """See ``Layer.get_config``."""
        return {
            "batch_shape": self.batch_shape, "dtype": self.dtype_policy.variable_dtype,
            "sparse": False, "ragged": False,
            "name": self.name, "optional": False,
        }  # fmt: skip


def _sizes(shape: Any) -> tuple[int | None, ...]:
    if not isinstance(shape, Sequence) or isinstance(shape, str):
        example = f": a shape is a tuple, ({shape},)" if isinstance(shape, int) else ""
        raise ValueError(f"Cannot convert '{shape}' to a shape{example}.")
    if any(not (size is None or (isinstance(size, int) and size >= 0)) for size in shape):
        raise ValueError(f"Cannot convert '{shape}' to a shape: sizes are positive whole numbers.")
    return tuple(shape)


def Input(
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
    tensor: KerasTensor | None = None,
    optional: bool = False,
) -> KerasTensor:
    """A KerasTensor for data to come.

    Args:
        shape: sizes without the batch axis, ``(8,)`` for eight features.
        batch_size: taken for Keras's sake; any batch size runs.
        dtype: element type of the data inside the model, the session's float type by default; ``"string"`` for text,
            which a StringLookup or Hashing layer takes.
        sparse, ragged, optional: must be false.
        batch_shape: sizes with the batch axis, instead of ``shape``.
        name: what the input is called in dictionaries of data.
        tensor: must be None.

    Returns:
        What layers are called on to build a functional model.

    Example:
        >>> Input((8,), name="x").shape
        (None, 8)
    """
    if tensor is not None:
        raise ValueError("Input takes no `tensor`: call a layer on it instead")
    layer = InputLayer(shape, batch_size, dtype, sparse, ragged, batch_shape, optional, name)
    return layer.output
