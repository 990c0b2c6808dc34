"""FTRL: follow the regularized leader, which leaves weights at exactly 0 if their gradients are small."""

from __future__ import annotations

from typing import Any

from lamina.graph import express as e
from lamina.graph.functions import square
from lamina.graph.node import Node
from lamina.optimizers.arguments import with_shared_arguments
from lamina.optimizers.optimizer import Optimizer
from lamina.optimizers.state import Rate


class Ftrl(Optimizer):
    """With a' = a + g²: z ← z + g + 2s·w − (a'^−p − a^−p)/lr · w, w ← (clip(z, −λ₁, λ₁) − z) / ((a'^−p + β)/lr + 2λ₂).

    Args:
        learning_rate: see ``Optimizer``.
        learning_rate_power: p, 0 or less.
        initial_accumulator_value: where a starts, 0 or more.
        l1_regularization_strength: λ₁.
        l2_regularization_strength: λ₂.
        l2_shrinkage_regularization_strength: s.
        beta: β.
        kwargs: see ``Optimizer``.

    Raises:
        ValueError: a number of the wrong sign.

    Source: McMahan et al. 2013, algorithm 1.
    """

    slot_groups = (("accumulator", "linear"),)

    @with_shared_arguments
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **kwargs: Any,
    ):
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta
        self._check_signs()
        self.slot_starts = {"accumulator": initial_accumulator_value}
        super().__init__(learning_rate, **kwargs)

    def _check_signs(self) -> None:
        if self.learning_rate_power > 0:
            raise ValueError(
                "`learning_rate_power` needs to be negative or zero. Received: "
                f"learning_rate_power={self.learning_rate_power}."
            )
        for name in (
            "initial_accumulator_value", "l1_regularization_strength", "l2_regularization_strength",
            "l2_shrinkage_regularization_strength",
        ):  # fmt: skip
            if getattr(self, name) < 0:
                raise ValueError(f"`{name}` needs to be positive or zero. Received: {name}={getattr(self, name)}.")

    def update(
        self, w: Node, g: Node, lr: Node, t: Node, *, accumulator: Node, linear: Node
    ) -> tuple[Node, dict[str, Node]]:
        power = -self.learning_rate_power
        a = accumulator + square(g)
        root = e.power(a, power)
        pulled = g + (2.0 * self.l2_shrinkage_regularization_strength) * w
        z = linear + pulled - (root - e.power(accumulator, power)) / lr * w
        curve = root / lr + (2.0 * self.l2_regularization_strength + self.beta / lr)
        most = self.l1_regularization_strength
        return (e.clip(z, -most, most) - z) / curve, {"accumulator": a, "linear": z}
