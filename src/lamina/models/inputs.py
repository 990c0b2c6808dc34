"""Data and nodes in the structure, rank and dtype that a model's inputs have."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina import ops
from lamina.errors import DataError
from lamina.graph.node import TEXT, Node
from lamina.host.texts import is_text
from lamina.layers import masks
from lamina.layers.tensor import KerasTensor
from lamina.models.data import fit_rank
from lamina.tree import flatten, map_leaves, pack


def matched(x: Any, structure: Any) -> list[Any]:
    """The parts of x in the order of the inputs: by key or by name from a dictionary, else by position.

    Raises:
        DataError: a part is missing, or there are too many.
    """
    tensors: list[KerasTensor] = flatten(structure)
    if isinstance(x, dict):
        wanted = sorted(structure) if isinstance(structure, dict) else [t.name for t in tensors]
        missing = [name for name in wanted if name not in x]
        if missing:
            raise DataError(f"the input {missing[0]!r} is missing: the model takes {wanted}, got {sorted(x)}")
        return [x[name] for name in wanted]
    leaves = flatten(x)
    if len(leaves) != len(tensors):
        names = [t.name for t in tensors]
        raise DataError(f"the model takes {len(tensors)} input(s), {names}, got {len(leaves)}")
    return leaves


def standard_arrays(x: Any, structure: Any, dtype: str) -> tuple[Any, list[str]]:
    """Arrays as the inputs want them, in their structure, and the dtype of each in the graph."""
    tensors: list[KerasTensor] = flatten(structure)
    arrays = [_fitted(np.asarray(a), t) for a, t in zip(matched(x, structure), tensors, strict=True)]
    kinds = [dtype if t.dtype.startswith("float") else TEXT if t.dtype == TEXT else "int32" for t in tensors]
    return pack(structure, arrays), kinds


def _fitted(array: np.ndarray, tensor: KerasTensor) -> np.ndarray:
    if is_text(array) != (tensor.dtype == TEXT):
        raise DataError(
            f"the input {tensor.name!r} takes {tensor.dtype}, got an array of dtype {array.dtype}; an input of text is "
            "made with Input(…, dtype='string')"
        )
    return fit_rank(array, tensor.shape, tensor.name)


def standard_nodes(x: Any, structure: Any, mask: Any = None) -> list[Any]:
    """Nodes as the inputs want them: in their rank, whole numbers as floats where an input is one; with their masks."""
    tensors: list[KerasTensor] = flatten(structure)
    given = [ops.convert_to_tensor(a) for a in matched(x, structure)]
    nodes = [masks.carried(a, _standard(a, t)) for a, t in zip(given, tensors, strict=True)]
    if mask is not None:
        masks.give(nodes, matched(mask, structure))
    return nodes


def _standard(x: Any, tensor: KerasTensor) -> Any:
    x = _ranked(x, tensor)
    if isinstance(x, Node) and x.dtype in ("int32", "bool") and tensor.dtype.startswith("float"):
        return ops.cast(x, tensor.dtype)
    return x


def _ranked(x: Any, tensor: KerasTensor) -> Any:
    rank = len(tensor.shape)
    if len(x.shape) == rank - 1 and tensor.shape[-1] == 1:
        x = ops.expand_dims(x, -1)
    elif len(x.shape) == rank + 1 and x.shape[-1] == 1:
        x = ops.squeeze(x, -1)
    if len(x.shape) != rank or any(None not in (a, b) and a != b for a, b in zip(x.shape, tensor.shape, strict=True)):
        # the same check, and the same words, as for arrays
        fit_rank(np.empty([1 if s is None else s for s in x.shape]), tensor.shape, tensor.name)
    return x


def shapes(tensors: Any) -> Any:
    """The shapes of the tensors in a structure; of a list of one, its only shape."""
    if isinstance(tensors, list) and len(tensors) == 1:
        return tensors[0].shape
    return map_leaves(lambda t: t.shape, tensors)
