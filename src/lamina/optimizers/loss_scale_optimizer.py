"""LossScaleOptimizer: the loss times a large factor, so that small gradients are not rounded to 0 in half precision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Any, Self

import numpy as np

from lamina.graph import express as e
from lamina.graph.express import as_node
from lamina.graph.functions import all as all_of
from lamina.graph.functions import logical_and
from lamina.graph.node import Node, constant
from lamina.initializers import Constant
from lamina.optimizers.arguments import SHARED
from lamina.optimizers.optimizer import Optimizer
from lamina.optimizers.step import Gradients
from lamina.records import deserialize_keras_object, serialize_keras_object
from lamina.trace import active, current
from lamina.variables import Variable


class LossScaleOptimizer(Optimizer):
    """Another optimizer, whose loss is scaled: twice as much after many steps, half as much after one that fails.

    A step whose gradients are not all finite changes nothing but the factor.

    Args:
        inner_optimizer: what updates the weights.
        initial_scale: the first factor.
        dynamic_growth_steps: after so many steps with finite gradients the factor doubles.
        name: its name, made from the class's by default.

    Raises:
        ValueError: an argument that only the inner optimizer takes.
        TypeError: ``inner_optimizer`` is no optimizer.

    Source: Micikevicius et al. 2017, section 3.2.
    """

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ):
        _refuse(kwargs)
        if not isinstance(inner_optimizer, Optimizer):
            raise TypeError(f"`inner_optimizer` must be an Optimizer, as optimizers.get gives, got {inner_optimizer!r}")
        super().__init__(0.0, name=name)
        self.inner_optimizer = inner_optimizer
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps
        inner_optimizer.loss_scale_factor = None  # else it would divide once more

    def build(self, variables: Sequence[Variable]) -> None:
        """See ``Optimizer``."""
        if not self.built:
            super().build(variables)
            self.step_counter = self.add_variable((), "zeros", "int", name="step_counter")
            self.dynamic_scale = self.add_variable((), Constant(self.initial_scale), name="dynamic_scale")
            self.inner_optimizer.build(variables)
            self.inner_optimizer.count_in_programs()  # the steps that fail are not its own

    def step(self, gradients: Gradients) -> None:
        """See ``Optimizer``."""
        scale, count, inner = as_node(self.dynamic_scale), as_node(self.step_counter), self.inner_optimizer
        finite = reduce(logical_and, (all_of(e.isfinite(g)) for g, _ in gradients if g is not None))
        grows = e.equal(count, self.dynamic_growth_steps - 1.0)
        with active().only_if(finite):
            inner.step([(None if g is None else g / scale, v) for g, v in gradients])
            inner.calls.assign(as_node(inner.calls) + 1.0)

        def either(fails: float, grown: float | Node, else_: float | Node) -> Node:
            numbers = [x if isinstance(x, Node) else constant(x, scale.dtype) for x in (fails, grown, else_)]
            return e.where(finite, e.where(grows, *numbers[1:]), numbers[0])

        self.step_counter.assign(either(0.0, 0.0, count + 1.0))
        self.dynamic_scale.assign(scale * either(0.5, 2.0, 1.0))

    @property
    def one_by_one(self) -> bool:
        """See ``Optimizer``."""
        return self.inner_optimizer.one_by_one

    @property
    def variables(self) -> list[Variable]:
        """Its own, then those of the inner optimizer."""
        return [*super().variables, *self.inner_optimizer.variables]

    def state(self) -> dict[str, np.ndarray]:
        """See ``Optimizer``."""
        return self.inner_optimizer.state()

    def layout(self) -> dict[Variable, Node]:
        """See ``Optimizer``."""
        return super().layout() | self.inner_optimizer.layout()

    @property
    def learning_rate(self) -> Any:
        """That of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, rate: Any) -> None:
        self.inner_optimizer.learning_rate = rate

    @property
    def iterations(self) -> Any:
        """How many updates the inner optimizer made."""
        return self.inner_optimizer.iterations

    def scale_loss(self, loss: Any) -> Any:
        """The loss times the present factor."""
        if not self.built:
            return loss * self.initial_scale
        return loss * (as_node(self.dynamic_scale) if current() else self.dynamic_scale.numpy())

    @property
    def averages(self) -> dict[Variable, Variable]:
        """The moving averages of the optimizer inside."""
        return self.inner_optimizer.averages

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """See ``Optimizer``."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """See ``Optimizer``."""
        self.inner_optimizer.exclude_from_weight_decay(var_list, var_names)

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an optimizer like this one, without its state."""
        return {
            "name": self.name,
            "inner_optimizer": serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> Self:
        """An optimizer from what ``get_config`` returned."""
        return cls(**{**config, "inner_optimizer": deserialize_keras_object(config["inner_optimizer"], custom_objects)})


def _refuse(given: dict[str, Any]) -> None:
    if not given.pop("dynamic", True):
        raise ValueError(
            "LossScaleOptimizer no longer supports `dynamic=False`. Instead, simply set `loss_scale_factor` directly "
            "on the `inner_optimizer`."
        )
    defaults = {p.name: p.default for p in SHARED}
    for name, value in given.items():
        if name not in defaults:
            raise ValueError(f"LossScaleOptimizer does not support arguments: {name!r}.")
        if value != defaults[name]:
            raise ValueError(
                f"LossScaleOptimizer does not support `{name}`. Instead, set `{name}` on the `inner_optimizer`."
            )
