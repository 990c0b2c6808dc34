"""The three ways of calling a layer: on KerasTensors (functional models), on nodes (a trace), on numbers (at once)."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.errors import DataError, GraphError, LaminaError
from lamina.graph.express import as_node, cast
from lamina.graph.node import TEXT, Graph, Node, label, leaf
from lamina.host.stage import fill
from lamina.layers import masks
from lamina.layers.arrays import is_array, kind_of, numbers
from lamina.layers.in_dataset import in_dataset, is_symbolic
from lamina.layers.paths import inside
from lamina.layers.spec import check_inputs
from lamina.layers.tensor import Call, History, KerasTensor
from lamina.lower.to_numpy import NumpyExecutable
from lamina.trace import Trace, current, mask_of
from lamina.tree import flatten, map_leaves, pack
from lamina.variables import Variable

if TYPE_CHECKING:
    from lamina.layers.layer import Layer
    from lamina.layers.operation import Operation

Arguments = tuple[tuple[Any, ...], dict[str, Any]]


def call(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What the layer makes of its arguments."""
    leaves = flatten([args, kwargs])
    if any(isinstance(x, KerasTensor) for x in leaves):
        return _in_model(layer, args, kwargs)
    if current() is not None or any(isinstance(x, Node) for x in leaves):
        return in_trace(layer, args, kwargs)
    if any(map(is_symbolic, leaves)):
        return in_dataset(layer, args, kwargs)
    return at_once(layer, args, kwargs)


