"""``lamina.ops``: the language for layers, losses and metrics of your own; nodes give nodes, arrays give arrays.

The names and signatures are Keras's. Each line below binds one of them to its equation in ``graph``; the few
functions written out are those where Keras's arguments differ from the graph's.
"""

from __future__ import annotations

import builtins
import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lamina import config
from lamina.errors import ShapeError
from lamina.graph import express, functions
from lamina.graph.express import Axes, as_node
from lamina.graph.node import Graph, Node, Operand, constant
from lamina.graph.shapes import normal_axis
from lamina.lower.to_numpy import NumpyExecutable
from lamina.trace import current
from lamina.variables import Variable

Array = Any  # a Node while a graph is built, else a NumPy array
Dual = Callable[..., Array]


def evaluate(node: Node) -> np.ndarray:
    """The numbers of a node that needs no inputs."""
    return np.array(NumpyExecutable(Graph({"value": node})).step({}, {}, 0, 0)["value"], node.dtype)


def dual(function: Callable[..., Any]) -> Dual:
    """A function of nodes that also computes at once when it is given numbers alone.

    Args:
        function: takes and returns nodes (or a list or tuple of them); anything else is passed on as it is.

    Returns:
        The same function; without a trace and without nodes among the arguments it returns NumPy arrays.

    Example:
        >>> double = dual(lambda x: 2.0 * as_node(x))
        >>> double([1.0, 2.0])
        array([2., 4.], dtype=float32)
    """

    @functools.wraps(function)
    def on_either(*args: Any, **kwargs: Any) -> Any:
        given = (args, tuple(kwargs.values()))
        operand = functools.partial(_operand, strong=_has_array(given))
        made = function(*map(operand, args), **{k: operand(v) for k, v in kwargs.items()})
        if current() is not None or _has_node(given):
            return made
        return type(made)(map(evaluate, made)) if isinstance(made, list | tuple) else evaluate(made)

    return on_either


def _operand(x: Any, strong: bool) -> Any:
    """Arrays as constants; a lone NumPy scalar keeps its float64, but next to arrays it takes their type."""
    if isinstance(x, Variable):
        x = x.__lamina_node__()
    if isinstance(x, list | tuple) and _has_float(x):
        return constant(np.asarray(x, config.floatx()))
    if isinstance(x, np.ndarray) or (isinstance(x, np.floating) and not strong):
        return constant(x, x.dtype.name if x.dtype.name in ("float32", "float64", "bool") else None)
    return x


def _has_float(x: Any) -> bool:
    """Whether a nested list is made of Python numbers with a float among them."""
    if isinstance(x, list | tuple):
        return builtins.any(map(_has_float, x))
    return isinstance(x, float)


def _has_array(x: Any) -> bool:
    if isinstance(x, list | tuple):
        return builtins.any(map(_has_array, x))
    return isinstance(x, Node | Variable | np.ndarray)


def _has_node(x: Any) -> bool:
    if isinstance(x, list | tuple):
        return builtins.any(map(_has_node, x))
    return isinstance(x, Node)


# -- tensors -------------------------------------------------------------------


def convert_to_tensor(x: Any, dtype: str | None = None) -> Array:
    """A Node while a graph is built, else a NumPy array; Python lists are taken too.

    Args:
        x: a node, variable, array, number or nested list.
        dtype: the element type; its own by default, the session's float type for Python floats.
    """
    if isinstance(x, Variable):
        x = x.__lamina_node__()
    if isinstance(x, Node):
        return x if dtype is None else express.cast(x, dtype)
    array = np.asarray(x)
    if dtype is None and not isinstance(x, np.ndarray | np.generic) and array.dtype == np.float64:
        dtype = config.floatx()
    return array.astype(dtype, copy=False) if dtype else array


def convert_to_numpy(x: Any) -> np.ndarray:
    """The numbers of an array or variable; a Node has none yet."""
    return np.asarray(x)


def is_tensor(x: Any) -> bool:
    """Whether x is an array of Lamina: a node, a variable or a NumPy array."""
    return isinstance(x, Node | Variable | np.ndarray)


def shape(x: Any) -> tuple[int | None, ...]:
    """The shape; None stands for the batch while a graph is built."""
    return tuple(convert_to_tensor(x).shape)


def ndim(x: Any) -> int:
    """The number of axes."""
    return len(shape(x))


def dtype(x: Any) -> str:
    """The element type's name."""
    found = convert_to_tensor(x).dtype
    return found if isinstance(found, str) else found.name


cast: Dual = dual(express.cast)
stop_gradient: Dual = dual(express.stop_gradient)

# -- elementwise ---------------------------------------------------------------

