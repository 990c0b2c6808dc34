"""Adamax: a running mean of gradients divided by their greatest size of late."""

from __future__ import annotations

from typing import Any

from lamina.graph import express as e
from lamina.graph.node import Node
from lamina.optimizers.arguments import with_shared_arguments
from lamina.optimizers.optimizer import Optimizer
from lamina.optimizers.state import Rate


class Adamax(Optimizer):
    """m ← m + (1 − β₁)(g − m), u ← max(β₂u, |g|), w ← w − lr / (1 − β₁ᵗ) · m / (u + ε).

    Args:
        learning_rate: see ``Optimizer``.
        beta_1: β₁.
        beta_2: β₂.
        epsilon: ε.
        kwargs: see ``Optimizer``.

    Source: Kingma and Ba 2014, section 7.1.
    """

    slot_groups = (("momentum", "norm"),)

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

    def update(
        self, w: Node, g: Node, lr: Node, t: Node, *, momentum: Node, norm: Node
    ) -> tuple[Node, dict[str, Node]]:
        m = momentum + (g - momentum) * (1.0 - self.beta_1)
        u = e.maximum(norm * self.beta_2, abs(g))
        return w - m * (lr / (1.0 - self.beta_1**t)) / (u + self.epsilon), {"momentum": m, "norm": u}
