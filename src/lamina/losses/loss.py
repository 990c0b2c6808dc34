"""Loss: one number for each row of a batch, weighted and reduced to one for the batch."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

from lamina import config
from lamina.graph import express, functions
from lamina.graph.express import as_node
from lamina.graph.node import Node, Operand
from lamina.losses.shapes import float_type, same_rank
from lamina.ops import Array, dual
from lamina.signatures import Configured, signature_config
from lamina.trace import mask_of

REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None)


def weighted(values: Node, sample_weight: Node | None, mask: Node | None, reduction: str | None) -> Node:
    """The losses of the rows times their weights, reduced.

    Masked rows weigh nothing; in a mean the others then weigh total / valid, so that it is a mean of the valid ones.
    """
    weight = None if sample_weight is None else express.cast(sample_weight, values.dtype)
    if mask is not None:
        weight = masked(weight, mask, values.dtype, reduction)
    if weight is None:
        return reduced(values, None, reduction)
    values, weight = same_rank(values, weight)
    return reduced(values * weight, weight, reduction)


def masked(weight: Node | None, mask: Node, dtype: str, reduction: str | None) -> Node:
    """The weights of the rows where those that do not count weigh nothing."""
    share = express.cast(mask, dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        total = express.size_of(share, range(share.ndim))
        share = share * functions.divide_no_nan(total, express.sum(share))
    if weight is None:
        return share
    share, weight = same_rank(share, weight)
    return weight * share


def reduced(values: Node, weight: Node | None, reduction: str | None) -> Node:
    """Per-row values as one number: their sum, their mean, or their sum by the sum of the weights."""
    if reduction in (None, "none") or values.ndim == 0:
        return values
    if reduction == "sum":
        return express.sum(values)
    if reduction == "mean_with_sample_weight" and weight is not None:
        return functions.divide_no_nan(express.sum(values), express.sum(weight))
    return express.mean(values)


class Loss(Configured):
    """Base of all losses; a subclass writes ``call(y_true, y_pred)`` with ``lamina.ops``: one number for each row.

    Args:
        name: its name, made from the class's by default.
        reduction: ``"sum_over_batch_size"`` or ``"mean"`` (the same: the mean over all rows), ``"sum"``,
            ``"mean_with_sample_weight"`` (divided by the sum of the weights) or ``"none"``.
        dtype: the float type to compute in; the predictions' own by default.

    Example:
        >>> class Cubed(Loss):
        ...     def call(self, y_true, y_pred):
        ...         return ops.mean(ops.abs(y_pred - y_true) ** 3.0, axis=-1)
        >>> float(Cubed()(np.zeros((2, 1)), np.ones((2, 1))))
        1.0
    """

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: str | None = None
    ):
        if reduction not in REDUCTIONS:
            raise ValueError(f"`reduction` must be one of {REDUCTIONS}. Received: {reduction!r}")
        self.name = name or config.unique_name(type(self).__name__)
        self.reduction = reduction
        self.dtype = None if dtype is None else config.float_dtype(dtype)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Array:
        """The loss of a batch.

        Args:
            y_true: targets (rows, …).
            y_pred: predictions (rows, …).
            sample_weight: (rows,) or (rows, 1), or anything that the rows' losses can be multiplied by.

        Returns:
            One number, or with reduction ``"none"`` one for each row.
        """
        return dual(self._equation)(y_true, y_pred, sample_weight, mask_of(y_pred))

    def _equation(self, y_true: Operand, y_pred: Operand, sample_weight: Operand | None, mask: Operand | None) -> Node:
        y_true, y_pred = as_node(y_true), as_node(y_pred)
        dtype = self.dtype or float_type(y_pred)
        y_true, y_pred = express.cast(y_true, dtype), express.cast(y_pred, dtype)
        weight = None if sample_weight is None else as_node(sample_weight)
        values = as_node(self.call(y_true, y_pred))
        masks = [as_node(m) for m in (mask, self.mask(y_true, y_pred)) if m is not None]
        return weighted(values, weight, reduce(functions.logical_and, masks) if masks else None, self.reduction)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The losses of the rows; a subclass defines it."""
        raise TypeError(f"{type(self).__name__} must define call(y_true, y_pred)")

    def mask(self, y_true: Node, y_pred: Node) -> Node | None:
        """Which rows count, or None for all."""
        return None

    def get_config(self) -> dict[str, Any]:
        """The arguments that make a loss like this one; like Keras, without a dtype that was not chosen."""
        return {name: value for name, value in super().get_config().items() if (name, value) != ("dtype", None)}


class FunctionLoss(Loss):
    """A loss whose rows are what a function of this package makes of them and of the constructor's own arguments."""

    function: Callable[..., Any]

    def call(self, y_true: Node, y_pred: Node) -> Any:
        y_true, y_pred = same_rank(y_true, y_pred)
        own = {k: v for k, v in signature_config(self).items() if k not in ("name", "reduction", "dtype")}
        return type(self).function(y_true, y_pred, **own)


class LossFunctionWrapper(Loss):
    """A function ``fn(y_true, y_pred, **kwargs)`` of one number for each row, as a Loss.

    Args:
        fn: the function, of ``lamina.ops``.
        reduction: see ``Loss``.
        name: the function's by default.
        dtype: see ``Loss``.
        kwargs: what else the function takes.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(name or getattr(fn, "__name__", None), reduction, dtype)
        self.fn = fn
        self.fn_kwargs = kwargs

    def call(self, y_true: Node, y_pred: Node) -> Any:
        y_true, y_pred = same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self.fn_kwargs)

    def get_config(self) -> dict[str, Any]:
        """The function, its arguments and the options."""
        return {"name": self.name, "reduction": self.reduction, "fn": self.fn, **self.fn_kwargs}
