"""R²: the share of the targets' variance that the predictions explain."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from lamina.errors import ShapeError
from lamina.graph import express
from lamina.graph.functions import square
from lamina.graph.node import Node, Operand
from lamina.losses.shapes import same_rank
from lamina.metrics.metric import Metric
from lamina.ops import dual
from lamina.variables import Variable

AGGREGATIONS = ("uniform_average", "variance_weighted_average", None)
STATES = ("squared_sum", "sum", "residual", "count")


class R2Score(Metric):
    """1 − Σ(y − ŷ)² / Σ(y − mean y)² for each output, then averaged.

    Args:
        class_aggregation: ``"uniform_average"``, ``"variance_weighted_average"``, or None for one score an output.
        num_regressors: number of inputs, for the adjusted score; 0 for the plain one.
        name: its name.
        dtype: see ``Metric``.

    Raises:
        ValueError: another aggregation, or a negative number of regressors.
        ShapeError: targets and predictions are not (rows, outputs).
    """

    _direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str = "r2_score",
        dtype: str | None = None,
    ):
        if class_aggregation not in AGGREGATIONS:
            raise ValueError(f"`class_aggregation` must be one of {AGGREGATIONS}. Received: {class_aggregation!r}")
        if num_regressors < 0:
            raise ValueError(f"`num_regressors` must be >= 0. Received: {num_regressors}")
        super().__init__(dtype, name)
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_weight(name="num_samples")
        self._states: dict[str, Variable] = {}

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add targets and predictions (rows, outputs) with weights (rows,)."""
        added = dict(zip((*STATES, "num_samples"), dual(self._added)(y_true, y_pred, sample_weight), strict=True))
        if not self._states:
            self._states = {name: self.add_weight(added[name].shape, name=name) for name in STATES}
        for name, variable in {**self._states, "num_samples": self.num_samples}.items():
            variable.assign_add(added[name])

    def _added(self, y_true: Operand, y_pred: Operand, sample_weight: Operand | None) -> tuple[Node, ...]:
        y, p = same_rank(express.cast(y_true, self.dtype), express.cast(y_pred, self.dtype))
        if y.ndim != 2 or y.shape[1:] != p.shape[1:] or None in y.shape[1:]:
            raise ShapeError(
                f"R2Score needs targets and predictions of one shape (rows, outputs), "
                f"got y_true.shape={y.shape}, y_pred.shape={p.shape}"
            )
        weight = express.full_like(y, 1.0) if sample_weight is None else express.cast(sample_weight, self.dtype)
        weight = express.broadcast_to(express.expand_dims(weight, 1) if weight.ndim == 1 else weight, y.shape)
        parts = (y * y * weight, y * weight, square(y - p) * weight, weight)
        return (*(express.sum(part, 0) for part in parts), express.size_of(y, (0, 1)))

    def result(self) -> Any:
        """The score, or one for each output."""
        if not self._states:
            return np.zeros((), self.dtype)[()]
        squares, total, residual, count = (self._states[name].value for name in STATES)
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = squares - total * (total / count)
            scores = 1 - residual / spread
        return self._adjusted(self._averaged(np.where(np.isinf(scores), 0, scores), spread))

    def _averaged(self, scores: np.ndarray, spread: np.ndarray) -> Any:
        if self.class_aggregation == "uniform_average":
            return scores.mean()
        if self.class_aggregation == "variance_weighted_average":
            return (spread * scores).sum() / spread.sum()
        return scores

    def _adjusted(self, score: Any) -> Any:
        """1 − (1 − R²)(n − 1)/(n − p − 1): what p inputs explain by chance is taken off."""
        n, p = self.num_samples.value, self.num_regressors
        if not p:
            return score
        if p >= n - 1:
            warnings.warn(
                f"the adjusted R2 score needs more than {p + 1} values, got {int(n)}: this is the plain score",
                stacklevel=3,
            )
            return score
        return 1 - (1 - score) * (n - 1) / (n - p - 1)
