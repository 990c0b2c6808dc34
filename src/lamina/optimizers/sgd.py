"""SGD: gradient descent, with momentum if asked for."""

from __future__ import annotations

from typing import Any

from lamina.graph.node import Node
from lamina.optimizers.arguments import with_shared_arguments
from lamina.optimizers.optimizer import Optimizer
from lamina.optimizers.state import Rate


class SGD(Optimizer):
    """w ← w − lr·g; with momentum m ← μm − lr·g, w ← w + m; Nesterov's w ← w + μm − lr·g with the new m.

    Args:
        learning_rate: see ``Optimizer``.
        momentum: μ in [0, 1].
        nesterov: whether to look ahead (Nesterov 1983).
        kwargs: see ``Optimizer``.

    Raises:
        ValueError: the momentum is not a number in [0, 1].
    """

    @with_shared_arguments
    def __init__(
        self,
        learning_rate: Rate = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **kwargs: Any,
    ):
        if not isinstance(momentum, float | int) or not 0 <= momentum <= 1:
            raise ValueError(f"`momentum` must be a float between [0, 1]. Received: momentum={momentum!r}")
        self.momentum = momentum
        self.nesterov = nesterov
        self.slot_groups = (("momentum",),) if momentum else ()
        super().__init__(learning_rate, **kwargs)

    def update(self, w: Node, g: Node, lr: Node, t: Node, momentum: Node | None = None) -> tuple[Node, dict[str, Node]]:
        step = g * lr
        if momentum is None:
            return w - step, {}
        m = momentum * self.momentum - step
        return w + (m * self.momentum - step if self.nesterov else m), {"momentum": m}
