"""Lion: the sign of a running mean, so that every weight moves by the same amount."""

from __future__ import annotations

from typing import Any

from lamina.graph import express as e
from lamina.graph.node import Node
from lamina.optimizers.arguments import with_shared_arguments
from lamina.optimizers.optimizer import Optimizer
from lamina.optimizers.state import Rate


class Lion(Optimizer):
    """w ← w − lr · sign(β₁m + (1 − β₁)g), m ← β₂m + (1 − β₂)g.

    Args:
        learning_rate: see ``Optimizer``; a third to a tenth of Adam's.
        beta_1: β₁ in (0, 1].
        beta_2: β₂.
        kwargs: see ``Optimizer``.

    Raises:
        ValueError: β₁ is not in (0, 1].

    Source: Chen et al. 2023.
    """

    slot_groups = (("momentum",),)

    @with_shared_arguments
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        **kwargs: Any,
    ):
        if not 0 < beta_1 <= 1:
            raise ValueError(f"Argument `beta_1` must be in the [0, 1] range. Otherwise, the optimizer degenerates to "
                             f"SignSGD. Received: beta_1={beta_1}.")  # fmt: skip
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        super().__init__(learning_rate, **kwargs)

    def update(self, w: Node, g: Node, lr: Node, t: Node, *, momentum: Node) -> tuple[Node, dict[str, Node]]:
        way = e.sign(momentum * self.beta_1 + g * (1.0 - self.beta_1))
        return w - lr * way, {"momentum": momentum * self.beta_2 + g * (1.0 - self.beta_2)}
