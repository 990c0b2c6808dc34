"""The trainable variables of a model as windows of one flat buffer: one pass updates them all."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import prod

from lamina.errors import DtypeError
from lamina.graph.node import Node, leaf
from lamina.variables import Variable, flat_zeros

BUFFER = "parameters"


class Parameters:
    """Variables side by side in one array.

    Args:
        variables: float variables of one dtype.

    Raises:
        DtypeError: they are of different types.
    """

    def __init__(self, variables: Sequence[Variable]):
        self.variables = list(variables)
        dtypes = sorted({v.dtype for v in self.variables})
        if len(dtypes) > 1:
            names = {v.dtype: v.path for v in self.variables}
            raise DtypeError(
                f"a model trains in one float type, but {', '.join(f'{p} is {d}' for d, p in names.items())}"
            )
        ends = list(accumulate(prod(v.shape) for v in self.variables))
        self.flat = flat_zeros(ends[-1] if ends else 0, dtypes[0] if dtypes else "float32")
        self._windows = [slice(a, b) for a, b in zip([0, *ends[:-1]], ends, strict=True)] if ends else []
        self.node = self._leaf(self.flat.shape, 0)

    def _leaf(self, shape: tuple[int, ...], offset: int) -> Node:
        return leaf("variable", shape, self.flat.dtype.name, buffer=BUFFER, offset=offset)

    def layout(self) -> dict[Variable, Node]:
        """Each variable as a window of the buffer."""
        pairs = zip(self.variables, self._windows, strict=True)
        return {v: self._leaf(v.shape, window.start) for v, window in pairs}

    def attach(self) -> None:
        """Make the variables live in this buffer; another model that shares one may have moved it away."""
        for variable, window in zip(self.variables, self._windows, strict=True):
            if variable.value.base is not self.flat.base:
                variable.move(self.flat[window].reshape(variable.shape))
