"""Node: one immutable number-array in a graph, made by ``make`` from an operation, its inputs and attributes."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np

from lamina.errors import DtypeError, GraphError, ShapeError
from lamina.graph.operators import infix
from lamina.graph.ops import ELEMENTWISE, LEAF, OPS, STRUCTURE, Op
from lamina.graph.shapes import RULES, Shape, broadcast

DTYPES = ("float32", "float64", "int32", "bool")
TEXT = "string"  # inputs of text are passed on, put in other shapes and read on the host; nothing computes with them
Operand: TypeAlias = "Node | Readable | float | int | bool | np.ndarray | np.generic"


class Readable(Protocol):
    """Something that is a node while a graph is built: a layer's variable."""

    def __lamina_node__(self) -> Node: ...


_label: ContextVar[str] = ContextVar("label", default="")


class label:
    """Mark the nodes made inside with the user's layer, for errors and printing."""

    __slots__ = ("_text", "_token")  # no generator, which would cost four times as much for each node

    def __init__(self, text: str):
        self._text = text

    def __enter__(self) -> None:
        self._token = _label.set(self._text)

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        _label.reset(self._token)
        if isinstance(error, GraphError):
            _name_place(error, self._text)
        elif isinstance(error, TypeError) and "__array_ufunc__" in str(error):  # a function of NumPy's met a Node
            named = GraphError(_NOT_NUMPY)
            _name_place(named, self._text)
            raise named from error


_NOT_NUMPY = "a Node has no numbers while the graph is built; use lamina.ops functions, not NumPy's"


def _name_place(error: GraphError, place: str) -> None:
    if place and not error.placed:
        error.args = (f"{place}: {error.args[0]}", *error.args[1:])
        error.placed = True


def _primitive(op: str) -> Callable[[Operand, Operand], Node]:
    return lambda a, b: make(op, a, b)


def _product(a: Operand, b: Operand) -> Node:
    return product(a, b)


def _composite(name: str) -> Callable[..., Node]:
    def apply(*operands: Operand) -> Node:
        from lamina.graph import functions  # equations of nodes: imported once nodes exist

        return getattr(functions, name)(*operands)

    return apply


def _logical(name: str) -> Callable[..., Node]:
    """An operator that means one thing for truth values, and another for the bits of numbers."""
    sign = {"logical_and": "&", "logical_or": "|", "logical_xor": "^", "logical_not": "~"}[name]

    def apply(*operands: Operand) -> Node:
        if any(isinstance(x, Node) and x.dtype != "bool" for x in operands):
            raise DtypeError(f"{sign} in a graph joins truth values; for numbers cast them to bool or use ops.{name}")
        return _composite(name)(*operands)

    return apply


