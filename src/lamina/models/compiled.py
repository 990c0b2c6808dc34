"""What ``compile`` was given, resolved for a model's outputs: a loss and metrics for each, with Keras's names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, Self

from lamina import config, losses, metrics
from lamina.errors import DataError
from lamina.graph.express import as_node
from lamina.graph.node import Node
from lamina.metrics import Metric
from lamina.models.checks import Use
from lamina.models.traps import warn_of_pairs
from lamina.tree import flatten, is_nested
from lamina.variables import Variable

ACCURACY = ("accuracy", "acc")
CROSSENTROPY = ("crossentropy", "ce")


@dataclass(frozen=True)
class Outputs:
    """The outputs of a model: how many, and what users may call them."""

    structure: Any  # what the model returns, with anything as leaves
    layer_names: Sequence[str] | None  # of a functional model

    @property
    def keys(self) -> list[str] | None:
        """The keys of a dictionary of outputs."""
        return sorted(self.structure) if isinstance(self.structure, dict) else None

    @property
    def names(self) -> list[str] | None:
        """A name for each output, if there are any."""
        return self.keys or (None if self.layer_names is None else list(self.layer_names))

    @property
    def count(self) -> int:
        """How many arrays the model returns."""
        return len(flatten(self.structure))

    def name(self, index: int) -> str | None:
        """The name of one output."""
        return None if self.names is None else self.names[index]


def aligned(value: Any, outputs: Outputs, what: str) -> list[Any]:
    """The parts of y (or the sample weights), one for each output.

    Raises:
        DataError: they do not match the outputs.
    """
    if isinstance(value, dict) and outputs.count > 1:
        known = outputs.names or []
        if not set(value) <= set(known):
            raise DataError(f"{what} has the keys {sorted(value)}, the model's outputs are {known}")
        return [value.get(name) for name in known]
    leaves = flatten(value)
    if len(leaves) != outputs.count:
        raise DataError(f"{what} has {len(leaves)} arrays, the model has {outputs.count} outputs")
    return leaves


def object_name(thing: Any) -> str:
    """What a loss or metric is called in logs."""
    return (
        str(thing.name)
        if hasattr(thing, "name")
        else config.snake_case(getattr(thing, "__name__", type(thing).__name__))
    )


def by_shape(y: Any, y_pred: Any, binary: Any, sparse: Any, categorical: Any) -> Any:
    """Keras's choice for ``"accuracy"`` and ``"crossentropy"``: by the shapes of targets and outputs."""
    if y_pred.shape[-1] == 1:
        return binary
    return sparse if len(y.shape) < len(y_pred.shape) or y.shape[-1] == 1 else categorical


class CompiledLoss:
    """The losses of all outputs as one.

    Args:
        loss: a loss, or a list or dictionary of losses for the outputs.
        loss_weights: a number, list or dictionary of factors.
    """

    def __init__(self, loss: Any, loss_weights: Any = None):
        if loss_weights and not isinstance(loss_weights, list | tuple | dict | float):
            raise ValueError(
                "Expected `loss_weights` argument to be a float (single output case) or a list, tuple, or dict "
                f"(multiple output case). Received instead: loss_weights={loss_weights} of type {type(loss_weights)}"
            )
        self.given = loss
        self.given_weights = loss_weights
        self.parts: list[tuple[int, losses.Loss, float | None]] = []
        self.trackers: list[metrics.Mean] = []
        self.uses: list[Use] = []  # of the latest call
        self.built = False

    def wanted(self, outputs: Outputs) -> list[Any]:
        """The loss that the user named for each output, None for none."""
        return _spread_loss(self.given, outputs)

    def build(self, ys: Sequence[Any], predictions: Sequence[Any], outputs: Outputs) -> None:
        """Choose the losses once the shapes are known."""
        weights, wanted = _spread_weights(self.given_weights, self.given, outputs), self.wanted(outputs)
        for index in _in_turn(self.given, outputs):
            identifier = wanted[index]
            if identifier is None:
                continue
            if ys[index] is None:
                raise DataError(f"output {outputs.name(index) or index!r} has a loss but no targets: give y for it")
            self.parts.append((index, _loss(identifier, ys[index], predictions[index]), weights[index]))
        if len(self.parts) > 1:
            names = [outputs.name(i) or loss.name for i, loss, _ in self.parts]
            self.trackers = [metrics.Mean(name=f"{name}_loss", dtype=predictions[0].dtype) for name in names]
        self.built = True

    def __call__(
        self, ys: Sequence[Any], predictions: Sequence[Any], weights: Sequence[Any], outputs: Outputs
    ) -> Node | None:
        """Σ factor · loss over the outputs; each loss is tracked without its factor."""
        if not self.built:
            self.build(ys, predictions, outputs)
        self.uses = [Use(loss, ys[index], predictions[index]) for index, loss, _ in self.parts]
        terms = []
        for place, (index, loss, factor) in enumerate(self.parts):
            given = (ys[index], predictions[index], weights[index])
            value = loss(*given)
            warn_of_pairs(f"loss {loss.name!r}", [value], given)
            if self.trackers:
                self.trackers[place].update_state(value)  # Keras weighs the batches alike here, unlike in "loss"
            terms.append(value if factor is None else value * factor)
        return reduce(add, terms) if terms else None


