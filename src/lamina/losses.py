"""Losses: how far predictions are from targets. One function for each equation, one class for its options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lamina import config
from lamina.errors import DataError, ShapeError
from lamina.graph import express, functions
from lamina.graph.express import as_node
from lamina.graph.node import Node, Operand
from lamina.ops import Array, dual

REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none", None)


def same_rank(x1: Node, x2: Node) -> tuple[Node, Node]:
    """Two arrays, the longer's last axis of size 1 dropped or the shorter's added, if their ranks differ by one.

    Rank 1 is brought to rank 2: targets (rows,) meet outputs (rows, 1).
    """
    if x1.ndim == x2.ndim + 1:
        return same_rank(x2, x1)[::-1]
    if x2.ndim != x1.ndim + 1 or x2.shape[-1] != 1:
        return x1, x2
    return (express.expand_dims(x1, -1), x2) if x1.ndim == 1 else (x1, express.squeeze(x2))


def float_type(x: Node) -> str:
    """The float type to compute in with this array: its own, or the session's for whole numbers."""
    return x.dtype if x.dtype in config.FLOATS else config.floatx()


def aligned(y_true: Operand, y_pred: Operand) -> tuple[Node, Node]:
    """Target and prediction as floats of one type and rank.

    Raises:
        ShapeError: their shapes differ in more than an axis of size 1 at the end.
    """
    y_pred = as_node(y_pred)
    dtype = float_type(y_pred)
    y_true, y_pred = same_rank(express.cast(y_true, dtype), express.cast(y_pred, dtype))
    if y_true.ndim and y_pred.ndim and y_true.shape[1:] != y_pred.shape[1:]:
        raise ShapeError(
            f"Arguments `target` and `output` must have the same shape. "
            f"Received: target.shape={y_true.shape}, output.shape={y_pred.shape}{_class_numbers_hint(y_true, y_pred)}"
        )
    return y_true, y_pred


def _class_numbers_hint(y_true: Node, y_pred: Node) -> str:
    classes = y_pred.ndim > 1 and (y_true.ndim < y_pred.ndim or y_true.shape[-1] == 1)
    return "; for class numbers use the sparse categorical form" if classes else ""


# -- equations: one number for each row --------------------------------------------------------------


@dual
def mean_squared_error(y_true: Operand, y_pred: Operand) -> Node:
    """mean (y − ŷ)² along the last axis."""
    y_true, y_pred = aligned(y_true, y_pred)
    return express.mean(functions.square(y_true - y_pred), -1)


@dual
def mean_absolute_error(y_true: Operand, y_pred: Operand) -> Node:
    """mean |y − ŷ| along the last axis."""
    y_true, y_pred = aligned(y_true, y_pred)
    return express.mean(abs(y_true - y_pred), -1)


@dual
def huber(y_true: Operand, y_pred: Operand, delta: float = 1.0) -> Node:
    """mean of ½e² where |e| ≤ δ, else δ|e| − ½δ², e = ŷ − y (Huber 1964)."""
    y_true, y_pred = aligned(y_true, y_pred)
    error = y_pred - y_true
    size = abs(error)
    parts = express.where(size <= delta, 0.5 * functions.square(error), delta * size - 0.5 * delta**2)
    return express.mean(parts, -1)


