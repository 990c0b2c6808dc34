"""clone_model: the same layers anew, on inputs of their own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from lamina import saving
from lamina.layers.input_layer import Input, InputLayer
from lamina.layers.layer import Layer
from lamina.layers.tensor import KerasTensor
from lamina.models.calls import apply, repeated
from lamina.models.functional import Functional
from lamina.models.model import Model
from lamina.models.sequential import Sequential
from lamina.tree import flatten, map_leaves

Clone = Callable[[Any], Any]


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Clone | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
) -> Model:
    """A model like another, with new weights; compiled in the same way if that is compiled.

    Args:
        model: a Sequential or functional model; a class of one's own only without further arguments.
        input_tensors: KerasTensors to build it on, new Inputs by default.
        clone_function: ``f(layer)`` gives the layer to take in its place; from its config by default.
        call_function: ``f(layer, *args, **kwargs)`` calls a layer; only for functional models.
        recursive: whether the layers of models inside are cloned by ``clone_function``, too.

    Returns:
        The new model.

    Raises:
        ValueError: arguments that this kind of model does not take.

    Source: keras.models.clone_model.

    Example:
        >>> from lamina import Input, Sequential, layers
        >>> model = Sequential([Input((2,)), layers.Dense(1)])
        >>> clone_model(model).count_params()
        3
    """
    if not isinstance(model, Sequential | Functional):
        if given := [n for n, x in _named(input_tensors, clone_function, call_function) if x is not None]:
            raise ValueError(
                f"`{given[0]}` is only supported for Sequential and functional models, got a {type(model).__name__}"
            )
        made: Model = type(model).from_config(model.get_config())
        return _compiled(made, model)
    if isinstance(model, Sequential) and call_function is not None:
        raise ValueError("`call_function` is not supported with Sequential models: their layers are only listed")
    clone = _remembering(clone_function or _from_config, call_function, recursive)
    return _compiled(_cloned(model, clone, call_function, input_tensors), model)


def _named(*values: Any) -> list[tuple[str, Any]]:
    return list(zip(("input_tensors", "clone_function", "call_function"), values, strict=True))


def _from_config(layer: Any) -> Any:
    return type(layer).from_config(layer.get_config())


def _remembering(clone: Clone, call_function: Callable[..., Any] | None, recursive: bool) -> Clone:
    """Each layer is cloned once, also where it is used twice; models inside layer by layer if that is wanted."""
    made: dict[int, Any] = {}

    def cloned(layer: Any) -> Any:
        if id(layer) not in made:
            inner = recursive and isinstance(layer, Sequential | Functional)
            made[id(layer)] = _cloned(layer, cloned, call_function) if inner else clone(layer)
        return made[id(layer)]

    return cloned


def _cloned(
    model: Model, clone: Clone, call_function: Callable[..., Any] | None = None, input_tensors: Any = None
) -> Model:
    if isinstance(model, Sequential):
        return _sequential(model, clone, input_tensors)
    assert isinstance(model, Functional)
    return _functional(model, clone, call_function or apply, input_tensors)


def _sequential(model: Sequential, clone: Clone, input_tensors: Any) -> Sequential:
    first = [_from_config(x) for x in model._layers[:1] if isinstance(x, InputLayer)]
    if input_tensors is not None:
        given = flatten(input_tensors)
        if len(given) != 1:
            raise ValueError(f"`input_tensors` must contain a single tensor, got {len(given)}")
        first = [_entrance(given[0])]
    layers = [*first, *map(clone, model.layers)]
    return Sequential(layers, name=model.name, trainable=model.trainable)


def _functional(model: Functional, clone: Clone, call: Callable[..., Any], input_tensors: Any) -> Functional:
    old = model.inputs
    new = [_from_config(x._keras_history.operation).output for x in old]  # type: ignore[union-attr]
    if input_tensors is not None:
        new = [_entrance(tensor) for tensor in flatten(input_tensors)]
        if len(new) != len(old):
            raise ValueError(f"`input_tensors` has {len(new)} tensors, the model has {len(old)} inputs")

    def called(operation: Any, *args: Any, **kwargs: Any) -> Any:
        return call(clone(operation) if isinstance(operation, Layer) else operation, *args, **kwargs)

    value = repeated(model._order, old, new, called)
    inputs, outputs = value(model._inputs_struct), value(model._outputs_struct)
    return Functional(inputs, outputs, name=model.name, trainable=model.trainable)


def _entrance(tensor: Any) -> KerasTensor:
    """A tensor as a model's input: an Input itself, a new one like any other tensor."""
    if not isinstance(tensor, KerasTensor):
        raise ValueError(f"`input_tensors` must be KerasTensors. Received invalid value: {tensor}")
    history = tensor._keras_history
    if history is not None and isinstance(history.operation, InputLayer):
        return tensor
    made: KerasTensor = Input(batch_shape=tensor.shape, dtype=tensor.dtype)
    return made


def _compiled(made: Model, model: Model) -> Model:
    if model.compiled:
        arguments = {k: map_leaves(_again, v) for k, v in model.compile_arguments.items()}
        made.compile(**{**arguments, "optimizer": _again(model.optimizer)})
    return made


def _again(x: Any) -> Any:
    """An optimizer, loss or metric like another, without its state; names and functions are themselves."""
    make = partial(type(x).from_config) if hasattr(x, "get_config") else None
    return x if make is None else make(saving.deserialize_keras_object(saving.serialize_keras_object(x.get_config())))
