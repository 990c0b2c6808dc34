"""Adafactor: a running mean of squares that keeps only the sums of a matrix's rows and columns."""

from __future__ import annotations

from typing import Any

from lamina.graph import express as e
from lamina.graph.functions import square
from lamina.graph.node import Node
from lamina.optimizers.arguments import with_shared_arguments
from lamina.optimizers.optimizer import Optimizer
from lamina.optimizers.state import Rate
from lamina.variables import Variable


class Adafactor(Optimizer):
    """With ρ = min(lr, 1/√t), β = 1 − t^d and s = g² + ε₁: v is made of r ← βr + (1 − β) mean s over the last axis
    and c ← βc + (1 − β) mean s over the one before, v = r / mean r · c; with fewer than two axes v ← βv + (1 − β)s.

    u = g / √v, w ← w − max(ε₂, rms w) · ρ · u / max(1, rms u / clip).

    Args:
        learning_rate: see ``Optimizer``.
        beta_2_decay: d.
        epsilon_1: ε₁.
        epsilon_2: ε₂, so that a weight of 0 can move.
        clip_threshold: clip.
        relative_step: taken for Keras's sake: the rate is limited by 1/√t in any case.
        kwargs: see ``Optimizer``.

    Source: Shazeer and Stern 2018.
    """

    slot_groups = (("r", "c", "velocity"),)
    alone = True

    @with_shared_arguments
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **kwargs: Any,
    ):
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step
        super().__init__(learning_rate, **kwargs)

    def slot_variable(self, slot: str, of: Variable) -> Variable | None:
        """r lacks the last axis, c the one before; Keras's files hold a 0 for those that are not there."""
        if slot not in ("r", "c"):
            return super().slot_variable(slot, of)
        if of.ndim < 2:
            return self.add_variable((), dtype="int32", name=of.name)
        gone = of.ndim - 1 if slot == "r" else of.ndim - 2
        return self.add_variable([s for i, s in enumerate(of.shape) if i != gone], dtype=of.dtype, name=of.name)

    def update(
        self, w: Node, g: Node, lr: Node, t: Node, *, velocity: Node, r: Node | None = None, c: Node | None = None
    ) -> tuple[Node, dict[str, Node]]:
        rate = e.maximum(_rms(w), self.epsilon_2) * e.minimum(lr, 1.0 / e.sqrt(t))
        keep, s = 1.0 - t**self.beta_2_decay, square(g) + self.epsilon_1
        new: dict[str, Node] = {}
        if r is None or c is None:
            v = keep * velocity + (1.0 - keep) * s
        else:
            r = new["r"] = keep * r + (1.0 - keep) * e.mean(s, -1)
            c = new["c"] = keep * c + (1.0 - keep) * e.mean(s, -2)
            v = e.expand_dims(r / e.mean(r, -1, keepdims=True), -1) * e.expand_dims(c, -2)
        u = g / e.sqrt(v)
        return w - rate * (u / e.maximum(_rms(u) / self.clip_threshold, 1.0)), {**new, "velocity": v}


def _rms(x: Node) -> Node:
    """√ mean x²."""
    return e.sqrt(e.mean(square(x)))
