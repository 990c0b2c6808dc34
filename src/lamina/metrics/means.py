"""Metrics that are a mean (or sum) over rows: of given values, of a function of target and prediction, of a loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lamina import config, losses
from lamina.graph import express
from lamina.graph.express import as_node
from lamina.graph.functions import not_equal, square
from lamina.graph.node import Node, Operand
from lamina.losses.loss import masked
from lamina.losses.shapes import aligned, class_numbers, same_rank
from lamina.metrics.metric import Metric, ratio
from lamina.ops import dual
from lamina.trace import mask_of


def totals(
    values: Operand, sample_weight: Operand | None, dtype: str, reduce: Callable[..., Node] = express.mean
) -> tuple[Node, Node]:
    """Σ wᵢ vᵢ and Σ wᵢ over rows i (w = 1 without weights); the several values of a row are first reduced to one."""
    values = express.cast(values, dtype)
    if sample_weight is None:
        values = _rows(values, 1, reduce)
        return express.sum(values), express.size_of(values, range(values.ndim))
    values, weight = same_rank(values, express.cast(sample_weight, dtype))
    values = _rows(values, weight.ndim, reduce)
    weight = express.broadcast_to(weight, values.shape)
    return express.sum(_rows(values * weight, 1, reduce)), express.sum(_rows(weight, 1, reduce))


def counted(weight: Operand | None, mask: Operand | None, dtype: str) -> Operand | None:
    """The weights of the rows, 0 for those that a mask leaves out."""
    if mask is None:
        return weight
    return masked(None if weight is None else express.cast(weight, dtype), as_node(mask), dtype, "sum")


def _rows(values: Node, rank: int, reduce: Callable[..., Node]) -> Node:
    """Values with the axes after the first ``rank`` reduced."""
    return reduce(values, range(rank, values.ndim)) if values.ndim > rank else values


class Sum(Metric):
    """The weighted sum of values.

    Args:
        name: its name.
        dtype: see ``Metric``.
    """

    def __init__(self, name: str = "sum", dtype: str | None = None):
        super().__init__(dtype, name)
        self.total = self.add_weight(name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values (rows, …), each times its weight."""
        self.total.assign_add(dual(totals)(values, sample_weight, self.dtype, express.sum)[0])

    def result(self) -> Any:
        """The sum."""
        return self.total.numpy()[()]


class Mean(Metric):
    """The weighted mean of values.

    Args:
        name: its name.
        dtype: see ``Metric``.

    Example:
        >>> m = Mean(); m.update_state([1.0, 3.0]); m.update_state([8.0]); float(m.result())
        4.0
    """

    def __init__(self, name: str = "mean", dtype: str | None = None):
        super().__init__(dtype, name)
        self.total = self.add_weight(name="total")
        self.count = self.add_weight(name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values (rows, …) with weights (rows,)."""
        total, count = dual(totals)(values, sample_weight, self.dtype)
        self.total.assign_add(total)
        self.count.assign_add(count)

    def result(self) -> Any:
        """The mean, 0 if nothing was added."""
        return ratio(self.total.value, self.count.value)


class MeanMetricWrapper(Mean):
    """The mean over rows of a function ``fn(y_true, y_pred, **kwargs)``.

    Args:
        fn: the function, of ``lamina.ops``.
        name: its name.
        dtype: see ``Metric``.
        kwargs: what else the function takes.
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: str | None = None, **kwargs: Any):
        super().__init__(name or config.unique_name(type(self).__name__), dtype)
        self.fn = fn
        self.fn_kwargs = kwargs
        known = {*losses.FUNCTIONS.values()}
        if fn in known or type(fn) in losses.CLASSES.values():
            self._direction = "down"

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Add the function's values for targets and predictions (rows, …) with weights (rows,)."""
        total, count = dual(self._masked_totals)(y_true, y_pred, sample_weight, mask_of(y_pred))
        self.total.assign_add(total)
        self.count.assign_add(count)

    def _masked_totals(
        self, y_true: Operand, y_pred: Operand, sample_weight: Operand | None, mask: Operand | None
    ) -> tuple[Node, Node]:
        return self._totals(y_true, y_pred, counted(sample_weight, mask, self.dtype))

    def _totals(self, y_true: Operand, y_pred: Operand, sample_weight: Operand | None) -> tuple[Node, Node]:
        y_true, y_pred = as_node(y_true), express.cast(y_pred, self.dtype)
        if y_true.dtype in config.FLOATS:
            y_true = express.cast(y_true, self.dtype)
        values = self.fn(y_true, y_pred, **self.fn_kwargs)
        return totals(values, sample_weight, self.dtype)

    def get_config(self) -> dict[str, Any]:
        """The function, its arguments and the options."""
        own = super().get_config()
        return own if "fn" not in own else {**own, **self.fn_kwargs}


