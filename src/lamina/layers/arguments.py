"""The arguments that all layers share: checked names, dtypes and shapes, from what users and configs give."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from lamina import config, dtype_policies
from lamina.signatures import signature_config
from lamina.tree import flatten

PLAIN = (str, int, float, bool, type(None))
BASE_ARGUMENTS = ("activity_regularizer", "trainable", "dtype", "autocast", "name")


def valid_name(name: str) -> str:
    """The name itself, if it can be a part of a path."""
    if not isinstance(name, str) or "/" in name:
        raise ValueError(f"Argument `name` must be a string and cannot contain character `/`. Received: name={name!r}")
    return name


def policy_of(dtype: Any) -> Any:
    """A policy from a name, a policy, its record, or None for the session's."""
    policy = dtype_policies.get(dtype)
    config.say_of_halves(policy)
    return policy


def dtype_record(dtype: Any) -> Any:
    """An element type, or a policy, as Keras writes it into a layer's config."""
    if isinstance(dtype, dtype_policies.DTypePolicyMap):
        return dtype_policies.serialize(dtype)
    name = dtype if isinstance(dtype, str) else dtype.name
    return {"module": "keras", "class_name": "DTypePolicy", "config": {"name": name}, "registered_name": None}


def map_shapes(function: Callable[[tuple[int | None, ...]], Any], x: Any) -> Any:
    """A structure of shapes with each shape replaced; a shape is a tuple (or list) of sizes."""
    if isinstance(x, dict):
        return {key: map_shapes(function, part) for key, part in x.items()}
    if isinstance(x, list | tuple) and all(size is None or isinstance(size, int | np.integer) for size in x):
        return function(tuple(x))
    return type(x)(map_shapes(function, part) for part in x)


def shape_tuples(x: Any) -> Any:
    """A structure of shapes with each of them a tuple."""
    return map_shapes(lambda shape: shape, x) if isinstance(x, list | tuple | dict) else x


def input_hint(kwargs: dict[str, Any]) -> tuple[int | None, ...] | None:
    """The input's shape that old Keras code gives to the first layer of a Sequential; taken out of the arguments."""
    given = kwargs.pop("input_shape", None)
    size = kwargs.pop("input_dim", None)
    if given is None and size is None:
        return None
    warnings.warn(
        "Do not pass an `input_shape`/`input_dim` argument to a layer. When using Sequential models, prefer using an "
        "`Input(shape)` object as the first layer in the model instead.",
        stacklevel=4,
    )
    return (size,) if given is None else tuple(given)


def old_argument(kwargs: dict[str, Any], name: str, advice: str) -> Any:
    """An argument of older versions of Keras, taken out of the others with a warning; None where it is not given."""
    if kwargs.get(name) is not None:
        warnings.warn(f"Argument `{name}` is deprecated. {advice}", stacklevel=3)
    return kwargs.pop(name, None)


def data_format_of(layer: Any, given: str | None) -> str:
    """Where the features stand: on the last axis, or on the first after the batch; the session's word by default."""
    data_format = config.image_data_format() if given is None else given
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(
            f"{type(layer).__name__} {layer.name!r}: data_format must be 'channels_last' or 'channels_first', "
            f"got {given!r}"
        )
    return data_format


def plain_arguments(cls: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments by name that a class of the user's is made with, if they are plain values, as Keras keeps them.

    A class whose ``__init__`` is Lamina's keeps its arguments as attributes.
    """
    maker = next(base for base in cls.__mro__ if "__init__" in vars(base))
    signature = inspect.signature(vars(maker)["__init__"])
    try:
        bound = signature.bind(None, *args, **kwargs)
    except TypeError:
        return {}  # the call of __init__ says what is wrong
    if maker.__module__.startswith("lamina."):
        return {}
    bound.apply_defaults()
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    given = {n: x for n, x in list(bound.arguments.items())[1:] if signature.parameters[n].kind in named}
    return given if all(isinstance(x, PLAIN) for x in flatten(list(given.values()))) else {}


def own_arguments(layer: Any, strict: bool) -> dict[str, Any]:
    """The arguments of a layer's own ``__init__``: as it was made with, or from the attributes of the same names.

    Raises:
        TypeError: one is not kept as an attribute, and ``strict``.
    """
    made_with = layer._made_with if strict else {}
    found = signature_config(layer, strict and not made_with) | made_with
    return {n: value for n, value in found.items() if n not in BASE_ARGUMENTS}
