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
    partners = express.cast(alike, rows.dtype)
    strangers = 1.0 - partners
    if remove_diagonal:
        partners = partners - _own(partners, others, express.cast(express.equal(labels, other_labels), rows.dtype))
    near, has_partner = _log_sum(_attraction(distance, gamma, margin), partners)
    far, has_stranger = _log_sum(_repulsion(distance, gamma, margin), strangers)
    both = functions.logical_and(has_partner, has_stranger)
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


def _own(alike: Node, others: Node, own_alike: Node) -> Node:
    """How much of each other row is the row's own: 1 of itself alone, 1/n of each of n rows of the same numbers.

    A batch's rows have no numbers of their own in a graph by which the diagonal could be told.
    """
    apart = functions.not_equal(express.expand_dims(others, 1), express.expand_dims(others, 0))
    same = alike * (1.0 - express.max(express.cast(apart, alike.dtype), -1))
    return same * express.expand_dims(own_alike / express.maximum(express.sum(same, 1), 1.0), 1)


def _log_sum(scores: Node, share: Node) -> tuple[Node, Node]:
    """log Σ share · eˢ over each row, and whether any share is above 0."""
    chosen = share > 0.0
    top = express.stop_gradient(express.max(express.where(chosen, scores, float(-1 / LEAST)), 1, keepdims=True))
    total = express.sum(share * express.exp(express.where(chosen, scores, top) - top), 1)
    return express.log(express.maximum(total, LEAST)) + express.squeeze(top), express.max(share, 1) > 0.0


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
