"""Nadam: Adam whose mean looks ahead, as Nesterov's momentum does."""

from __future__ import annotations

from collections.abc import Sequence

from lamina.graph import express as e
from lamina.graph.express import as_node
from lamina.graph.node import Node, constant
from lamina.optimizers.moments import Moments, running_means
from lamina.variables import Variable


class Nadam(Moments):
    """With m and v as in Adam, μₜ = β₁(1 − ½·0.96ᵗ) and Π = μ₁ ⋯ μₜ:

    w ← w − lr · (μₜ₊₁m / (1 − Π·μₜ₊₁) + (1 − μₜ)g / (1 − Π)) / (√(v / (1 − β₂ᵗ)) + ε).

    Args:
        learning_rate: see ``Optimizer``.
        beta_1: β₁.
        beta_2: β₂.
        epsilon: ε.
        kwargs: see ``Optimizer``.

    Source: Dozat 2015.
    """

    def build(self, variables: Sequence[Variable]) -> None:
        """See ``Optimizer``; there is one number more: Π, the product of all μ."""
        if not self.built:
            super().build(variables)
            self._product = self.add_variable((), "ones")

    def prepare(self) -> None:
        """Π ← Π · μₜ."""
        self._product.assign(as_node(self._product) * self._share(as_node(self.iterations) + 1.0))

    def _share(self, t: Node) -> Node:
        """μₜ."""
        return self.beta_1 * (1.0 - 0.5 * 0.96**t)

    def update(
        self, w: Node, g: Node, lr: Node, t: Node, *, momentum: Node, velocity: Node
    ) -> tuple[Node, dict[str, Node]]:
        beta_1, beta_2 = (constant(beta, w.dtype) for beta in (self.beta_1, self.beta_2))  # 1 − β rounds as 1 − βᵗ does
        m, v = running_means(momentum, velocity, g, beta_1, beta_2)
        now, ahead, product = self._share(t), self._share(t + 1.0), as_node(self._product)
        mean = m * (ahead / (1.0 - product * ahead)) + g * ((1.0 - now) / (1.0 - product))
        spread = e.sqrt(v / (1.0 - beta_2**t))
        return w - mean * lr / (spread + self.epsilon), {"momentum": m, "velocity": v}
