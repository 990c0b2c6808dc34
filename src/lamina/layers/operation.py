"""Operation: one step of a functional model; the functions of ``lamina.ops`` are such steps when given KerasTensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from inspect import BoundArguments, Signature, signature
from typing import Any, ClassVar, Self

from lamina import activations, config, ops
from lamina.errors import GraphError
from lamina.graph.node import label
from lamina.layers import calling
from lamina.layers.arguments import valid_name
from lamina.layers.tensor import Call, KerasTensor
from lamina.signatures import signature_config
from lamina.tree import flatten


class Operation:
    """Base of what a functional model is made of; a subclass writes ``call`` with ``lamina.ops``.

    Unlike a ``Layer`` it has no weights and no state.

    Args:
        name: unique in its model; made from the class's name by default.

    Example:
        >>> class Double(Operation):
        ...     def call(self, x):
        ...         return 2.0 * x
        >>> Double()(KerasTensor((None, 3))).shape
        (None, 3)

    Source: Keras's class of the same name.
    """

    def __init__(self, name: str | None = None):
        self.name = valid_name(name or config.unique_name(type(self).__name__))
        self._inbound_nodes: list[Call] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """KerasTensors for KerasTensors, and then a step of the model; else what ``call`` returns."""
        if any(isinstance(x, KerasTensor) for x in flatten([args, kwargs])):
            return calling.on_tensors(self, self._in_trace, args, kwargs)
        return self._in_trace(args, kwargs)

    def _in_trace(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with label(self.name):
            return self.call(*args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The operation's equation; a subclass defines it."""
        raise TypeError(f"{type(self).__name__} must define call(…)")

    @property
    def input(self) -> Any:
        """What it was first called on, as KerasTensors."""
        return self._first_call("input").args[0]

    @property
    def output(self) -> Any:
        """What came out of its first call, as KerasTensors."""
        return self._first_call("output").outputs

    def _first_call(self, what: str) -> Call:
        if not self._inbound_nodes:
            raise AttributeError(f"The layer {self.name} has never been called and thus has no defined {what}.")
        return self._inbound_nodes[0]

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an operation like this one."""
        return {"name": self.name} | signature_config(self)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """An operation from what ``get_config`` returned."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<Operation name={self.name}>"


class OpsFunction(Operation):
    """A function of ``lamina.ops`` as a step; for each function in ``OPERANDS`` a subclass is made.

    Args:
        name: unique in its model.
        arguments: the function's arguments that are no tensors, by name.
    """

    module: ClassVar[str]
    function: ClassVar[str]
    operands: ClassVar[tuple[str, ...]]

    def __init__(self, *, name: str | None = None, **arguments: Any):
        super().__init__(name)
        self.arguments = arguments
        if unknown := sorted(set(arguments) - set(_signature(self.function).parameters)):
            raise ValueError(f"ops.{self.function} does not take the argument(s) {', '.join(unknown)}")

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The function's value."""
        given = self.arguments | kwargs | self._by_name(args)
        bound = BoundArguments(_signature(self.function), given)
        return _found(self.function)(*bound.args, **bound.kwargs)

    def _by_name(self, args: tuple[Any, ...]) -> dict[str, Any]:
        first = self.operands[0]
        return {first[1:]: args} if first.startswith("*") else dict(zip(self.operands, args, strict=False))

    def get_config(self) -> dict[str, Any]:
        """See ``Operation.get_config``."""
        return {"name": self.name, **self.arguments}


