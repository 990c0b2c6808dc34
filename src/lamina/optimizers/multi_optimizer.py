"""MultiOptimizer: each variable has the optimizer that a map of patterns, or a function, gives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, Self

import numpy as np

from lamina.graph.node import Node
from lamina.optimizers.loss_scale_optimizer import LossScaleOptimizer
from lamina.optimizers.optimizer import Optimizer
from lamina.optimizers.step import Gradients
from lamina.patterns import Patterns
from lamina.records import deserialize_keras_object, serialize_keras_object
from lamina.variables import Variable


class OptimizerMap(Patterns[Optimizer]):
    """Optimizers by paths of variables, or patterns that a whole path must match.

    Args:
        default_optimizer: for variables that nothing matches.
        optimizer_map: path or pattern → optimizer.

    Raises:
        TypeError: something that is no optimizer, or no dictionary.

    Example:
        >>> from lamina.optimizers import SGD, Adam
        >>> table = OptimizerMap(SGD(0.1), {"encoder/.*": Adam(0.01)})
        >>> type(table["encoder/dense/kernel"]).__name__, type(table["dense/kernel"]).__name__
        ('Adam', 'SGD')
    """

    clash = "Multiple optimizers assigned to variable {key}: the patterns {found} match it."

    def __init__(self, default_optimizer: Optimizer, optimizer_map: dict[str, Optimizer] | None = None):
        if not isinstance(default_optimizer, Optimizer):
            raise TypeError(f"default_optimizer must be an Optimizer instance. Received: {default_optimizer!r}")
        if optimizer_map is not None and not isinstance(optimizer_map, dict):
            raise TypeError(f"optimizer_map must be a dictionary. Received: {optimizer_map!r}")
        super().__init__()
        self.default_optimizer = default_optimizer
        self.update(optimizer_map or {})

    def _otherwise(self) -> Optimizer:
        return self.default_optimizer

    def __setitem__(self, key: str, optimizer: Optimizer) -> None:
        if not isinstance(key, str):
            raise ValueError(f"key must be a string. Received: {key!r}")
        if key in self._known:
            raise ValueError(f"{key!r} already exists in the OptimizerMap with value {self._known[key]}.")
        _check_inner(optimizer)
        self._known[key] = optimizer

    def __call__(self, variable: Variable) -> Optimizer:
        """The optimizer of a variable."""
        return self[variable.path]

    def get_config(self) -> dict[str, Any]:
        """The arguments that make a map like this one."""
        return {
            "default_optimizer": serialize_keras_object(self.default_optimizer),
            "optimizer_map": serialize_keras_object(self._known),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> Self:
        """A map from what ``get_config`` returned."""
        return cls(**deserialize_keras_object(dict(config), custom_objects))


class MultiOptimizer(Optimizer):
    """Several optimizers at once, each for some of the variables.

    Args:
        optimizer_map: an OptimizerMap, or a function from a variable to its optimizer.
        loss_scale_factor: see ``Optimizer``; it goes before those of the inner optimizers.
        name: its name, made from the class's by default.
    """

    alone = True

    def __init__(
        self,
        optimizer_map: Callable[[Variable], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ):
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)
        self._optimizer_map = optimizer_map
        self.optimizers: list[Optimizer] = []
        self._shares: list[list[Variable]] = []
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in (*optimizer_map.values(), optimizer_map.default_optimizer):
                self._place(optimizer)

    def _place(self, optimizer: Optimizer) -> int:
        """Where an optimizer stands among those inside."""
        if not any(optimizer is o for o in self.optimizers):
            _check_inner(optimizer)
            self.optimizers.append(optimizer)
            self._shares.append([])
        return [o is optimizer for o in self.optimizers].index(True)

    def build(self, variables: Sequence[Variable]) -> None:
        """See ``Optimizer``."""
        if self.built:
            return super().build(variables)
        for variable in variables:
            self._shares[self._place(self._optimizer_map(variable))].append(variable)
        for index, (optimizer, share) in enumerate(self._pairs()):
            optimizer.build(share)
            optimizer.rename_buffers(f":{index}")
        return super().build(variables)

    def _pairs(self) -> list[tuple[Optimizer, list[Variable]]]:
        """The optimizers that have variables, with them."""
        return [pair for pair in zip(self.optimizers, self._shares, strict=True) if pair[1]]

    def step(self, gradients: Gradients) -> None:
        """See ``Optimizer``."""
        given = {v: g for g, v in gradients}
        for optimizer, share in self._pairs():
            optimizer.loss_scale_factor = self.loss_scale_factor
            optimizer.step([(given[v], v) for v in share])

    @property
    def variables(self) -> list[Variable]:
        """Its own, then those of the optimizers inside."""
        return [*super().variables, *(v for optimizer in self.optimizers for v in optimizer.variables)]

    def state(self) -> dict[str, np.ndarray]:
        """See ``Optimizer``."""
        return {name: flat for optimizer in self.optimizers for name, flat in optimizer.state().items()}

    def layout(self) -> dict[Variable, Node]:
        """See ``Optimizer``."""
        found = super().layout()
        for optimizer, _ in self._pairs():
            found |= optimizer.layout()
        return found

    def advance(self, calls: int) -> None:
        """See ``Optimizer``."""
        super().advance(calls)
        for optimizer, _ in self._pairs():
            optimizer.advance(calls)

    @property
    def learning_rate(self) -> NoReturn:
        """There is none."""
        raise AttributeError(
            "Learning rate cannot be accessed on a MultiOptimizer. Access the learning rate on the individual "
            "sub-optimizers instead: optimizer.optimizers"
        )

    @learning_rate.setter
    def learning_rate(self, rate: Any) -> None:
        raise AttributeError(
            "Learning rate cannot be set on a MultiOptimizer. Set the learning rate on the individual sub-optimizers "
            "instead: optimizer.optimizers"
        )

    @property
    def averages(self) -> dict[Variable, Variable]:
        """The moving averages of those inside that have them."""
        return {v: average for inner, _ in self._pairs() for v, average in inner.averages.items()}

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """See ``Optimizer``."""
        for optimizer, share in self._pairs():
            optimizer.finalize_variable_values([v for v in share if any(v is w for w in var_list)])

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an optimizer like this one, without its state."""
        return {
            "optimizer_map": serialize_keras_object(self._optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> Self:
        """An optimizer from what ``get_config`` returned."""
        return cls(**{**config, "optimizer_map": deserialize_keras_object(config["optimizer_map"], custom_objects)})


def _check_inner(optimizer: Any) -> None:
    if not isinstance(optimizer, Optimizer):
        raise ValueError(f"optimizer must be an Optimizer instance. Received: {optimizer!r}")
    if isinstance(optimizer, LossScaleOptimizer | MultiOptimizer):
        raise ValueError(f"optimizer cannot be {type(optimizer).__name__}.")
