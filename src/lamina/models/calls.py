"""The calls between a functional model's inputs and outputs: which there are, their order, and doing them again."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from typing import Any

from lamina.errors import LaminaError
from lamina.layers.input_layer import Input, InputLayer
from lamina.layers.operation import Operation
from lamina.layers.tensor import Call, KerasTensor
from lamina.tree import flatten, map_leaves


def apply(operation: Operation, *args: Any, **kwargs: Any) -> Any:
    """The operation's outputs."""
    return operation(*args, **kwargs)


def from_inputs(inputs: Any, outputs: Any) -> tuple[Any, Any]:
    """The same inputs and outputs, but where an input is computed by layers, a new Input takes its place.

    So a model may begin in the middle of another one; the layers after that are called once more, on the new Input.
    """
    given = flatten(inputs)
    new = [x if is_input(call_of(x)) else Input(batch_shape=x.shape, dtype=x.dtype) for x in given]
    same = all(x is y for x, y in zip(given, new, strict=True))
    after = [] if same else _walk(flatten(outputs), set(map(id, given)))[0]
    value = repeated(after, given, new)
    return value(inputs), value(outputs)


def repeated(
    calls: Iterable[Call], old: Iterable[KerasTensor], new: Iterable[Any], call: Callable[..., Any] = apply
) -> Callable[[Any], Any]:
    """Do calls again on other things.

    Args:
        calls: in an order in which each finds its inputs.
        old: the tensors at their begin.
        new: what takes the places of these.
        call: takes an operation and its arguments.

    Returns:
        What a structure of tensors has become.
    """
    found = dict(zip(map(id, old), new, strict=True))

    def value(structure: Any) -> Any:
        return map_leaves(lambda x: found.get(id(x), x) if isinstance(x, KerasTensor) else x, structure)

    for done in calls:
        if not is_input(done):
            outputs = call(done.operation, *value(done.args), **value(done.kwargs))
            found.update(zip(map(id, flatten(done.outputs)), flatten(outputs), strict=True))
    return value


def is_input(call: Call) -> bool:
    """Whether it is of an Input, where data enter."""
    return isinstance(call.operation, InputLayer)


def call_of(tensor: KerasTensor) -> Call:
    """The call that made a tensor."""
    history = tensor._keras_history
    assert history is not None
    return history.operation._inbound_nodes[history.node_index]


def _parents(call: Call, known: Container[int] = ()) -> list[Call]:
    """The calls that a call needs; not those of the tensors whose ids are known."""
    return [call_of(x) for x in call.inputs if id(x) not in known]


def ordered_calls(inputs: list[KerasTensor], outputs: list[KerasTensor]) -> tuple[list[Call], list[Operation]]:
    """The calls between inputs and outputs by falling distance from the outputs, and their layers.

    At equal distance Keras takes calls as it reaches them from the outputs (moving averages of a layer that is called
    twice depend on it), and layers as they were first met.

    Raises:
        LaminaError: an output needs an Input that is not among the inputs.
    """
    visited, first_seen = _walk(outputs)
    depth = _depths(visited)
    for call in map(call_of, inputs):
        if call not in depth:
            depth[call] = 0
            first_seen.setdefault(call.operation, -1)
    given = set(map(call_of, inputs))
    for call in depth:
        if is_input(call) and call not in given:
            raise LaminaError(
                f"Graph disconnected: the outputs need the Input {call.operation.name!r}, which is not in inputs"
            )
    by_layer = sorted(depth, key=lambda call: (-depth[call], first_seen[call.operation]))
    return sorted(depth, key=lambda call: -depth[call]), list(dict.fromkeys(call.operation for call in by_layer))


def _walk(outputs: list[KerasTensor], known: Container[int] = ()) -> tuple[list[Call], dict[Operation, int]]:
    """The calls that the outputs need, inputs first, and when each layer was first met on the way down."""
    done: dict[Call, None] = {}
    first_seen: dict[Operation, int] = {}
    for output in outputs:
        stack = [(call_of(output), False)] if id(output) not in known else []
        while stack:
            call, finished = stack.pop()
            if finished:
                done[call] = None
            elif call not in done:
                first_seen.setdefault(call.operation, len(first_seen))
                stack.append((call, True))
                stack.extend((parent, False) for parent in reversed(_parents(call, known)) if parent not in done)
    return list(done), first_seen


def _depths(visited: list[Call]) -> dict[Call, int]:
    """The greatest number of calls between each call and the outputs; all calls of a layer have its greatest."""
    of_call: dict[Call, int] = {}
    of_layer: dict[Operation, int] = {}
    for call in reversed(visited):
        depth = max(of_call.setdefault(call, 0), of_layer.get(call.operation, 0))
        of_call[call] = of_layer[call.operation] = depth
        for parent in _parents(call):
            of_call[parent] = max(depth + 1, of_call.get(parent, 0))
    return of_call
