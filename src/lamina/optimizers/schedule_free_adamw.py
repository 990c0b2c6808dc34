"""ScheduleFreeAdamW: AdamW that averages its weights as it goes, so that no schedule has to know the end."""

from __future__ import annotations

from typing import Any

from lamina.graph import express as e
from lamina.graph.functions import square
from lamina.graph.node import Node, constant
from lamina.optimizers.arguments import with_shared_arguments
from lamina.optimizers.moments import Moments, running
from lamina.optimizers.state import Rate
from lamina.variables import Variable


class ScheduleFreeAdamW(Moments):
    """v ← v + (1 − β₂)(g² − v), z ← z − lr · g / (√(v / (1 − β₂ᵗ)) + ε), x ← (1 − 1/t)x + z/t, w ← (1 − β₁)z + β₁x.

    The model's weights are w; z begins as w and is kept under the name momentum, x = (w − (1 − β₁)z) / β₁ follows from
    both before a step. As in Keras there is no switch between training and evaluation: both see w.

    Args:
        learning_rate: see ``Optimizer``.
        beta_1: β₁, how near w is to the average x.
        beta_2: β₂.
        epsilon: ε.
        warmup_steps: in so many first steps the rate rises from 0.
        kwargs: see ``Optimizer``.

    Source: Defazio et al. 2024.
    """

    @with_shared_arguments
    def __init__(
        self,
        learning_rate: Rate = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        **kwargs: Any,
    ):
        self.warmup_steps = warmup_steps
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)

    def slot_variable(self, slot: str, of: Variable) -> Variable | None:
        """z begins where the weights are."""
        made = super().slot_variable(slot, of)
        if slot == "momentum" and made is not None:
            made.assign(of.numpy())
        return made

    def update(
        self, w: Node, g: Node, lr: Node, t: Node, *, momentum: Node, velocity: Node
    ) -> tuple[Node, dict[str, Node]]:
        if self.warmup_steps > 0:
            lr = lr * e.minimum(t / float(self.warmup_steps), 1.0)
        beta_2 = constant(self.beta_2, w.dtype)  # 1 − β₂ rounds as 1 − β₂ᵗ does
        v = running(velocity, square(g), beta_2)
        z = momentum - lr * g / (e.sqrt(v / (1.0 - beta_2**t)) + self.epsilon)
        x = (w - (1.0 - self.beta_1) * momentum) / self.beta_1
        x = (1.0 - 1.0 / t) * x + (1.0 / t) * z
        return (1.0 - self.beta_1) * z + self.beta_1 * x, {"momentum": z, "velocity": v}
