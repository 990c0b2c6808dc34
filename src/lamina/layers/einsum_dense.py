"""EinsumDense: a kernel that meets the inputs as an equation says, plus b, then an activation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from lamina import activations, constraints, initializers, ops, regularizers
from lamina.errors import ShapeError
from lamina.graph.einsum import letters_of
from lamina.layers.dense import must_be_none
from lamina.layers.layer import Layer
from lamina.layers.spec import InputSpec

FORMS = re.compile(r"\w+,\w+->\w+|\.{3}\w+,\w+->\.{3}\w+|\w{2,}\.{3},\w+->\w+\.{3}")


class EinsumDense(Layer):
    """σ(einsum(equation, A, W) + b): a dense layer over any axes.

    Args:
        equation: letters for the axes of A, of W and of the result, ``"abc,cd->abd"``; ``...`` stands for further axes.
        output_shape: sizes of the result without the batch (and without what ``...`` stands for); None where the size
            is that of the input.
        activation: σ, a name or a function.
        bias_axes: letters of the result along which b has numbers of its own; None for no b.
        kernel_initializer, bias_initializer: where W and b start.
        kernel_regularizer, bias_regularizer: penalties.
        kernel_constraint, bias_constraint: projections after each update.
        gptq_unpacked_column_size, quantization_config: must be None.

    Example:
        >>> import numpy as np
        >>> EinsumDense("abc,cd->abd", (None, 5), bias_axes="d")(np.ones((2, 3, 4), "float32")).shape
        (2, 3, 5)
    """

    def __init__(
        self,
        equation: str,
        output_shape: int | Sequence[int | None],
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        gptq_unpacked_column_size: Any = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if not FORMS.fullmatch(equation.replace(" ", "")):
            raise ValueError(
                f"Invalid einsum equation '{equation}'. Equations must be in the form [X],[Y]->[Z], "
                "...[X],[Y]->...[Z], or [X]...,[Y]->[Z]...."
            )
        self.equation = equation
        self.partial_output_shape = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        self.activation = activations.get(activation)
        self.bias_axes = bias_axes
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.gptq_unpacked_column_size = gptq_unpacked_column_size
        self.quantization_config = quantization_config
        must_be_none(self, "gptq_unpacked_column_size")
        must_be_none(self, "quantization_config")

    def get_config(self) -> dict[str, Any]:
        """See ``Layer.get_config``."""
        config = {"activity_regularizer": None} | super().get_config() | {"output_shape": self.partial_output_shape}
        return {k: v for k, v in config.items() if k != "gptq_unpacked_column_size"}

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create W, with a size for each of its letters, and b, which is broadcast to the result."""
        weight = self.equation.replace(" ", "").split(",")[1].split("->")[0]
        (given, _), result = letters_of(self.equation, (len(input_shape), len(weight)))
        sizes = self._sizes(input_shape, given, result)
        self.kernel = self.add_weight(
            [self._known(x, sizes) for x in weight], self._scaled(weight, result), name="kernel",
            regularizer=self.kernel_regularizer, constraint=self.kernel_constraint,
        )  # fmt: skip
        self.bias = None
        if self.bias_axes is not None:
            self.bias = self.add_weight(
                self._bias_shape(result, sizes), self.bias_initializer, name="bias",
                regularizer=self.bias_regularizer, constraint=self.bias_constraint,
            )  # fmt: skip
        self.input_spec = InputSpec(ndim=len(input_shape))

    def _sizes(self, shape: Sequence[int | None], given: str, result: str) -> dict[str, int | None]:
        """The size of each letter."""
        sizes = dict(zip(given, shape, strict=True))
        named = iter((shape[0], *self.partial_output_shape) if result[0].isalpha() else self.partial_output_shape)
        for letter in filter(str.isalpha, result):
            size = next(named, None)
            if None not in (size, sizes.get(letter)) and size != sizes[letter]:
                raise ShapeError(
                    f"Input shape and output shape do not match at shared dimension '{letter}'. Input shape is "
                    f"{sizes[letter]}, and output shape is {size}. (layer {self.name!r}, {self.equation!r})"
                )
            sizes[letter] = sizes.get(letter) if size is None else size
        return sizes

    def _known(self, letter: str, sizes: dict[str, int | None]) -> int:
        size = sizes.get(letter)
        if size is None:
            raise ShapeError(
                f"layer {self.name!r}: the size of {letter!r} in {self.equation!r} is neither in the input's shape "
                f"nor in output_shape={self.partial_output_shape}"
            )
        return size

    def _scaled(self, weight: str, result: str) -> Any:
        """The kernel's initializer, told which axes are inputs and which outputs."""
        given = self.kernel_initializer
        if not isinstance(given, initializers.VarianceScaling) or None not in (given.input_axes, given.output_axes):
            return given
        axes = {out: [i for i, x in enumerate(weight) if (x in result) is out] for out in (False, True)}
        config = given.get_config() | {"seed": given._drawn, "input_axes": axes[False], "output_axes": axes[True]}
        return type(given).from_config(config)

    def _bias_shape(self, result: str, sizes: dict[str, int | None]) -> list[int]:
        assert self.bias_axes is not None
        if unknown := [x for x in self.bias_axes if x not in result]:
            raise ValueError(
                f"Bias dimension '{unknown[0]}' was requested, but is not part of the output spec of {self.equation!r}"
            )
        first = min(map(result.index, self.bias_axes))
        return [self._known(x, sizes) if x in self.bias_axes else 1 for x in result[first:]]

    def call(self, inputs: Any) -> Any:
        """σ(einsum(A, W) + b)."""
        z = ops.einsum(self.equation, inputs, self.kernel)
        return self.activation(z if self.bias is None else z + self.bias)
