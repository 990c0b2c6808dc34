"""What a drawn case is made of: plain descriptions, from which each library makes its own objects."""

from __future__ import annotations

import importlib
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import lamina


@dataclass(frozen=True)
class Part:
    """An object of a module (``"layers"``, ``"optimizers.schedules"``), by its class's name and its arguments."""

    module: str
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    adapts: bool = False  # whether it is a layer that learns from its input's data before training


@dataclass(frozen=True)
class Node:
    """A call: of a new layer, or of an earlier node's once more."""

    layer: Part | int
    inputs: tuple[int, ...]


@dataclass(frozen=True)
class Entry:
    """An input of the model: its shape without the batch, its dtype, its data (rows, …)."""

    shape: tuple[int, ...]
    dtype: str
    data: np.ndarray


@dataclass
class Head:
    """An output: which node it is, and what it is trained for."""

    node: int
    y: np.ndarray
    loss: Any
    metrics: list[Any] = field(default_factory=list)
    weighted_metrics: list[Any] = field(default_factory=list)
    loss_weight: float = 1.0


@dataclass(frozen=True)
class Alone:
    """A metric without a model, and the arguments of each update of it, weights last."""

    metric: Part
    updates: list[tuple[Any, ...]]


@dataclass
class Case:
    """One drawn case.

    Attributes:
        name: ``"seed:index"``, from which it can be drawn again.
        nodes: entries and calls, in the order in which they are made; a node's number is its place.
        sequential: whether the calls are one chain, made as a Sequential.
        heads: the outputs.
        form: whether several outputs are spoken of in ``"lists"`` or ``"dictionaries"``.
        optimizer: how it is trained.
        fit: arguments of ``fit`` besides the data.
        alone: a metric beside the model.
        eager: whether Keras runs its steps one operation after the other, or as a traced graph.
        trains: false where noise makes two trainings differ; then only answers, configs and files are compared.
    """

    name: str
    nodes: list[Entry | Node] = field(default_factory=list)
    sequential: bool = True
    heads: list[Head] = field(default_factory=list)
    form: str = "lists"
    optimizer: Any = None
    fit: dict[str, Any] = field(default_factory=dict)
    trains: bool = True
    eager: bool = True
    weight_seed: int = 0
    alone: Alone | None = None

    @property
    def entries(self) -> list[Entry]:
        """The inputs in order."""
        return [node for node in self.nodes if isinstance(node, Entry)]

    def parts(self) -> Iterator[Part]:
        """Everything that the case is made of."""
        yield from _parts([node.layer for node in self.nodes if isinstance(node, Node)])
        yield from _parts([[h.loss, h.metrics, h.weighted_metrics] for h in self.heads])
        yield from _parts([self.optimizer, *([self.alone.metric] if self.alone else [])])


def _parts(x: Any) -> Iterator[Part]:
    if isinstance(x, Part):
        yield x
        yield from _parts(x.arguments)
    elif isinstance(x, list | tuple):
        for part in x:
            yield from _parts(part)
    elif isinstance(x, dict):
        yield from _parts(list(x.values()))
    elif is_made(x):
        yield Part("", type(x).__name__)


def is_made(x: Any) -> bool:
    """Whether a table holds an object of Lamina itself."""
    return hasattr(x, "get_config") and not isinstance(x, type)


def native(k: Any, x: Any) -> Any:
    """The value for the library k: descriptions become objects, objects of Lamina their twins."""
    if isinstance(x, Part):
        module = importlib.import_module(f"{k.__name__}.{x.module}")
        return getattr(module, x.name)(**native(k, x.arguments))
    if isinstance(x, dict):
        return {key: native(k, value) for key, value in x.items()}
    if isinstance(x, list | tuple):
        return type(x)(native(k, part) for part in x)
    if isinstance(x, types.FunctionType):  # of the table of layers: what makes an argument in a library
        return x(k, {})
    if is_made(x):
        return k.saving.deserialize_keras_object(lamina.saving.serialize_keras_object(x))
    return x


def model_of(k: Any, case: Case) -> Any:
    """The case's model in the library k."""
    tensors: list[Any] = []
    layers: dict[int, Any] = {}
    for index, node in enumerate(case.nodes):
        if isinstance(node, Entry):
            tensors.append(k.Input(node.shape, dtype=node.dtype, name=f"in{index}"))
            continue
        layers[index] = layers[node.layer] if isinstance(node.layer, int) else native(k, node.layer)
        given = [tensors[i] for i in node.inputs]
        if isinstance(node.layer, Part) and node.layer.adapts:
            layers[index].adapt(case.nodes[node.inputs[0]].data)
        tensors.append(None if case.sequential else layers[index](given if len(given) > 1 else given[0]))
    if case.sequential:
        return k.Sequential([tensors[0], *layers.values()])
    inputs: Any = [x for x, node in zip(tensors, case.nodes, strict=True) if isinstance(node, Entry)]
    outputs: Any = [tensors[head.node] for head in case.heads]
    if case.form == "dictionaries":
        inputs = dict(zip(entry_names(case), inputs, strict=True))
        outputs = dict(zip(names(case), outputs, strict=True))
    else:
        inputs, outputs = (x if len(x) > 1 else x[0] for x in (inputs, outputs))
    return k.Model(inputs, outputs, name="whole")  # a Sequential inside takes the name "functional" in Keras


def names(case: Case) -> list[str]:
    """The outputs' names."""
    return [f"out{i}" for i in range(len(case.heads))]


def entry_names(case: Case) -> list[str]:
    """The inputs' names."""
    return [f"in{i}" for i, node in enumerate(case.nodes) if isinstance(node, Entry)]


def structured(case: Case, values: list[Any]) -> Any:
    """A value for each output, as `compile` and `fit` take them."""
    if len(values) == 1 and case.form != "dictionaries":
        return values[0]
    return dict(zip(names(case), values, strict=True)) if case.form == "dictionaries" else values


def inputs_of(k: Any, case: Case, floatx: str = "float32") -> Any:
    """The data of all inputs; Keras takes words as TensorFlow's tensors only, and then all arrays."""
    arrays: list[Any] = [e.data.astype(floatx) if e.data.dtype.kind == "f" else e.data for e in case.entries]
    if k is keras and any(a.dtype.kind == "U" for a in arrays):
        arrays = [tf.constant(a) for a in arrays]
    if case.form == "dictionaries":
        return dict(zip(entry_names(case), arrays, strict=True))
    return arrays if len(arrays) > 1 else arrays[0]


def compile_arguments(k: Any, case: Case) -> dict[str, Any]:
    """What `compile` is given."""
    heads = case.heads
    given: dict[str, Any] = {
        "optimizer": native(k, case.optimizer),
        "loss": structured(case, [native(k, h.loss) for h in heads]),
    }
    for kind in ("metrics", "weighted_metrics"):
        lists = [native(k, getattr(h, kind)) for h in heads]
        if any(lists):
            given[kind] = structured(case, lists)
    if len(heads) > 1 and any(h.loss_weight != 1.0 for h in heads):
        given["loss_weights"] = structured(case, [h.loss_weight for h in heads])
    return given
