"""Step: one step of an optimizer as equations. A rule is one equation on flat vectors; the rest is here.

All trainable variables are windows of one vector w, their gradients one vector g, each slot (momentum, …) one more.
In Keras's order a step is: the mean of accumulated gradients, clipping, weight decay, the rule, the weights' moving
average, their constraints. A rule that needs each variable for itself sees them one by one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Any

from lamina.graph import express as e
from lamina.graph.express import as_node
from lamina.graph.functions import mod, norm, square
from lamina.graph.node import Node, constant
from lamina.optimizers.state import State
from lamina.optimizers.vector import Vector, each, join, parts_of
from lamina.trace import active, current
from lamina.variables import Variable

AVERAGE, ACCUMULATOR = "average", "gradient_accumulator"
Gradients = Sequence[tuple[Node | None, Variable]]  # each with what it is the gradient of; None where there is none
Known = list[tuple[Node, Variable]]


class Step(State):
    """What happens to the weights, and to all that is kept of them, once for each batch."""

    # Whether the rule must see each variable for itself, since it asks for its shape or its length.
    alone = False

    # The constructor's arguments: see ``Optimizer``.
    weight_decay: float | None
    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    loss_scale_factor: float | None
    gradient_accumulation_steps: int | None
    _undecayed_variables: list[Variable]
    _undecayed_names: re.Pattern[str] | None

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
            return Variable(self.calls.value // steps, name="iteration")
        return e.floor(as_node(self.calls) / float(steps))

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
        return self.alone or type(self).update_step is not Step.update_step

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


def _constrain(variable: Variable) -> None:
    if any(v.constraint for v in parts_of(variable)):
        variable.assign(each(variable, as_node(variable), lambda v, w: v.constraint(w) if v.constraint else w))
