"""RMSprop: each gradient divided by the root of a running mean of its squares."""

from __future__ import annotations

from typing import Any

from lamina.graph import express as e
from lamina.graph.functions import square
from lamina.graph.node import Node
from lamina.optimizers.arguments import with_shared_arguments
from lamina.optimizers.optimizer import Optimizer
from lamina.optimizers.state import Rate


class RMSprop(Optimizer):
    """v ← ρv + (1 − ρ)g², w ← w − lr·g / √(v + ε); with ε inside the root, as Keras has it.

    Args:
        learning_rate: see ``Optimizer``.
        rho: ρ.
        momentum: μ > 0 makes b ← μb + lr·g / √(v + ε), w ← w − b.
        epsilon: ε.
        centered: whether v is reduced by the square of a running mean of g: an estimate of the variance.
        kwargs: see ``Optimizer``.

    Source: Hinton 2012, lecture 6e of Neural Networks for Machine Learning; Graves 2013 (centered).
    """

    @with_shared_arguments
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **kwargs: Any,
    ):
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered
        extra = [slot for slot, used in (("momentum", momentum > 0), ("average_gradient", centered)) if used]
        self.slot_groups = (("velocity",), *((slot,) for slot in extra))
        super().__init__(learning_rate, **kwargs)

    def update(
        self,
        w: Node,
        g: Node,
        lr: Node,
        t: Node,
        *,
        velocity: Node,
        momentum: Node | None = None,
        average_gradient: Node | None = None,
    ) -> tuple[Node, dict[str, Node]]:
        new = {"velocity": self._running(velocity, square(g))}
        spread = new["velocity"]
        if average_gradient is not None:
            new["average_gradient"] = self._running(average_gradient, g)
            spread = spread - square(new["average_gradient"])
        step = lr * g / e.sqrt(spread + self.epsilon)
        if momentum is not None:
            step = new["momentum"] = self.momentum * momentum + step
        return w - step, new

    def _running(self, mean: Node, x: Node) -> Node:
        """ρ · mean + (1 − ρ) · x."""
        return self.rho * mean + (1.0 - self.rho) * x