def _in_model(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The layer's outputs as KerasTensors; masks are steps of the model."""
    if not kwargs and len(args) == 1 and isinstance(args[0], KerasTensor) and args[0].dtype == layer.dtype:
        kwargs = masks.for_call(call_parameters(type(layer).call), args, kwargs)  # where Keras records them, too
    first = _first(args, kwargs)
    before = masks.of_inputs(first, kwargs)
    tensors = on_tensors(layer, partial(in_trace, layer), args, _with_training(layer, dict(kwargs)))
    if layer.supports_masking:
        masks.pass_on(layer, first, before, tensors)
    return tensors


def on_tensors(
    operation: Operation, compute: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """The operation's outputs as KerasTensors; the call is recorded in it.

    Args:
        operation: a layer or another step of a functional model.
        compute: its outputs as nodes, of the same arguments with nodes in the places of KerasTensors.
        args, kwargs: what it was called on.
    """
    place: dict[int, Node] = {}

    def node_of(x: Any) -> Any:
        if not isinstance(x, KerasTensor):
            return x
        if id(x) not in place:
            place[id(x)] = leaf("input", x.shape, x.dtype, name=str(len(place)))
            masks.give([place[id(x)]], [node_of(x._keras_mask)])
        return place[id(x)]

    with Trace(training=None).active():
        outputs = compute(*map_leaves(node_of, (args, kwargs)))
    tensors = map_leaves(_tensor_like, outputs)
    record(operation, args, kwargs, tensors)
    return tensors


def _tensor_like(x: Any) -> KerasTensor:
    node = as_node(x)
    return KerasTensor(node.shape, node.dtype)


def record(operation: Operation, args: tuple[Any, ...], kwargs: dict[str, Any], tensors: Any) -> None:
    """Note a call of the operation, and in its outputs where they come from."""
    operation._inbound_nodes.append(Call(operation, args, kwargs, tensors))
    for index, tensor in enumerate(flatten(tensors)):
        tensor._keras_history = History(operation, len(operation._inbound_nodes) - 1, index)


def in_trace(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The layer's outputs as nodes; the layer is built first if need be."""
    trace = current()
    if trace is None:
        raise LaminaError(f"layer {layer.name!r} was called on a node outside a trace")
    parameters = call_parameters(type(layer).call)
    before, trace.training = trace.training, _training(layer, kwargs, trace.training, parameters)
    try:
        if "training" in parameters:
            kwargs = {**kwargs, "training": trace.training}
        with inside(layer), label(layer.name):
            _ready(layer, args, kwargs)
            if trace.masks:
                kwargs |= masks.for_call(parameters, args, kwargs)
            first = _first(args, kwargs)
            given = masks.of_inputs(first, kwargs)
            outputs = layer.call(*_autocast(layer, args), **kwargs)
            if outputs is None:
                raise GraphError(f"{type(layer).__name__}.call returned None; it must return its outputs")
            outputs = map_leaves(lambda x: as_node(x) if isinstance(x, Variable) else x, outputs)  # as it is now
            _penalise(layer, outputs, trace)
            layer._pass_on_masks(first, given, outputs)
        trace.calls.extend((layer.name, x) for x in flatten(outputs) if isinstance(x, Node))
        return outputs
    except Exception as error:
        if not isinstance(error, LaminaError):  # which says itself where it is
            given = ", ".join(str(tuple(x.shape)) for x in flatten((args, kwargs)) if isinstance(x, Node))
            error.add_note(f"in layer {layer.name!r}: {type(layer).__name__} of {given}")
        raise
    finally:
        trace.training = before


def _autocast(layer: Layer, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Floats of another width in the layer's own; a layer of indices has none."""
    if not (layer.autocast and layer.dtype.startswith("float")):
        return args

    def in_own_width(x: Any) -> Any:
        other = isinstance(x, Node) and x.dtype.startswith("float") and x.dtype != layer.dtype
        return masks.carried(x, cast(x, layer.dtype)) if other else x

    return tuple(map_leaves(in_own_width, args))


@cache
def call_parameters(function: Callable[..., Any]) -> dict[str, Any]:
    """The arguments of a layer's ``call`` (or ``build``) after self, with their defaults."""
    given = list(inspect.signature(function).parameters.values())[1:]
    return {p.name: p.default for p in given if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}


def _training(layer: Layer, kwargs: dict[str, Any], outer: bool | None, parameters: dict[str, Any]) -> bool | None:
    """Keras's order: the caller's word, then the layer around this one, then the default of ``call``."""
    said = kwargs.pop("training", None)
    if said is not None:
        return bool(said)
    if outer is not None:
        return outer
    default = parameters.get("training")
    return default if isinstance(default, bool) else None


def _with_training(layer: Layer, kwargs: dict[str, Any]) -> dict[str, Any]:
    """What a functional model keeps of a call: as in Keras's files, `training` where it is known before a run."""
    said = _training(layer, dict(kwargs), None, call_parameters(type(layer).call))
    return kwargs if said is None else {**kwargs, "training": said}


def _ready(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    first = _first(args, kwargs)
    inputs = [x for x in flatten(first) if hasattr(x, "shape")]
    if not layer.built:
        check_inputs(layer.input_spec, inputs, layer.name)
        layer._build(shapes_of(first), args, kwargs)
    check_inputs(layer.input_spec, inputs, layer.name)


def _first(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return args[0] if args else next(iter(kwargs.values()), [])


def shapes_of(x: Any) -> Any:
    """The shapes of the arrays in a structure."""
    return map_leaves(lambda part: tuple(getattr(part, "shape", ())), x)


def _penalise(layer: Layer, outputs: Any, trace: Trace) -> None:
    """Keras divides the penalty on a layer's outputs by the batch size."""
    if layer.activity_regularizer is None:
        return
    for output in map(as_node, flatten(outputs)):
        rows = output.shape[0] if output.shape[0] is not None else leaf("rows", (), output.dtype)
        trace.losses.append(layer.activity_regularizer(output) / rows)


def at_once(layer: Layer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The layer's outputs as arrays, computed by the NumPy target; assignments in ``call`` take effect."""
    arrays: dict[str, np.ndarray] = {}
    dtype, raw = layer._float_dtype(), layer._reads_raw()

    def node_of(x: Any) -> Any:
        if not is_array(x):
            return x
        array = np.asarray(x) if raw else numbers(x, dtype)
        name = str(len(arrays))
        arrays[name] = array
        node = leaf("input", array.shape, kind_of(array, dtype), name=name)
        masks.give([node], [node_of(mask_of(x))])
        return node

    _refuse_scalars(layer, args)
    trace = Trace(training=None)
    with trace.active():
        outputs = in_trace(layer, map_leaves(node_of, args), map_leaves(node_of, kwargs))
    made = list(map(as_node, flatten(outputs)))
    found = _computed(layer, trace, [*made, *map(trace.masks.get, made), *trace.losses], arrays)
    results, masked, layer._call_losses = found[: len(made)], found[len(made) : 2 * len(made)], found[2 * len(made) :]
    return pack(outputs, list(map(masks.with_mask, map(layer._result, results), masked)))


def _computed(layer: Layer, trace: Trace, nodes: list[Node | None], arrays: dict[str, np.ndarray]) -> list[Any]:
    """What the nodes of a layer's call are, None for None; the trace's updates take effect."""
    graph = Graph({str(i): x for i, x in enumerate(nodes) if x is not None}, trace.updates())
    if layer._reads_raw():
        read = [name for name, node in graph.inputs.items() if name in arrays and node.dtype != TEXT]
        fill(trace.hosted, arrays)
        arrays |= {name: numbers(arrays[name], layer._float_dtype()) for name in read}
    draw = layer._next_call() if trace.is_random else 0
    values = NumpyExecutable(graph).step(arrays, trace.state(), 0, draw)
    return [None if x is None else np.array(values[str(i)]) for i, x in enumerate(nodes)]


def _refuse_scalars(layer: Layer, args: tuple[Any, ...]) -> None:
    bad = [x for x in flatten(args[:1]) if not (is_array(x) or x is None)]
    if bad:
        raise DataError(
            f"Only input tensors may be passed as positional arguments. Layer {layer.name!r} got {bad[0]!r} "
            f"(of type {type(bad[0]).__name__}): give it a NumPy array"
        )
