"""Models → files for other programs: ``model.export``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from lamina.errors import LaminaError
from lamina.graph.express import as_node
from lamina.graph.node import TEXT, Graph, Node, leaf, walk
from lamina.layers.nested import flatten, is_nested, map_leaves, pack
from lamina.lower.exported import Exported, Given, Weight
from lamina.trace import Trace

OTHERS = ("openvino", "litert", "torch")  # formats of Keras's that need Keras


def export(
    model: Any, filepath: Any, format: str = "tf_saved_model", verbose: Any = None, input_signature: Any = None,
    opset_version: int | None = None,
) -> None:  # fmt: skip
    """Write a built model in a format of other programs; see ``Model.export``."""
    if format in OTHERS:
        raise LaminaError(f"format={format!r} is written by Keras alone: lamina.to_keras(model).export(…, {format!r})")
    if format not in FORMATS:
        raise ValueError(f"Unrecognized format={format}. Supported formats are: {list(FORMATS)}.")
    if not model.built:
        raise ValueError("The model provided has not yet been built. It must be built before export.")
    arguments = {} if opset_version is None else {"opset": opset_version}
    if arguments and format != "onnx":
        raise ValueError(f"`opset_version` is for format='onnx', not for {format!r}")
    FORMATS[format](read(model, input_signature), Path(filepath), **arguments)
    if verbose is None or verbose:
        sys.stdout.write(f"Saved artifact at '{filepath}'.\n")


def _saved_model(exported: Exported, path: Path) -> None:
    from lamina.lower.to_saved_model import to_saved_model

    to_saved_model(exported, path)


def _onnx(exported: Exported, path: Path, **arguments: Any) -> None:
    from lamina.lower.to_onnx import to_onnx

    path.write_bytes(to_onnx(exported, **arguments).SerializeToString())


FORMATS: dict[str, Callable[..., None]] = {"tf_saved_model": _saved_model, "onnx": _onnx}


def read(model: Any, input_signature: Any = None) -> Exported:
    """The prediction of a built model as a graph whose inputs and outputs have names.

    Raises:
        LaminaError: a prediction draws random numbers or changes a variable, which a file cannot.
    """
    inputs = _inputs(model, input_signature)
    trace = Trace(training=False)
    with trace.active():
        answer = model(map_leaves(lambda given: _leaf(given, model._float_dtype()), inputs), training=False)
        nodes = [as_node(x) for x in flatten(answer)]
    names = _output_names(answer)
    graph = Graph(dict(zip(names, nodes, strict=True)))
    _check(model, graph, trace)
    weights = {v.key: Weight(v.path, v.value, v.trainable) for v in trace.variables}
    if input_signature is None:
        inputs = _with_wide_ids(inputs, trace)
    return Exported(model.name, graph, weights, inputs, pack(answer, names), trace.hosted)


def _leaf(given: Given, dtype: str) -> Node:
    kind = dtype if given.dtype.startswith("float") else given.dtype if given.dtype == TEXT else "int32"
    return leaf("input", given.shape, kind, name=given.name)


def _with_wide_ids(inputs: Any, trace: Trace) -> Any:
    """Whole numbers that are looked up or hashed may be larger than those that the graph computes with."""
    read = {x.attrs["name"] for call in trace.hosted for x in walk(call.reads) if x.op == "input"}
    return map_leaves(lambda x: replace(x, dtype="int64") if x.name in read and x.dtype == "int32" else x, inputs)


def _output_names(answer: Any) -> list[str]:
    """Keras's names: the keys of a dictionary, else numbers."""
    keyed = isinstance(answer, dict) and not any(map(is_nested, answer.values()))
    return sorted(answer) if keyed else [f"output_{i}" for i in range(len(flatten(answer)))]


def _inputs(model: Any, signature: Any) -> Any:
    """A Given for each input, in the structure in which the model takes them; the batch is free in any case."""
    known = model._input_tensors()
    if signature is None:
        return map_leaves(lambda tensor: _given(tensor, tensor.name), known)
    parts, names = flatten(signature), [tensor.name for tensor in flatten(known)]
    if len(parts) != len(names):
        raise ValueError(f"`input_signature` has {len(parts)} input(s), the model takes {len(names)}: {names}")
    return pack(known, [_given(part, name) for part, name in zip(parts, names, strict=True)])


def _given(x: Any, name: str) -> Given:
    """From an InputSpec, a TensorSpec, a KerasTensor or an array."""
    named = getattr(x, "name", None) or name
    return Given(named, (None, *tuple(x.shape)[1:]), getattr(x.dtype, "name", None) or str(x.dtype or "float32"))


def _check(model: Any, graph: Graph, trace: Trace) -> None:
    drawn = [node for node in walk(graph.roots) if node.op == "random"]
    if drawn:
        where = drawn[0].label or "it"
        raise LaminaError(f"model {model.name!r} cannot be exported: {where} draws random numbers in a prediction")
    if trace.updates():
        raise LaminaError(f"model {model.name!r} cannot be exported: its predictions change a variable")
