"""Lamb: Adam whose step for each variable is as long as a share of the variable itself."""

from __future__ import annotations

from lamina.graph import express as e
from lamina.graph.functions import norm
from lamina.graph.node import Node, constant
from lamina.optimizers.moments import Moments, running_means


class Lamb(Moments):
    """With m and v as in Adam, u = (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε): w ← w − lr · (‖w‖ / ‖u‖) · u.

    The quotient of lengths is 1 where one of them is 0. Weight decay stands outside it, as in Keras.

    Args:
        learning_rate: see ``Optimizer``.
        beta_1: β₁.
        beta_2: β₂.
        epsilon: ε.
        kwargs: see ``Optimizer``.

    Source: You et al. 2019.
    """

    alone = True

    def update(
        self, w: Node, g: Node, lr: Node, t: Node, *, momentum: Node, velocity: Node
    ) -> tuple[Node, dict[str, Node]]:
        m, v = running_means(momentum, velocity, g, self.beta_1, self.beta_2)
        u = m / (1.0 - self.beta_1**t) / (e.sqrt(v / (1.0 - self.beta_2**t)) + self.epsilon)
        size, length, one = norm(w), norm(u), constant(1.0, w.dtype)
        ratio = e.where(size > 0.0, e.where(length > 0.0, size / length, one), one)
        return w - ratio * lr * u, {"momentum": m, "velocity": v}
