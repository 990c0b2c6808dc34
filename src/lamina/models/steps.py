"""The graphs of a training, a testing and a predicting step of a model, compiled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lamina import engine
from lamina.errors import DataError, ShapeError
from lamina.executable import Executable
from lamina.graph.express import as_node
from lamina.graph.mixing import mixes_rows
from lamina.graph.node import Graph, Node, leaf
from lamina.host.stage import fill
from lamina.metrics import Metric
from lamina.models.checks import Labels, Meaning, checks
from lamina.models.compiled import Outputs
from lamina.models.data import Leaf, Rows, engine_array
from lamina.models.sources import Span
from lamina.models.stepper import Stepper
from lamina.models.traps import warn_of_outputs
from lamina.optimizers.optimizer import PARAMETERS
from lamina.optimizers.vector import Vector
from lamina.trace import Trace
from lamina.tree import flatten, map_leaves
from lamina.variables import Variable


@dataclass
class Step:
    """One compiled pass of a model over data."""

    executable: Executable
    trace: Trace
    outputs: Outputs = field(default_factory=lambda: Outputs([], None))  # of a predicting step
    checks: list[Labels | Meaning] = field(default_factory=list)
    parameters: Vector | None = None
    optimizer: Any = None
    report: dict[str, Any] = field(default_factory=dict)  # what is logged: metrics, numbers, names of outputs
    metrics: list[Metric] = field(default_factory=list)
    weights: list[Variable] = field(default_factory=list)  # the trainable ones first
    row_by_row: bool = False  # whether rows may be computed in batches of any size
    made: dict[str, np.ndarray] = field(default_factory=dict)  # the latest run's outputs

    def run(self, span: Span, number: int) -> dict[str, np.ndarray]:
        """Go through the batches of a span, of which the first is step ``number``; what came out, by name."""
        self.made = span.run(self.executable, self.state(), number)
        return self.made

    def state(self) -> dict[str, np.ndarray]:
        """The buffers that the program reads and writes, as they are now."""
        if self.parameters is None:
            return self.trace.state()
        self.parameters.attach()
        slots = {} if self.optimizer is None else self.optimizer.state()
        return {PARAMETERS: self.parameters.flat, **slots, **self.trace.state()}

    def watched(self) -> list[np.ndarray]:
        """The arrays of all weights: the trainable ones as one."""
        if self.parameters is None:
            return [v.value for v in self.weights]
        fixed = self.weights[len(self.parameters.parts) :]
        return [self.parameters.flat, *(v.value for v in fixed)]

    def prepare(self, rows: Rows, dtype: str) -> None:
        """Add what the host makes for the program, and look at the targets."""
        if self.trace.hosted:
            fill(self.trace.hosted, rows.arrays)
            for name, node in self.executable.graph.inputs.items():
                rows.arrays[name] = engine_array(rows.arrays[name], node.dtype, dtype, f"input {name!r}")
        for check in self.checks:
            check.check(rows)

    def reset(self) -> None:
        """Begin the metrics anew."""
        for metric in self.metrics:
            metric.reset_state()

    def logs(self) -> dict[str, Any]:
        """The present results by name, as Python numbers; what is no metric is as the latest batch made it.

        Sorted as in Keras, where a dictionary among them stands at its own name.
        """
        results: dict[str, Any] = {}
        for name, value in self.report.items():
            if isinstance(value, Metric):
                value = value.result()
            elif isinstance(value, str):
                value = self.made.get(value, 0.0)
            value = map_leaves(_number, value)
            results |= dict(sorted(value.items())) if isinstance(value, dict) else {name: value}
        return results


def _number(value: Any) -> Any:
    return float(value) if np.ndim(value) == 0 else np.asarray(value)


def train_step(model: Stepper, rows: Rows) -> Step:
    """``model.train_step`` of one batch (forward, loss, gradients, update, metric sums) as one program."""
    if not all(layer.built for layer in model._flatten_layers()):
        _read_once(model, rows)
    parameters = Vector(model.trainable_weights, PARAMETERS)
    parameters.attach()
    trace = Trace(parameters.layout(), training=True)
    if parameters.parts:
        trace.weights = parameters
        model.optimizer.build(parameters.parts)
    step = _reporting(model, "train_step", rows, trace)
    step.optimizer = trace.optimizer
    step.parameters = parameters if parameters.parts else None
    return step


def test_step(model: Stepper, rows: Rows) -> Step:
    """``model.test_step`` of one batch (forward, loss and metric sums) as one program."""
    return _reporting(model, "test_step", rows, Trace(training=False))


def _read_once(model: Stepper, rows: Rows) -> None:
    """Read the model's equations and forget them: now its layers have their variables."""
    with Trace(training=True).active():
        if type(model).train_step is Stepper.train_step:
            model(map_leaves(_node, rows.x), training=True)
        else:
            model.train_step(_data(rows))
    model.built = True


