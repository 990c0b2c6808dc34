"""Layer: one equation (`call`), the variables that it needs (`build`), a name, and the layers inside it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod
from typing import Any, Self

import numpy as np

from lamina import config, constraints, initializers, regularizers
from lamina.errors import LaminaError, ShapeError
from lamina.graph.node import Node
from lamina.layers import calling, masks
from lamina.layers.arguments import (
    dtype_record,
    input_hint,
    map_shapes,
    own_arguments,
    policy_of,
    shape_tuples,
)
from lamina.layers.nested import flatten, map_leaves
from lamina.layers.operation import Operation
from lamina.layers.paths import inside, path_in
from lamina.layers.spec import InputSpec
from lamina.layers.tensor import KerasTensor
from lamina.metrics import Metric
from lamina.saving.budget import first_values
from lamina.trace import current, outside
from lamina.variables import Variable


class Layer(Operation):
    """Base of all layers. A subclass writes ``call`` with ``lamina.ops`` and, if it has weights, ``build``.

    Args:
        activity_regularizer: a penalty on what the layer puts out, divided by the batch size.
        trainable: whether training may change its weights.
        dtype: ``"float32"`` or ``"float64"``; the session's float type by default.
        autocast: taken for Keras's sake.
        name: unique in its model; made from the class's name by default.

    Example:
        >>> class Scale(Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="factor")
        ...
        ...     def call(self, inputs):
        ...         return inputs * self.factor
        >>> Scale()(np.ones((1, 2), "float32"))
        array([[1., 1.]], dtype=float32)
    """

    autograph_info__: Mapping[str, Any] = {}  # TensorFlow's AutoGraph rewrites no code that has this mark
    on_host = False  # whether a part of the work is done before the program runs; see HostLayer
    input_dtype: str | None = None  # what it must be fed, if it cannot do with any other
    # Whether outputs have the masks of `compute_mask`; a layer's own attribute may say otherwise.
    supports_masking = False
    input_spec: InputSpec | Sequence[InputSpec] | None = None
    built_at_once = False  # whether Keras builds such a layer when it is made, so that files do not say its shapes
    # Attributes that hold no parts of the layer, though there may be layers, variables or metrics in them.
    not_parts = frozenset({"_inbound_nodes", "_own_trainable", "_own_fixed", "_call_losses"})

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ):
        self._input_hint = input_hint(kwargs)
        if unknown := config.unknown_arguments(type(self), sorted(kwargs)):
            raise ValueError(f"{type(self).__name__} does not take the argument(s) {unknown}")
        super().__init__(name)
        self.dtype_policy = policy_of(dtype)
        self.dtype = config.held_dtype(self.dtype_policy.variable_dtype)
        self.autocast = autocast
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.built = False
        self.supports_masking = self.supports_masking or type(self).compute_mask is not Layer.compute_mask
        self._trainable = bool(trainable)
        self._own_trainable: list[Variable] = []
        self._own_fixed: list[Variable] = []
        self._build_shapes: dict[str, Any] = {}
        self._locked = False  # no new variables and layers: its build is done
        self._call_losses: list[Any] = []
        self._calls = 0
        # A layer may build the ones inside it by calling their `build`: that counts, too.
        self.build = _marking_built(self, self.build)  # type: ignore[method-assign]

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Part) and name not in self.not_parts and hasattr(self, "_inbound_nodes"):
            self._track(value)
        super().__setattr__(name, value)

    def _track(self, part: Variable | Layer | Metric) -> None:
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

    # -- computing

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The layer's outputs: KerasTensors for KerasTensors, nodes for nodes, arrays for arrays.

        Args:
            args: what ``call`` takes; arrays have the batch as their first axis.
            kwargs: the same, and ``training``: whether this is a training step.

        Raises:
            ShapeError: the inputs' shapes do not fit the layer.
        """
        self._require_init()
        return calling.call(self, args, kwargs)

    def _require_init(self) -> None:
        if not hasattr(self, "_inbound_nodes"):
            raise LaminaError(f"{type(self).__name__}.__init__ must call super().__init__() first")

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The layer's equation, written with ``lamina.ops`` and operators; a subclass defines it."""
        raise TypeError(f"{type(self).__name__} must define call(inputs)")

    def build(self, input_shape: Any) -> None:
        """Create the variables, knowing the inputs' shapes; a subclass with weights defines it."""

    def _build(self, shape: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        names = list(calling.call_parameters(type(self).build))
        if len(names) > 1:
            arrays = [x for x in [*args, *kwargs.values()] if x is not None and not isinstance(x, bool)]
            shapes = dict(zip(names, map(calling.shapes_of, arrays), strict=False))
        else:
            shapes = {(names or ["input_shape"])[0]: shape}
        self.build_from_config(shapes)

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes that the layer was built with; None for one that Keras builds when it is made."""
        if self.built_at_once or not self._build_shapes:
            return None
        shapes = dict(self._build_shapes)
        return {"input_shape": next(iter(shapes.values()))} if len(shapes) == 1 else {"shapes_dict": shapes}

    def build_from_config(self, config: Mapping[str, Any] | None) -> None:
        """Build the layer with the shapes that ``get_build_config`` gave."""
        if config and not self.built:
            shapes = {name: shape_tuples(shape) for name, shape in config.get("shapes_dict", config).items()}
            with outside(), inside(self):
                self.build(*shapes.values())
            self._build_shapes = shapes
        self.built = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The outputs' shapes for the inputs' shapes, None standing for the batch."""
        tensors = map_shapes(lambda shape: KerasTensor(shape, self._fed_dtype()), input_shape)
        outputs = self(tensors)
        self._inbound_nodes.pop()
        return map_leaves(lambda x: x.shape, outputs)

    @property
    def compute_dtype(self) -> str:
        """The element type that its policy says it computes in."""
        return self.dtype_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The element type that its policy says its weights have."""
        return self.dtype_policy.variable_dtype

    def _fed_dtype(self) -> str:
        """An element type that the layer takes."""
        return self.dtype

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """Which places of the outputs count: by default those of the inputs.

        Args:
            inputs: what ``call`` gets.
            previous_mask: the masks of the inputs, in the same structure; None where all places count.
        """
        return previous_mask

    def _pass_on_masks(self, inputs: Any, given: Any, outputs: Any) -> None:
        if self.supports_masking:
            masks.pass_on(self, inputs, given, outputs)
        else:
            masks.warn_of_loss(self, given)

    def _float_dtype(self) -> str:
        """The float type that arrays are computed in."""
        return self.dtype if self.dtype.startswith("float") else config.floatx()

    def _reads_raw(self) -> bool:
        """Whether the host takes arrays as users give them, text and all, before the layer computes."""
        return any(layer.on_host for layer in self._flatten_layers())

    def _result(self, array: np.ndarray) -> np.ndarray:
        """An output that was computed at once, as users get it."""
        return array

    def _next_call(self) -> int:
        self._calls += 1
        return self._calls - 1

    # -- weights

    def add_weight(
        self,
        shape: Sequence[int] | int | None = None,
        initializer: Any = None,
        dtype: str | None = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Variable:
        """A new variable of this layer.

        Args:
            shape: its shape, ``()`` by default.
            initializer: where its first numbers come from; ``"glorot_uniform"`` by default.
            dtype: the layer's by default.
            trainable: whether an optimizer may change it.
            autocast: taken for Keras's sake.
            regularizer: a penalty on it, added to the loss.
            constraint: a projection after each update.
            name: last part of its path.

        Raises:
            ShapeError: the shape has an unknown size.
        """
        shape = (shape,) if isinstance(shape, int) else tuple(shape or ())
        if any(size is None for size in shape):
            raise ShapeError(f"a weight of layer {self.name!r} cannot have the shape {shape}: every size must be known")
        make = initializers.get("glorot_uniform" if initializer is None else initializer)
        assert make is not None
        with outside():
            value = first_values(make, shape, dtype or self.dtype, self.name)
        variable = Variable(
            value, name or "variable", dtype or self.dtype, trainable,
            regularizers.get(regularizer), constraints.get(constraint),
        )  # fmt: skip
        variable.path = path_in(self, variable.name)
        self._track(variable)
        variable.trainable = trainable and self._trainable
        return variable

    def _parts(self) -> Iterator[Any]:
        """The variables, metrics and layers that are attributes of this one, also inside lists and dictionaries."""
        for name, value in vars(self).items():
            if isinstance(value, Part) and name not in self.not_parts:
                yield value
            elif isinstance(value, list | tuple | dict) and name not in self.not_parts:
                yield from (x for x in _held(value) if isinstance(x, Part))

    def _sublayers(self) -> list[Layer]:
        return unique(x for x in self._parts() if isinstance(x, Layer))

    def _own_variables(self) -> list[Variable]:
        held = [x for x in self._parts() if isinstance(x, Variable)]
        first, last = ([v for v in held if v.trainable is trained] for trained in (True, False))
        return unique([*self._own_trainable, *first, *self._own_fixed, *last])

    def _flatten_layers(self) -> list[Layer]:
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

    # -- losses and metrics

    def add_loss(self, loss: Any) -> None:
        """Add a penalty, usually from inside ``call``."""
        trace = current()
        if trace is not None:
            trace.losses.extend(x for x in flatten(loss) if isinstance(x, Node))
        else:
            self._call_losses.extend(flatten(loss))

    @property
    def losses(self) -> list[Any]:
        """Penalties: those of the latest call on numbers, then the regularizers' of the trainable weights."""
        penalties = [v.regularizer(v) for v in self.trainable_weights if v.regularizer is not None]
        return [*(x for layer in self._flatten_layers() for x in layer._call_losses), *penalties]

    def _own_metrics(self) -> list[Metric]:
        """The metrics that this layer has as attributes."""
        return unique(x for x in self._parts() if isinstance(x, Metric))

    # -- config

    def get_config(self) -> dict[str, Any]:
        """The arguments that make a layer like this one.

        Raises:
            TypeError: an argument of ``__init__`` is not kept as an attribute, and ``get_config`` is not defined.
        """
        policy = dtype_record(self.dtype_policy)
        base: dict[str, Any] = {"name": self.name, "trainable": self._trainable, "dtype": policy}
        if self.activity_regularizer is not None:
            base["activity_regularizer"] = self.activity_regularizer
        return base | own_arguments(self, strict=type(self).get_config is Layer.get_config)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """A layer from what ``get_config`` returned."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _held(x: Any) -> Iterator[Any]:
    """What a list or dictionary holds, in its own order, as Keras tracks it."""
    if not isinstance(x, list | tuple | dict):
        yield x
        return
    for part in x.values() if isinstance(x, dict) else x:
        yield from _held(part)


def _marking_built(layer: Layer, build: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(build)
    def built(*shapes: Any, **named: Any) -> None:
        build(*shapes, **named)
        given = dict(zip(calling.call_parameters(type(layer).build), shapes, strict=False)) | named
        layer._build_shapes = layer._build_shapes or {k: shape_tuples(v) for k, v in given.items()}
        layer.built = layer._locked = True

    return built


def unique(things: Any) -> list[Any]:
    """The things in order, each once."""
    return list({id(x): x for x in things}.values())


# What a layer is made of; here, because the class itself is among them.
Part = (Variable, Layer, Metric)
