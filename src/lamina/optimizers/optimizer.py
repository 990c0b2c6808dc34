"""Optimizer: what all update rules share. A rule is one equation on flat vectors; the rest is here.

All trainable variables are windows of one vector w, their gradients one vector g, each slot (momentum, …) one more.
In Keras's order a step is: the mean of accumulated gradients, clipping, weight decay, the rule, the weights' moving
average, their constraints. A rule that needs each variable for itself sees them one by one.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import add
from typing import Any

import numpy as np

from lamina import config, ops
from lamina.errors import LaminaError, ShapeError
from lamina.graph import express as e
from lamina.graph.express import as_node
from lamina.graph.functions import mod, norm, square
from lamina.graph.node import Graph, Node, constant, label, leaf
from lamina.lower.to_numpy import NumpyExecutable
from lamina.optimizers.state import Rate, State
from lamina.optimizers.vector import Vector, each, join, parts_of
from lamina.trace import Trace, active, current
from lamina.variables import Variable

AVERAGE, ACCUMULATOR = "average", "gradient_accumulator"
CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")
PARAMETERS = "parameters"  # the buffer of all weights in programs
Gradients = Sequence[tuple[Node | None, Variable]]  # each with what it is the gradient of; None where there is none
Known = list[tuple[Node, Variable]]


class Optimizer(State):
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

    # Whether the rule must see each variable for itself, since it asks for its shape or its length.
    alone = False

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

    # -- the rule

    def update(self, w: Node, g: Node, lr: Node, t: Node, *_: Any, **slots: Any) -> tuple[Node, dict[str, Node]]:
        """One step of the rule; a subclass defines it.

        Args:
            w: all weights (N,), or one variable if the rule is ``alone``.
            g: its gradient, of the same shape.
            lr: the learning rate, one number.
            t: the number of this step, counted from 1, as a float.
            slots: the slots' present values, each of the same shape.

        Returns:
            The new weights, and the new value of each slot by its name.
        """
        raise TypeError(f"{type(self).__name__} must define update(w, g, lr, t, **slots) or update_step")

    def update_step(self, gradient: Node, variable: Variable, learning_rate: Node) -> None:
        """Keras's hook: give one variable, and what is kept of it, new values; by default what ``update`` says.

        Args:
            gradient: of the variable's shape.
            variable: what to change, by ``self.assign`` and the like.
            learning_rate: one number.
        """
        kept = self.slots_of(variable)
        present = {slot: as_node(part) for slot, part in kept.items()}
        w, new = self.update(as_node(variable), gradient, learning_rate, as_node(self.iterations) + 1.0, **present)
        variable.assign(w)
        for slot, part in kept.items():
            part.assign(new[slot])

    def prepare(self) -> None:
        """What a rule changes once in each step, before any variable."""

    def assign(self, variable: Variable, value: Any) -> None:
        """Give a variable a new value in each step."""
        variable.assign(e.broadcast_to(as_node(value), variable.shape) if current() else value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Add to a variable in each step."""
        self.assign(variable, as_node(variable) + value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtract from a variable in each step."""
        self.assign(variable, as_node(variable) - value)

    # -- what is remembered

    def kept(self) -> tuple[tuple[str, ...], ...]:
        """Groups of slots that stand before the rule's own."""
        asked = ((AVERAGE, self.use_ema), (ACCUMULATOR, self.gradient_accumulation_steps))
        return tuple((slot,) for slot, wanted in asked if wanted)

    @property
    def iterations(self) -> Any:
        """How many updates were made: while a graph is built, before this one."""
        steps = self.gradient_accumulation_steps
        if not steps:
            return self.calls
        if current() is None:
            return Variable(self.calls.value // steps, "iteration")
        return e.floor(as_node(self.calls) / float(steps))

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

    # -- one step as equations

    def updates(self, parameters: Vector, gradients: Sequence[Node | None]) -> None:
        """Read one step into the active trace.

        Args:
            parameters: all weights.
            gradients: ∂J/∂v for each of its parts, of its shape, or None where there is none.

        Raises:
            ValueError: there is no gradient at all.
        """
        trace = active()
        self.build(parameters.parts)
        trace.layout |= {**parameters.layout(), **self.layout()}
        known = [g for g in gradients if g is not None]
        if not known:
            raise ValueError("No gradients provided for any variable.")
        together = len(known) == len(gradients) and not self.one_by_one
        if together:
            parameters.take_in(trace)
        self.step([(join(known), parameters)] if together else list(zip(gradients, parameters.parts, strict=True)))

    @property
    def one_by_one(self) -> bool:
        """Whether a step goes through the variables, not over all side by side."""
        return self.alone or type(self).update_step is not Optimizer.update_step

    def step(self, gradients: Gradients) -> None:
        """One step for variables, or for vectors of them, whose windows the active trace knows."""
        given = [(g, v) for g, v in gradients if g is not None]
        if self.loss_scale_factor is not None:
            given = [(g / self.loss_scale_factor, v) for g, v in given]
        given, due = self._accumulated(given)
        with active().only_if(due):
            rate = e.cast(as_node(self.learning_rate), self._dtype)
            self.prepare()
            for g, v in self._clipped(given):
                self._decay(v, rate)
                self.update_step(g, v, rate)
        for _, v in gradients:
            self._follow(v)
        for _, v in given:
            _constrain(v)

    def _accumulated(self, gradients: Known) -> tuple[Known, Node | None]:
        """The mean of the gradients of the last steps, and whether it is now complete; None if it always is."""
        steps = self.gradient_accumulation_steps
        if not steps:
            return gradients, None
        due, means = e.equal(mod(as_node(self.calls) + 1.0, float(steps)), 0.0), []
        for g, v in gradients:
            kept = self._slots[ACCUMULATOR].of(v)
            total = as_node(kept) + g
            kept.assign(e.where(due, constant(0.0, g.dtype), total))
            means.append((total / float(steps), v))
        return means, due

    def _clipped(self, gradients: Known) -> Known:
        if self.clipnorm and self.clipnorm > 0:
            most = self.clipnorm
            return [(each(v, g, lambda _, x: x * most / e.maximum(norm(x), most)), v) for g, v in gradients]
        if self.clipvalue and self.clipvalue > 0:
            return [(e.clip(g, -self.clipvalue, self.clipvalue), v) for g, v in gradients]
        if self.global_clipnorm and self.global_clipnorm > 0:
            length = e.sqrt(reduce(add, (e.sum(square(g)) for g, _ in gradients)))
            factor = self.global_clipnorm / e.maximum(length, self.global_clipnorm)
            return [(g * factor, v) for g, v in gradients]
        return gradients

    def decay_of(self, variable: Variable) -> float | None:
        """The weight decay of one variable."""
        listed = any(variable is v for v in self._undecayed_variables)
        named = self._undecayed_names and any(map(self._undecayed_names.search, (variable.name, variable.path)))
        return None if listed or named else self.weight_decay

    def _decay(self, variable: Variable, rate: Node) -> None:
        """w − w · decay · lr."""
        decays = [self.decay_of(v) or 0.0 for v in parts_of(variable)]
        if not any(decays):
            return
        w, shrink = as_node(variable), rate * decays[0]
        if len(set(decays)) > 1:
            sizes = [v.shape for v in parts_of(variable)]
            shares = [e.broadcast_to(constant(d, w.dtype), shape) for d, shape in zip(decays, sizes, strict=True)]
            shrink = rate * join(shares)
        variable.assign(w - w * shrink)

    def _follow(self, variable: Variable) -> None:
        """average ← μ · average + (1 − μ) · w, from w itself on; w ← average when it is time for that."""
        if not self.use_ema:
            return
        kept, t = self._slots[AVERAGE].of(variable), as_node(self.iterations)
        share = e.where(e.equal(t, 0.0), constant(0.0, t.dtype), constant(self.ema_momentum, t.dtype))
        kept.assign(share * kept + (1.0 - share) * variable)
        if self.ema_overwrite_frequency:
            due = e.equal(mod(t + 1.0, float(self.ema_overwrite_frequency)), 0.0)
            variable.assign(e.where(due, kept, variable))

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
        else:
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
        names = "lr: its name is 'learning_rate'" if "lr" in unknown else config.unknown_arguments(kind, list(unknown))
        raise ValueError(f"Argument(s) not recognized: {unknown}; {kind.__name__} does not take {names}")


def _constrain(variable: Variable) -> None:
    if any(v.constraint for v in parts_of(variable)):
        variable.assign(each(variable, as_node(variable), lambda v, w: v.constraint(w) if v.constraint else w))


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
