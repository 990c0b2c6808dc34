"""The graphs of a training, a testing and a predicting step of a model, compiled."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lamina import engine
from lamina.errors import DataError
from lamina.graph.express import as_node
from lamina.graph.mixing import mixes_rows
from lamina.graph.node import Graph, Node, label, leaf
from lamina.host.stage import fill
from lamina.layers.nested import flatten, map_leaves
from lamina.metrics import Metric
from lamina.models.compiled import Outputs
from lamina.models.data import Leaf, Rows, check_labels, engine_array
from lamina.models.objective import Objective
from lamina.models.sources import Span
from lamina.optimizers.optimizer import PARAMETERS, no_gradients
from lamina.optimizers.vector import Vector
from lamina.rewrite.gradients import known_gradients
from lamina.trace import Trace
from lamina.variables import Variable


@dataclass
class Labels:
    """Class numbers that a sparse loss reads: which array, of how many classes."""

    array: str
    classes: int
    ignored: int | None


@dataclass
class Step:
    """One compiled pass of a model over data."""

    executable: engine.Executable
    trace: Trace
    outputs: Outputs
    labels: list[Labels] = field(default_factory=list)
    parameters: Vector | None = None
    optimizer: Any = None
    metrics: dict[str, Metric] = field(default_factory=dict)
    weights: list[Variable] = field(default_factory=list)  # the trainable ones first
    row_by_row: bool = False  # whether rows may be computed in batches of any size

    def run(self, span: Span, number: int) -> dict[str, np.ndarray]:
        """Go through the batches of a span, of which the first is step ``number``; what came out, by name."""
        return self.executable.run(
            span.rows.arrays, self.state(), rows=span.rows.count, batch_size=span.batch_size, order=span.order,
            start=span.start, stop=span.stop, step=number,
        )  # fmt: skip

    def state(self) -> dict[str, np.ndarray]:
        """The buffers that the program reads and writes, as they are now."""
        if self.parameters is None:
            return self.trace.state()
        self.parameters.attach()
        return {PARAMETERS: self.parameters.flat, **self.optimizer.state(), **self.trace.state()}

    def watched(self) -> list[np.ndarray]:
        """The arrays of all weights: the trainable ones as one."""
        if self.parameters is None:
            return [v.value for v in self.weights]
        fixed = self.weights[len(self.parameters.parts) :]
        return [self.parameters.flat, *(v.value for v in fixed)]

    def prepare(self, rows: Rows, dtype: str) -> None:
        """Add what the host makes for the program, and refuse class numbers that the outputs do not have."""
        if self.trace.hosted:
            fill(self.trace.hosted, rows.arrays)
            for name, node in self.executable.graph.inputs.items():
                rows.arrays[name] = engine_array(rows.arrays[name], node.dtype, dtype, f"input {name!r}")
        for labels in self.labels:
            check_labels(rows.arrays[labels.array], labels.classes, labels.ignored, "y")

    def reset(self) -> None:
        """Begin the metrics anew."""
        for metric in self.metrics.values():
            metric.reset_state()

    def logs(self) -> dict[str, Any]:
        """The metrics' present results by name, sorted, as Python numbers."""
        results: dict[str, Any] = {}
        for name, metric in self.metrics.items():
            result = map_leaves(_number, metric.result())
            results |= result if isinstance(result, dict) else {name: result}
        return dict(sorted(results.items()))


def _number(value: Any) -> Any:
    return float(value) if np.ndim(value) == 0 else np.asarray(value)


def train_step(model: Objective, rows: Rows) -> Step:
    """Forward, loss, gradients, update and metric sums of one batch as one program."""
    if not all(layer.built for layer in model._flatten_layers()):
        _forward(model, rows, Trace(training=True))  # so that all variables are known
    parameters = Vector(model.trainable_weights, PARAMETERS)
    parameters.attach()
    trace = Trace(parameters.layout(), training=True)
    loss, outputs, labels = _loss(model, rows, trace, training=True)
    if parameters.parts:
        _update(model.optimizer, trace, parameters, loss)
    step = _compiled(model, Graph({}, trace.updates()), trace, outputs)
    step.labels = labels
    if parameters.parts:
        step.parameters, step.optimizer = parameters, model.optimizer
    return _reporting(model, step)


