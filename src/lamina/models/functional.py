"""Functional: a graph of layer calls from Inputs to outputs."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, Self

from lamina import saving
from lamina.graph.node import leaf
from lamina.layers.input_layer import InputLayer
from lamina.layers.layer import Layer
from lamina.layers.operation import Operation
from lamina.layers.tensor import Call, KerasTensor
from lamina.models.calls import call_of, from_inputs, ordered_calls, repeated
from lamina.models.inputs import shapes, standard_arrays, standard_nodes
from lamina.models.model import FUNCTIONAL_CONFIG, Model
from lamina.trace import Trace, current
from lamina.tree import flatten, map_leaves, pack


class Functional(Model):
    """What ``Model(inputs, outputs)`` makes; see there."""

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, trainable: bool = True, **kwargs: Any):
        super().__init__(name=name, trainable=trainable, **kwargs)
        tensors = _tensors(inputs, "inputs"), _tensors(outputs, "outputs")
        self._inputs_struct, self._outputs_struct = from_inputs(*tensors)
        self._order, self._operations = ordered_calls(self.inputs, self.outputs)
        self._layers = [operation for operation in self._operations if isinstance(operation, Layer)]
        _check_names(self._operations)
        self.built = True
        if self._reads_raw():
            self._check_host_stage()

    def _check_host_stage(self) -> None:
        """Refuse a model in which what the host must know first is computed in the graph."""
        nodes = [leaf("input", t.shape, t.dtype, name=str(i)) for i, t in enumerate(self.inputs)]
        with Trace().active():
            self.call(pack(self._inputs_struct, nodes))

    @property
    def inputs(self) -> list[KerasTensor]:
        """The inputs, in a list."""
        return flatten(self._inputs_struct)

    @property
    def outputs(self) -> list[KerasTensor]:
        """The outputs, in a list."""
        return flatten(self._outputs_struct)

    @property
    def input(self) -> Any:
        """The inputs, as they were given."""
        return self._inputs_struct

    @property
    def output(self) -> Any:
        """The outputs, as they were given."""
        return self._outputs_struct

    @property
    def input_shape(self) -> Any:
        """Shapes of the inputs."""
        return shapes(self.inputs)

    @property
    def output_shape(self) -> Any:
        """Shapes of the outputs."""
        return shapes(self.outputs)

    @property
    def output_names(self) -> list[str]:
        """The names of the layers that make the outputs."""
        return [tensor._keras_history.operation.name for tensor in self.outputs]  # type: ignore[union-attr]

    @property
    def layers(self) -> list[Layer]:
        """The layers in the order of computation, Inputs among them."""
        return list(self._layers)

    @property
    def operations(self) -> list[Operation]:
        """The layers and the functions between them, in the order of computation."""
        return list(self._operations)

    def build(self, input_shape: Any = None) -> None:
        """A functional model is built from the start."""

    def get_build_config(self) -> dict[str, Any]:
        """What Keras writes for a functional model."""
        return {"input_shape": None}

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Every layer call in turn."""
        nodes = standard_nodes(inputs, self._inputs_struct, mask)
        trace = current()
        decided = trace is not None and trace.training is not None  # else what a call was given counts

        def called(operation: Operation, *args: Any, training: Any = None, **kwargs: Any) -> Any:
            return operation(*args, **kwargs if decided or training is None else {**kwargs, "training": training})

        return repeated(self._order, self.inputs, nodes, called)(self._outputs_struct)

    def _output_names(self) -> list[str] | None:
        return self.output_names

    def _by_input(self, x: Any) -> Any:
        return {name: x[name] for name in x.columns} if hasattr(x, "columns") and len(self.inputs) > 1 else x

    def _input_tensors(self) -> Any:
        return self._inputs_struct

    def _standard_inputs(self, x: Any, dtype: str) -> tuple[Any, list[str]]:
        return standard_arrays(x, self._inputs_struct, dtype)

    # -- config

    def get_config(self) -> dict[str, Any]:
        """How the model is made: its layers as records, with the calls of each.

        A subclass with arguments of its own is made of those.
        """
        if not _takes_tensors(type(self)):
            return {name: value for name, value in super().get_config().items() if name not in ("inputs", "outputs")}
        place = {id(tensor): _place(tensor, self._order) for call in self._order for tensor in flatten(call.outputs)}
        return {
            "name": self.name,
            "trainable": self.trainable,
            "layers": [self._record(operation, place) for operation in self._operations],
            "input_layers": map_leaves(lambda t: place[id(t)], self._inputs_struct),
            "output_layers": map_leaves(lambda t: place[id(t)], self._outputs_struct),
        }

    def _record(self, operation: Operation, place: Mapping[int, list[Any]]) -> dict[str, Any]:
        def plain(x: Any) -> Any:
            if not isinstance(x, KerasTensor):
                return saving.serialize_keras_object(x)
            config = {"shape": tuple(x.shape), "dtype": x.dtype, "keras_history": place[id(x)]}
            return {"class_name": "__keras_tensor__", "config": config}

        calls = [] if isinstance(operation, InputLayer) else [c for c in operation._inbound_nodes if c in self._order]
        nodes = [
            {"args": tuple(map_leaves(plain, call.args)), "kwargs": map_leaves(plain, call.kwargs)} for call in calls
        ]
        return {**saving.serialize_keras_object(operation), "name": operation.name, "inbound_nodes": nodes}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> Self:
        """A model from what ``get_config`` returned."""
        if not set(config) >= FUNCTIONAL_CONFIG:
            return super().from_config(config, custom_objects)
        with saving.custom_object_scope(custom_objects):
            return _rebuilt(cls, config)


