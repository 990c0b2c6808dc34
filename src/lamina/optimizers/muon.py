"""Muon: a matrix's momentum with all its singular values brought near 1; other variables learn by AdamW."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import sqrt
from typing import Any

from lamina.graph import express as e
from lamina.graph.functions import norm
from lamina.graph.node import Node
from lamina.optimizers.arguments import with_shared_arguments
from lamina.optimizers.moments import running_means, step_of_adam
from lamina.optimizers.optimizer import Optimizer
from lamina.optimizers.state import Rate
from lamina.variables import Variable


class Muon(Optimizer):
    """A matrix of r rows and c columns: m ← μm + g, w ← w − lr · 0.2 · √max(r, c) · NS(g + μm).

    NS is five steps X ← aX + (bA + cA²)X with A = XXᵀ, from X / ‖X‖ on: Newton and Schulz's way to the nearest
    orthogonal matrix. Variables that are no matrices, embeddings and excluded ones learn by AdamW.

    Args:
        learning_rate: see ``Optimizer``.
        adam_beta_1: β₁ of AdamW.
        adam_beta_2: β₂ of AdamW.
        adam_weight_decay: the weight decay of what learns by AdamW.
        epsilon: ε of AdamW.
        weight_decay: the weight decay of matrices.
        exclude_layers: patterns; what has one in its path learns by AdamW.
        exclude_embeddings: whether what has "embedding" in its path does.
        muon_a: a.
        muon_b: b.
        muon_c: c.
        adam_lr_ratio: factor of AdamW's learning rate.
        momentum: μ.
        ns_steps: number of steps of NS.
        nesterov: whether NS is given g + μm, else m.
        rms_rate: 0.2 of the formula; None leaves the factor and the root out.
        kwargs: see ``Optimizer``.

    Source: Jordan et al. 2024; Liu et al. 2025 for the factor.
    """

    slot_groups = (("momentum", "velocity"),)
    alone = True

    @with_shared_arguments
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        *,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.7750,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **kwargs: Any,
    ):
        self.adam_beta_1 = adam_beta_1
        self.adam_beta_2 = adam_beta_2
        self.adam_weight_decay = adam_weight_decay
        self.epsilon = epsilon
        self.exclude_layers = list(exclude_layers or [])
        self.exclude_embeddings = exclude_embeddings
        self.muon_a = muon_a
        self.muon_b = muon_b
        self.muon_c = muon_c
        self.adam_lr_ratio = adam_lr_ratio
        self.momentum = momentum
        self.ns_steps = ns_steps
        self.nesterov = nesterov
        self.rms_rate = rms_rate
        super().__init__(learning_rate, weight_decay, **kwargs)

    def _by_adam(self, variable: Variable) -> bool:
        embedding = self.exclude_embeddings and "embedding" in variable.path.lower()
        return variable.ndim != 2 or embedding or any(re.search(p, variable.path) for p in self.exclude_layers)

    def slot_variable(self, slot: str, of: Variable) -> Variable | None:
        """Only what learns by AdamW has a velocity."""
        return super().slot_variable(slot, of) if slot != "velocity" or self._by_adam(of) else None

    def decay_of(self, variable: Variable) -> float | None:
        """See ``Optimizer``."""
        decay = super().decay_of(variable)
        return self.adam_weight_decay if decay is not None and self._by_adam(variable) else decay

    def update(
        self, w: Node, g: Node, lr: Node, t: Node, *, momentum: Node, velocity: Node | None = None
    ) -> tuple[Node, dict[str, Node]]:
        if velocity is not None:
            return self._adam(w, g, lr * self.adam_lr_ratio, t, momentum, velocity)
        m = momentum + (g + momentum * (self.momentum - 1.0))
        step = lr * self._orthogonal(g + self.momentum * m if self.nesterov else m)
        factor = 1.0 if self.rms_rate is None else sqrt(max(s or 0 for s in w.shape)) * self.rms_rate
        return w - step * factor, {"momentum": m}

    def _adam(
        self, w: Node, g: Node, lr: Node, t: Node, momentum: Node, velocity: Node
    ) -> tuple[Node, dict[str, Node]]:
        betas = self.adam_beta_1, self.adam_beta_2
        m, v = running_means(momentum, velocity, g, *betas)
        return step_of_adam(w, lr, t, m, v, *betas, self.epsilon), {"momentum": m, "velocity": v}

    def _orthogonal(self, x: Node) -> Node:
        """NS of a matrix, whose longer side is laid along the columns so that A is small."""
        rows, columns = x.shape
        if (rows or 0) > (columns or 0):
            return e.transpose(self._orthogonal(e.transpose(x)))
        x = x / (norm(x) + 1e-7)
        for _ in range(self.ns_steps):
            a = x @ e.transpose(x)
            x = self.muon_a * x + (self.muon_b * a + (self.muon_c * a) @ a) @ x
        return x