class Node:
    """One array in the graph: ``op(*inputs, **attrs)`` with its shape and dtype. Compared by identity."""

    __slots__ = ("attrs", "dtype", "inputs", "label", "op", "shape")
    __array_priority__ = 100  # NumPy defers to Node's operators
    __array_ufunc__ = None

    op: str
    inputs: tuple[Node, ...]
    attrs: Mapping[str, Any]
    shape: Shape
    dtype: str
    label: str

    def __init__(
        self,
        op: str,
        inputs: tuple[Node, ...],
        attrs: Mapping[str, Any],
        shape: Shape,
        dtype: str,
        label: str | None = None,
    ):
        set_once = object.__setattr__
        set_once(self, "op", op)
        set_once(self, "inputs", inputs)
        set_once(self, "attrs", attrs)
        set_once(self, "shape", shape)
        set_once(self, "dtype", dtype)
        set_once(self, "label", _label.get() if label is None else label)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Node is immutable: cannot set {name!r}")

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def __repr__(self) -> str:
        return f"<Node {self.op} {self.dtype}{list(self.shape)}>".replace("None", "B")

    def __bool__(self) -> bool:
        raise GraphError("a Node has no truth value while the graph is built; use ops.where(condition, a, b)")

    def __array__(self, *_: object) -> np.ndarray:
        raise GraphError(_NOT_NUMPY)

    def __iter__(self) -> Iterator[Node]:
        raise GraphError("a Node cannot be iterated; index it with slices or use ops.split")

    def __getitem__(self, key: Any) -> Node:
        return part(self, key if isinstance(key, tuple) else (key,))

    def __neg__(self) -> Node:
        return make("negative", self)

    def __abs__(self) -> Node:
        return make("absolute", self)

    def __invert__(self) -> Node:
        return _logical("logical_not")(self)

    __add__, __radd__ = infix(_primitive("add"))
    __sub__, __rsub__ = infix(_primitive("subtract"))
    __mul__, __rmul__ = infix(_primitive("multiply"))
    __truediv__, __rtruediv__ = infix(_primitive("divide"))
    __pow__, __rpow__ = infix(_primitive("power"))
    __lt__, __gt__ = infix(_primitive("less"))
    __le__, __ge__ = infix(_primitive("less_equal"))
    __matmul__, __rmatmul__ = infix(_product)
    __mod__, __rmod__ = infix(_composite("mod"))
    __floordiv__, __rfloordiv__ = infix(_composite("floor_divide"))
    __and__, __rand__ = infix(_logical("logical_and"))
    __or__, __ror__ = infix(_logical("logical_or"))
    __xor__, __rxor__ = infix(_logical("logical_xor"))


def constant(value: Operand, dtype: str | None = None) -> Node:
    """A fixed array in the graph; Python numbers become float32 unless ``dtype`` says otherwise."""
    array = np.asarray(value)
    name = dtype or _constant_dtype(array)
    if name == "int32" and array.dtype.kind in "iu" and array.size and not _fits_int32(array):
        raise DtypeError(f"whole numbers are kept as int32, got {array.min()} to {array.max()}; cast them to floats")
    array = np.array(array, dtype=name, order="C")
    array.setflags(write=False)
    return Node("constant", (), {"value": array}, array.shape, name)


def _fits_int32(array: np.ndarray) -> bool:
    return int(array.min()) >= -(2**31) and int(array.max()) < 2**31


def _constant_dtype(array: np.ndarray) -> str:
    kinds = {
        "f": "float64" if array.dtype == np.float64 and array.ndim else "float32",
        "i": "int32",
        "u": "int32",
        "b": "bool",
    }
    if array.dtype.kind not in kinds:
        raise DtypeError(f"numbers expected, got an array of dtype {array.dtype}")
    return kinds[array.dtype.kind]


def leaf(op: str, shape: Shape, dtype: str, **attrs: Any) -> Node:
    """A node without inputs: input, variable, rows, step or random."""
    if OPS[op].kind != LEAF or set(attrs) != set(OPS[op].attrs):
        raise GraphError(f"{op} with attributes {sorted(attrs)} is not a leaf of the language")
    if dtype not in DTYPES and (op, dtype) != ("input", TEXT):
        raise DtypeError(f"dtype {dtype!r} is not one of {', '.join(DTYPES)}")
    return Node(op, (), attrs, tuple(shape), dtype)


def make(op: str, *operands: Operand, dtype: str | None = None, **attrs: Any) -> Node:
    """A node from an operation: constants are wrapped, integers meet floats by a visible cast, shapes are checked."""
    row = OPS[op]
    if row.arity not in (None, len(operands)):
        raise GraphError(f"{op} takes {row.arity} inputs, got {len(operands)}")
    try:
        inputs = _promoted(row, tuple(map(read, operands)))
        shapes = [x.shape for x in inputs]
        shape = broadcast(*shapes) if row.kind == ELEMENTWISE else RULES[op](attrs, *shapes)
    except GraphError as error:
        _name_place(error, " ".join(filter(None, [_label.get(), f"({op})"])))
        raise
    return Node(op, inputs, attrs, shape, _result_dtype(row.result, inputs, dtype))


