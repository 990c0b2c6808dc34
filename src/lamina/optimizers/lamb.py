"""Lamb: Adam whose step for each variable is as long as a share of the variable itself."""

from __future__ import annotations

from typing import Any

from lamina.graph import express as e
from lamina.graph.functions import norm, square
from lamina.graph.node import Node, constant
from lamina.optimizers.arguments import with_shared_arguments
from lamina.optimizers.optimizer import Optimizer
from lamina.optimizers.state import Rate


class Lamb(Optimizer):
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

    slot_groups = (("momentum", "velocity"),)
    alone = True

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
        self, w: Node, g: Node, lr: Node, t: Node, *, momentum: Node, velocity: Node
    ) -> tuple[Node, dict[str, Node]]:
        m = momentum + (g - momentum) * (1.0 - self.beta_1)
        v = velocity + (square(g) - velocity) * (1.0 - self.beta_2)
        u = m / (1.0 - self.beta_1**t) / (e.sqrt(v / (1.0 - self.beta_2**t)) + self.epsilon)
        size, length, one = norm(w), norm(u), constant(1.0, w.dtype)
        ratio = e.where(size > 0.0, e.where(length > 0.0, size / length, one), one)
        return w - ratio * lr * u, {"momentum": m, "velocity": v}
