"""Recipes of the host stage → ONNX: lookup tables; what ONNX cannot do is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lamina.errors import GraphError
from lamina.graph.node import TEXT
from lamina.lower.onnx_graph import TABLES, Builder

UNKNOWN = -(2**62)  # no index


def written(b: Builder, recipe: Any, layer: str, *xs: str) -> tuple[str, str]:
    """What a recipe makes of values, and its dtype; recipes are those of ``lamina.host``, told apart by their names.

    Raises:
        GraphError: ONNX has no operator for it; the message names the layer.
    """
    kind = type(recipe).__name__
    if kind not in RECIPES:
        raise GraphError(
            f"layer {layer!r} hashes, and ONNX has no operator for that: look up a vocabulary (StringLookup, "
            "IntegerLookup with num_oov_indices=1), or export as 'tf_saved_model'"
        )
    return RECIPES[kind](b, recipe, layer, *xs), TEXT if isinstance(getattr(recipe, "default", 0), str) else "int64"


def _table(b: Builder, table: Any, layer: str, x: str) -> str:
    if table.keys.dtype.kind != "O" and (x, "int64") not in b.inputs.values():
        x = b.cast(x, "int64")
    if isinstance(table.default, str):
        return _encoder(b, table, layer, x, default_string=table.default)
    if isinstance(table.default, int):
        return _encoder(b, table, layer, x, default_int64=table.default)
    found = _encoder(b, table, layer, x, default_int64=UNKNOWN)
    if table.default is None:
        return _known(b, table, layer, found)
    other, _ = written(b, table.default, layer, x)
    return b.op("Where", b.op("Equal", found, b.array(UNKNOWN)), other, found, label=layer)


def _encoder(b: Builder, table: Any, layer: str, x: str, **default: Any) -> str:
    pairs = dict([_column("keys", table.keys), _column("values", table.values)])
    return b.op("LabelEncoder", x, label=layer, domain=TABLES[0], **pairs, **default)


def _column(side: str, array: np.ndarray) -> tuple[str, list[Any]]:
    return f"{side}_{'strings' if array.dtype.kind == 'O' else 'int64s'}", array.tolist()


def _known(b: Builder, table: Any, layer: str, found: str) -> str:
    """An unknown value is an error: its place is outside this array of the indices themselves, −1 at their end."""
    indices = [*range(int(table.values.max()) + 1), -1]
    return b.op("Gather", b.array(indices), found, label=layer, axis=0)


def _modulo(b: Builder, modulo: Any, layer: str, x: str) -> str:
    return b.op("Add", b.op("Mod", x, b.array(modulo.bins)), b.array(modulo.first), label=layer)


RECIPES: dict[str, Callable[..., str]] = {"Table": _table, "Modulo": _modulo}
