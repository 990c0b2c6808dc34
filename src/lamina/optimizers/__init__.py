"""Optimizers: how weights follow their gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamina import naming
from lamina.errors import refusal
from lamina.optimizers import schedules
from lamina.optimizers.adadelta import Adadelta
from lamina.optimizers.adafactor import Adafactor
from lamina.optimizers.adagrad import Adagrad
from lamina.optimizers.adam import Adam
from lamina.optimizers.adamax import Adamax
from lamina.optimizers.adamw import AdamW
from lamina.optimizers.ftrl import Ftrl
from lamina.optimizers.lamb import Lamb
from lamina.optimizers.lion import Lion
from lamina.optimizers.loss_scale_optimizer import LossScaleOptimizer
from lamina.optimizers.multi_optimizer import MultiOptimizer, OptimizerMap
from lamina.optimizers.muon import Muon
from lamina.optimizers.nadam import Nadam
from lamina.optimizers.optimizer import Optimizer
from lamina.optimizers.rmsprop import RMSprop
from lamina.optimizers.schedule_free_adamw import ScheduleFreeAdamW
from lamina.optimizers.sgd import SGD
from lamina.records import serialize_keras_object

CLASSES = {
    c.__name__: c
    for c in (
        SGD, RMSprop, Adam, AdamW, Adadelta, Adafactor, Adagrad, Adamax, Ftrl, Lamb, Lion, Muon, Nadam,
        ScheduleFreeAdamW,
    )
}  # fmt: skip
WRAPPERS: dict[str, type] = {c.__name__: c for c in (LossScaleOptimizer, MultiOptimizer, OptimizerMap)}
_NAMED = {**CLASSES, **WRAPPERS, "Optimizer": Optimizer}
TABLE = _NAMED | {name.lower(): c for name, c in _NAMED.items()}


ABSENT = {"legacy": "the optimizers of Keras 2 are gone in Keras 3, too; take those of the same names here"}

serialize = serialize_keras_object
__getattr__ = refusal(__name__, ABSENT)


def get(identifier: Any) -> Optimizer | None:
    """An optimizer from a name, a config, a class or an optimizer; None for None.

    Raises:
        ValueError: there is no such optimizer.

    Example:
        >>> get("adam").name
        'adam'
    """
    return None if identifier is None else _optimizer(identifier)


def _optimizer(identifier: Any) -> Optimizer:
    if isinstance(identifier, Optimizer):
        return identifier
    found = naming.lookup("optimizer", TABLE, _in_lower_case(identifier))
    if not isinstance(found, Optimizer):
        raise ValueError(f"Could not interpret optimizer identifier: {identifier!r}")
    return found


def _in_lower_case(identifier: Any) -> Any:
    if isinstance(identifier, Mapping) and "module" not in identifier:
        return {**identifier, "class_name": _in_lower_case(identifier.get("class_name"))}
    known = isinstance(identifier, str) and identifier.lower() in TABLE
    return identifier.lower() if known else identifier  # Keras reads the names of its own in any case


deserialize = naming.reader_of(_optimizer)

__all__ = [
    "SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion", "LossScaleOptimizer",
    "MultiOptimizer", "Muon", "Nadam", "Optimizer", "OptimizerMap", "RMSprop", "ScheduleFreeAdamW", "deserialize",
    "get", "schedules", "serialize",
]  # fmt: skip
