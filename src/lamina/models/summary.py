"""The table that ``Model.summary`` prints."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.layers.layer import Layer
from lamina.layers.operation import Operation
from lamina.layers.tensor import KerasTensor
from lamina.tree import flatten

if TYPE_CHECKING:
    from lamina.models.model import Model

# (header, alignment), with the share of the width where each column ends
PLAIN = ([("Layer (type)", "left"), ("Output Shape", "left"), ("Param #", "right")], [0.45, 0.80, 1.0], 88)
BRANCHED = ([*PLAIN[0], ("Connected to", "left")], [0.3, 0.56, 0.74, 1.0], 108)
UNITS = ("B", "KB", "MB", "GB", "TB")


def print_summary(
    model: Model,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> None:
    """Print a model's layers and sizes; see ``Model.summary``."""
    from rich.console import Console
    from rich.table import Column, Table

    branched = _branched(model)
    columns, ends, width = BRANCHED if branched else PLAIN
    ends = list(positions or ends)
    if show_trainable:
        columns, ends, width = [*columns, ("Trainable", "center")], [0.9 * end for end in ends] + [1.0], width + 12
    length = line_length or min(width, shutil.get_terminal_size().columns - 4)
    stops = [int(end * length) for end in ends]
    widths = [b - a for a, b in zip([0, *stops], stops, strict=False)]
    if len(widths) < len(columns):
        raise ValueError(f"positions={positions} must say where each of {[name for name, _ in columns]} ends")
    if min(widths) < 4:
        raise ValueError("Insufficient console width to print summary.")
    heads = [Column(name, justify=side, width=w) for (name, side), w in zip(columns, widths, strict=False)]  # type: ignore[arg-type]
    table = Table(*heads, width=length, show_lines=True)
    for layer, depth in _listed(model, expand_nested, layer_range):
        table.add_row(*_row(layer, depth, model if branched else None, show_trainable))
    console = Console(highlight=False, **({"force_terminal": False, "color_system": None} if print_fn else {}))  # type: ignore[arg-type]
    with console.capture() as captured:
        console.print(f'[bold]Model: "{_escaped(model.name)}"[/]', table, *totals(model), sep="\n")
    if print_fn:
        print_fn(captured.get())
    else:
        console.out(captured.get().rstrip("\n"))


def _branched(model: Model) -> bool:
    """Whether a layer has several inputs, several layers follow one, or a layer is used twice."""
    calls = getattr(model, "_order", [])
    sources = [id(x) for call in calls for x in call.inputs]
    several = any(len(call.inputs) > 1 for call in calls)
    return several or len(set(sources)) < len(sources) or len({c.operation for c in calls}) < len(calls)


def _listed(model: Model, nested: bool, between: Sequence[str] | None) -> Iterator[tuple[Operation, int]]:
    layers = getattr(model, "operations", model.layers)
    for layer in layers[_range(layers, between)]:
        yield layer, 0
        if nested:
            yield from ((inner, depth + 1) for inner, depth in _inner(layer))


def _inner(layer: Operation) -> Iterator[tuple[Operation, int]]:
    for inner in getattr(layer, "layers", ()):
        yield inner, 0
        yield from ((x, depth + 1) for x, depth in _inner(inner))


def _range(layers: Sequence[Operation], between: Sequence[str] | None) -> slice:
    if between is None:
        return slice(None)
    if len(between) != 2:
        raise ValueError(f"layer_range must be a list or tuple of length 2. Received: layer_range = {between}")
    first, last = ([i for i, x in enumerate(layers) if re.fullmatch(name, x.name)] for name in between)
    if not first or not last:
        raise ValueError(f"Passed layer_names do not match the layer names in the model. Received: {between}")
    return slice(min(first[0], last[-1]), max(first[0], last[-1]) + 1)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _row(layer: Operation, depth: int, branched: Model | None, trainable: bool) -> list[str]:
    indent = "   " * depth + "└ " if depth else ""
    name = _escaped(f"{indent}{layer.name}") + f" ([color(33)]{_escaped(type(layer).__name__)}[/])"
    row = [name, _output_shape(layer), _params(layer)]
    if branched is not None:
        row.append(_connections(layer, branched) or "-")
    if trainable:
        row.append(f"[bold]{_trains(layer)}[/]")
    return row


def _trains(layer: Operation) -> str:
    if not isinstance(layer, Layer) or not layer.weights:
        return "-"
    return "Y" if layer.trainable else "N"


def _params(layer: Operation) -> str:
    if not isinstance(layer, Layer):
        return _colored("0")
    return _colored(f"{layer.count_params():,}") if layer.built else f"{_colored('0')} (unbuilt)"


def _colored(text: str) -> str:
    return f"[color(34)]{text}[/]"


def _output_shape(layer: Operation) -> str:
    tensors = _outputs(layer)
    if not tensors:
        return "?"
    shapes = [
        "(" + ", ".join(f"[color({45 if size is None else 34})]{size}[/]" for size in tensor.shape) + ")"
        for tensor in tensors
    ]
    return shapes[0] if len(shapes) == 1 else "[" + ", ".join(shapes) + "]"


def _outputs(layer: Operation) -> list[KerasTensor]:
    """What the layer puts out: in a graph of layers as recorded, else for the shapes it was built with."""
    if layer._inbound_nodes:
        return flatten(layer._inbound_nodes[-1].outputs)
    if not isinstance(layer, Layer) or len(layer._build_shapes) != 1:
        return []
    shape = layer.compute_output_shape(*layer._build_shapes.values())
    return [KerasTensor(shape)] if isinstance(shape, tuple) else []


def _connections(layer: Operation, model: Any) -> str:
    calls = [call for call in layer._inbound_nodes if call in model._order]
    sources = [h for call in calls for x in call.inputs if (h := x._keras_history) is not None]
    return ", ".join(
        f"{h.operation.name}[{_colored(str(h.node_index))}][{_colored(str(h.tensor_index))}]" for h in sources
    )


def totals(model: Model) -> list[str]:
    """How many numbers the model holds, in all, trainable and not, and in its optimizer."""
    optimizer = model.optimizer.variables if model.compiled and model.optimizer.built else []
    parts = [
        ("Total", [*model.weights, *optimizer]),
        ("Trainable", model.trainable_weights),
        ("Non-trainable", model.non_trainable_weights),
    ]
    parts += [("Optimizer", optimizer)] if optimizer else []
    return [f"[bold] {name} params: [/]{_colored(f'{_count(vs):,}')} ({_bytes(vs)})" for name, vs in parts]


def _count(variables: Sequence[Any]) -> int:
    return sum(prod(v.shape) for v in variables)


def _bytes(variables: Sequence[Any]) -> str:
    size = float(sum(prod(v.shape) * np.dtype(v.dtype).itemsize for v in variables))
    for unit in UNITS[:-1]:
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} {UNITS[-1]}"
