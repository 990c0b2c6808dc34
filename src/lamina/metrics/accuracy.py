"""Accuracies: the share of rows that are right."""

from __future__ import annotations

from lamina.graph import express, functions
from lamina.graph.express import as_node
from lamina.graph.node import Node, Operand
from lamina.losses.shapes import aligned, class_numbers, float_type, one_a_row
from lamina.metrics.means import MeanMetricWrapper
from lamina.ops import dual


def _share(hits: Node, y_pred: Operand) -> Node:
    return express.cast(hits, float_type(as_node(y_pred)))


@dual
def accuracy(y_true: Operand, y_pred: Operand) -> Node:
    """1 where target and prediction are equal."""
    return _share(express.equal(*aligned(y_true, y_pred)), y_pred)


@dual
def binary_accuracy(y_true: Operand, y_pred: Operand, threshold: float = 0.5) -> Node:
    """1 where the prediction is on the target's side of the threshold."""
    y_true, y_pred = aligned(y_true, y_pred)
    return _share(express.equal(y_true, express.cast(y_pred > threshold, y_true.dtype)), y_pred)


@dual
def categorical_accuracy(y_true: Operand, y_pred: Operand) -> Node:
    """1 where the most likely class is that of a one-hot target."""
    return _share(express.equal(express.argmax(y_true), express.argmax(y_pred)), y_pred)


@dual
def sparse_categorical_accuracy(y_true: Operand, y_pred: Operand) -> Node:
    """1 where the most likely class is the target's class number."""
    y_true, y_pred = one_a_row(y_true, y_pred)
    return _share(express.equal(y_true, express.cast(express.argmax(y_pred), y_true.dtype)), y_pred)


@dual
def top_k_categorical_accuracy(y_true: Operand, y_pred: Operand, k: int = 5) -> Node:
    """1 where the class of a one-hot target is among the k most likely."""
    return _share(functions.in_top_k(express.argmax(y_true), y_pred, k), y_pred)


@dual
def sparse_top_k_categorical_accuracy(
    y_true: Operand, y_pred: Operand, k: int = 5, from_sorted_ids: bool = False
) -> Node:
    """1 where the target's class number is among the k most likely.

    Args:
        y_true: class numbers (rows,) or (rows, 1).
        y_pred: a score for each class, or the best classes' numbers in order if ``from_sorted_ids``.
        k: how many classes count.
        from_sorted_ids: what ``y_pred`` holds.
    """
    y_true, y_pred = class_numbers(y_true, y_pred)
    if not from_sorted_ids:
        return _share(functions.in_top_k(y_true, y_pred, k), y_pred)
    first = express.slice_axis(y_pred, -1, 0, min(k, functions.class_count(y_pred)))
    hits = express.equal(express.cast(express.expand_dims(y_true, -1), first.dtype), first)
    return _share(functions.any(hits, -1), y_pred)


class Accuracy(MeanMetricWrapper):
    """The share of predictions that equal their targets.

    Args:
        name: its name.
        dtype: see ``Metric``.
    """

    _direction = "up"

    def __init__(self, name: str = "accuracy", dtype: str | None = None):
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(MeanMetricWrapper):
    """The share of predictions on their target's side of a threshold.

    Args:
        name: its name.
        dtype: see ``Metric``.
        threshold: predictions above it mean 1.
    """

    _direction = "up"

    def __init__(self, name: str = "binary_accuracy", dtype: str | None = None, threshold: float = 0.5):
        self.threshold = threshold
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)


class CategoricalAccuracy(MeanMetricWrapper):
    """The share of rows whose most likely class is that of a one-hot target.

    Args:
        name: its name.
        dtype: see ``Metric``.
    """

    _direction = "up"

    def __init__(self, name: str = "categorical_accuracy", dtype: str | None = None):
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(MeanMetricWrapper):
    """The share of rows whose most likely class is the target's class number.

    Args:
        name: its name.
        dtype: see ``Metric``.
    """

    _direction = "up"

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: str | None = None):
        super().__init__(sparse_categorical_accuracy, name, dtype)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """The share of rows whose one-hot target is among the k most likely classes.

    Args:
        k: how many classes count.
        name: its name.
        dtype: see ``Metric``.
    """

    _direction = "up"

    def __init__(self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: str | None = None):
        self.k = k
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """The share of rows whose class number is among the k most likely classes.

    Args:
        k: how many classes count.
        name: its name.
        dtype: see ``Metric``.
        from_sorted_ids: whether predictions are the best classes' numbers in order.
    """

    _direction = "up"

    def __init__(
        self,
        k: int = 5,
        name: str = "sparse_top_k_categorical_accuracy",
        dtype: str | None = None,
        from_sorted_ids: bool = False,
    ):
        self.k = k
        self.from_sorted_ids = from_sorted_ids
        super().__init__(sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids)
