"""Optimizers: how weights follow their gradients."""

from __future__ import annotations

from typing import Any

from lamina import config
from lamina.optimizers import schedules
from lamina.optimizers.adam import Adam
from lamina.optimizers.optimizer import Optimizer
from lamina.optimizers.rmsprop import RMSprop
from lamina.optimizers.sgd import SGD

CLASSES = {c.__name__: c for c in (SGD, RMSprop, Adam)}
TABLE = CLASSES | {name.lower(): c for name, c in CLASSES.items()}


def get(identifier: Any) -> Optimizer:
    """An optimizer from a name, a config, a class or an optimizer.

    Raises:
        ValueError: there is no such optimizer.

    Example:
        >>> get("adam").name
        'adam'
    """
    if isinstance(identifier, Optimizer):
        return identifier
    found = config.lookup("optimizer", TABLE, identifier)
    if not isinstance(found, Optimizer):
        raise ValueError(f"Could not interpret optimizer identifier: {identifier!r}")
    return found


__all__ = ["SGD", "Adam", "Optimizer", "RMSprop", "get", "schedules"]
