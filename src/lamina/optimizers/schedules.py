"""Learning-rate schedules: the rate as an equation of the step, a node in a training graph, a number for a number."""

from __future__ import annotations

from collections.abc import Sequence
from math import log, pi
from typing import Any

from lamina import config, naming
from lamina.graph import express as e
from lamina.graph.express import as_node
from lamina.graph.node import Node, constant
from lamina.ops import Array, dual
from lamina.records import serialize_keras_object
from lamina.signatures import Configured


class LearningRateSchedule(Configured):
    """Base of all schedules; a subclass writes ``rate(step)``, or Keras's ``__call__(step)``, with ``lamina.ops``.

    Example:
        >>> class Halving(LearningRateSchedule):
        ...     def rate(self, step):
        ...         return 0.1 * 0.5**step
        >>> float(Halving()(1))
        0.05000000074505806
    """

    def __call__(self, step: Any) -> Array:
        """The learning rate for the update after ``step`` updates (0 for the first)."""
        return dual(self._equation)(step)

    def _equation(self, step: Any) -> Node:
        step = as_node(step)
        return as_node(self.rate(step if step.dtype in config.FLOATS else e.cast(step, config.floatx())))

    def rate(self, step: Node) -> Any:
        """The learning rate as an equation of the step, a float; a subclass defines it."""
        raise TypeError(f"{type(self).__name__} must define rate(step) or __call__(step)")


class ExponentialDecay(LearningRateSchedule):
    """r₀ · ρ^(step / S).

    Args:
        initial_learning_rate: r₀.
        decay_steps: S.
        decay_rate: ρ.
        staircase: whether the exponent is rounded down.
        name: its name.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ):
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive("decay_steps", decay_steps)
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def rate(self, step: Node) -> Node:
        periods = step / self.decay_steps
        return self.initial_learning_rate * self.decay_rate ** (e.floor(periods) if self.staircase else periods)


class InverseTimeDecay(ExponentialDecay):
    """r₀ / (1 + ρ · step / S).

    Args:
        initial_learning_rate: r₀.
        decay_steps: S.
        decay_rate: ρ.
        staircase: whether step / S is rounded down.
        name: its name.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ):
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def rate(self, step: Node) -> Node:
        periods = step / self.decay_steps
        return self.initial_learning_rate / (1.0 + self.decay_rate * (e.floor(periods) if self.staircase else periods))


class PiecewiseConstantDecay(LearningRateSchedule):
    """One value up to and including each boundary, the last value after them.

    Args:
        boundaries: steps in rising order.
        values: one more than there are boundaries.
        name: its name.

    Raises:
        ValueError: the numbers of boundaries and values do not fit.
    """

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant"):
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                f"The length of boundaries should be 1 less than the length of values. "
                f"Received: boundaries={list(boundaries)}, values={list(values)}"
            )
        self.boundaries = list(boundaries)
        self.values = list(values)
        self.name = name

    def rate(self, step: Node) -> Node:
        rate = constant(self.values[-1], step.dtype)
        for boundary, value in reversed(list(zip(self.boundaries, self.values, strict=False))):
            rate = e.where(step <= float(boundary), constant(value, step.dtype), rate)
        return rate


class PolynomialDecay(LearningRateSchedule):
    """(r₀ − r₁) · (1 − step / S)^p + r₁, and r₁ after S steps.

    Args:
        initial_learning_rate: r₀.
        decay_steps: S.
        end_learning_rate: r₁.
        power: p.
        cycle: whether to begin again, S becoming the next multiple of S that the step has not passed.
        name: its name.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ):
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive("decay_steps", decay_steps)
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def rate(self, step: Node) -> Node:
        share = e.minimum(step / self.decay_steps, 1.0)
        if self.cycle:
            share = step / (self.decay_steps * e.maximum(e.ceil(step / self.decay_steps), 1.0))
        height = self.initial_learning_rate - self.end_learning_rate
        return height * (1.0 - share) ** self.power + self.end_learning_rate


def cosine(share: Node, alpha: float) -> Node:
    """(1 − α) · ½(1 + cos π·share) + α: from 1 down to α."""
    return (1.0 - alpha) * (0.5 * (1.0 + e.cos(pi * share))) + alpha


class CosineDecay(LearningRateSchedule):
    """Half a cosine from the top rate to α times it (Loshchilov and Hutter 2016), after an optional linear rise.

    Args:
        initial_learning_rate: the rate at step 0.
        decay_steps: length of the fall, without the rise.
        alpha: the last rate as a share of the top.
        name: its name.
        warmup_target: the top rate; without it there is no rise.
        warmup_steps: length of the rise.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ):
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = _positive("decay_steps", decay_steps)
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def rate(self, step: Node) -> Node:
        if self.warmup_target is None:
            return self._fall(self.initial_learning_rate, step)
        fall = self._fall(self.warmup_target, step - self.warmup_steps)
        if not self.warmup_steps:
            return fall
        height = self.warmup_target - self.initial_learning_rate
        rise = height * (step / self.warmup_steps) + self.initial_learning_rate
        return e.where(step > self.warmup_steps, fall, e.minimum(rise, self.warmup_target))

    def _fall(self, top: float, step: Node) -> Node:
        return top * cosine(e.minimum(step, self.decay_steps) / self.decay_steps, self.alpha)


class CosineDecayRestarts(LearningRateSchedule):
    """Half cosines one after the other, each ``t_mul`` times as long and ``m_mul`` times as high as the one before.

    Args:
        initial_learning_rate: the top of the first.
        first_decay_steps: length of the first.
        t_mul: growth of the length.
        m_mul: growth of the height.
        alpha: the last rate of each as a share of its top.
        name: its name.

    Source: Loshchilov and Hutter 2016.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ):
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = _positive("first_decay_steps", first_decay_steps)
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def rate(self, step: Node) -> Node:
        restarts, share = self._place(step / self.first_decay_steps)
        top = self.m_mul**restarts
        return self.initial_learning_rate * ((1.0 - self.alpha) * (0.5 * top * (1.0 + e.cos(pi * share))) + self.alpha)

    def _place(self, done: Node) -> tuple[Node, Node]:
        """How many falls are over, and which share of the present one is done."""
        if self.t_mul == 1.0:
            restarts = e.floor(done)
            return restarts, done - restarts
        restarts = e.floor(e.log(1.0 - done * (1.0 - self.t_mul)) / log(self.t_mul))
        length = self.t_mul**restarts
        return restarts, (done - (1.0 - length) / (1.0 - self.t_mul)) / length


def _positive(name: str, value: int) -> int:
    if value <= 0:
        raise ValueError(f"Argument `{name}` must be > 0. Received: {name}={value}")
    return value


CLASSES: dict[str, type[LearningRateSchedule]] = {
    c.__name__: c
    for c in (
        ExponentialDecay,
        PiecewiseConstantDecay,
        PolynomialDecay,
        InverseTimeDecay,
        CosineDecay,
        CosineDecayRestarts,
    )
}

serialize = serialize_keras_object
deserialize = naming.reader("learning-rate schedule", CLASSES)