abs: Dual = dual(express.absolute)
absolute: Dual = abs
add: Dual = dual(express.add)
ceil: Dual = dual(express.ceil)
clip: Dual = dual(express.clip)
cos: Dual = dual(express.cos)
divide: Dual = dual(express.divide)
divide_no_nan: Dual = dual(functions.divide_no_nan)
equal: Dual = dual(express.equal)
erf: Dual = dual(express.erf)
exp: Dual = dual(express.exp)
expm1: Dual = dual(express.expm1)
floor: Dual = dual(express.floor)
floor_divide: Dual = dual(functions.floor_divide)
greater: Dual = dual(functions.greater)
greater_equal: Dual = dual(functions.greater_equal)
isfinite: Dual = dual(express.isfinite)
isinf: Dual = dual(functions.isinf)
isnan: Dual = dual(functions.isnan)
less: Dual = dual(express.less)
less_equal: Dual = dual(express.less_equal)
log: Dual = dual(express.log)
log10: Dual = dual(functions.log10)
log1p: Dual = dual(express.log1p)
log2: Dual = dual(functions.log2)
logical_and: Dual = dual(functions.logical_and)
logical_not: Dual = dual(functions.logical_not)
logical_or: Dual = dual(functions.logical_or)
maximum: Dual = dual(express.maximum)
minimum: Dual = dual(express.minimum)
mod: Dual = dual(functions.mod)
multiply: Dual = dual(express.multiply)
negative: Dual = dual(express.negative)
not_equal: Dual = dual(functions.not_equal)
power: Dual = dual(express.power)
reciprocal: Dual = dual(functions.reciprocal)
rsqrt: Dual = dual(functions.rsqrt)
sign: Dual = dual(express.sign)
sin: Dual = dual(express.sin)
sqrt: Dual = dual(express.sqrt)
square: Dual = dual(functions.square)
subtract: Dual = dual(express.subtract)
tan: Dual = dual(functions.tan)
tanh: Dual = dual(express.tanh)
where: Dual = dual(express.where)


@dual
def round(x: Operand, decimals: int = 0) -> Node:
    """x rounded to some decimal places, halves to even."""
    scale = 10.0**decimals
    return express.round(x) if decimals == 0 else express.round(as_node(x) * scale) / scale


# -- reductions ----------------------------------------------------------------

all: Dual = dual(functions.all)
any: Dual = dual(functions.any)
count_nonzero: Dual = dual(functions.count_nonzero)
logsumexp: Dual = dual(functions.logsumexp)
max: Dual = dual(express.max)
mean: Dual = dual(express.mean)
min: Dual = dual(functions.min)
moments: Dual = dual(functions.moments)
norm: Dual = dual(functions.norm)
std: Dual = dual(functions.std)
sum: Dual = dual(express.sum)
var: Dual = dual(functions.var)


def _place(find: Callable[..., Node], x: Operand, axis: int | None, keepdims: bool) -> Node:
    x = as_node(x)
    if axis is None:
        found = find(express.reshape(x, (-1,)), 0)
        return express.reshape(found, (1,) * x.ndim) if keepdims else found
    return express.expand_dims(find(x, axis), axis) if keepdims else find(x, axis)


@dual
def argmax(x: Operand, axis: int | None = None, keepdims: bool = False) -> Node:
    """Index of the first largest element along an axis (in the flattened array by default), as int32."""
    return _place(express.argmax, x, axis, keepdims)


@dual
def argmin(x: Operand, axis: int | None = None, keepdims: bool = False) -> Node:
    """Index of the first smallest element along an axis (in the flattened array by default), as int32."""
    return _place(functions.argmin, x, axis, keepdims)


@dual
def cumsum(x: Operand, axis: int | None = None) -> Node:
    """Running sums along an axis of fixed size (of the flattened array by default)."""
    return functions.cumsum(express.reshape(x, (-1,)), 0) if axis is None else functions.cumsum(x, axis)


# -- products ------------------------------------------------------------------

dot: Dual = dual(express.matmul)
matmul: Dual = dual(express.matmul)


@dual
def tensordot(x1: Operand, x2: Operand, axes: int | Sequence[int] | Sequence[Sequence[int]] = 2) -> Node:
    """The sum of products over paired axes: the last ``axes`` of x1 and the first of x2, or two lists of axes."""
    if isinstance(axes, int):
        axes = (range(-axes, 0), range(axes))
    first, second = ([a] if isinstance(a, int) else a for a in axes)
    return express.tensordot(x1, x2, (first, second))


# -- structure -----------------------------------------------------------------

broadcast_to: Dual = dual(express.broadcast_to)
moveaxis: Dual = dual(functions.moveaxis)
reshape: Dual = dual(express.reshape)
stack: Dual = dual(functions.stack)
swapaxes: Dual = dual(functions.swapaxes)
transpose: Dual = dual(express.transpose)


@dual
def ravel(x: Operand) -> Node:
    """All elements in one row."""
    return express.reshape(x, (-1,))


