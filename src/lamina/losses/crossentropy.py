"""Losses of probabilities of classes: cross-entropies and what is made of them."""

from __future__ import annotations

from lamina import config
from lamina.graph import crossentropies, express, functions
from lamina.graph.node import Node, Operand
from lamina.losses.loss import FunctionLoss
from lamina.losses.shapes import aligned, as_given, check_labels, class_numbers
from lamina.ops import dual


def smoothed(y_true: Node, share: float, classes: int) -> Node:
    """Labels that are a little unsure: y(1 − s) + s/K for K classes."""
    return y_true * (1.0 - share) + share / classes if share else y_true


@dual
def binary_crossentropy(
    y_true: Operand, y_pred: Operand, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Node:
    """mean of −y log a − (1 − y) log(1 − a) along an axis; labels are first smoothed to y(1 − s) + s/2."""
    y_true, y_pred = aligned(y_true, y_pred, strict=True)
    y_true = smoothed(y_true, label_smoothing, 2)
    return express.mean(crossentropies.binary_crossentropy(y_true, y_pred, from_logits, config.epsilon()), axis)


@dual
def categorical_crossentropy(
    y_true: Operand, y_pred: Operand, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Node:
    """−Σ y log a along the class axis; labels are first smoothed to y(1 − s) + s/K for K classes."""
    y_true, y_pred = aligned(y_true, y_pred, strict=True)
    y_true = smoothed(y_true, label_smoothing, functions.class_count(y_true))
    return crossentropies.categorical_crossentropy(y_true, y_pred, from_logits, axis, config.epsilon())


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
        check_labels(y_true, functions.class_count(y_pred, axis))
        return crossentropies.sparse_categorical_crossentropy(y_true, y_pred, from_logits, axis, config.epsilon())
    y_true = express.where(kept, y_true, 0)
    losses = crossentropies.sparse_categorical_crossentropy(y_true, y_pred, from_logits, axis, config.epsilon())
    return express.where(kept, losses, express.constant(0.0, losses.dtype))


@dual
def binary_focal_crossentropy(
    y_true: Operand,
    y_pred: Operand,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Node:
    """mean of (1 − a_y)ᵞ times the cross-entropy along an axis, a_y the probability of the true class.

    With ``apply_class_balancing`` class 1 weighs α and class 0 weighs 1 − α (Lin et al. 2017).
    """
    y_true, y_pred = aligned(y_true, y_pred, strict=True)
    y_true = smoothed(y_true, label_smoothing, 2)
    a = express.sigmoid(y_pred) if from_logits else y_pred
    hit = y_true * a + (1.0 - y_true) * (1.0 - a)
    losses = express.power(1.0 - hit, gamma) * crossentropies.binary_crossentropy(y_true, a, False, config.epsilon())
    if apply_class_balancing:
        losses = losses * (y_true * alpha + (1.0 - y_true) * (1.0 - alpha))
    return express.mean(losses, axis)


@dual
def categorical_focal_crossentropy(
    y_true: Operand,
    y_pred: Operand,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Node:
    """−Σ α(1 − a)ᵞ y log a along the class axis (Lin et al. 2017); probabilities are first divided by their sum."""
    y_true, y_pred = aligned(y_true, y_pred)
    y_true = smoothed(y_true, label_smoothing, functions.class_count(y_true))
    a = functions.softmax(y_pred, axis) if from_logits else y_pred
    a = a / express.sum(a, axis, keepdims=True)
    a = express.clip(a, config.epsilon(), 1.0 - config.epsilon())
    return -express.sum(alpha * express.power(1.0 - a, gamma) * y_true * express.log(a), axis)


@dual
def categorical_generalized_cross_entropy(y_true: Operand, y_pred: Operand, q: float = 0.5) -> Node:
    """(1 − a_yᵠ) / q for class numbers y: between cross-entropy (q → 0) and absolute error (q = 1).

    Labels that are wrong weigh less than in a cross-entropy (Zhang and Sabuncu 2018).
    """
    y_true, y_pred = class_numbers(y_true, y_pred)
    hit = functions.one_hot(y_true, functions.class_count(y_pred), y_pred.dtype)
    return (1.0 - express.power(express.sum(hit * y_pred, -1), q)) / q


@dual
def kl_divergence(y_true: Operand, y_pred: Operand) -> Node:
    """Σ y log(y / ŷ) along the last axis, both kept in [ε, 1] (Kullback and Leibler 1951)."""
    y_true, y_pred = as_given(y_true, y_pred)
    y_true, y_pred = (express.clip(y, config.epsilon(), 1.0) for y in (y_true, y_pred))
    return express.sum(y_true * express.log(y_true / y_pred), -1)


class BinaryCrossentropy(FunctionLoss):
    """−y log a − (1 − y) log(1 − a), for targets 0 and 1.

    Args:
        from_logits: whether predictions are logits z, a = σ(z); after a sigmoid the logits are used anyway.
        label_smoothing: s in [0, 1]: targets become y(1 − s) + s/2.
        axis: the axis to average along.
        reduction: see ``Loss``, as for ``name`` and ``dtype``.
    """

    function = staticmethod(binary_crossentropy)

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


class CategoricalCrossentropy(FunctionLoss):
    """−Σ y log a, for one-hot targets.

    Args:
        from_logits: whether predictions are logits; after a softmax the logits are used anyway.
        label_smoothing: s in [0, 1]: targets become y(1 − s) + s/K for K classes.
        axis: the class axis.
        reduction: see ``Loss``, as for ``name`` and ``dtype``.
    """

    function = staticmethod(categorical_crossentropy)

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


class SparseCategoricalCrossentropy(FunctionLoss):
    """−log a[y], for class numbers.

    Args:
        from_logits: whether predictions are logits; after a softmax the logits are used anyway.
        ignore_class: rows of this class number do not count.
        axis: the class axis.
        reduction: see ``Loss``, as for ``name`` and ``dtype``.
    """

    function = staticmethod(sparse_categorical_crossentropy)

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str = "sparse_categorical_crossentropy",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis

    def mask(self, y_true: Node, y_pred: Node) -> Node | None:
        """Rows that are not of the class to ignore."""
        if self.ignore_class is None:
            return None
        return functions.not_equal(class_numbers(y_true, y_pred, self.axis)[0], self.ignore_class)


class BinaryFocalCrossentropy(FunctionLoss):
    """The cross-entropy of targets 0 and 1, where rows that are already right weigh little.

    Args:
        apply_class_balancing: whether class 1 weighs α and class 0 weighs 1 − α.
        alpha: α.
        gamma: γ: how little.
        from_logits: whether predictions are logits.
        label_smoothing: s in [0, 1]: targets become y(1 − s) + s/2.
        axis: the axis to average along.
        reduction: see ``Loss``, as for ``name`` and ``dtype``.
    """

    function = staticmethod(binary_focal_crossentropy)

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_focal_crossentropy",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)
        self.apply_class_balancing = apply_class_balancing
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


class CategoricalFocalCrossentropy(FunctionLoss):
    """The cross-entropy of one-hot targets, where rows that are already right weigh little.

    Args:
        alpha: α, a factor of all classes.
        gamma: γ: how little.
        from_logits: whether predictions are logits.
        label_smoothing: s in [0, 1]: targets become y(1 − s) + s/K for K classes.
        axis: the class axis.
        reduction: see ``Loss``, as for ``name`` and ``dtype``.
    """

    function = staticmethod(categorical_focal_crossentropy)

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_focal_crossentropy",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


class CategoricalGeneralizedCrossEntropy(FunctionLoss):
    """(1 − a_yᵠ) / q, for class numbers of which some are wrong.

    Args:
        q: between 0 and 1, both excluded.
        reduction: see ``Loss``, as for ``name`` and ``dtype``.

    Raises:
        ValueError: q is not between 0 and 1.
    """

    function = staticmethod(categorical_generalized_cross_entropy)

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_generalized_cross_entropy",
        dtype: str | None = None,
    ):
        if not 0 < q < 1:
            raise ValueError(f"q must be in the interval (0, 1). Received: q={q}")
        super().__init__(name, reduction, dtype)
        self.q = q


class KLDivergence(FunctionLoss):
    """Σ y log(y / ŷ), for targets that are probabilities.

    Args:
        reduction: see ``Loss``, as for ``name`` and ``dtype``.
    """

    function = staticmethod(kl_divergence)

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "kl_divergence",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)
