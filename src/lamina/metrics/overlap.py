"""Overlaps of classes: the rows that are of a class in target and prediction, among those that are so in either."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from lamina import config
from lamina.errors import ShapeError
from lamina.graph import express, functions
from lamina.graph.express import as_node
from lamina.graph.node import Node, Operand
from lamina.losses.shapes import same_rank
from lamina.metrics.metric import Metric
from lamina.ops import dual


class IoU(Metric):
    """The mean of TP / (TP + FP + FN) of some classes, those that occur nowhere left out.

    Args:
        num_classes: how many classes there are.
        target_class_ids: the classes to average.
        name: its name.
        dtype: ``"int64"`` by default: weights are then whole numbers, as in Keras; a float type for others.
        ignore_class: rows with this target do not count.
        sparse_y_true: whether targets are class numbers, not one number for each class.
        sparse_y_pred: whether predictions are.
        axis: the class axis of what is not class numbers.

    Raises:
        ValueError: a class that is not among the classes.
        ShapeError: targets and predictions differ in shape.

    Example:
        >>> iou = IoU(num_classes=2, target_class_ids=[0])
        >>> print(f"{iou([0, 0, 1, 1], [0, 1, 0, 1]):.4f}")
        0.3333

    Source: Jaccard 1901.
    """

    _direction = "up"

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: str | None = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ):
        super().__init__(None, name)
        if max(target_class_ids) >= num_classes:
            raise ValueError(f"Target class id {max(target_class_ids)} is out of range, which is [0, {num_classes}).")
        self.dtype = _counting_type(dtype)
        self.num_classes = num_classes
        self.target_class_ids = list(target_class_ids)
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        counted_in = self.dtype if self.dtype in config.FLOATS else config.floatx()
        self.total_cm = self.add_weight((num_classes, num_classes), dtype=counted_in, name="total_confusion_matrix")

    def to(self, dtype: str) -> Self:
        """The metric itself, its counts from now on in another float type."""
        chosen = self.dtype
        super().to(dtype)
        self.dtype = dtype if chosen in config.FLOATS else chosen
        return self

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add targets and predictions of one shape, (rows, …), with weights."""
        if self.dtype not in config.FLOATS and "float" in str(getattr(sample_weight, "dtype", "")):
            warnings.warn(
                f"{self.name}: weights are floats, but the metric counts in {self.dtype}, which drops what stands "
                'after the point: give it dtype="float32"',
                stacklevel=2,
            )
        self.total_cm.assign_add(dual(self._added)(y_true, y_pred, sample_weight))

    def _added(self, y_true: Operand, y_pred: Operand, sample_weight: Operand | None) -> Node:
        """The confusion matrix of a batch: targets down, predictions across."""
        truth = self._classes(self._number(y_true), self.sparse_y_true)
        answer = self._classes(self._answers(self._number(y_pred)), self.sparse_y_pred)
        truth, answer = same_rank(truth, answer)
        if truth.shape != answer.shape:
            raise ShapeError(f"{type(self).__name__}: targets {truth.shape} and predictions {answer.shape} differ")
        known = functions.logical_and(self._is_class(truth), self._is_class(answer))
        if self.ignore_class is not None:
            known = functions.logical_and(known, functions.not_equal(truth, self.ignore_class))
        weight = express.cast(known, self.total_cm.dtype) * self._weight(sample_weight, truth)
        place = express.where(known, truth * self.num_classes + answer, 0)
        counts = express.scatter_add(place, weight, self.num_classes**2)
        return express.reshape(counts, (self.num_classes, self.num_classes))

    def _answers(self, y_pred: Node) -> Node:
        return y_pred

    def _number(self, x: Operand) -> Node:
        x = as_node(x)
        return express.cast(x, self.total_cm.dtype) if x.dtype in config.FLOATS else x

    def _classes(self, x: Node, sparse: bool) -> Node:
        return express.cast(x if sparse else express.argmax(x, self.axis), "int32")

    def _is_class(self, x: Node) -> Node:
        return functions.logical_and(functions.greater_equal(x, 0), express.less(x, self.num_classes))

    def _weight(self, sample_weight: Operand | None, truth: Node) -> Node:
        if sample_weight is None:
            return express.cast(express.full_like(truth, 1), self.total_cm.dtype)
        weight = self._number(sample_weight)
        if self.dtype not in config.FLOATS:
            weight = express.cast(weight, "int32")
        truth, weight = same_rank(truth, express.cast(weight, self.total_cm.dtype))
        return express.broadcast_to(weight, truth.shape)

    def result(self) -> Any:
        """The mean over the classes asked for."""
        counts = self.total_cm.value
        hits, either = np.diag(counts), counts.sum(0) + counts.sum(1) - np.diag(counts)
        hits, either = (x[self.target_class_ids].astype(np.float32) for x in (hits, either))
        present, epsilon = either > 1e-9, np.float32(config.epsilon())
        return np.where(present, hits / (either + epsilon), 0).sum() / (np.float32(present.sum()) + epsilon)


def _counting_type(dtype: Any) -> str:
    """The name of a type of whole numbers (int64 by default, as in Keras) or of a float type."""
    name = str(getattr(dtype, "name", dtype) or "int64")
    if name.startswith(("int", "uint")):
        return "int64" if name == "int" else name
    return config.float_dtype(name)


class BinaryIoU(IoU):
    """The mean of TP / (TP + FP + FN) of class 0, of class 1 or of both, of predictions at a threshold.

    Args:
        target_class_ids: the classes to average: [0], [1] or both.
        threshold: predictions at least as large are class 1.
        name: its name.
        dtype: see ``IoU``.
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: str | None = None,
    ):
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def _answers(self, y_pred: Node) -> Node:
        return functions.greater_equal(y_pred, self.threshold)


class MeanIoU(IoU):
    """The mean of TP / (TP + FP + FN) of all classes that occur.

    Args:
        num_classes: how many classes there are.
        name: its name.
        dtype: see ``IoU``, as for the others.
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: str | None = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ):
        super().__init__(
            num_classes, range(num_classes), name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis
        )  # fmt: skip


class OneHotIoU(IoU):
    """The mean of TP / (TP + FP + FN) of some classes, of one-hot targets.

    Args:
        num_classes: how many classes there are.
        target_class_ids: the classes to average.
        name: its name.
        dtype: see ``IoU``, as for the others.
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: str | None = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ):
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)


class OneHotMeanIoU(MeanIoU):
    """The mean of TP / (TP + FP + FN) of all classes that occur, of one-hot targets.

    Args:
        num_classes: how many classes there are.
        name: its name.
        dtype: see ``IoU``, as for the others.
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: str | None = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ):
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)