@dual
def concatenate(xs: Sequence[Operand], axis: int = 0) -> Node:
    """Arrays joined along an axis."""
    return express.concatenate(xs, axis)


@dual
def expand_dims(x: Operand, axis: int | Sequence[int]) -> Node:
    """New axes of size 1, at these places of the result."""
    axes = [axis] if isinstance(axis, int) else axis
    rank = as_node(x).ndim + len(axes)
    return functools.reduce(express.expand_dims, sorted(normal_axis(a, rank) for a in axes), as_node(x))


@dual
def squeeze(x: Operand, axis: Axes = None) -> Node:
    """Without axes of size 1: these, or all of them by default."""
    x = as_node(x)
    if axis is None:
        axis = [i for i, s in enumerate(x.shape) if s == 1]
    ones = [axis] if isinstance(axis, int) else axis
    return functools.reduce(express.squeeze, sorted((normal_axis(a, x.ndim) for a in ones), reverse=True), x)


@dual
def pad(x: Operand, pad_width: Any) -> Node:
    """x with zeros around it: ``((before, after), …)`` for each axis, one such pair, or one number."""
    x = as_node(x)
    widths = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2)).tolist()
    return express.pad(x, [before for before, _ in widths], [after for _, after in widths])


@dual
def slice(inputs: Operand, start_indices: Sequence[int], shape: Sequence[int | None]) -> Node:
    """The block of ``shape`` that begins at ``start_indices``; None takes the whole batch axis."""
    ends = [None if n is None else begin + n for begin, n in zip(start_indices, shape, strict=True)]
    return express.slice(inputs, start_indices, ends)


