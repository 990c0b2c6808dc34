"""What a model is trained for: ``compile``, and the loss and the metrics of a batch in the graph."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from lamina import optimizers
from lamina.engine import check_target
from lamina.errors import DataError, warn_once
from lamina.layers.holding import unique
from lamina.layers.input_layer import InputLayer
from lamina.layers.layer import Layer
from lamina.metrics import Mean, Metric
from lamina.models.compiled import CompiledLoss, CompiledMetrics, Outputs, aligned, results
from lamina.trace import current
from lamina.tree import flatten
from lamina.variables import Variable


class Objective(Layer):
    """A layer with a loss, metrics and an optimizer: what training a model is about."""

    not_parts = Layer.not_parts | {
        "optimizer", "loss", "history", "compile_arguments", "_compiled_loss", "_compiled_metrics", "_loss_tracker",
        "_steps", "_trainable_then",
    }  # fmt: skip

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"autocast": False, **kwargs})
        self.optimizer: Any = None
        self.loss: Any = None
        self.stop_training = False
        self._initial_epoch = 0
        self.history: Any = None
        self.compiled = False
        self.compile_arguments: dict[str, Any] = {}
        self._compiled_loss: CompiledLoss | None = None
        self._compiled_metrics: CompiledMetrics | None = None
        self._loss_tracker: Mean | None = None
        self._steps: dict[Any, Any] = {}
        self._trainable_then: dict[str, bool] | None = None  # as it was when the first training step was built
        self.train_function: Callable[[Any], dict[str, Any]] | None = None
        self.test_function: Callable[[Any], dict[str, Any]] | None = None
        self.predict_function: Callable[[Any], Any] | None = None

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
        target: str = "core",
        threads: int | None = None,
    ) -> None:
        """Say how to train.

        Args:
            optimizer: a name or an Optimizer.
            loss: a loss, or a list or dictionary of losses for several outputs.
            loss_weights: factors of the losses, likewise.
            metrics: a list of metrics; for several outputs a list of lists, or a dictionary by output.
            weighted_metrics: metrics that take sample and class weights into account.
            run_eagerly: run on the NumPy target, the readable reference.
            steps_per_execution: batches between two calls of batch callbacks.
            jit_compile: taken for Keras's sake; every step is compiled.
            auto_scale_loss: whether a model of the policy ``"mixed_float16"`` gets a LossScaleOptimizer, as in Keras.
            target: ``"core"``, ``"numpy"``, ``"jax"`` or ``"tensorflow"``: what computes; see ``docs/targets.md``.
            threads: threads of the core; all usable ones by default. The numbers do not depend on it.

        As in Keras, an earlier loss or earlier metrics stay where the new call names none.

        Raises:
            GraphError: there is no such target.
            ValueError: an argument that is not one of these.
        """
        check_target(target)
        given = optimizers.get(optimizer)
        self.optimizer = self._scaling(given) if auto_scale_loss else given
        self._loss_tracker = Mean(name="loss")
        if loss is None and self.loss is not None:  # metrics alone are left out on purpose too often
            warn_once(
                "compile was called again without `loss`: as in Keras, the loss of the call before stays, and so do "
                "its metrics where none are given. Name them again, or give [] for no metrics"
            )
        if loss is not None:
            self.loss = loss
        if loss is not None or loss_weights is not None:
            self._compiled_loss = None if self.loss is None else CompiledLoss(self.loss, loss_weights)
        if metrics is not None or weighted_metrics is not None:
            self._compiled_metrics = CompiledMetrics(metrics, weighted_metrics, self._by_output)
        self.compile_arguments = {
            "optimizer": given, "loss": loss, "loss_weights": loss_weights, "metrics": metrics,
            "weighted_metrics": weighted_metrics, "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution,
            "jit_compile": False, "target": target, "threads": threads,
        }  # fmt: skip
        self.compiled = True
        self.stop_training = False
        self._trainable_then = None
        self.train_function = self.test_function = self.predict_function = None
        self._steps.clear()

    def _scaling(self, optimizer: Any) -> Any:
        """The optimizer around this one that Keras takes for a model in half precision."""
        wanted = self.dtype_policy.name == "mixed_float16" and optimizer is not None
        if not wanted or isinstance(optimizer, optimizers.LossScaleOptimizer):
            return optimizer
        return optimizers.LossScaleOptimizer(optimizer, name="loss_scale_optimizer")

    def _warn_of_freezing(self) -> None:
        """Keras trains what was trainable when it built its first step; until ``compile`` all else has no effect."""
        now = {layer.name: layer.trainable for layer in self._flatten_layers()}
        if self._trainable_then is None:
            self._trainable_then = now
        if changed := [name for name, then in self._trainable_then.items() if now.get(name, then) != then]:
            warn_once(
                f"`trainable` of {', '.join(map(repr, changed))} has changed since the model began to train: as in "
                "Keras, that has no effect until `compile` is called again",
                stacklevel=4,
            )

    @property
    def run_eagerly(self) -> bool:
        """Whether the readable reference runs instead of compiled programs."""
        return bool(self.compile_arguments.get("run_eagerly", False))

    @run_eagerly.setter
    def run_eagerly(self, value: bool) -> None:
        self.compile_arguments["run_eagerly"] = bool(value)

    @property
    def jit_compile(self) -> bool:
        """Every step is compiled."""
        return not self.run_eagerly

    @property
    def steps_per_execution(self) -> int:
        """Batches between two calls of batch callbacks."""
        return int(self.compile_arguments.get("steps_per_execution", 1))

    def _target(self) -> str:
        chosen = self.compile_arguments
        return "numpy" if chosen.get("run_eagerly") else str(chosen.get("target", "core"))

    def _threads(self) -> int:
        wanted = int(self.compile_arguments.get("threads") or usable_cores())
        return min(wanted, _share.get() or wanted)

    def _require_compiled(self) -> None:
        if not self.compiled:
            raise ValueError("You must call `compile()` before using the model.")

    def _pass_on_masks(self, inputs: Any, given: Any, outputs: Any) -> None:
        if self.supports_masking:  # else the layers inside have done it
            super()._pass_on_masks(inputs, given, outputs)

    # -- what the layers say

    @property
    def losses(self) -> list[Any]:
        """Penalties: while a graph is built those of this graph, else those of the latest call; then the weights'."""
        trace = current()
        if trace is None:
            return super().losses
        penalties = [v.regularizer(v) for v in self.trainable_weights if v.regularizer is not None]
        return [*trace.losses, *penalties]

    def _output_names(self) -> list[str] | None:
        """Names of the outputs, if they are known: those of the layers that make them."""
        return None

    def _float_dtype(self) -> str:
        """The float type of the whole computation."""
        inner = [x for x in self._flatten_layers() if not isinstance(x, InputLayer | Objective)]
        wide = any(x.dtype == "float64" for x in inner) or (not inner and self.dtype == "float64")
        return "float64" if wide else "float32"

    # -- loss and metrics, in the graph

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:  # fmt: skip
        """The loss of one batch; a subclass may write its own, with ``lamina.ops``.

        Args:
            x: the inputs.
            y: the targets.
            y_pred: the model's outputs.
            sample_weight: weights of the rows, or None.
            training: whether this is a training step.

        Returns:
            One number: the compiled losses plus ``self.losses``.
        """
        terms = [*self.losses]
        if self._compiled_loss is not None:
            total = self._compiled_loss(*self._by_output(y, y_pred, sample_weight))
            terms = terms if total is None else [total, *terms]
        if not terms:
            raise ValueError("No loss to compute. Provide a `loss` argument in `compile()`.")
        return sum(terms[1:], start=terms[0])

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Take one batch into account in the compiled metrics; a subclass may add its own.

        Args:
            x: the inputs.
            y: the targets.
            y_pred: the model's outputs.
            sample_weight: weights of the rows, or None.

        Returns:
            What is logged, by name.
        """
        if self._compiled_metrics is not None and y is not None:
            self._compiled_metrics.update_state(y, y_pred, sample_weight)
        return self.get_metrics_result()

    def _by_output(self, y: Any, y_pred: Any, sample_weight: Any) -> tuple[list[Any], list[Any], list[Any], Outputs]:
        """(targets, predictions, weights) with a part for each output."""
        outputs = Outputs(y_pred, self._output_names())
        predictions = flatten(y_pred)
        return self._aligned_targets(y, outputs), predictions, _weights(sample_weight, outputs), outputs

    def _aligned_targets(self, y: Any, outputs: Outputs) -> list[Any]:
        """The parts of y by output; those without a loss may be left out."""
        if y is None:
            raise DataError("the model has a loss or metrics that need targets: give y")
        given = flatten(y)
        wanted = [] if self._compiled_loss is None else self._compiled_loss.wanted(outputs)
        if isinstance(y, dict) or len(given) != sum(w is not None for w in wanted) or len(given) == outputs.count:
            return aligned(y, outputs, "y")
        parts = iter(given)
        return [None if w is None else next(parts) for w in wanted]

    @property
    def metrics(self) -> list[Metric]:
        """The loss's tracker, the compiled metrics as one, the losses of single outputs, and those of layers."""
        found: list[Metric | None] = [self._loss_tracker, self._compiled_metrics]
        if self._compiled_loss is not None:
            found += self._compiled_loss.trackers
        inner = (x for x in self._flatten_layers() if x is self or not isinstance(x, Objective))
        return unique(x for x in [*found, *(m for layer in inner for m in layer._own_metrics())] if x is not None)

    @property
    def metrics_names(self) -> list[str]:
        """The names of ``metrics``."""
        return [m.name for m in self.metrics]

    @property
    def metrics_variables(self) -> list[Variable]:
        """The states of all metrics."""
        return [v for metric in self.metrics for v in metric.variables]

    def _named_metrics(self) -> dict[str, Metric]:
        """All metrics, the compiled ones each for itself, by their keys in logs."""
        parts = (m.named() if isinstance(m, CompiledMetrics) else {m.name: m} for m in self.metrics)
        return {name: metric for part in parts for name, metric in part.items()}

    def reset_metrics(self) -> None:
        """Begin all metrics anew."""
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        """The present results by name; in a step that is being built, what will be read after it."""
        return results(self._named_metrics())


_share: ContextVar[int | None] = ContextVar("share", default=None)


@contextmanager
def share_of_cores(count: int) -> Iterator[None]:
    """Models inside the block use so many cores at most, as others train at the same time."""
    token = _share.set(count)
    try:
        yield
    finally:
        _share.reset(token)


def usable_cores() -> int:
    """The processor cores that this process may use, or its share of them."""
    if (share := _share.get()) is not None:
        return share
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _weights(sample_weight: Any, outputs: Outputs) -> list[Any]:
    """The weights of the rows for each output: the same for all, or one array each."""
    if sample_weight is None or len(flatten(sample_weight)) == 1:
        return [None if sample_weight is None else flatten(sample_weight)[0]] * outputs.count
    return aligned(sample_weight, outputs, "sample_weight")
