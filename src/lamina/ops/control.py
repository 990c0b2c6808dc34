"""Functions of ``lamina.ops`` that take functions: choices and loops, of arrays at once and written out in a graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from lamina.errors import GraphError, ShapeError
from lamina.graph.node import Node
from lamina.ops.dispatch import Array
from lamina.ops.elementwise import clip, equal, logical_and, where
from lamina.ops.structure import flip, stack, unstack
from lamina.ops.tensors import convert_to_tensor
from lamina.trace import current
from lamina.tree import flatten, map_leaves, pack


def _chosen(condition: Array, yes: Any, no: Any) -> Any:
    """The one structure where the condition holds, else the other."""
    return pack(yes, [where(condition, a, b) for a, b in zip(flatten(yes), flatten(no), strict=True)])


def cond(pred: Array, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """What the one or the other function returns; in a graph both are computed and one is chosen.

    Args:
        pred: one truth value.
        true_fn, false_fn: functions without arguments, of the same structure and shapes.

    Example:
        >>> int(cond(np.array(3) > 2, lambda: 1, lambda: 0))
        1
    """
    if isinstance(pred, Node):
        return _chosen(pred, true_fn(), false_fn())
    return true_fn() if pred else false_fn()


def switch(index: Array, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """What the function at an index returns; in a graph all are computed and one is chosen.

    Args:
        index: a whole number; one outside takes the first or the last.
        branches: functions of the operands, of the same structure and shapes.
        operands: their arguments.
    """
    last = len(branches) - 1
    if not isinstance(index, Node):
        return branches[int(np.clip(index, 0, last))](*operands)
    at = clip(index, 0, last)
    made = [branch(*operands) for branch in branches]
    return reduce(lambda found, i: _chosen(equal(at, i), made[i], found), range(1, last + 1), made[0])


def fori_loop(lower: Any, upper: Any, body_fun: Callable[[int, Any], Any], init_val: Any) -> Any:
    """``body_fun(i, value)`` for each i from ``lower`` to before ``upper``.

    Args:
        lower, upper: whole numbers, known while a graph is built.
        body_fun: gives the next value.
        init_val: the first one.

    Example:
        >>> int(fori_loop(0, 4, lambda i, total: total + i, 0))
        6
    """
    if isinstance(lower, Node) or isinstance(upper, Node):
        raise GraphError("in a graph fori_loop needs bounds that are known while the graph is built")
    return reduce(lambda value, i: body_fun(i, value), range(int(lower), int(upper)), init_val)


def while_loop(
    cond: Callable[..., Array], body: Callable[..., Any], loop_vars: Any, maximum_iterations: int | None = None
) -> Any:
    """``body`` again and again while ``cond`` holds.

    Args:
        cond: a truth value from the loop's variables.
        body: the next variables from the present ones.
        loop_vars: the first ones: a tuple, a list, or one alone.
        maximum_iterations: most rounds; a graph whose condition depends on its numbers needs it, and computes them all.

    Example:
        >>> [int(x) for x in while_loop(lambda i, x: x < 100, lambda i, x: (i + 1, x * 2), (0, 1))]
        [7, 128]
    """
    several = isinstance(loop_vars, list | tuple)
    values = tuple(loop_vars) if several else (loop_vars,)
    rounds = 0
    while maximum_iterations is None or rounds < maximum_iterations:
        holds = cond(*values)
        if isinstance(holds, Node):
            return _masked_loop(cond, body, values, (maximum_iterations or 0) - rounds, several)
        if not holds:
            break
        values, rounds = _tuple(body(*values)), rounds + 1
    return values if several else values[0]


def _tuple(x: Any) -> tuple[Any, ...]:
    return tuple(x) if isinstance(x, list | tuple) else (x,)


def _masked_loop(cond: Any, body: Any, values: tuple[Any, ...], rounds: int, several: bool) -> Any:
    """Every round is computed; its values are kept as long as the condition has held."""
    if rounds <= 0:
        raise GraphError("in a graph while_loop needs maximum_iterations: its length cannot depend on numbers")
    going: Any = True
    for _ in range(rounds):
        going = logical_and(going, cond(*values))
        values = _chosen(going, _tuple(body(*values)), values)
    return values if several else values[0]


def _slices(xs: Any, length: int | None = None) -> list[Any]:
    """The structures of the slices along the first axes."""
    leaves = [unstack(convert_to_tensor(x)) for x in flatten(xs)]
    count = len(leaves[0]) if leaves else length
    if count is None or any(len(parts) != count for parts in leaves):
        raise ShapeError(f"the arrays need one number of slices, got {[len(parts) for parts in leaves]}")
    return [pack(xs, [parts[i] for parts in leaves]) if leaves else None for i in range(count)]


def _stacked(parts: list[Any]) -> Any:
    columns = zip(*(flatten(part) for part in parts), strict=True)
    return pack(parts[0], [stack([convert_to_tensor(x) for x in column]) for column in columns])


def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """``f`` of each slice along the first axis, whose size is fixed, stacked.

    Example:
        >>> map(lambda row: row * 2, np.arange(3)).tolist()
        [0, 2, 4]
    """
    return _stacked([f(x) for x in _slices(xs)])


def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """The same as ``map``."""
    return map(function, elements)


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]], init: Any, xs: Any = None, length: int | None = None,
    reverse: bool = False, unroll: int = 1,
) -> tuple[Any, Any]:  # fmt: skip
    """``carry, y = f(carry, x)`` for each slice x along the first axis; the last carry and the stacked y.

    Args:
        f: the step.
        init: the first carry.
        xs: what is gone through; None for ``length`` steps without.
        length: the number of steps, if xs does not say.
        reverse: whether from the last slice to the first.
        unroll: taken for Keras's sake.

    Example:
        >>> total, sums = scan(lambda c, x: (c + x, c + x), 0, np.arange(4))
        >>> int(total), sums.tolist()
        (6, [0, 1, 3, 6])
    """
    parts = [None] * (length or 0) if xs is None else _slices(xs, length)
    carry, made = init, []
    for x in reversed(parts) if reverse else parts:
        carry, y = f(carry, x)
        made.append(y)
    made = made[::-1] if reverse else made
    return carry, None if made[0] is None else _stacked(made)


def associative_scan(f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """Running results of an associative function of two along an axis.

    Args:
        f: gives one structure of two.
        elems: arrays, with the axis of one fixed size.
        reverse: whether from the end.
        axis: which.
    """
    turned = map_leaves(lambda x: flip(x, axis), elems) if reverse else elems
    leaves = [unstack(convert_to_tensor(x), axis=axis) for x in flatten(turned)]
    steps = [pack(elems, list(parts)) for parts in zip(*leaves, strict=True)]
    made = [steps[0]]
    for step in steps[1:]:
        made.append(f(made[-1], step))
    columns = zip(*(flatten(part) for part in made), strict=True)
    joined = pack(elems, [stack(list(column), axis) for column in columns])
    return map_leaves(lambda x: flip(x, axis), joined) if reverse else joined


def vectorize(pyfunc: Callable[..., Any], *, excluded: Any = None, signature: str | None = None) -> Callable[..., Any]:
    """NumPy's ``vectorize``: a function of numbers applied to each element of arrays."""
    return np.vectorize(pyfunc, excluded=excluded, signature=signature)


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function that returns (value, gradient function); on arrays its value.

    Raises:
        GraphError: in a graph, whose gradients are those of its equations alone.
    """

    def value(*args: Any, **kwargs: Any) -> Any:
        if current() is not None or any(isinstance(x, Node) for x in flatten([args, kwargs])):
            raise GraphError(
                "a graph has no gradients but those of its equations: write the function so that it has the gradient "
                "you want, for example ops.stop_gradient(f(x) - g(x)) + g(x), whose gradient is that of g"
            )
        return f(*args, **kwargs)[0]

    return value


__all__ = [
    "associative_scan", "cond", "custom_gradient", "fori_loop", "map", "scan", "switch", "vectorize",
    "vectorized_map", "while_loop",
]  # fmt: skip