def product(x1: Operand, x2: Operand) -> Node:
    """The matrix product: rows of x1, any rank, times the columns of a matrix (or with a vector) x2."""
    a, b = (x if isinstance(x, Node) else constant(x) for x in map(read, (x1, x2)))
    if a.ndim < 1 or b.ndim not in (1, 2):
        raise ShapeError(f"matmul takes arrays of rank >= 1 and a matrix, got shapes {a.shape} and {b.shape}")
    return make("tensordot", a, b, axes=((a.ndim - 1,), (0,)))


def part(x: Node, key: tuple[Any, ...]) -> Node:
    """``x[key]`` by NumPy's rules for integers, slices, ``...`` and None; the batch is taken whole.

    Raises:
        ShapeError: another kind of index, or one outside the array.
    """
    begin: list[int] = []
    end: list[int | None] = []
    shape: list[int | None] = []
    x, indices = _stepped(x, _one_for_each_axis(x, key))
    for index in indices:
        if index is None:
            shape.append(1)
            continue
        first, last, kept = _bounds(x, len(begin), index)
        begin.append(first)
        end.append(last)
        shape += kept
    whole = tuple(end) == x.shape and not any(begin)
    piece = x if whole else make("slice", x, begin=tuple(begin), end=tuple(end))
    return piece if tuple(shape) == piece.shape else make("reshape", piece, shape=tuple(shape))


def _one_for_each_axis(x: Node, key: tuple[Any, ...]) -> list[Any]:
    """The key with ``...`` (at its end if nowhere) replaced by whole axes; None stands for a new axis."""
    places = [i for i, k in enumerate(key) if k is Ellipsis] or [len(key)]
    missing = x.ndim - sum(k is not None and k is not Ellipsis for k in key)
    if len(places) > 1 or missing < 0:
        raise ShapeError(f"index {key} does not fit an array of shape {x.shape}")
    return [*key[: places[0]], *[slice(None)] * missing, *key[places[0] + 1 :]]


def _stepped(x: Node, key: list[Any]) -> tuple[Node, list[Any]]:
    """x with each axis that has a slice with a step reduced to those places, and what is left of the key."""
    axes = [i for i, index in enumerate(key) if index is not None]
    for axis, i in enumerate(axes):
        size, index = x.shape[axis], key[i]
        if isinstance(index, slice) and index.step not in (None, 1) and size is not None:
            places = range(*index.indices(size))
            pieces = [_place(x, axis, place) for place in places]
            x = make("concatenate", *pieces, axis=axis) if len(pieces) > 1 else pieces[0] if pieces else x
            key = [*key[:i], slice(None) if pieces else slice(0, 0), *key[i + 1 :]]
    return x, key


def _place(x: Node, axis: int, place: int) -> Node:
    begin = tuple(place if a == axis else 0 for a in range(x.ndim))
    return make("slice", x, begin=begin, end=tuple(place + 1 if a == axis else n for a, n in enumerate(x.shape)))


def _bounds(x: Node, axis: int, index: Any) -> tuple[int, int | None, Shape]:
    """Where an axis' part begins and ends, and what is left of the axis in the shape."""
    size = x.shape[axis]
    if isinstance(index, slice) and index == slice(None):
        return 0, size, (size,)
    if size is None:
        raise ShapeError(f"axis {axis} of {x.shape} is the batch: take it whole, with ':'")
    if isinstance(index, slice) and index.step in (None, 1):
        begin, end, _ = index.indices(size)
        return begin, max(begin, end), (max(begin, end) - begin,)
    if isinstance(index, int) and not isinstance(index, bool) and -size <= index < size:
        return index % size, index % size + 1, ()
    raise ShapeError(
        f"axis {axis} of an array of shape {x.shape} cannot be indexed with {index!r}: take an integer inside it "
        "or a slice; for several places use ops.take"
    )


def _result_dtype(rule: str, inputs: tuple[Node, ...], dtype: str | None) -> str:
    named = {"bool": "bool", "int": "int32", "attribute": dtype, "first": inputs[0].dtype}
    return named.get(rule) or inputs[-1].dtype  # same, second