class MeanSquaredError(MeanMetricWrapper):
    """mean (y − ŷ)².

    Args:
        name: its name.
        dtype: see ``Metric``.
    """

    def __init__(self, name: str = "mean_squared_error", dtype: str | None = None):
        super().__init__(losses.mean_squared_error, name, dtype)


class MeanAbsoluteError(MeanMetricWrapper):
    """mean |y − ŷ|.

    Args:
        name: its name.
        dtype: see ``Metric``.
    """

    def __init__(self, name: str = "mean_absolute_error", dtype: str | None = None):
        super().__init__(losses.mean_absolute_error, name, dtype)


def squared_error(y_true: Operand, y_pred: Operand) -> Node:
    """(y − ŷ)², element by element."""
    y_true, y_pred = aligned(y_true, y_pred)
    return square(y_pred - y_true)


class RootMeanSquaredError(MeanMetricWrapper):
    """√ of the mean squared error over everything seen, not a mean of batches' roots.

    Args:
        name: its name.
        dtype: see ``Metric``.
    """

    _direction = "down"

    def __init__(self, name: str = "root_mean_squared_error", dtype: str | None = None):
        super().__init__(squared_error, name, dtype)

    def _masked_totals(
        self, y_true: Operand, y_pred: Operand, sample_weight: Operand | None, mask: Operand | None
    ) -> tuple[Node, Node]:
        return self._totals(y_true, y_pred, sample_weight)  # here Keras counts masked rows, too

    def result(self) -> Any:
        """The root of the mean."""
        return np.sqrt(super().result())


class BinaryCrossentropy(MeanMetricWrapper):
    """mean of −y log a − (1 − y) log(1 − a).

    Args:
        name: its name.
        dtype: see ``Metric``.
        from_logits: see ``losses.BinaryCrossentropy``, as for ``label_smoothing``.
    """

    def __init__(
        self,
        name: str = "binary_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ):
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        super().__init__(
            losses.binary_crossentropy, name, dtype, from_logits=from_logits, label_smoothing=label_smoothing
        )


class CategoricalCrossentropy(MeanMetricWrapper):
    """mean of −Σ y log a, for one-hot targets.

    Args:
        name: its name.
        dtype: see ``Metric``.
        from_logits: see ``losses.CategoricalCrossentropy``, as for ``label_smoothing`` and ``axis``.
    """

    def __init__(
        self,
        name: str = "categorical_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ):
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis
        super().__init__(
            losses.categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """mean of −log a[y], for class numbers.

    Args:
        name: its name.
        dtype: see ``Metric``.
        from_logits: see ``losses.SparseCategoricalCrossentropy``, as for ``ignore_class`` and ``axis``.
    """

    def __init__(
        self,
        name: str = "sparse_categorical_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ):
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis
        super().__init__(
            losses.sparse_categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )

    def _totals(self, y_true: Operand, y_pred: Operand, sample_weight: Operand | None) -> tuple[Node, Node]:
        """As in Keras, rows of the ignored class leave a weighted mean, and count as 0 in one without weights."""
        if sample_weight is not None and self.ignore_class is not None:
            labels, _ = class_numbers(y_true, y_pred, self.axis)
            kept = express.cast(not_equal(labels, self.ignore_class), self.dtype)
            sample_weight = kept * express.cast(sample_weight, self.dtype)
        return super()._totals(y_true, y_pred, sample_weight)