def _takes_tensors(cls: type) -> bool:
    """Whether a class is made of inputs and outputs, as Functional is, or of arguments of its own."""
    parameters = inspect.signature(cls.__init__).parameters  # type: ignore[misc]
    return "inputs" in parameters or any(p.kind is p.VAR_POSITIONAL for p in parameters.values())


def _tensors(x: Any, what: str) -> Any:
    for tensor in flatten(x):
        if not isinstance(tensor, KerasTensor) or tensor._keras_history is None:
            raise ValueError(
                f"All `{what}` values must be KerasTensors. Received: {what}={x} including invalid value {tensor}"
            )
    return map_leaves(lambda tensor: tensor, x)


def _check_names(layers: Iterable[Operation]) -> None:
    names = [layer.name for layer in layers]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(
                f'The name "{name}" is used {names.count(name)} times in the model. '
                "All operation names should be unique."
            )


def _place(tensor: KerasTensor, order: list[Call]) -> list[Any]:
    """[layer, number of its call among those of this model, number of the output]."""
    history = tensor._keras_history
    assert history is not None
    calls = [call for call in history.operation._inbound_nodes if call in order]
    return [history.operation.name, calls.index(call_of(tensor)), history.tensor_index]


def _rebuilt(cls: Any, config: Mapping[str, Any]) -> Any:
    layers: dict[str, Operation] = {}
    waiting: list[tuple[Operation, int, Mapping[str, Any]]] = []
    for record in config["layers"]:
        layer = saving.deserialize_keras_object({k: v for k, v in record.items() if k not in ("name", "inbound_nodes")})
        layers[record["name"]] = layer
        waiting.extend((layer, i, node) for i, node in enumerate(record["inbound_nodes"]))
    made = {(name, 0): layer._inbound_nodes[0] for name, layer in layers.items() if isinstance(layer, InputLayer)}
    _call_all(layers, waiting, made)

    def tensor(place: Any) -> Any:
        return flatten(made[place[0], place[1]].outputs)[place[2]]

    inputs, outputs = (_map_places(tensor, config[name]) for name in ("input_layers", "output_layers"))
    return cls(inputs, outputs, name=config.get("name"), trainable=config.get("trainable", True))


def _map_places(tensor: Any, x: Any) -> Any:
    """The structure with each [layer, call, output] replaced by its tensor."""
    if isinstance(x, dict):
        return {key: _map_places(tensor, part) for key, part in x.items()}
    if not isinstance(x, list | tuple):
        raise ValueError(f"an input or output is [layer, call, output], got {x!r}")
    if len(x) == 3 and isinstance(x[0], str):
        return tensor(x)
    return [_map_places(tensor, part) for part in x]


def _call_all(layers: Mapping[str, Operation], waiting: list[Any], made: dict[tuple[str, int], Call]) -> None:
    """Repeat the recorded calls, each as soon as the calls that it needs are done."""
    while waiting:
        later = []
        for layer, index, node in waiting:
            needed = [(t[0], t[1]) for t in _histories(node)]
            if any(key not in made for key in needed) or (index and (layer.name, index - 1) not in made):
                later.append((layer, index, node))
                continue
            given = _filled(node.get("kwargs", {}), made)
            layer(*_filled(node["args"], made), **{k: v for k, v in given.items() if v is not None})  # "mask": null
            made[layer.name, index] = layer._inbound_nodes[-1]
        if len(later) == len(waiting):
            raise ValueError(f"the calls of layer {later[0][0].name!r} need outputs that no layer of the model makes")
        waiting = later


def _is_tensor_record(x: Any) -> bool:
    return isinstance(x, dict) and x.get("class_name") == "__keras_tensor__"


def _histories(x: Any) -> list[Any]:
    if _is_tensor_record(x):
        return [x["config"]["keras_history"]]
    parts = x.values() if isinstance(x, dict) else x if isinstance(x, list | tuple) else ()
    return [history for part in parts for history in _histories(part)]


def _filled(x: Any, made: Mapping[tuple[str, int], Call]) -> Any:
    if _is_tensor_record(x):
        name, call, output = x["config"]["keras_history"]
        return flatten(made[name, call].outputs)[output]
    if isinstance(x, dict) and "class_name" not in x:
        return {key: _filled(part, made) for key, part in x.items()}
    return [_filled(part, made) for part in x] if isinstance(x, list | tuple) else saving.deserialize_keras_object(x)
