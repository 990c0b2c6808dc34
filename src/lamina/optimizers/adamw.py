"""AdamW: Adam whose weights shrink by themselves, apart from the gradient."""

from __future__ import annotations

from typing import Any

from lamina.optimizers.adam import Adam
from lamina.optimizers.arguments import with_shared_arguments
from lamina.optimizers.state import Rate


class AdamW(Adam):
    """w ← w − lr·decay·w, then a step of Adam.

    Args:
        learning_rate: see ``Optimizer``.
        weight_decay: the decay; not None.
        beta_1: β₁ of Adam, as for ``beta_2``, ``epsilon`` and ``amsgrad``.
        kwargs: see ``Optimizer``.

    Raises:
        ValueError: ``weight_decay`` is None.

    Source: Loshchilov and Hutter 2017.
    """

    @with_shared_arguments
    def __init__(
        self,
        learning_rate: Rate = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ):
        if weight_decay is None:
            raise ValueError("Argument `weight_decay` must be a float. Received: weight_decay=None")
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **kwargs)
