"""The state of a model as nested dictionaries: weights, what the optimizer keeps, sums of metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.errors import ShapeError
from lamina.variables import Variable

if TYPE_CHECKING:
    from lamina.models.model import Model

VALUE_FORMATS = ("backend_tensor", "numpy_array")


def state_tree(model: Model, value_format: str) -> dict[str, Any]:
    """See ``Model.get_state_tree``."""
    if value_format not in VALUE_FORMATS:
        raise ValueError(f"Invalid `value_format` argument. Expected one of {VALUE_FORMATS}, got {value_format!r}")
    return {name: _nested(variables) for name, variables in _groups(model).items()}


def set_state_tree(model: Model, tree: Mapping[str, Any]) -> None:
    """See ``Model.set_state_tree``."""
    groups = _groups(model)
    if unknown := [name for name in tree if name not in groups]:
        raise ValueError(f"the state of a model has the parts {', '.join(groups)}, got {unknown[0]!r}")
    pairs = [pair for name, part in tree.items() for pair in _matched(groups[name], part)]
    for variable, value in pairs:
        if np.shape(value) != variable.shape:
            raise ShapeError(f"variable {variable.path!r} has shape {variable.shape}, got {np.shape(value)}")
    for variable, value in pairs:
        variable.assign(np.asarray(value))


def _groups(model: Model) -> dict[str, list[Variable]]:
    return {
        "trainable_variables": model.trainable_variables,
        "non_trainable_variables": model.non_trainable_variables,
        "optimizer_variables": [] if model.optimizer is None else model.optimizer.variables,
        "metrics_variables": model.metrics_variables,
    }


def _nested(variables: Iterable[Variable]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for variable in variables:
        *parts, last = variable.path.split("/")
        place = tree
        for part in parts:
            place = place.setdefault(part, {})
        place[last] = variable.numpy()
    return tree


def _matched(variables: Iterable[Variable], tree: Mapping[str, Any]) -> list[tuple[Variable, Any]]:
    """Each variable that the tree names, with the value there."""
    by_path = {v.path: v for v in variables}
    found = []
    for path, value in _leaves(tree):
        if path not in by_path:
            raise ValueError(f"the model has no variable {path!r}; it has {', '.join(by_path)}")
        found.append((by_path[path], value))
    return found


def _leaves(tree: Mapping[str, Any], path: str = "") -> Iterable[tuple[str, Any]]:
    for name, part in tree.items():
        place = f"{path}/{name}" if path else name
        yield from _leaves(part, place) if isinstance(part, Mapping) else [(place, part)]