@dual
def binary_crossentropy(
    y_true: Operand, y_pred: Operand, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Node:
    """mean of −y log a − (1 − y) log(1 − a) along an axis; labels are first smoothed to y(1 − s) + s/2."""
    y_true, y_pred = aligned(y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return express.mean(functions.binary_crossentropy(y_true, y_pred, from_logits, config.epsilon()), axis)


@dual
def categorical_crossentropy(
    y_true: Operand, y_pred: Operand, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Node:
    """−Σ y log a along the class axis; labels are first smoothed to y(1 − s) + s/K for K classes."""
    y_true, y_pred = aligned(y_true, y_pred)
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / functions.class_count(y_true)
    return functions.categorical_crossentropy(y_true, y_pred, from_logits, axis, config.epsilon())


@dual
def sparse_categorical_crossentropy(
    y_true: Operand,
    y_pred: Operand,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> Node:
    """−log a[y] for class numbers y, (rows,) or (rows, 1); 0 where y is ``ignore_class``.

    Raises:
        ShapeError: the labels are not one number for each row of outputs.
        DataError: a label outside [0, classes).
    """
    y_true, y_pred = class_numbers(y_true, y_pred, axis)
    kept = functions.not_equal(y_true, -1 if ignore_class is None else ignore_class)
    if ignore_class is None:
        _check_labels(y_true, functions.class_count(y_pred, axis))
        return functions.sparse_categorical_crossentropy(y_true, y_pred, from_logits, axis, config.epsilon())
    y_true = express.where(kept, y_true, 0)
    losses = functions.sparse_categorical_crossentropy(y_true, y_pred, from_logits, axis, config.epsilon())
    return express.where(kept, losses, express.constant(0.0, losses.dtype))


def class_numbers(y_true: Operand, y_pred: Operand, axis: int = -1) -> tuple[Node, Node]:
    """Class numbers as int32 without an axis of size 1 at the end, and float outputs with a class axis."""
    y_true, y_pred = as_node(y_true), as_node(y_pred)
    if y_true.ndim == y_pred.ndim and y_true.shape[axis] == 1:
        y_true = express.squeeze(y_true, axis)
    if y_true.ndim != y_pred.ndim - 1:
        raise ShapeError(
            f"Argument `output` must have one axis more than class numbers as `target`. Received: "
            f"target.shape={y_true.shape}, output.shape={y_pred.shape}; for one-hot targets use the "
            "categorical, not the sparse categorical form"
        )
    return express.cast(y_true, "int32"), express.cast(y_pred, float_type(y_pred))


def _check_labels(labels: Node, classes: int) -> None:
    """Labels that are known now are looked at now."""
    while labels.op in ("cast", "reshape"):
        labels = labels.inputs[0]
    if labels.op != "constant":
        return
    values = labels.attrs["value"]
    bad = values[(values < 0) | (values >= classes)]
    if bad.size:
        raise DataError(f"Received a label value of {bad.flat[0]} which is outside the valid range of [0, {classes})")


# -- from rows to one number -------------------------------------------------------------------------


def weighted(values: Node, sample_weight: Node | None, mask: Node | None, reduction: str | None) -> Node:
    """The losses of the rows times their weights, reduced.

    Masked rows weigh nothing; in a mean the others then weigh total / valid, so that it is a mean of the valid ones.
    """
    weight = None if sample_weight is None else express.cast(sample_weight, values.dtype)
    if mask is not None:
        weight = _masked(weight, mask, values.dtype, reduction)
    if weight is None:
        return reduced(values, None, reduction)
    values, weight = same_rank(values, weight)
    return reduced(values * weight, weight, reduction)


def _masked(weight: Node | None, mask: Node, dtype: str, reduction: str | None) -> Node:
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


class Loss(config.Configured):
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
        return dual(self._equation)(y_true, y_pred, sample_weight)

    def _equation(self, y_true: Operand, y_pred: Operand, sample_weight: Operand | None) -> Node:
        y_true, y_pred = as_node(y_true), as_node(y_pred)
        dtype = self.dtype or float_type(y_pred)
        y_true, y_pred = express.cast(y_true, dtype), express.cast(y_pred, dtype)
        weight = None if sample_weight is None else as_node(sample_weight)
        values = as_node(self.call(y_true, y_pred))
        return weighted(values, weight, self.mask(y_true, y_pred), self.reduction)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The losses of the rows; a subclass defines it."""
        raise TypeError(f"{type(self).__name__} must define call(y_true, y_pred)")

    def mask(self, y_true: Node, y_pred: Node) -> Node | None:
        """Which rows count, or None for all."""
        return None

    def get_config(self) -> dict[str, Any]:
        """The arguments that make a loss like this one; like Keras, without a dtype that was not chosen."""
        return {name: value for name, value in super().get_config().items() if (name, value) != ("dtype", None)}


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


class MeanSquaredError(Loss):
    """mean (y − ŷ)².

    Args:
        reduction: see ``Loss``, as for ``name`` and ``dtype``.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_squared_error",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Node, y_pred: Node) -> Any:
        return mean_squared_error(y_true, y_pred)


class MeanAbsoluteError(Loss):
    """mean |y − ŷ|.

    Args:
        reduction: see ``Loss``, as for ``name`` and ``dtype``.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_absolute_error",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)

    def call(self, y_true: Node, y_pred: Node) -> Any:
        return mean_absolute_error(y_true, y_pred)


class Huber(Loss):
    """½e² for small errors, δ|e| − ½δ² for those beyond δ.

    Args:
        delta: where the parabola becomes a line.
        reduction: see ``Loss``, as for ``name`` and ``dtype``.
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "huber_loss",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)
        self.delta = delta

    def call(self, y_true: Node, y_pred: Node) -> Any:
        return huber(y_true, y_pred, self.delta)


class BinaryCrossentropy(Loss):
    """−y log a − (1 − y) log(1 − a), for targets 0 and 1.

    Args:
        from_logits: whether predictions are logits z, a = σ(z); after a sigmoid the logits are used anyway.
        label_smoothing: s in [0, 1]: targets become y(1 − s) + s/2.
        axis: the axis to average along.
        reduction: see ``Loss``, as for ``name`` and ``dtype``.
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_crossentropy",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis

    def call(self, y_true: Node, y_pred: Node) -> Any:
        return binary_crossentropy(y_true, y_pred, self.from_logits, self.label_smoothing, self.axis)


class CategoricalCrossentropy(Loss):
    """−Σ y log a, for one-hot targets.

    Args:
        from_logits: whether predictions are logits; after a softmax the logits are used anyway.
        label_smoothing: s in [0, 1]: targets become y(1 − s) + s/K for K classes.
        axis: the class axis.
        reduction: see ``Loss``, as for ``name`` and ``dtype``.
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_crossentropy",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis

    def call(self, y_true: Node, y_pred: Node) -> Any:
        return categorical_crossentropy(y_true, y_pred, self.from_logits, self.label_smoothing, self.axis)


class SparseCategoricalCrossentropy(Loss):
    """−log a[y], for class numbers.

    Args:
        from_logits: whether predictions are logits; after a softmax the logits are used anyway.
        ignore_class: rows of this class number do not count.
        axis: the class axis.
        reduction: see ``Loss``, as for ``name`` and ``dtype``.
    """

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "sparse_categorical_crossentropy",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis

    def call(self, y_true: Node, y_pred: Node) -> Any:
        return sparse_categorical_crossentropy(y_true, y_pred, self.from_logits, self.ignore_class, self.axis)

    def mask(self, y_true: Node, y_pred: Node) -> Node | None:
        """Rows that are not of the class to ignore."""
        if self.ignore_class is None:
            return None
        return functions.not_equal(class_numbers(y_true, y_pred, self.axis)[0], self.ignore_class)


FUNCTIONS = {
    f.__name__: f
    for f in (
        mean_squared_error, mean_absolute_error, huber,
        binary_crossentropy, categorical_crossentropy, sparse_categorical_crossentropy,
    )
}  # fmt: skip
CLASSES = {
    c.__name__: c
    for c in (
        MeanSquaredError, MeanAbsoluteError, Huber,
        BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy,
    )
}  # fmt: skip
ALIASES = {
    "mse": mean_squared_error, "MSE": mean_squared_error,
    "mae": mean_absolute_error, "MAE": mean_absolute_error,
    "bce": binary_crossentropy, "BCE": binary_crossentropy,
}  # fmt: skip
TABLE: dict[str, Callable[..., Any]] = {**FUNCTIONS, **CLASSES, **ALIASES}


def get(identifier: Any) -> Callable[..., Any] | None:
    """A loss from a name, a config, a class or a function: snake-case names are functions, class names instances.

    Raises:
        ValueError: there is no such loss.

    Example:
        >>> get("mse") is mean_squared_error
        True
    """
    return config.lookup("loss", TABLE, identifier)
