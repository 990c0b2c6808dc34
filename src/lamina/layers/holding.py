"""Holder: variables, layers and metrics inside one object, in Keras's order and under Keras's paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from lamina import config, constraints, initializers, regularizers
from lamina.errors import LaminaError, ShapeError
from lamina.layers.operation import Operation
from lamina.layers.paths import path_of
from lamina.metrics import Metric
from lamina.saving.budget import first_values
from lamina.trace import outside
from lamina.variables import Count, Variable


class Holder(Operation):
    """What a layer is made of: its variables, and the layers and metrics that are its attributes.

    Args:
        trainable: whether training may change its variables.
        name: unique in its model; made from the class's name by default.
    """

    dtype: str
    # Attributes that hold no parts, though there may be layers, variables or metrics in them.
    not_parts = frozenset({"_inbound_nodes", "_own_trainable", "_own_fixed", "_call_losses"})

    def __init__(self, trainable: bool, name: str | None):
        super().__init__(name)
        if not isinstance(trainable, bool):
            raise ValueError(
                f"Expected `trainable` to be a boolean. Received: trainable={trainable} (of type {type(trainable)})"
            )
        self.built = False
        self._path: str | None = None
        self._trainable = trainable
        self._own_trainable: list[Variable] = []
        self._own_fixed: list[Variable] = []
        self._locked = False  # no new variables and layers: its build is done

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Part) and name not in self.not_parts and hasattr(self, "_locked"):
            self._track(value)
        super().__setattr__(name, value)

    def _track(self, part: Variable | Holder | Metric) -> None:
        """Take a new part in, in the order in which Keras lists variables.

        Raises:
            ValueError: the layer is built, and what it is made of known to others.
        """
        if any(part is known for known in (*self._own_trainable, *self._own_fixed, *self._parts())):
            return
        if self._locked:
            raise ValueError(
                "You cannot add new elements of state (variables or sub-layers) to a layer that is already built. All "
                f"state must be created in the `__init__()` method or in the `build()` method. (layer {self.name!r})"
            )
        if isinstance(part, Variable):
            (self._own_trainable if part.trainable else self._own_fixed).append(part)

    # -- names

    @property
    def path(self) -> str | None:
        """Its name after those of the layers that it was built in; None before."""
        return self._path or (self.name if self.built else None)

    # -- weights

    def add_weight(
        self,
        *args: Any,
        shape: Sequence[int] | None = None,
        initializer: Any = None,
        dtype: str | None = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """A new variable of this layer; the first three arguments may be given by position.

        Args:
            shape: its shape, ``()`` by default.
            initializer: where its first numbers come from; by default ``"glorot_uniform"``, for whole numbers 0.
            dtype: the layer's by default.
            trainable: whether an optimizer may change it.
            autocast, aggregation: taken for Keras's sake.
            regularizer: a penalty on it, added to the loss.
            constraint: a projection after each update.
            overwrite_with_gradient: must be False.
            name: last part of its path.

        Raises:
            ValueError: the name is given by position.
            ShapeError: the shape has an unknown size.
        """
        shape, initializer, dtype = self._by_position(args, shape, initializer, dtype)
        dtype = dtype or self.dtype
        if initializer is None:
            initializer = "glorot_uniform" if dtype.startswith("float") else "zeros"
        make = initializers.get(initializer)
        assert make is not None
        with outside():
            value = first_values(make, self._known_sizes(shape), dtype, self.name)
        if dtype.startswith("float"):
            variable = Variable(value, dtype=dtype, trainable=trainable, name=name)
        else:
            variable = Count(value, name, dtype, self.dtype if self.dtype.startswith("float") else config.floatx())
        variable.path = f"{path_of(self)}/{variable.name}"
        variable.regularizer, variable.constraint = regularizers.get(regularizer), constraints.get(constraint)
        self._track(variable)
        variable.trainable = trainable and self._trainable
        return variable

    def _by_position(self, args: tuple[Any, ...], *named: Any) -> list[Any]:
        if args and isinstance(args[0], str):
            raise ValueError(
                f"`name` must be passed as a keyword argument. Received: add_weight({args[0]!r}, ...). "
                f"Use: add_weight(shape=..., name={args[0]!r}). (layer {self.name!r})"
            )
        if len(args) > len(named):
            raise TypeError(f"add_weight() takes at most 3 positional arguments but {len(args)} were given.")
        return [*args, *named[len(args) :]]

    def _known_sizes(self, shape: Any) -> tuple[int, ...]:
        if isinstance(shape, int):
            raise ValueError(f"Cannot convert '{shape}' to a shape: it is a tuple, ({shape},). (layer {self.name!r})")
        sizes = tuple(shape or ())
        if any(size is None for size in sizes):
            raise ShapeError(f"a weight of layer {self.name!r} cannot have the shape {sizes}: every size must be known")
        return sizes

    def add_variable(
        self, shape: Sequence[int], initializer: Any, dtype: str | None = None, trainable: bool = True,
        autocast: bool = True, regularizer: Any = None, constraint: Any = None, name: str | None = None,
    ) -> Variable:  # fmt: skip
        """The same as ``add_weight``."""
        return self.add_weight(
            shape, initializer, dtype, trainable=trainable, regularizer=regularizer, constraint=constraint, name=name
        )

    def _parts(self) -> Iterator[Any]:
        """The variables, metrics and layers that are attributes of this one, also inside lists and dictionaries."""
        for name, value in vars(self).items():
            if isinstance(value, Part) and name not in self.not_parts:
                yield value
            elif isinstance(value, list | tuple | dict) and name not in self.not_parts:
                yield from (x for x in _held(value) if isinstance(x, Part))

    def _sublayers(self) -> list[Any]:
        return unique(x for x in self._parts() if isinstance(x, Holder))

    def _own_variables(self) -> list[Variable]:
        held = [x for x in self._parts() if isinstance(x, Variable)]
        first, last = ([v for v in held if v.trainable is trained] for trained in (True, False))
        return unique([*self._own_trainable, *first, *self._own_fixed, *last])

    def _flatten_layers(self) -> list[Any]:
        """This layer and all layers inside it, each once."""
        return unique([self, *(inner for layer in self._sublayers() for inner in layer._flatten_layers())])

    @property
    def weights(self) -> list[Variable]:
        """All variables: this layer's trainable ones, its others, then those of the layers inside."""
        return unique([*self._own_variables(), *(v for layer in self._sublayers() for v in layer.weights)])

    @property
    def variables(self) -> list[Variable]:
        """The same as ``weights``."""
        return self.weights

    @property
    def trainable_weights(self) -> list[Variable]:
        """The variables that an optimizer may change."""
        if not self._trainable:
            return []
        own = [v for v in self._own_variables() if v.trainable]
        return unique([*own, *(v for layer in self._sublayers() for v in layer.trainable_weights)])

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The variables that an optimizer leaves alone."""
        trained = {id(v) for v in self.trainable_weights}
        return [v for v in self.weights if id(v) not in trained]

    @property
    def trainable_variables(self) -> list[Variable]:
        """The same as ``trainable_weights``."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The same as ``non_trainable_weights``."""
        return self.non_trainable_weights

    @property
    def trainable(self) -> bool:
        """Whether training may change the layer's weights; setting it reaches the layers inside."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for variable in self._own_trainable:
            variable.trainable = bool(value)
        for layer in self._sublayers():
            layer.trainable = value

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all weights, in the order of ``weights``."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace all weights.

        Args:
            weights: arrays in the order of ``weights``.

        Raises:
            ShapeError: another number of arrays, or an array of another shape.
        """
        mine = self.weights
        if len(weights) != len(mine):
            raise ShapeError(
                f"You called `set_weights(weights)` on layer '{self.name}' with a weight list of length "
                f"{len(weights)}, but the layer was expecting {len(mine)} weights."
            )
        for variable, value in zip(mine, weights, strict=True):
            if np.shape(value) != variable.shape:
                raise ShapeError(
                    f"Layer {self.name} weight shape {variable.shape} is not compatible with provided weight "
                    f"shape {np.shape(value)} (weight {variable.path})."
                )
            variable.assign(value)

    def count_params(self) -> int:
        """How many numbers the weights hold.

        Raises:
            LaminaError: the layer has no weights yet.
        """
        if not self.built:
            raise LaminaError(f"layer {self.name!r} is not built: call it on data, or give the model an Input")
        return sum(prod(v.shape) for v in self.weights)

    def save_own_variables(self, store: Any) -> None:
        """Put this layer's own variables into ``store`` under ``"0"``, ``"1"`` …"""
        for index, variable in enumerate(self._own_variables()):
            store[str(index)] = variable.numpy()

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Read this layer's own variables from what ``save_own_variables`` stored.

        Raises:
            ShapeError: another number of arrays, or other shapes.
        """
        mine = self._own_variables()
        if len(store) != len(mine):
            raise ShapeError(f"layer {self.name!r} expects {len(mine)} arrays, got {len(store)} in the file")
        for index, variable in enumerate(mine):
            variable.assign(np.asarray(store[str(index)]))

    # -- metrics

    def _own_metrics(self) -> list[Metric]:
        """The metrics that this layer has as attributes."""
        return unique(x for x in self._parts() if isinstance(x, Metric))

    @property
    def metrics(self) -> list[Metric]:
        """The metrics that are attributes of this one and of the layers inside."""
        return unique(x for layer in self._flatten_layers() for x in layer._own_metrics())

    @property
    def metrics_variables(self) -> list[Variable]:
        """The states of ``metrics``."""
        return [variable for metric in self.metrics for variable in metric.variables]

    def add_metric(self, *args: Any, **kwargs: Any) -> None:
        """Refused, as in Keras.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            "Layer `add_metric()` method is deprecated. Add your metric in `Model.compile(metrics=[...])`, or keep it "
            "as an attribute and call `metric.update_state()`"
        )


def _held(x: Any) -> Iterator[Any]:
    """What a list or dictionary holds, in its own order, as Keras tracks it."""
    if not isinstance(x, list | tuple | dict):
        yield x
        return
    for part in x.values() if isinstance(x, dict) else x:
        yield from _held(part)


def unique(things: Any) -> list[Any]:
    """The things in order, each once."""
    return list({id(x): x for x in things}.values())


# What an object holds; here, because the class itself is among them.
Part = (Variable, Holder, Metric)