def _in_turn(loss: Any, outputs: Outputs) -> Sequence[int]:
    """The outputs in the order in which Keras adds up their losses: a dictionary's own."""
    if outputs.keys is None:
        return range(outputs.count)
    return [outputs.keys.index(name) for name in (loss if isinstance(loss, dict) else outputs.structure)]


def _spread_loss(loss: Any, outputs: Outputs) -> list[Any]:
    if isinstance(loss, dict):
        names = outputs.names or []
        if outputs.keys is None and outputs.count > 1 and set(loss) != set(names):
            raise ValueError(f"Expected keys {names} in loss dict, but found loss.keys()={list(loss)}")
        if not names and len(loss) == outputs.count == 1:
            return list(loss.values())
        unknown = [key for key in loss if key not in names]
        if unknown:
            raise KeyError(
                f"The path: ({unknown[0]!r},) in the `loss` argument, can't be found in the model's output {names}"
            )
        return [loss.get(name) for name in names]
    if isinstance(loss, list | tuple):
        if len(loss) != outputs.count:
            raise ValueError(f"`loss` is a list of {len(loss)}, the model has {outputs.count} output(s)")
        return list(loss)
    return [loss] * outputs.count


def _spread_weights(weights: Any, loss: Any, outputs: Outputs) -> list[float | None]:
    """The factor of each output's loss; there must be as many as losses were named, and one for each output."""
    if weights is None:
        return [None] * outputs.count
    _check_number(weights, len(flatten(loss)))
    if isinstance(weights, dict):
        names = outputs.names or []
        unknown = [key for key in weights if key not in names]
        if unknown:
            raise ValueError(f"`loss_weights` has the key {unknown[0]!r}, the model's outputs are {names}")
        missing = [name for name in (loss if isinstance(loss, dict) else names) if name not in weights]
        if missing:
            raise ValueError(f"`loss_weights` has no factor for the output {missing[0]!r}, only for {list(weights)}")
        return [weights.get(name) for name in names]
    if isinstance(weights, list | tuple):
        _check_number(weights, outputs.count)
        return list(weights)
    return [weights] * outputs.count


def _check_number(weights: Any, count: int) -> None:
    if len(flatten(weights)) != count:
        raise ValueError(
            f"`loss_weights` must match the number of losses, got {count} losses and {len(flatten(weights))} weights."
        )


def _loss(identifier: Any, y: Any, y_pred: Any) -> losses.Loss:
    if isinstance(identifier, str) and identifier.lower() in CROSSENTROPY:
        found = by_shape(
            y, y_pred, losses.binary_crossentropy, losses.sparse_categorical_crossentropy,
            losses.categorical_crossentropy,
        )  # fmt: skip
    else:
        found = losses.get(identifier)
    if found is losses.circle:
        found = losses.Circle()  # the function alone does not say which rows count
    if isinstance(found, losses.Loss):
        return found
    return losses.LossFunctionWrapper(found, name=identifier if isinstance(identifier, str) else object_name(found))


