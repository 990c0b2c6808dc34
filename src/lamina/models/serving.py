"""Predictions of a few rows, again and again: arrays stay bound to a compiled step, so that only rows are copied."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from lamina.models.data import Leaf, engine_array
from lamina.models.steps import Step
from lamina.tree import is_nested, pack
from lamina.variables import Variable

ROWS = 32  # the bound arrays have room for so many


def signature(x: np.ndarray) -> Hashable:
    """Alike for plain arrays that one Serving takes; they have rows."""
    return x.shape[1:], x.dtype


class Serving:
    """A predicting step for plain arrays of one ``signature``, which have been checked.

    Calls may overlap: each takes bound arrays from those at rest, or makes new ones.

    Args:
        step: the compiled step; it must not matter which rows share a batch.
        leaf: its input.
        dtype: the model's float type.
        row_shape: the shape of a row of the arrays.
    """

    def __init__(self, step: Step, leaf: Leaf, dtype: str, row_shape: tuple[int, ...]):
        self._step = step
        self._leaf = leaf
        self._dtype = dtype
        self._structure = step.outputs.structure
        self._nested = is_nested(self._structure)
        self._row_shape = row_shape
        self._at_rest: list[_Bound] = []

    def __call__(self, x: np.ndarray) -> Any:
        """The outputs for 1 to ``ROWS`` rows."""
        count = len(x)
        try:
            bound = self._at_rest.pop()
        except IndexError:
            bound = _Bound(self._step, self._leaf.name, self._row_shape)
        if bound.moved != Variable.moved:
            bound = _Bound(self._step, self._leaf.name, self._row_shape)
        if self._leaf.dtype == "int32":
            x = engine_array(x, "int32", self._dtype, "x")
        bound.given[:count] = x
        bound.run(0, count, 0)
        made = [array[:count].astype(dtype) for array, dtype in bound.made]
        self._at_rest.append(bound)
        return pack(self._structure, made) if self._nested else made[0]


class _Bound:
    """Arrays for some rows of the input and the outputs, and the call that computes the one from the other."""

    def __init__(self, step: Step, name: str, row_shape: tuple[int, ...]):
        self.moved = Variable.moved  # training moves the weights into one buffer, and this would read the old one
        inputs, outputs, self.run = step.executable.bind(step.state(), ROWS)
        self.given = inputs[name].reshape(ROWS, *row_shape)
        nodes = step.executable.graph.outputs
        self.made = [(array, np.dtype(nodes[name].dtype)) for name, array in outputs.items()]
