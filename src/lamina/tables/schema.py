"""What a model knows of the table it learned from: its columns, their ranges, the target and its classes.

It is kept as JSON in the model file, so that ``predict`` finds columns by name and names classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lamina.errors import ModelFileError

BINARY, MULTICLASS, REGRESSION = "binary", "multiclass", "regression"
TASKS = (BINARY, MULTICLASS, REGRESSION)
Label = str | float | bool


@dataclass(frozen=True)
class Feature:
    """A column that the model takes: its name and its range in the table trained on."""

    name: str
    minimum: float
    maximum: float


@dataclass(frozen=True)
class Target:
    """The column that the model answers.

    Attributes:
        name: the column.
        kind: ``number``, ``text`` or ``truth``: what its labels are.
        classes: the labels in the order of the model's outputs; for a regression none.
        usual: the shares of the classes in the rows trained on, or the mean of the numbers: the simplest answer.
        minimum, maximum: its range in the table trained on; for classes None.
    """

    name: str
    kind: str
    classes: tuple[Label, ...] = ()
    usual: tuple[float, ...] = ()
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class Schema:
    """The columns of a model: ``features`` in the order of its inputs, and the ``target`` of its ``task``."""

    task: str
    features: tuple[Feature, ...]
    target: Target

    @property
    def outputs(self) -> int:
        """How many numbers the model answers for a row: one, or the probability of each of several classes."""
        return len(self.target.classes) if self.task == MULTICLASS else 1

    @property
    def names(self) -> list[str]:
        """The names of the columns that the model takes, in their order."""
        return [feature.name for feature in self.features]

    def to_json(self) -> dict[str, Any]:
        """A dictionary of plain JSON values."""
        return asdict(self) | {"features": [asdict(feature) for feature in self.features]}

    @classmethod
    def from_json(cls, record: object) -> Schema:
        """The schema that ``to_json`` wrote.

        Raises:
            ModelFileError: the record is not one; the message says which part.
        """
        fields = _record(record, "schema", {"task": str, "features": list, "target": dict})
        if fields["task"] not in TASKS:
            raise ModelFileError(
                f"the model file's schema has the task {fields['task']!r}; one of {', '.join(TASKS)} expected"
            )
        features = tuple(Feature(**_record(f, "feature", _FEATURE)) for f in fields["features"])
        target = _record(fields["target"], "target", _TARGET)
        classes, usual = tuple(target.pop("classes")), tuple(target.pop("usual"))
        if not all(isinstance(label, str | int | float) for label in classes):
            raise ModelFileError("the model file's schema has a class that is not text, a number, true or false")
        if len(usual) != max(1, len(classes)) or not all(isinstance(share, int | float) for share in usual):
            raise ModelFileError("the model file's schema has not one usual answer for each class")
        if bool(classes) == (fields["task"] == REGRESSION):
            raise ModelFileError(f"the model file's schema is a {fields['task']} with {len(classes)} classes")
        return cls(fields["task"], features, Target(**target, classes=classes, usual=usual))


_Types = Mapping[str, type | tuple[type, ...]]
_NUMBER = (int, float)
_MAYBE = (int, float, type(None))
_FEATURE: _Types = {"name": str, "minimum": _NUMBER, "maximum": _NUMBER}
_TARGET: _Types = {
    "name": str,
    "kind": str,
    "classes": (list, tuple),
    "usual": (list, tuple),
    "minimum": _MAYBE,
    "maximum": _MAYBE,
}


def _record(value: object, what: str, types: _Types) -> dict[str, Any]:
    """The fields of a JSON object, each there and of its type; fields of later versions are passed over."""
    if not isinstance(value, dict):
        raise ModelFileError(f"the model file's {what} is no JSON object: {value!r:.60}")
    for name, kind in types.items():
        if not isinstance(value.get(name, ...), kind):
            raise ModelFileError(f"the model file's {what} has no valid {name!r}: {value.get(name)!r:.60}")
    return {name: value[name] for name in types}


def features_of(names: Sequence[str], values: np.ndarray) -> tuple[Feature, ...]:
    """The features of some columns (rows, columns) that a model is trained on."""
    low, high = map(_decimal, values.min(axis=0)), map(_decimal, values.max(axis=0))
    return tuple(Feature(*row) for row in zip(names, low, high, strict=True))


def _decimal(value: np.floating) -> float:
    """The number as it is written: 6.981, not what float32 makes of it in float64."""
    return float(str(value))
