"""Histogram: the confusion matrix at many thresholds, from where predictions lie between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lamina.graph import express
from lamina.graph.node import Node, Operand
from lamina.metrics.metric import Metric
from lamina.ops.dispatch import dual
from lamina.variables import Variable

Counts = dict[str, np.ndarray]


class Histogram(Metric):
    """Positive and negative rows by how many of many thresholds their predictions exceed.

    Its counts are those of the confusion matrix at each threshold, with one addition a row instead of one a threshold.
    """

    _direction = "up"
    thresholds: Sequence[float]
    _histograms: tuple[Variable, ...] = ()

    def _build(self, labels: int = 1) -> None:
        """A histogram of the positive and one of the negative rows: (buckets · labels,)."""
        size = ((len(self.thresholds) + 1) * labels,)
        self._histograms = (self.add_weight(size, name="positives"), self.add_weight(size, name="negatives"))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add targets (0 or 1) and predictions of one shape (rows,) or (rows, classes), with weights."""
        for variable, added in zip(self._histograms, dual(self._added)(y_true, y_pred, sample_weight), strict=True):
            variable.assign_add(added)

    def _added(self, y_true: Operand, y_pred: Operand, sample_weight: Operand | None) -> tuple[Node, Node]:
        raise TypeError(f"{type(self).__name__} must define _added")

    def _scattered(self, bucket: Node, positive: Node, weight: Node) -> tuple[Node, Node]:
        size = self._histograms[0].shape[0]
        place = express.where(express.cast(positive, "bool"), bucket, bucket + size)
        both = express.scatter_add(place, weight, 2 * size)
        return express.slice_axis(both, 0, 0, size), express.slice_axis(both, 0, size, 2 * size)

    def counts(self) -> Counts:
        """TP, FP, TN and FN at each threshold: (thresholds, labels)."""
        positives, negatives = (
            np.add.accumulate(v.value.reshape(len(self.thresholds) + 1, -1)[::-1])[::-1] for v in self._histograms
        )
        tp, fp = positives[1:], negatives[1:]
        return {"tp": tp, "fp": fp, "tn": negatives[0] - fp, "fn": positives[0] - tp}

    @property
    def true_positives(self) -> np.ndarray:
        """TP at each threshold."""
        return self._counted("tp")

    @property
    def false_positives(self) -> np.ndarray:
        """FP at each threshold."""
        return self._counted("fp")

    @property
    def true_negatives(self) -> np.ndarray:
        """TN at each threshold."""
        return self._counted("tn")

    @property
    def false_negatives(self) -> np.ndarray:
        """FN at each threshold."""
        return self._counted("fn")

    def _counted(self, kind: str) -> np.ndarray:
        counts = self.counts()[kind]
        return counts[:, 0] if counts.shape[1] == 1 else counts
