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
from lamina.lower.exported import Exported, Given, Weight
from lamina.saving.archive import replacing
from lamina.trace import Trace
from lamina.tree import flatten, is_nested, map_leaves, pack
from lamina.variables import Variable

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
    say_saved(filepath, verbose)


def say_saved(filepath: Any, verbose: Any) -> None:
    """Keras's line, unless ``verbose`` says no."""
    if verbose is None or verbose:
        sys.stdout.write(f"Saved artifact at '{filepath}'.\n")


def _saved_model(exported: Exported, path: Path) -> None:
    from lamina.lower.to_saved_model import to_saved_model

    to_saved_model({"serve": exported}, path)


def _onnx(exported: Exported, path: Path, **arguments: Any) -> None:
    from lamina.lower.to_onnx import to_onnx

    text = to_onnx(exported, **arguments).SerializeToString()
    with replacing(path) as file:
        file.write(text)


FORMATS: dict[str, Callable[..., None]] = {"tf_saved_model": _saved_model, "onnx": _onnx}


def read(model: Any, input_signature: Any = None) -> Exported:
    """The prediction of a built model as a graph whose inputs and outputs have names; see ``read_function``."""
    inputs = _inputs(model, input_signature)
    exported = read_function(model, [inputs], model.name, model._float_dtype())
    return exported if input_signature is not None else replace(exported, inputs=_with_wide_ids(exported))


def read_function(function: Callable[..., Any], inputs: list[Any], name: str, dtype: str) -> Exported:
    """What a function of nodes computes while nothing trains.

    Args:
        function: a model, a layer, or a function that is written with ``lamina.ops``.
        inputs: for each argument a structure of Given.
        name: of the function, for messages and the file.
        dtype: the float type in which it computes.

    Raises:
        LaminaError: it draws random numbers or changes a variable, which a file cannot.
    """
    trace = Trace(training=False)
    with trace.active():
        answer = function(*map_leaves(lambda given: _leaf(given, dtype), inputs))
        nodes = [as_node(x) for x in flatten(answer)]
    names = _output_names(answer)
    graph = Graph(dict(zip(names, nodes, strict=True)))
    _check(name, graph, trace)
    weights = {v.key: weight_of(v, trace.window(v).dtype) for v in trace.variables}
    return Exported(name, graph, weights, inputs, pack(answer, names), trace.hosted)


def weight_of(variable: Variable, dtype: str) -> Weight:
    """A variable as it is now."""
    return Weight(variable.path, variable.value.astype(dtype), variable.trainable)


def _leaf(given: Given, dtype: str) -> Node:
    kind = dtype if given.dtype.startswith("float") else given.dtype if given.dtype == TEXT else "int32"
    return leaf("input", given.shape, kind, name=given.name)


def _with_wide_ids(exported: Exported) -> Any:
    """Whole numbers that are looked up or hashed may be larger than those that the graph computes with."""
    ids = {x.attrs["name"] for call in exported.hosted for x in walk(call.reads) if x.op == "input"}

    def wide(given: Given) -> Given:
        return replace(given, dtype="int64") if given.name in ids and given.dtype == "int32" else given

    return map_leaves(wide, exported.inputs)


def _output_names(answer: Any) -> list[str]:
    """Keras's names: the keys of a dictionary, else numbers."""
    keyed = isinstance(answer, dict) and not any(map(is_nested, answer.values()))
    return sorted(answer) if keyed else [f"output_{i}" for i in range(len(flatten(answer)))]


def _inputs(model: Any, signature: Any) -> Any:
    """A Given for each input, in the structure in which the model takes them; the batch is free in any case."""
    known = model._input_tensors()
    if signature is None:
        return map_leaves(lambda tensor: given_of(tensor, tensor.name), known)
    parts, names = flatten(signature), [tensor.name for tensor in flatten(known)]
    if len(parts) != len(names):
        raise ValueError(f"`input_signature` has {len(parts)} input(s), the model takes {len(names)}: {names}")
    return pack(known, [given_of(part, name) for part, name in zip(parts, names, strict=True)])


def given_of(x: Any, name: str) -> Given:
    """From an InputSpec, a TensorSpec, a KerasTensor or an array."""
    named = getattr(x, "name", None) or name
    if x.shape is None:
        raise ValueError(f"`input_signature` does not say the shape of input {named!r}: InputSpec(shape=(None, …))")
    return Given(named, (None, *tuple(x.shape)[1:]), getattr(x.dtype, "name", None) or str(x.dtype or "float32"))


def _check(name: str, graph: Graph, trace: Trace) -> None:
    drawn = [node for node in walk(graph.roots) if node.op == "random"]
    if drawn:
        where = drawn[0].label or "it"
        raise LaminaError(f"{name!r} cannot be exported: {where} draws random numbers in a prediction")
    if trace.updates():
        raise LaminaError(f"{name!r} cannot be exported: its predictions change a variable")
