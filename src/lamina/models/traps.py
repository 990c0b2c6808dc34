"""What a model computes as Keras does and nobody means: found while a step is made, and said once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from lamina import losses, metrics
from lamina.errors import warn_once
from lamina.graph.crossentropies import activation_before
from lamina.graph.mixing import paired_rows
from lamina.graph.node import Node
from lamina.metrics.confusion import AtThresholds
from lamina.metrics.histogram import Histogram
from lamina.models.checks import Use

OF_PROBABILITIES: dict[type, Callable[..., Any]] = {
    losses.BinaryCrossentropy: losses.binary_crossentropy,
    losses.CategoricalCrossentropy: losses.categorical_crossentropy,
    losses.SparseCategoricalCrossentropy: losses.sparse_categorical_crossentropy,
}
# The activation whose probabilities each is meant for.
ACTIVATIONS = dict(zip(OF_PROBABILITIES.values(), ("sigmoid", "softmax", "softmax"), strict=True))


def warn_of_outputs(where: str, of_losses: Sequence[Use], of_metrics: Sequence[Use]) -> None:
    """Say where outputs are taken for probabilities that are none.

    Args:
        where: the model, for messages.
        of_losses, of_metrics: what the step uses.
    """
    for loss, _, output in of_losses:
        function = OF_PROBABILITIES.get(type(loss), getattr(loss, "fn", None))
        if function in ACTIVATIONS:
            _warn_of_linear(where, loss, output)
            _warn_of_activation(where, loss, output, ACTIVATIONS[function])
        for metric, _, measured in of_metrics:
            if measured is output and _option(loss, "from_logits"):
                _warn_of_logits(where, loss, metric)


def _warn_of_linear(where: str, loss: Any, output: Node) -> None:
    if _is_linear(output) and not _option(loss, "from_logits"):
        warn_once(
            f"{where}: the loss {loss.name!r} takes outputs for probabilities, but they are those of a linear layer, "
            "and what lies outside [0, 1] is cut off: give the last layer an activation (sigmoid or softmax), or the "
            "loss from_logits=True",
            stacklevel=4,
        )


def _warn_of_activation(where: str, loss: Any, output: Node, own: str) -> None:
    before = activation_before(output)
    if before is None or (before == own and not _option(loss, "from_logits")):
        return
    fix = f"end the model with {own}" if before != own else "leave from_logits out"
    warn_once(
        f"{where}: the loss {loss.name!r} takes outputs for {'logits' if before == own else f'those of a {own}'}, but "
        f"they are those of a {before}: as in Keras on TensorFlow, it is computed with what the {before} was given. "
        f"To say what you mean, {fix}",
        stacklevel=4,
    )


def _warn_of_logits(where: str, loss: Any, metric: Any) -> None:
    advice = _advice(metric)
    if advice:
        warn_once(
            f"{where}: the loss {loss.name!r} takes outputs for logits, the metric {metric.name!r} for "
            f"probabilities: {advice}",
            stacklevel=4,
        )


def _advice(metric: Any) -> str:
    """How a metric that takes outputs for probabilities is told that they are logits."""
    if getattr(metric, "from_logits", None) is False:
        return f"give {type(metric).__name__} from_logits=True"
    if isinstance(metric, metrics.BinaryAccuracy) and metric.threshold == 0.5:
        return "use BinaryAccuracy(threshold=0.0)"
    if isinstance(metric, AtThresholds) and metric.init_thresholds is None and metric.top_k is None:
        return f"use {type(metric).__name__}(thresholds=0)"
    if isinstance(metric, Histogram) and not hasattr(metric, "from_logits"):
        return "end the model with a sigmoid and take from_logits from the loss"
    return ""


def _option(loss: Any, name: str) -> Any:
    return getattr(loss, "fn_kwargs", {}).get(name, getattr(loss, name, None))


def _is_linear(output: Node) -> bool:
    return output.op == "tensordot" or (output.op == "add" and any(x.op == "tensordot" for x in output.inputs))


def warn_of_pairs(what: str, made: Iterable[Node], given: Iterable[Any]) -> None:
    """A loss or metric of the user's own in which an array (n,) has met one of (n, 1), which makes (n, n).

    Args:
        what: the loss or metric, for the message.
        made: its values, in the graph.
        given: targets, outputs and weights.
    """
    shapes = [tuple(x.shape) for x in given if x is not None]
    if (None,) in shapes and (None, 1) in shapes and paired_rows(made) is not None:
        warn_once(
            f"{what} gets arrays of shapes {', '.join(map(str, shapes))}: one of shape (n,) meets one of shape (n, 1), "
            "so that every row is compared with every other, as in Keras. Give columns, as by y.reshape(-1, 1)",
            stacklevel=4,
        )