class CompiledMetrics(Metric):
    """The metrics of all outputs as one.

    Args:
        given: metrics as the user gave them.
        given_weighted: those that take sample weights into account.
        by_output: makes of (y, y_pred, sample_weight) a list each with a part for each output, and the Outputs.
    """

    def __init__(self, given: Any, given_weighted: Any, by_output: Callable[[Any, Any, Any], Any]):
        super().__init__(name="compile_metrics")
        for name, value in (("metrics", given), ("weighted_metrics", given_weighted)):
            if value and not isinstance(value, list | tuple | dict):
                raise ValueError(
                    f"Expected `{name}` argument to be a list, tuple, or dict. "
                    f"Received instead: {name}={value} of type {type(value)}"
                )
        self.given = given
        self.given_weighted = given_weighted
        self._by_output = by_output
        self.uses: list[Use] = []  # of the latest call
        self.plain: list[tuple[int, str | None, Metric]] = []
        self.weighted: list[tuple[int, str | None, Metric]] = []
        self.built = False

    def build(self, ys: Sequence[Any], predictions: Sequence[Any], outputs: Outputs) -> None:
        """Choose the metrics once the shapes are known."""
        self.plain = list(_resolved(self.given, "metrics", ys, predictions, outputs))
        self.weighted = list(_resolved(self.given_weighted, "weighted_metrics", ys, predictions, outputs))
        self.built = True

    def update_state(self, y: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take one more batch into account."""
        ys, predictions, weights, outputs = self._by_output(y, y_pred, sample_weight)
        if not self.built:
            self.build(ys, predictions, outputs)
        self.uses = [Use(m, ys[index], predictions[index]) for index, _, m in (*self.plain, *self.weighted)]
        for index, _, metric in self.plain:
            _measure(metric, ys[index], predictions[index], None)
        for index, _, metric in self.weighted:
            _measure(metric, ys[index], predictions[index], weights[index])

    @property
    def metrics(self) -> list[Metric]:
        """The metrics, once they are chosen."""
        return [metric for _, _, metric in (*self.plain, *self.weighted)]

    @property
    def variables(self) -> list[Variable]:
        """The states of all of them."""
        return [v for metric in self.metrics for v in metric.variables]

    def reset_state(self) -> None:
        """All of them begin anew."""
        for metric in self.metrics:
            metric.reset_state()

    def to(self, dtype: str) -> Self:
        """All of them in a float type."""
        self.dtype = dtype
        return self

    def result(self) -> dict[str, Any]:
        """The present results by their keys in logs."""
        return results(self.named())

    def named(self) -> dict[str, Metric]:
        """Each metric under its key in logs: numbered or marked as weighted where names collide."""
        found: dict[str, Metric] = {}
        counts: dict[str, int] = {}
        for weighted, group in ((False, self.plain), (True, self.weighted)):
            for _, output, metric in group:
                name = _prefixed(output, metric.name)
                if weighted and name in counts:
                    name = _prefixed(output, f"weighted_{metric.name}")
                number = counts.get(name, 0)
                counts[name] = number + 1
                found[f"{name}_{number}" if number else name] = metric
        return found


def results(named: Mapping[str, Metric]) -> dict[str, Any]:
    """The present results by name; a metric that gives a dictionary has the names in that."""
    found: dict[str, Any] = {}
    for name, metric in named.items():
        result = metric.result()
        found |= result if isinstance(result, dict) else {name: result}
    return found


def _measure(metric: Metric, y: Any, y_pred: Any, sample_weight: Any) -> None:
    metric.update_state(y, y_pred, sample_weight=sample_weight)
    states = [as_node(v) for v in metric.variables]
    warn_of_pairs(f"metric {metric.name!r}", states, [y, y_pred, sample_weight])


def _prefixed(output: str | None, name: str) -> str:
    return f"{output}_{name}" if output else name


def _resolved(
    given: Any, argument: str, ys: Sequence[Any], predictions: Sequence[Any], outputs: Outputs
) -> Iterator[tuple[int, str | None, Metric]]:
    for index, listed in enumerate(_spread_metrics(given, argument, outputs)):
        for identifier in flatten(listed) if is_nested(listed) else [listed]:
            if listed is None:
                continue
            prefix = outputs.name(index) if outputs.count > 1 else None
            if ys[index] is None:
                raise DataError(f"output {prefix or index!r} has metrics but no targets: give y for it")
            yield index, prefix, _metric(identifier, ys[index], predictions[index])


def _spread_metrics(given: Any, argument: str, outputs: Outputs) -> list[Any]:
    if not given:
        return [None] * outputs.count
    if outputs.count == 1:
        return [flatten(given)]
    names = outputs.names or []
    if isinstance(given, dict) and set(given) <= set(names):
        return [given.get(name) for name in names]
    if isinstance(given, list | tuple) and len(given) == outputs.count:
        return list(given)
    raise ValueError(
        f"Invalid `{argument}`. `{argument}` should contain metrics objects and either be a dict or a list matching "
        f"the output names of the model {names}.\nReceived: {argument}={given}"
    )


def _metric(identifier: Any, y: Any, y_pred: Any) -> Metric:
    if identifier is None:
        raise ValueError("Expected metric, received `None`")
    name = identifier if isinstance(identifier, str) else None
    if name is not None and name.lower() in ACCURACY:
        found = by_shape(
            y, y_pred, metrics.BinaryAccuracy, metrics.SparseCategoricalAccuracy, metrics.CategoricalAccuracy
        )()
    else:
        found = metrics.get(identifier)
    name = name or object_name(found)
    if not isinstance(found, Metric):
        found = metrics.MeanMetricWrapper(found, name=name)
    found.name = name
    return found.to(y_pred.dtype)