def _promoted(op: Op, operands: tuple[Operand, ...]) -> tuple[Node, ...]:
    group = op.agree or slice(0, len(operands))
    nodes = [x for x in operands[group] if isinstance(x, Node)]
    target = _common_dtype([x.dtype for x in nodes] or [_wrapped(x, None).dtype for x in operands[group]], op)
    if any(isinstance(x, float | np.floating) for x in operands[group]) and target in ("int32", "bool"):
        target = "float32"
    inputs = [
        _wrapped(x, target if i in range(*group.indices(len(operands))) else None) for i, x in enumerate(operands)
    ]
    return tuple(inputs[: group.start] + [_cast(x, target) for x in inputs[group]] + inputs[group.stop :])


def _wrapped(x: Operand, dtype: str | None) -> Node:
    if isinstance(x, Node):
        return x
    return constant(x, dtype)


def read(x: Operand) -> Operand:
    """A variable of a layer read as a node (see ``Readable``); anything else as it is."""
    return x.__lamina_node__() if hasattr(type(x), "__lamina_node__") else x  # type: ignore[union-attr]


def _cast(x: Node, dtype: str) -> Node:
    return x if x.dtype == dtype or not dtype else Node("cast", (x,), {}, x.shape, dtype)


def _common_dtype(dtypes: list[str], op: Op) -> str:
    if TEXT in dtypes:
        return _only_text(dtypes, op)
    found = sorted(set(dtypes), key=DTYPES.index)
    if not found:
        return ""
    if {"float32", "float64"} <= set(found):
        raise DtypeError("float32 meets float64: cast one of them with ops.cast, numbers are never widened in silence")
    if found[0] in ("int32", "bool") and op.floats:
        return "float32"
    return found[0]


def _only_text(dtypes: list[str], op: Op) -> str:
    if op.kind != STRUCTURE or set(dtypes) != {TEXT}:
        raise DtypeError("text cannot be computed with: a StringLookup or Hashing layer makes numbers of it")
    return TEXT


@dataclass(frozen=True)
class Graph:
    """A whole computation: named outputs, and updates of variables applied together after everything is read."""

    outputs: Mapping[str, Node] = field(default_factory=dict)
    updates: tuple[tuple[Node, Node], ...] = ()  # (variable, its new value)

    @property
    def roots(self) -> tuple[Node, ...]:
        """All nodes that are asked for, outputs first."""
        return (*self.outputs.values(), *(value for _, value in self.updates))

    @property
    def inputs(self) -> dict[str, Node]:
        """The inputs that the roots need, by name."""
        return {node.attrs["name"]: node for node in walk(self.roots) if node.op == "input"}

    def map(self, change: Callable[[tuple[Node, ...]], tuple[Node, ...]]) -> Graph:
        """The graph with its roots replaced by ``change(roots)``, in order."""
        roots = change(self.roots)
        outputs = dict(zip(self.outputs, roots[: len(self.outputs)], strict=True))
        updates = zip((v for v, _ in self.updates), roots[len(self.outputs) :], strict=True)
        return Graph(outputs, tuple(updates))


def walk(roots: Iterable[Node], known: Container[Node] = ()) -> list[Node]:
    """Every node that the roots need, once each, inputs before users; not those that are known, nor below them."""
    order: dict[Node, None] = {}
    opened: set[Node] = set()
    stack = [root for root in reversed(list(roots)) if root not in known]
    while stack:
        node = stack[-1]
        if node in order:
            stack.pop()
        elif node in opened:
            order[stack.pop()] = None
        else:
            opened.add(node)
            stack.extend(x for x in reversed(node.inputs) if x not in order and x not in known)
    return list(order)


def rebuild(node: Node, inputs: tuple[Node, ...]) -> Node:
    """The same operation on other inputs of the same shapes; the node itself where nothing changed."""
    if all(a is b for a, b in zip(node.inputs, inputs, strict=True)):
        return node
    return Node(node.op, inputs, node.attrs, node.shape, node.dtype, node.label)
