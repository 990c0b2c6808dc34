"""``lamina.backend``: Keras's few public names about element types and the session."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.config import backend as backend
from lamina.config import clear_session as clear_session
from lamina.config import epsilon as epsilon
from lamina.config import floatx as floatx
from lamina.config import get_uid as get_uid
from lamina.config import image_data_format as image_data_format
from lamina.config import set_epsilon as set_epsilon
from lamina.config import set_floatx as set_floatx
from lamina.config import set_image_data_format as set_image_data_format
from lamina.config import standardize_dtype as standardize_dtype
from lamina.layers.tensor import KerasTensor


def is_float_dtype(dtype: Any) -> bool:
    """Whether it is a type of floats."""
    return standardize_dtype(dtype).lstrip("b").startswith("float")


def is_int_dtype(dtype: Any) -> bool:
    """Whether it is a type of whole numbers."""
    return standardize_dtype(dtype).lstrip("u").startswith("int")


def is_keras_tensor(x: Any) -> bool:
    """Whether it is a KerasTensor."""
    return isinstance(x, KerasTensor)


def result_type(*dtypes: Any) -> str:
    """The type of what numbers of some types give together.

    Args:
        dtypes: names of types; Python's ``int`` and ``float`` take the type of what they meet.

    Example:
        >>> result_type("int32", "float32"), result_type("float32", "float64"), result_type("int8", int)
        ('float32', 'float64', 'int8')
    """
    weak = [d for d in dtypes if d in (int, float)]
    names = {standardize_dtype(d) for d in dtypes if d not in (int, float)}
    floats = {name for name in names if is_float_dtype(name)}
    if floats:
        return "float32" if floats == {"float16", "bfloat16"} else max(floats, key=_bits)
    if float in weak or not (names or weak):
        return floatx()
    whole = {name for name in names if is_int_dtype(name)}
    if not whole:
        return "int32" if int in weak else "bool"
    found = np.result_type(*whole).name
    return found if found != "float64" else floatx()


def _bits(name: str) -> int:
    return int("".join(filter(str.isdigit, name)))
