"""Adam: a running mean of gradients divided by the root of a running mean of their squares."""

from __future__ import annotations

from typing import Any

from lamina.graph import express as e
from lamina.graph.node import Node
from lamina.optimizers.arguments import with_shared_arguments
from lamina.optimizers.moments import Moments, running_means, step_of_adam
from lamina.optimizers.state import Rate


class Adam(Moments):
    """m ← m + (1 − β₁)(g − m), v ← v + (1 − β₂)(g² − v), w ← w − lr·√(1 − β₂ᵗ)/(1 − β₁ᵗ) · m / (√v + ε).

    Here ε stands beside the uncorrected √v: the paper's "epsilon hat", which is what Keras computes.

    Args:
        learning_rate: see ``Optimizer``.
        beta_1: β₁.
        beta_2: β₂.
        epsilon: ε.
        amsgrad: whether to divide by the greatest v so far (Reddi et al. 2018).
        kwargs: see ``Optimizer``.

    Source: Kingma and Ba 2014, the form at the end of section 2.
    """

    @with_shared_arguments
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ):
        self.amsgrad = amsgrad
        self.slot_groups = (("momentum", "velocity"), ("velocity_hat",)) if amsgrad else (("momentum", "velocity"),)
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)

    def update(
        self,
        w: Node,
        g: Node,
        lr: Node,
        t: Node,
        *,
        momentum: Node,
        velocity: Node,
        velocity_hat: Node | None = None,
    ) -> tuple[Node, dict[str, Node]]:
        m, v = running_means(momentum, velocity, g, self.beta_1, self.beta_2)
        new, spread = {"momentum": m, "velocity": v}, v
        if velocity_hat is not None:
            spread = new["velocity_hat"] = e.maximum(velocity_hat, v)
        return step_of_adam(w, lr, t, m, spread, self.beta_1, self.beta_2, self.epsilon), new
