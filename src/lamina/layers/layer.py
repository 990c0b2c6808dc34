"""Layer: one equation (`call`), the variables that it needs (`build`), a name, and the layers inside it."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from lamina import config, initializers, regularizers
from lamina.errors import LaminaError
from lamina.graph.express import as_node
from lamina.graph.node import Node
from lamina.layers import calling, masks
from lamina.layers.arguments import (
    dtype_record,
    input_hint,
    map_shapes,
    own_arguments,
    plain_arguments,
    policy_of,
    shape_tuples,
)
from lamina.layers.arrays import is_array
from lamina.layers.holding import Holder
from lamina.layers.paths import inside, path_of
from lamina.layers.spec import InputSpec
from lamina.layers.tensor import KerasTensor
from lamina.records import config_value, deserialize_keras_object
from lamina.signatures import unknown_arguments
from lamina.trace import current, outside
from lamina.tree import flatten, map_leaves
from lamina.variables import holding


class Layer(Holder):
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
    _made_with: Mapping[str, Any] = {}  # the plain arguments that a class of the user's was given
    built_at_once = False  # whether it is built when it is made, as there is nothing to build; files then say no shapes

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Note plain arguments, so that a class of the user's need not keep them to have a config."""
        layer = super().__new__(cls)
        if made_with := plain_arguments(cls, args, kwargs):
            vars(layer)["_made_with"] = made_with
        return layer

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
        if unknown := unknown_arguments(type(self), sorted(kwargs)):
            raise ValueError(f"{type(self).__name__} does not take the argument(s) {unknown}")
        super().__init__(trainable, name)
        self.dtype_policy = policy_of(dtype)
        self.dtype = config.held_dtype(self.dtype_policy.variable_dtype)
        self.autocast = autocast
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.built = self.built_at_once and type(self).build is Layer.build
        self.supports_masking = self.supports_masking or type(self).compute_mask is not Layer.compute_mask
        self._build_shapes: dict[str, Any] = {}
        self._call_losses: list[Any] = []
        self._calls = 0
        # A layer may build the ones inside it by calling their `build`: that counts, too.
        self.build = _marking_built(self, self.build)  # type: ignore[method-assign]

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
            shapes = {name: self._shape_of(name, args, kwargs) for name in names}
        else:
            shapes = {(names or ["input_shape"])[0]: shape}
        self.build_from_config(shapes)

    def _shape_of(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """The shape that ``build`` calls ``x_shape``: of the argument ``x`` of ``call``."""
        parameters = calling.call_parameters(type(self).call)
        given = {**dict(zip(parameters, args, strict=False)), **kwargs}
        of = name.removesuffix("_shape")
        if of == name or of not in parameters:
            raise ValueError(
                "For a `build()` method with more than one argument, all arguments should have a `_shape` suffix and "
                "match an argument from `call()`. E.g. `build(self, foo_shape, bar_shape)`. "
                f"For layer '{self.name}', received `build()` argument `{name}`; `call()` takes {list(parameters)}."
            )
        return None if given.get(of) is None else calling.shapes_of(given[of])

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
        return map_leaves(lambda x: x.shape, self.compute_output_spec(tensors))

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs as KerasTensors for the inputs as such, without a step in a model."""
        outputs = self(*args, **kwargs)
        self._inbound_nodes.pop()
        for tensor in flatten(outputs):
            tensor._keras_history = None
        return outputs

    def stateless_call(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> tuple[Any, ...]:
        """What a call on numbers gives with these values of the variables, which stay as they are.

        Args:
            trainable_variables, non_trainable_variables: values in the order of the attributes of these names.
            args, kwargs: what to call the layer on.
            return_losses: whether ``losses`` are returned, too.

        Returns:
            (outputs, new values of the non-trainable variables), and the losses if asked for.

        Raises:
            ValueError: the layer is not built, or there are more or fewer values than variables.
            ShapeError: a value has another shape.
        """
        if not self.built:
            raise ValueError(
                f"To call stateless_call, {type(self).__name__} must be built (i.e. its variables must have been "
                "already created). You can build it by calling it on some data."
            )
        mine = (self.trainable_variables, self.non_trainable_variables)
        given = (trainable_variables, non_trainable_variables)
        for kind, variables, values in zip(("trainable", "non_trainable"), mine, given, strict=True):
            if len(variables) != len(values):
                raise ValueError(
                    f"Argument `{kind}_variables` must hold one array for each of the {len(variables)} {kind} "
                    f"variables of {self.name!r}. Received list with length {len(values)}"
                )
        with holding([*mine[0], *mine[1]], [*given[0], *given[1]]):
            outputs = self(*args, **kwargs)
            found = (outputs, [v.numpy() for v in mine[1]])
            return (*found, self.losses) if return_losses else found

    def quantize(self, mode: str | None = None, **kwargs: Any) -> None:
        """Refused: Lamina computes in float32 and float64.

        Raises:
            ValueError: always.
        """
        raise ValueError(f"layer {self.name!r} cannot be quantized to {mode!r}: Lamina computes in float32 and float64")

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

    # -- losses and metrics

    def add_loss(self, loss: Any) -> None:
        """Add a penalty, or several, from inside ``call`` or ``build``.

        Raises:
            ValueError: it is not a number or an array.
        """
        trace, losses = current(), flatten(loss)
        for x in losses:
            if not (isinstance(x, Node | int | float) or is_array(x)):
                raise ValueError(
                    "`add_loss()` can only be called from inside `build()` or `call()`, on a tensor input. Received "
                    f"invalid value: {x} (layer {self.name!r})"
                )
        if trace is not None:
            trace.losses.extend(map(as_node, losses))
        else:
            self._call_losses.extend(losses)

    @property
    def losses(self) -> list[Any]:
        """Penalties: those of the latest call on numbers, then the regularizers' of the trainable weights."""
        penalties = [v.regularizer(v) for v in self.trainable_weights if v.regularizer is not None]
        return [*(x for layer in self._flatten_layers() for x in layer._call_losses), *penalties]

    # -- config

    def get_config(self) -> dict[str, Any]:
        """The arguments that make a layer like this one, as plain values and records.

        Raises:
            TypeError: an argument of ``__init__`` is not kept as an attribute, and ``get_config`` is not defined.
        """
        policy = dtype_record(self.dtype_policy)
        base: dict[str, Any] = {"name": self.name, "trainable": self._trainable, "dtype": policy}
        if self.activity_regularizer is not None:
            base["activity_regularizer"] = config_value(self.activity_regularizer)
        own = own_arguments(self, strict=type(self).get_config is Layer.get_config)
        return base | {name: config_value(value) for name, value in own.items()}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """A layer from what ``get_config`` returned; its initializers draw numbers of their own."""
        made = deserialize_keras_object(dict(config))
        fresh = {k: v.clone() for k, v in made.items() if isinstance(v, initializers.Initializer)}
        return cls(**{**made, **fresh})

    def __copy__(self) -> Self:
        return copy.deepcopy(self)

    def __getstate__(self) -> dict[str, Any]:
        """For copies and pickles: a copy stands in no model."""
        return {k: v for k, v in vars(self).items() if k != "build"} | {"_inbound_nodes": []}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        vars(self).update(state)
        self.build = _marking_built(self, self.build)  # type: ignore[method-assign]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def _marking_built(layer: Layer, build: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(build)
    def built(*shapes: Any, **named: Any) -> None:
        layer._path = path_of(layer)
        with inside(layer):
            build(*shapes, **named)
        given = dict(zip(calling.call_parameters(type(layer).build), shapes, strict=False)) | named
        layer._build_shapes = layer._build_shapes or {k: shape_tuples(v) for k, v in given.items()}
        layer.built = layer._locked = True

    return built
