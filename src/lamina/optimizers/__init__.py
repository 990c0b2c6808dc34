"""Optimizers: how weights follow their gradients."""

from __future__ import annotations

from typing import Any

from lamina import naming
from lamina.optimizers import schedules
from lamina.optimizers.adadelta import Adadelta
from lamina.optimizers.adagrad import Adagrad
from lamina.optimizers.adam import Adam
from lamina.optimizers.adamax import Adamax
from lamina.optimizers.adamw import AdamW
from lamina.optimizers.ftrl import Ftrl
from lamina.optimizers.lion import Lion
from lamina.optimizers.optimizer import Optimizer
from lamina.optimizers.rmsprop import RMSprop
from lamina.optimizers.sgd import SGD

CLASSES = {c.__name__: c for c in (SGD, RMSprop, Adam, AdamW, Adadelta, Adagrad, Adamax, Ftrl, Lion)}
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
    known = isinstance(identifier, str) and identifier.lower() in TABLE  # Keras reads names in any case
    found = naming.lookup("optimizer", TABLE, identifier.lower() if known else identifier)
    if not isinstance(found, Optimizer):
        raise ValueError(f"Could not interpret optimizer identifier: {identifier!r}")
    return found


__all__ = [
    "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lion", "Optimizer", "RMSprop", "get", "schedules",
]  # fmt: skip
