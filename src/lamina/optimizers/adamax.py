"""Adamax: a running mean of gradients divided by their greatest size of late."""

from __future__ import annotations

from lamina.graph import express as e
from lamina.graph.node import Node
from lamina.optimizers.moments import Moments, running


class Adamax(Moments):
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

    def update(
        self, w: Node, g: Node, lr: Node, t: Node, *, momentum: Node, norm: Node
    ) -> tuple[Node, dict[str, Node]]:
        m = running(momentum, g, self.beta_1)
        u = e.maximum(norm * self.beta_2, abs(g))
        return w - m * (lr / (1.0 - self.beta_1**t)) / (u + self.epsilon), {"momentum": m, "norm": u}
