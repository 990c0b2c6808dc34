"""The shapes and types of targets and predictions: what goes together, and the errors where it does not."""

from __future__ import annotations

from lamina import config
from lamina.errors import DataError, ShapeError, warn_once
from lamina.graph import express
from lamina.graph.express import as_node
from lamina.graph.node import Node, Operand


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


def aligned(y_true: Operand, y_pred: Operand, strict: bool = False) -> tuple[Node, Node]:
    """Target and prediction as floats of one type and rank.

    Args:
        y_true, y_pred: the two.
        strict: whether one column may not meet several of the other, as where they are probabilities of classes.

    Raises:
        ShapeError: their shapes differ in more than axes of size 1.
    """
    return _fitting(*same_rank(*_floats(y_true, y_pred)), strict)


def as_given(y_true: Operand, y_pred: Operand) -> tuple[Node, Node]:
    """Target and prediction as floats of one type; (rows,) and (rows, 1) stay, and meet as (rows, rows).

    So do the functions of Keras that do not align ranks themselves; as losses all of them are given one rank.

    Raises:
        ShapeError: their shapes differ otherwise in more than axes of size 1.
    """
    y_true, y_pred = _floats(y_true, y_pred)
    pairs = {y_true.ndim, y_pred.ndim} == {1, 2} and 1 in (*y_true.shape[1:], *y_pred.shape[1:])
    return (y_true, y_pred) if pairs else _fitting(y_true, y_pred)


def _floats(y_true: Operand, y_pred: Operand) -> tuple[Node, Node]:
    y_pred = as_node(y_pred)
    dtype = float_type(y_pred)
    return express.cast(y_true, dtype), express.cast(y_pred, dtype)


def _fitting(y_true: Node, y_pred: Node, strict: bool = False) -> tuple[Node, Node]:
    if not (y_true.ndim and y_pred.ndim) or y_true.shape[1:] == y_pred.shape[1:]:
        return y_true, y_pred
    if not strict and _repeatable(y_true, y_pred):
        warn_once(
            f"targets of shape {y_true.shape} meet outputs of shape {y_pred.shape}: each is compared with all "
            "columns of the other. Give one target for each column of the output, or make it one column",
            stacklevel=4,
        )
        return y_true, y_pred
    raise ShapeError(
        f"Arguments `target` and `output` must have the same shape. "
        f"Received: target.shape={y_true.shape}, output.shape={y_pred.shape}{_class_numbers_hint(y_true, y_pred)}"
    )


def _repeatable(a: Node, b: Node) -> bool:
    """Whether shapes of one rank differ in axes of size 1 alone."""
    return a.ndim == b.ndim and all(m == n or 1 in (m, n) for m, n in zip(a.shape[1:], b.shape[1:], strict=True))


def _class_numbers_hint(y_true: Node, y_pred: Node) -> str:
    classes = y_pred.ndim > 1 and (y_true.ndim < y_pred.ndim or y_true.shape[-1] == 1)
    return "; for class numbers use the sparse categorical form" if classes else ""


def class_numbers(y_true: Operand, y_pred: Operand, axis: int = -1) -> tuple[Node, Node]:
    """Class numbers as int32 without an axis of size 1 at the end, and float outputs with a class axis."""
    y_true, y_pred = one_a_row(y_true, y_pred, axis)
    return express.cast(y_true, "int32"), y_pred


def one_a_row(y_true: Operand, y_pred: Operand, axis: int = -1) -> tuple[Node, Node]:
    """Targets without an axis of size 1 at the end, and float outputs with a class axis.

    Raises:
        ShapeError: there is not one target for each row of outputs.
    """
    y_true, y_pred = as_node(y_true), as_node(y_pred)
    if y_true.ndim == y_pred.ndim and y_true.shape[axis] == 1:
        y_true = express.squeeze(y_true, axis)
    if y_true.ndim != y_pred.ndim - 1:
        raise ShapeError(
            f"Argument `output` must have one axis more than class numbers as `target`. Received: "
            f"target.shape={y_true.shape}, output.shape={y_pred.shape}; for one-hot targets use the "
            "categorical, not the sparse categorical form"
        )
    return y_true, express.cast(y_pred, float_type(y_pred))


def check_labels(labels: Node, classes: int) -> None:
    """Labels that are known now are looked at now."""
    while labels.op in ("cast", "reshape"):
        labels = labels.inputs[0]
    if labels.op != "constant":
        return
    values = labels.attrs["value"]
    bad = values[(values < 0) | (values >= classes)]
    if bad.size:
        raise DataError(f"Received a label value of {bad.flat[0]} which is outside the valid range of [0, {classes})")