def symbolic_call(function: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What a function of ``lamina.ops`` makes of KerasTensors: a step of the model.

    Raises:
        GraphError: the function is no step of a model, or an argument that belongs to its config is a KerasTensor.
    """
    if function not in FUNCTIONS:
        raise GraphError(
            f"{function} cannot be a step of a functional model: put the computation into the `call` of a layer of "
            "your own"
        )
    kind = FUNCTIONS[function]
    bound = _signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    operands = [bound.arguments.pop(name.strip("*")) for name in kind.operands]
    for name, given in bound.arguments.items():
        if hasattr(type(given), "__lamina_operation__"):
            raise GraphError(f"{name} of {function} is fixed with the model and cannot be a KerasTensor")
    return kind(**bound.arguments)(*(operands[0] if kind.operands[0].startswith("*") else operands))


@cache
def _signature(function: str) -> Signature:
    return signature(_found(function))


def _found(function: str) -> Callable[..., Any]:
    return _ACTIVATIONS.get(function) or getattr(ops, function)


# Keras's module → the tensors that functions take, in their order → the functions; all other arguments are config.
OPERANDS: dict[str, dict[str, str]] = {
    "activations.activations": {
        "x": "activations.mish activations.relu",
    },
    "ops.core": {
        "x": "cast saturate_cast unstack",
        "variable": "stop_gradient",
        "inputs start_indices": "slice",
        "inputs start_indices updates": "slice_update",
        "inputs indices updates": "scatter_update",
        "indices values": "scatter",
    },
    "ops.linalg": {
        "x": "norm",
    },
    "ops.math": {
        "x": "erf erfc erfinv logsumexp rsqrt top_k",
        "x y": "cdist",
        "targets predictions": "in_top_k",
        "data segment_ids": "segment_max segment_min segment_prod segment_sum",
    },
    "ops.nn": {
        "x": "celu elu gelu glu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu log_sigmoid log_softmax "
        "moments normalize one_hot relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus "
        "sparse_sigmoid sparsemax squareplus tanh_shrink threshold",
        "inputs": "multi_hot",
        "target output": "binary_crossentropy categorical_crossentropy sparse_categorical_crossentropy",
        "x gamma beta": "layer_normalization",
        "x mean variance offset scale": "batch_normalization",
        "x scale": "rms_normalization",
    },
    "ops.numpy": {
        "x": "absolute all amax amin angle any arccos arccosh arcsin arcsinh arctan arctanh argmax argmin argsort "
        "array_split broadcast_to cbrt ceil clip conjugate copy cos cosh count_nonzero cumprod cumsum deg2rad diag "
        "diagonal dsplit empty_like exp exp2 expand_dims expm1 fabs flip fliplr flipud floor hsplit imag isfinite "
        "isinf isnan isneginf isposinf isreal log log10 log1p log2 logical_not max mean median min moveaxis nan_to_num "
        "nanmax nancumprod nancumsum nanmean nanmin nanprod nanstd nansum nanvar ndim negative ones_like prod ptp "
        "rad2deg ravel real reciprocal repeat reshape roll round sign signbit sin sinc sinh size sort split sqrt "
        "square squeeze stack std sum swapaxes tan tanh tile trace transpose tril triu trunc var vsplit zeros_like",
        "*operands": "einsum",
        "*x": "meshgrid",
        "a": "diff",
        "condition x1 x2": "where",
        "condlist choicelist default": "select",
        "xs": "concatenate hstack vstack dstack",
        "x fill_value": "full_like",
        "x constant_values": "pad",
        "x indices": "take take_along_axis",
        "x key": "get_item",
        "x q": "percentile quantile",
        "x bins": "digitize",
        "sorted_sequence values": "searchsorted",
        "x weights": "average",
        "x1 x2": "add append arctan2 cross divide divide_no_nan dot equal floor_divide fmax fmin fmod greater "
        "greater_equal heaviside hypot inner isin kron ldexp less less_equal logaddexp logaddexp2 logical_and "
        "logical_or logical_xor matmul maximum minimum mod multiply not_equal outer power subtract tensordot "
        "true_divide vdot",
        "x1 x2 rtol atol": "isclose",
    },
}
# The two activations that Keras records as themselves; the others are functions of ops.
_ACTIVATIONS: dict[str, Callable[..., Any]] = {
    "activations.mish": activations.mish,
    "activations.relu": activations.relu,
}
# The names of Keras's classes that are not the function's in camel case.
_CLASS_NAMES = {
    "activations.mish": "Mish", "activations.relu": "ReLU", "batch_normalization": "BatchNorm", "cdist": "CDist",
    "isin": "IsIn", "layer_normalization": "LayerNorm", "rms_normalization": "RMSNorm", "searchsorted": "SearchSorted",
}  # fmt: skip


def _kind(module: str, function: str, operands: str) -> type[OpsFunction]:
    name = _CLASS_NAMES.get(function) or "".join(map(str.capitalize, function.split("_")))
    place = {"module": f"keras.src.{module}", "function": function, "operands": tuple(operands.split())}
    return type(name, (OpsFunction,), place)


FUNCTIONS: dict[str, type[OpsFunction]] = {
    function: _kind(module, function, operands)
    for module, groups in OPERANDS.items()
    for operands, functions in groups.items()
    for function in functions.split()
}
