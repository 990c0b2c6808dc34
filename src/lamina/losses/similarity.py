"""Losses of places: rows of one class shall lie near each other, and far from the others."""

from __future__ import annotations

from lamina.errors import ShapeError
from lamina.graph import express, functions
from lamina.graph.express import as_node
from lamina.graph.node import Node, Operand
from lamina.losses.loss import FunctionLoss
from lamina.losses.shapes import float_type
from lamina.ops import dual

LEAST = 1e-30  # of a sum of powers, so that its logarithm is finite where a row has no partner


@dual
def circle(
    y_true: Operand,
    y_pred: Operand,
    ref_labels: Operand | None = None,
    ref_embeddings: Operand | None = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Node:
    """log(1 + Σ e^(γ(d² − m²)) · Σ e^(γ(1 + m − d)₊(1 − m − d))) for each row (Sun et al. 2020).

    d = 1 − cos is the distance to another row; the first sum is over rows of the same class, the second over others.

    Args:
        y_true: class numbers (rows,) or (rows, 1).
        y_pred: vectors of length 1, (rows, dimensions).
        ref_labels, ref_embeddings: the other rows, by default the same ones.
        remove_diagonal: whether a row is no partner of its own, or of the other row with its number.
        gamma, margin: γ and m.

    Raises:
        ShapeError: rows are to be told from themselves among another number of rows.
    """
    rows = as_node(y_pred)
    rows = express.cast(rows, float_type(rows))
    others = rows if ref_embeddings is None else express.cast(ref_embeddings, rows.dtype)
    labels, other_labels = _labels(y_true), _labels(y_true if ref_labels is None else ref_labels)
    if remove_diagonal and rows.shape != others.shape:
        raise ShapeError(
            f"circle: {rows.shape} and ref_embeddings {others.shape} differ, so that no row is the other's own; "
            "give remove_diagonal=False"
        )
    distance = _distance(express.tensordot(rows, others, ((1,), (1,))))  # (rows, others)
    alike = express.equal(express.expand_dims(labels, 1), express.expand_dims(other_labels, 0))
    own = _attraction(_distance(express.sum(rows * others, 1)), gamma, margin) if remove_diagonal else None
    near, partners = _log_sum(_attraction(distance, gamma, margin), alike, own)
    far, strangers = _log_sum(_repulsion(distance, gamma, margin), functions.logical_not(alike))
    both = functions.logical_and(partners, strangers)
    return express.where(both, express.softplus(near + far), express.constant(0.0, rows.dtype))


def _labels(y: Operand) -> Node:
    y = express.cast(y, "int32")
    return express.squeeze(y) if y.ndim == 2 else y


def _distance(cosine: Node) -> Node:
    return express.maximum(1.0 - cosine, 0.0)


def _attraction(d: Node, gamma: float, margin: float) -> Node:
    return gamma * (d + margin) * (d - margin)


def _repulsion(d: Node, gamma: float, margin: float) -> Node:
    return gamma * express.maximum(1.0 + margin - d, 0.0) * (1.0 - margin - d)


def _log_sum(scores: Node, chosen: Node, own: Node | None = None) -> tuple[Node, Node]:
    """log Σ eˢ over the chosen of each row but its own, and whether there are any.

    The row's own is taken off again: among vectors of length 1 none is nearer, so that its term is the smallest.
    """
    top = express.stop_gradient(express.max(express.where(chosen, scores, float(-1 / LEAST)), 1, keepdims=True))
    share = express.cast(chosen, scores.dtype)
    total = express.sum(share * express.exp(express.where(chosen, scores, top) - top), 1)
    count = express.sum(share, 1)
    if own is not None:
        total, count = total - express.exp(own - express.squeeze(top)), count - 1.0
    return express.log(express.maximum(total, LEAST)) + express.squeeze(top), count > 0.5


class Circle(FunctionLoss):
    """Rows of one class near each other, and far from the others, weighted by how wrong they are.

    All rows of a batch are compared with each other; rows that cost nothing do not count in a mean.

    Args:
        gamma: γ: how sharply.
        margin: m: distances below m within a class and above 1 − m to others are good enough.
        remove_diagonal: whether a row is no partner of its own.
        reduction: see ``Loss``, as for ``name`` and ``dtype``.
    """

    function = staticmethod(circle)

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str = "circle",
        dtype: str | None = None,
    ):
        super().__init__(name, reduction, dtype)
        self.gamma = gamma
        self.margin = margin
        self.remove_diagonal = remove_diagonal

    def mask(self, y_true: Node, y_pred: Node) -> Node | None:
        """Rows that cost something."""
        return as_node(self.call(y_true, y_pred)) > 0.0
