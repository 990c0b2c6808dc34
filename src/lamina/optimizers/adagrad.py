"""Adagrad: each gradient divided by the root of the sum of all its squares so far."""

from __future__ import annotations

from typing import Any

from lamina.graph import express as e
from lamina.graph.functions import square
from lamina.graph.node import Node
from lamina.optimizers.arguments import with_shared_arguments
from lamina.optimizers.optimizer import Optimizer
from lamina.optimizers.state import Rate


class Adagrad(Optimizer):
    """a ← a + g², w ← w − lr·g / √(a + ε); with ε inside the root, as Keras has it.

    Args:
        learning_rate: see ``Optimizer``.
        initial_accumulator_value: where a starts.
        epsilon: ε.
        kwargs: see ``Optimizer``.

    Source: Duchi, Hazan and Singer 2011.
    """

    slot_groups = (("accumulator",),)

    @with_shared_arguments
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ):
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon
        self.slot_starts = {"accumulator": initial_accumulator_value}
        super().__init__(learning_rate, **kwargs)

    def update(self, w: Node, g: Node, lr: Node, t: Node, *, accumulator: Node) -> tuple[Node, dict[str, Node]]:
        a = accumulator + square(g)
        return w - lr * g / e.sqrt(a + self.epsilon), {"accumulator": a}
