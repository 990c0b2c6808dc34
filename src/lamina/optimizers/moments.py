"""Optimizers that keep running means of the gradient and of its size, as Adam does; Adam's own step."""

from __future__ import annotations

from typing import Any

from lamina.graph import express as e
from lamina.graph.functions import square
from lamina.graph.node import Node
from lamina.optimizers.arguments import with_shared_arguments
from lamina.optimizers.optimizer import Optimizer
from lamina.optimizers.state import Rate


def running(mean: Node, value: Node, beta: Node | float) -> Node:
    """A running mean of which the share β stays: mean + (1 − β)(value − mean)."""
    return mean + (value - mean) * (1.0 - beta)


def running_means(
    momentum: Node, velocity: Node, g: Node, beta_1: Node | float, beta_2: Node | float
) -> tuple[Node, Node]:  # fmt: skip
    """m ← m + (1 − β₁)(g − m), v ← v + (1 − β₂)(g² − v)."""
    return running(momentum, g, beta_1), running(velocity, square(g), beta_2)


def step_of_adam(
    w: Node, lr: Node, t: Node, m: Node, v: Node, beta_1: float, beta_2: float, epsilon: float
) -> Node:  # fmt: skip
    """w − lr·√(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε)."""
    alpha = lr * e.sqrt(1.0 - beta_2**t) / (1.0 - beta_1**t)  # one number: both means start at 0
    return w - m * alpha / (e.sqrt(v) + epsilon)


class Moments(Optimizer):
    """Base of the optimizers with two running means.

    Args:
        learning_rate: see ``Optimizer``.
        beta_1: β₁, the share of the gradient's mean that stays in each step.
        beta_2: β₂, the same of its size.
        epsilon: ε.
        kwargs: see ``Optimizer``.
    """

    slot_groups: tuple[tuple[str, ...], ...] = (("momentum", "velocity"),)

    @with_shared_arguments
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ):
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        super().__init__(learning_rate, **kwargs)
