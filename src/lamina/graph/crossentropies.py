"""Cross-entropies as equations, of probabilities or of logits.

On TensorFlow Keras hangs the logits on what a sigmoid or softmax gives, and each cross-entropy takes them from there,
whichever of the two it was and whatever ``from_logits`` says. Here they are found in the graph.
"""

from __future__ import annotations

from lamina.graph import express as e
from lamina.graph.express import as_node
from lamina.graph.functions import EPSILON, class_count, log_softmax, one_hot
from lamina.graph.node import Node, Operand


def binary_crossentropy(target: Operand, output: Operand, from_logits: bool = False, epsilon: float = EPSILON) -> Node:
    """−y log a − (1 − y) log(1 − a), element by element; a = σ(output) when ``from_logits``."""
    target = as_node(target)
    output, from_logits = _logits(output, from_logits, "sigmoid")
    a = e.guard(e.sigmoid(output) if from_logits else output, epsilon)
    return -(target * e.log(a)) - (1.0 - target) * e.log(1.0 - a)


def categorical_crossentropy(
    target: Operand, output: Operand, from_logits: bool = False, axis: int = -1, epsilon: float = EPSILON
) -> Node:
    """−Σ y log a along the class axis; probabilities are first divided by their sum, as Keras does."""
    target = as_node(target)
    output, from_logits = _logits(output, from_logits, "softmax", axis)
    if from_logits:
        return -e.sum(target * log_softmax(output, axis), axis)
    a = output / e.sum(output, axis, keepdims=True)
    return -e.sum(target * e.log(e.guard(a, epsilon)), axis)


def sparse_categorical_crossentropy(
    target: Operand, output: Operand, from_logits: bool = False, axis: int = -1, epsilon: float = EPSILON
) -> Node:
    """−log a[y] for class numbers y; probabilities are clipped and then renormalised, as Keras does."""
    output, from_logits = _logits(output, from_logits, "softmax", axis)
    logits = output if from_logits else e.log(e.guard(output, epsilon))
    hit = one_hot(e.cast(target, "int32"), class_count(output, axis), "bool")
    return -e.sum(e.where(hit, log_softmax(logits, axis), e.constant(0.0, output.dtype)), axis)


def activation_before(a: Node) -> str | None:
    """``"sigmoid"`` or ``"softmax"``, if one of them gave these probabilities."""
    if a.op == "sigmoid":
        return "sigmoid"
    return "softmax" if is_softmax(a) and a.inputs[0].inputs[0].op == "subtract" else None


def is_softmax(a: Node) -> bool:
    """Whether a node is eᵘ / Σeᵘ."""
    if a.op != "divide":
        return False
    top, total = a.inputs
    return top.op == "exp" and total.op == "sum" and total.inputs[0] is top


def _logits(output: Operand, from_logits: bool, own: str, axis: int = -1) -> tuple[Node, bool]:
    """What a cross-entropy computes with, and whether these are logits.

    Args:
        output, from_logits: what it was given.
        own: the activation that makes its probabilities: they are taken as they are, since their logarithm is exact.
        axis: along which a softmax makes them.
    """
    output = as_node(output)
    before = activation_before(output)
    if before is None:
        return output, from_logits
    if before == own and (own == "sigmoid" or output.inputs[1].attrs["axes"] == (axis % output.ndim,)):
        return output, False
    return output.inputs[0] if before == "sigmoid" else output.inputs[0].inputs[0].inputs[0], True