@dual
def split(x: Operand, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Node]:
    """Parts along an axis: so many equal ones, or cut before these indices."""
    x = as_node(x)
    size = _fixed_size(x, axis)
    if isinstance(indices_or_sections, int):
        if size % indices_or_sections:
            raise ShapeError(f"axis {axis} of {x.shape} cannot be cut into {indices_or_sections} equal parts")
        indices_or_sections = range(0, size, size // indices_or_sections)[1:]
    ends = [0, *indices_or_sections, size]
    return [express.slice_axis(x, axis, a, b) for a, b in itertools.pairwise(ends)]


@dual
def unstack(x: Operand, num: int | None = None, axis: int = 0) -> list[Node]:
    """The slices along an axis, without it."""
    x = as_node(x)
    size = _fixed_size(x, axis)
    return [express.squeeze(express.slice_axis(x, axis, i, i + 1), axis) for i in range(num or size)]


def _fixed_size(x: Node, axis: int) -> int:
    size = x.shape[normal_axis(axis, x.ndim)]
    if size is None:
        raise ShapeError(f"axis {axis} of {x.shape} is the batch, whose size is not fixed")
    return size


# -- indexing ------------------------------------------------------------------

in_top_k: Dual = dual(functions.in_top_k)


@dual
def take(x: Operand, indices: Operand, axis: int | None = None) -> Node:
    """Slices at ``indices`` along an axis, elements of the flattened array by default."""
    if axis is None:
        return express.take(express.reshape(x, (-1,)), indices)
    return functions.take_along(x, indices, axis)


@dual
def one_hot(x: Operand, num_classes: int, axis: int = -1, dtype: str | None = None) -> Node:
    """A new axis of ``num_classes``, 1 at the index and 0 elsewhere."""
    return functions.moveaxis(functions.one_hot(x, num_classes, dtype or config.floatx()), -1, axis)


@dual
def segment_sum(data: Operand, segment_ids: Operand, num_segments: int) -> Node:
    """The sums of the rows that share a segment number: (num_segments, …)."""
    return express.scatter_add(segment_ids, data, num_segments)


# -- filled arrays -------------------------------------------------------------


@dual
def full(shape: Sequence[int], fill_value: Any, dtype: str | None = None) -> Node:
    """One value everywhere."""
    return express.broadcast_to(constant(fill_value, dtype or config.floatx()), tuple(shape))


def zeros(shape: Sequence[int], dtype: str | None = None) -> Array:
    """All 0."""
    return full(shape, 0, dtype)


def ones(shape: Sequence[int], dtype: str | None = None) -> Array:
    """All 1."""
    return full(shape, 1, dtype)


@dual
def full_like(x: Operand, fill_value: Any, dtype: str | None = None) -> Node:
    """One value everywhere, in x's shape."""
    filled = express.full_like(x, fill_value)
    return filled if dtype is None else express.cast(filled, dtype)


def zeros_like(x: Any, dtype: str | None = None) -> Array:
    """All 0, in x's shape."""
    return full_like(x, 0, dtype)


def ones_like(x: Any, dtype: str | None = None) -> Array:
    """All 1, in x's shape."""
    return full_like(x, 1, dtype)


@dual
def eye(N: int, M: int | None = None, k: int = 0, dtype: str | None = None) -> Node:
    """1 on a diagonal of an N × M matrix, 0 elsewhere."""
    return constant(np.eye(N, M, k), dtype or config.floatx())


@dual
def arange(start: float, stop: float | None = None, step: float = 1, dtype: str | None = None) -> Node:
    """``start``, ``start + step`` … before ``stop``; integers give int32."""
    values = np.arange(start) if stop is None else np.arange(start, stop, step)
    return constant(values, dtype or ("int32" if values.dtype.kind == "i" else config.floatx()))


@dual
def linspace(start: float, stop: float, num: int = 50, dtype: str | None = None) -> Node:
    """``num`` numbers from ``start`` to ``stop`` in equal steps."""
    return constant(np.linspace(start, stop, num), dtype or config.floatx())


# -- networks ------------------------------------------------------------------

celu: Dual = dual(functions.celu)
elu: Dual = dual(functions.elu)
gelu: Dual = dual(functions.gelu)
glu: Dual = dual(functions.glu)
hard_shrink: Dual = dual(functions.hard_shrink)
hard_sigmoid: Dual = dual(functions.hard_sigmoid)
hard_silu: Dual = dual(functions.hard_silu)
hard_swish: Dual = hard_silu
hard_tanh: Dual = dual(functions.hard_tanh)
leaky_relu: Dual = dual(functions.leaky_relu)
log_sigmoid: Dual = dual(functions.log_sigmoid)
log_softmax: Dual = dual(functions.log_softmax)
relu6: Dual = dual(functions.relu6)
relu: Dual = dual(functions.relu)
selu: Dual = dual(functions.selu)
sigmoid: Dual = dual(express.sigmoid)
silu: Dual = dual(functions.silu)
soft_shrink: Dual = dual(functions.soft_shrink)
softmax: Dual = dual(functions.softmax)
softplus: Dual = dual(express.softplus)
softsign: Dual = dual(functions.softsign)
sparse_plus: Dual = dual(functions.sparse_plus)
sparse_sigmoid: Dual = dual(functions.sparse_sigmoid)
squareplus: Dual = dual(functions.squareplus)
tanh_shrink: Dual = dual(functions.tanh_shrink)
threshold: Dual = dual(functions.threshold)

binary_crossentropy: Dual = dual(functions.binary_crossentropy)
categorical_crossentropy: Dual = dual(functions.categorical_crossentropy)
sparse_categorical_crossentropy: Dual = dual(functions.sparse_categorical_crossentropy)


@dual
def normalize(x: Operand, axis: Axes = -1, order: int = 2, epsilon: float | None = None) -> Node:
    """x / max(√Σx², ε): vectors of length 1 along an axis.

    Raises:
        ValueError: an order other than 2.
    """
    if order != 2:
        raise ValueError(f"ops.normalize knows the Euclidean length (order=2), got order={order}")
    return functions.unit(x, axis, config.epsilon() if epsilon is None else epsilon)


__all__ = [
    # tensors
    "cast", "convert_to_numpy", "convert_to_tensor", "dtype", "is_tensor", "ndim", "shape",
    "stop_gradient",
    # elementwise
    "abs", "absolute", "add", "ceil", "clip", "cos", "divide", "divide_no_nan", "equal", "erf", "exp",
    "expm1", "floor", "floor_divide", "greater", "greater_equal", "isfinite", "isinf", "isnan", "less",
    "less_equal", "log", "log10", "log1p", "log2", "logical_and", "logical_not", "logical_or",
    "maximum", "minimum", "mod", "multiply", "negative", "not_equal", "power", "reciprocal", "round",
    "rsqrt", "sign", "sin", "sqrt", "square", "subtract", "tan", "tanh", "where",
    # reductions
    "all", "any", "argmax", "argmin", "count_nonzero", "cumsum", "logsumexp", "max", "mean", "min",
    "moments", "norm", "std", "sum", "var",
    # products
    "dot", "matmul", "tensordot",
    # structure
    "broadcast_to", "concatenate", "expand_dims", "moveaxis", "pad", "ravel", "reshape", "slice",
    "split", "squeeze", "stack", "swapaxes", "transpose", "unstack",
    # indexing
    "in_top_k", "one_hot", "segment_sum", "take",
    # filled arrays
    "arange", "eye", "full", "full_like", "linspace", "ones", "ones_like", "zeros", "zeros_like",
    # networks
    "binary_crossentropy", "categorical_crossentropy", "celu", "elu", "gelu", "glu", "hard_shrink",
    "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "leaky_relu", "log_sigmoid",
    "log_softmax", "normalize", "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink",
    "softmax", "softplus", "softsign", "sparse_categorical_crossentropy", "sparse_plus",
    "sparse_sigmoid", "squareplus", "tanh_shrink", "threshold",
]  # fmt: skip
