"""Optimizer: the arguments that all update rules share, and a step at once or inside a model's step."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from lamina import config, ops
from lamina.errors import LaminaError, ShapeError
from lamina.graph.node import Graph, Node, label, leaf
from lamina.lower.to_numpy import NumpyExecutable
from lamina.optimizers.state import Rate
from lamina.optimizers.step import AVERAGE, Step
from lamina.optimizers.vector import Vector
from lamina.signatures import unknown_arguments
from lamina.trace import Trace, current
from lamina.variables import Variable

CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")
PARAMETERS = "parameters"  # the buffer of all weights in programs


class Optimizer(Step):
    """Base of all optimizers; a subclass writes ``update`` and names its slots, or writes Keras's ``update_step``.

    Args:
        learning_rate: a float, a schedule, or a function without arguments, which is asked when a step is compiled.
        weight_decay: each step first takes this share times the learning rate off every weight.
        clipnorm: greatest length of the gradient of one variable.
        clipvalue: greatest size of one number of a gradient.
        global_clipnorm: greatest length of all gradients together.
        use_ema: whether to follow the weights by a moving average, which replaces them at the end of ``fit``.
        ema_momentum: what the average keeps of itself in each step.
        ema_overwrite_frequency: after so many steps the weights become their average, again and again.
        loss_scale_factor: the loss is multiplied by it, and its gradients are divided by it.
        gradient_accumulation_steps: so many batches make one step, by the mean of their gradients.
        name: its name, made from the class's by default.

    Raises:
        ValueError: an argument that is not known or not allowed, or two kinds of clipping.

    Example:
        >>> class Plain(Optimizer):
        ...     def update(self, w, g, lr, t):
        ...         return w - lr * g, {}
        >>> w = Variable([1.0], dtype="float32")
        >>> Plain(0.5).apply([np.array([1.0], "float32")], [w]); w.numpy()
        array([0.5], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Rate,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        _refuse(type(self), kwargs)
        self.name = name or config.unique_name(type(self).__name__)
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self._check_arguments()
        super().__init__(learning_rate)
        self._undecayed_variables: list[Variable] = []
        self._undecayed_names: re.Pattern[str] | None = None

    def _check_arguments(self) -> None:
        clips = {name: getattr(self, name) for name in CLIPS}
        if sum(value is not None for value in clips.values()) > 1:
            raise ValueError(f"Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: {clips}")
        steps, share, every = self.gradient_accumulation_steps, self.ema_momentum, self.ema_overwrite_frequency
        if steps and not (isinstance(steps, int) and steps >= 2):
            raise ValueError(
                "`gradient_accumulation_steps` must be an integer >= 2. "
                f"Received: gradient_accumulation_steps={steps}"
            )
        if self.use_ema and not 0 <= share <= 1:
            raise ValueError(f"`ema_momentum` must be in the range [0, 1]. Received: ema_momentum={share}")
        if self.use_ema and every and not (isinstance(every, int) and every >= 1):
            raise ValueError(
                f"`ema_overwrite_frequency` must be an integer >= 1 or None. Received: ema_overwrite_frequency={every}"
            )

    def scale_loss(self, loss: Any) -> Any:
        """The loss whose gradients ``apply`` takes: the loss times ``loss_scale_factor``."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    @property
    def averages(self) -> dict[Variable, Variable]:
        """The moving average of each weight, with ``use_ema`` and once built."""
        return self._slots[AVERAGE].parts if AVERAGE in self._slots else {}

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """The end of training: with ``use_ema`` the weights become their averages."""
        for variable in var_list if self.use_ema and self.calls.value else ():  # before a step there is no average
            variable.assign(self.averages[variable].value)

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Leave some variables out of the weight decay.

        Args:
            var_list: these variables.
            var_names: those in whose name or path one of these patterns is found, as ``["bias", "dense_1"]``.

        Raises:
            ValueError: the optimizer is already built.
        """
        if self.built:
            raise ValueError("`exclude_from_weight_decay()` can only be configured before the optimizer is built.")
        names = list(var_names or [])
        self._undecayed_variables = list(var_list or [])
        self._undecayed_names = re.compile("|".join(names)) if names else None

    # -- one step at once

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """Update variables from gradients: arrays at once, nodes in each run of the step that is being built.

        Args:
            grads: an array or node for each variable, of its shape; None leaves the variable as it is, with a warning.
            trainable_variables: the variables; those of ``build`` by default.

        Raises:
            ValueError: the optimizer does not know the variables, or there are as many gradients as variables.
            ShapeError: a gradient does not have its variable's shape.
        """
        if len(grads) == 0:
            return None
        given = self._given(grads, trainable_variables)
        if (trace := current()) is not None:
            return self._read_into(trace, given)
        weights = Vector(self._parameters, PARAMETERS)
        arrays = {v.key: given[v] for v in self._parameters if v in given}
        inputs = [leaf("input", v.shape, v.dtype, name=v.key) if v in given else None for v in self._parameters]
        trace = Trace()
        with trace.active():
            self.updates(weights, inputs)
        weights.gather()
        state = {PARAMETERS: weights.flat, **self.state(), **trace.state()}
        NumpyExecutable(Graph({}, trace.updates())).step(arrays, state, 0, int(self.calls.value))
        weights.scatter()
        self.advance(int(self.calls.value) + 1)

    def _read_into(self, trace: Trace, given: Mapping[Variable, Node]) -> None:
        weights = trace.weights
        if not isinstance(weights, Vector):  # a first reading, which is to make the layers' variables
            return
        if trace.optimizer is not None:
            raise LaminaError("gradients were applied in this step before: apply those of the sum of all losses, once")
        if unknown := [v.path for v in given if v not in weights.parts]:
            raise LaminaError(f"{unknown[0]!r} is none of the variables that the model trains")
        trace.optimizer = self
        with label(self.name):
            self.updates(weights, [given.get(v) for v in weights.parts])
        if not self.one_by_one:
            trace.seen |= dict(zip(weights.parts, weights.split(trace.node(weights)), strict=True))

    def _given(self, grads: Sequence[Any], variables: Sequence[Variable] | None) -> dict[Variable, Any]:
        """The gradients that are not None, by their variables."""
        if variables is None and not self.built:
            raise ValueError(
                "When passing `grads` without `variables`, the optimizer must already be built on a list of variables. "
                "Call `optimizer.build(trainable_variables)` first."
            )
        variables = self._parameters if variables is None else list(variables)
        if len(grads) != len(variables):
            raise ValueError(f"There must be a gradient for each variable: got {len(grads)} for {len(variables)}")
        if self.built:
            self._check_known(variables)
        elif current() is None:  # a step that is read builds it for all that the model trains
            self.build(variables)
        missing = [v.path for v, g in zip(variables, grads, strict=True) if g is None]
        if 0 < len(missing) < len(grads):
            warnings.warn(no_gradients(missing), stacklevel=3)
        return {v: _gradient(v, g) for v, g in zip(variables, grads, strict=True) if g is not None}

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Variable:
        """The same from pairs (gradient, variable); how often that was done."""
        grads, variables = zip(*grads_and_vars, strict=True)
        self.apply(grads, variables)
        return self.calls


def _refuse(kind: type, unknown: dict[str, Any]) -> None:
    if unknown.pop("decay", None) is not None:
        warnings.warn(
            "Argument `decay` is no longer supported and will be ignored: give a schedule, as "
            "learning_rate=schedules.InverseTimeDecay(0.01, decay_steps=1, decay_rate=decay)",
            stacklevel=4,
        )
    if unknown:
        names = "lr: its name is 'learning_rate'" if "lr" in unknown else unknown_arguments(kind, list(unknown))
        raise ValueError(f"Argument(s) not recognized: {unknown}; {kind.__name__} does not take {names}")


def no_gradients(paths: Sequence[str]) -> str:
    """The warning about variables that the loss does not depend on."""
    return (
        f"Gradients do not exist for variables {list(paths)} when minimizing the loss. If using `model.compile()`, did "
        "you forget to provide a `loss` argument?"
    )


def _gradient(variable: Variable, gradient: Any) -> Any:
    array = gradient if isinstance(gradient, Node) else np.asarray(ops.convert_to_tensor(gradient), variable.dtype)
    if array.shape != variable.shape:
        raise ShapeError(
            f"the gradient of variable {variable.path!r} has shape {array.shape}, expected {variable.shape}"
        )
    return array