def _reporting(model: Stepper, what: str, rows: Rows, trace: Trace) -> Step:
    for metric in model.metrics:
        if metric.dtype != model._float_dtype():
            metric.to(model._float_dtype())
    compiled = [x for x in (model._compiled_loss, model._compiled_metrics) if x is not None]
    for part in compiled:
        part.uses = []
    with trace.active():
        logs = getattr(model, what)(_data(rows))
    report, outputs = _reported(logs, what)
    step = Step(engine.compile(Graph(outputs, trace.updates()), model._target(), model._threads()), trace)
    step.checks = _looked_at(model)
    step.report, step.metrics = report, model.metrics
    step.weights = [*model.trainable_weights, *model.non_trainable_weights]
    return step


def _looked_at(model: Stepper) -> list[Labels | Meaning]:
    """What the targets must be; what can be said without them is said now."""
    used = [[] if x is None else x.uses for x in (model._compiled_loss, model._compiled_metrics)]
    where = f"model {model.name!r}"
    warn_of_outputs(where, *used)
    return list(checks(where, *used))


def _reported(logs: Any, what: str) -> tuple[dict[str, Any], dict[str, Node]]:
    """What a step's logs are read from, and the outputs that its graph needs for them.

    Raises:
        TypeError: the step returned no dictionary.
        ShapeError: a value is no single number.
    """
    if not isinstance(logs, dict):
        raise TypeError(f"{what} must return a dictionary of what is logged, got {logs!r}")
    report: dict[str, Any] = {}
    outputs: dict[str, Node] = {}
    for name, value in _flat(logs):
        report[name] = value
        if isinstance(value, Node):
            if value.shape != ():
                raise ShapeError(f"{what} returns {name!r} of shape {value.shape}: what is logged is one number")
            report[name] = f"log{len(outputs)}"
            outputs[report[name]] = value
    return report, outputs


def _flat(logs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in sorted(logs.items()):
        yield from _flat(value) if isinstance(value, dict) else [(name, value)]


def _data(rows: Rows) -> Any:
    """What a step of the model is given: (x, y, sample_weight), the last or both left out, x then alone."""
    x, y, weight = (map_leaves(_node, part) for part in (rows.x, rows.y, rows.weight))
    if y is None:
        return x if not isinstance(x, list | tuple) else (x,)
    return (x, y) if weight is None else (x, y, weight)


def predict_step(model: Stepper, rows: Rows) -> Step:
    """``model.predict_step`` of one batch (the outputs) as one program."""
    trace = Trace(training=False)
    with trace.active():
        structure = model.predict_step(_data(rows))
        nodes = [as_node(x) for x in flatten(structure)]
    if any(None not in node.shape[:1] for node in nodes):
        raise DataError(
            f"an output of model {model.name!r} has no row for each example: shapes {[n.shape for n in nodes]}"
        )
    graph = Graph({f"output{i}": node for i, node in enumerate(nodes)}, trace.updates())
    executable = engine.compile(graph, model._target(), model._threads())
    step = Step(executable, trace, Outputs(structure, model._output_names()))
    step.row_by_row = not mixes_rows(executable.graph)
    return step


def _node(x: Leaf | None) -> Node | None:
    return None if x is None else leaf("input", x.shape, x.dtype, name=x.name)