def _update(optimizer: Any, trace: Trace, parameters: Vector, loss: Node) -> None:
    """Read the optimizer's step into the trace."""
    optimizer.build(parameters.parts)
    with trace.active():
        slopes = known_gradients(optimizer.scale_loss(loss), [trace.node(v) for v in parameters.parts])
        missing = [v.path for v, g in zip(parameters.parts, slopes, strict=True) if g is None]
        if missing:
            warnings.warn(no_gradients(missing), stacklevel=2)
        with label(optimizer.name):
            optimizer.updates(parameters, slopes)


def test_step(model: Objective, rows: Rows) -> Step:
    """Forward, loss and metric sums of one batch as one program."""
    trace = Trace(training=False)
    _, outputs, labels = _loss(model, rows, trace, training=False)
    step = _compiled(model, Graph({}, trace.updates()), trace, outputs)
    step.labels = labels
    return _reporting(model, step)


def predict_step(model: Objective, rows: Rows) -> Step:
    """The outputs for one batch as one program."""
    trace = Trace(training=False)
    structure, nodes = _forward(model, rows, trace)
    graph = Graph({f"output{i}": node for i, node in enumerate(nodes)}, trace.updates())
    step = _compiled(model, graph, trace, Outputs(structure, model._output_names()))
    step.row_by_row = not mixes_rows(step.executable.graph)
    return step


def _compiled(model: Objective, graph: Graph, trace: Trace, outputs: Outputs) -> Step:
    return Step(engine.compile(graph, model._target(), model._threads()), trace, outputs)


def _reporting(model: Objective, step: Step) -> Step:
    step.metrics = model._named_metrics()
    step.weights = [*model.trainable_weights, *model.non_trainable_weights]
    return step


def _node(x: Leaf | None) -> Node | None:
    return None if x is None else leaf("input", x.shape, x.dtype, name=x.name)


def _forward(model: Objective, rows: Rows, trace: Trace) -> tuple[Any, list[Node]]:
    with trace.active():
        y_pred = model(map_leaves(_node, rows.x), training=trace.training)
        nodes = [as_node(x) for x in flatten(y_pred)]
    if any(None not in node.shape[:1] for node in nodes):
        raise DataError(
            f"an output of model {model.name!r} has no row for each example: shapes {[n.shape for n in nodes]}"
        )
    return y_pred, nodes


def _loss(model: Objective, rows: Rows, trace: Trace, training: bool) -> tuple[Node, Outputs, list[Labels]]:
    for metric in model._own_metrics():
        metric.to(model._float_dtype())
    y_pred, nodes = _forward(model, rows, trace)
    outputs = Outputs(y_pred, model._output_names())
    with trace.active():
        x, y, weight = (map_leaves(_node, part) for part in (rows.x, rows.y, rows.weight))
        with label("loss"):
            loss = as_node(model.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=weight, training=training))
            model._track_loss(loss)
        with label("metrics"):
            model.compute_metrics(x=x, y=y, y_pred=y_pred, sample_weight=weight)
    return loss, outputs, list(_labels(model, rows, nodes, outputs))


def _labels(model: Objective, rows: Rows, nodes: list[Node], outputs: Outputs) -> list[Labels]:
    if model._compiled_loss is None or rows.y is None:
        return []
    leaves = model._aligned_targets(rows.y, outputs)
    sparse = model._compiled_loss.sparse()
    return [Labels(leaves[i].name, int(nodes[i].shape[-1] or 0), ignored) for i, ignored in sparse]
