"""Adadelta: steps in proportion to the size of the steps before, so that they have the weights' unit."""

from __future__ import annotations

from typing import Any

from lamina.graph import express as e
from lamina.graph.functions import square
from lamina.graph.node import Node
from lamina.optimizers.arguments import with_shared_arguments
from lamina.optimizers.optimizer import Optimizer
from lamina.optimizers.state import Rate


class Adadelta(Optimizer):
    """a ← ρa + (1 − ρ)g², δ = g·√(d + ε) / √(a + ε), d ← ρd + (1 − ρ)δ², w ← w − lr·δ.

    Args:
        learning_rate: see ``Optimizer``; 1 is the paper's.
        rho: ρ.
        epsilon: ε.
        kwargs: see ``Optimizer``.

    Source: Zeiler 2012.
    """

    slot_groups = (("accumulated_grad", "accumulated_delta_var"),)

    @with_shared_arguments
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ):
        self.rho = rho
        self.epsilon = epsilon
        super().__init__(learning_rate, **kwargs)

    def update(
        self, w: Node, g: Node, lr: Node, t: Node, *, accumulated_grad: Node, accumulated_delta_var: Node
    ) -> tuple[Node, dict[str, Node]]:
        a = self.rho * accumulated_grad + (1.0 - self.rho) * square(g)
        step = g * e.sqrt(accumulated_delta_var + self.epsilon) / e.sqrt(a + self.epsilon)
        d = self.rho * accumulated_delta_var + (1.0 - self.rho) * square(step)
        return w - lr * step, {"accumulated_grad": a, "accumulated_delta_var": d}
