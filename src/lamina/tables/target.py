"""The column to predict: classes with their names, or numbers; which of the two, and why not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lamina.errors import TableError
from lamina.tables import read
from lamina.tables.complete import complete, refuse_missing
from lamina.tables.names import counted, listed, quoted
from lamina.tables.read import Column, Table
from lamina.tables.schema import BINARY, REGRESSION, Label, Schema, Target

MOST_CLASSES = 20  # a column of more distinct whole numbers is predicted as a number
ROWS_A_CLASS = 5  # and so is one whose distinct numbers have fewer rows than this on average


def read_target(table: Table, name: str, task: str) -> tuple[Target, np.ndarray, list[str]]:
    """The target, its numbers (class numbers or float32 values), and a note on how the task was decided.

    Text, true and false are classes; so are at most 20 distinct whole numbers with 5 rows each on average.

    Raises:
        TableError: no such column, one class only, text where a regression needs numbers.
    """
    column = table.column(name)
    if column.kind in (read.EMPTY, read.OTHER):
        holds = column.note or "nothing"
        raise TableError(f"{table.path}: the target {name!r} holds {holds}; numbers or classes expected.")
    if column.kind != read.NUMBER:
        if task == REGRESSION:
            raise TableError(_text_for_numbers(table, column))
        return _classes_of_labels(table, column, task)
    values = complete(table, [name], table.numbers([name]), np.float64)
    if task == REGRESSION or (task == "auto" and not _few_whole(values)):
        return Target(name, read.NUMBER), complete(table, [name], values)[:, 0], []
    return _classes_of_numbers(table, column, values[:, 0], task)


_HELD = {read.TRUTH: "true or false"}


def _text_for_numbers(table: Table, column: Column) -> str:
    row, label = next((row, label) for row, label in enumerate(table.labels(column.name)) if label)
    return (
        f"{table.path}, {table.place(row)}: a regression needs numbers, but the target {column.name!r} holds "
        f"{_HELD.get(column.kind, column.kind)}, such as {quoted(label)}. "
        f"{_told(column)}Choose --task multiclass or another target."
    )


def _told(column: Column) -> str:
    return f"They are {column.note}. " if column.note and column.kind == read.TEXT else ""


def _few_whole(values: np.ndarray) -> bool:
    distinct = np.unique(values)
    few = len(distinct) <= min(MOST_CLASSES, max(2, len(values) // ROWS_A_CLASS))
    return few and bool(np.all(distinct == np.round(distinct)))


def _classes_of_numbers(
    table: Table, column: Column, values: np.ndarray, task: str
) -> tuple[Target, np.ndarray, list[str]]:
    distinct, numbers = np.unique(values, return_inverse=True)
    labels = [int(value) if value == int(value) else value for value in distinct.tolist()]
    found = _classes(table, column, labels, numbers, task)
    note = f"{column.name} has {len(labels)} distinct whole numbers, taken as classes"
    ask = task == "auto" and len(labels) > 2
    return *found, [f"{note}; --task regression predicts a number."] if ask else []


def _classes_of_labels(table: Table, column: Column, task: str) -> tuple[Target, np.ndarray, list[str]]:
    labels = _filled(table, column.name)
    meaning: dict[str, Label] = {label: _truth(label) if column.kind == read.TRUTH else label for label in labels}
    classes = sorted(set(meaning.values()))
    number = {label: classes.index(meant) for label, meant in meaning.items()}
    return *_classes(table, column, classes, np.array([number[label] for label in labels]), task), []


def _truth(label: str) -> bool:
    return label.lower() == "true"


def _filled(table: Table, name: str) -> list[str]:
    labels = table.labels(name)
    refuse_missing(table, [name], np.array([[label is None] for label in labels]))
    return [label for label in labels if label is not None]


def _classes(
    table: Table, column: Column, classes: Sequence[Label], numbers: np.ndarray, task: str
) -> tuple[Target, np.ndarray]:
    place = f"{table.path}: the target {column.name!r}"
    if len(classes) == 1:
        raise TableError(f"{place} is {quoted(classes[0])} in every row. Two classes at least are needed.")
    if task == BINARY and len(classes) != 2:
        raise TableError(f"{place} has {len(classes)} classes; --task binary needs 2. Choose --task multiclass.")
    if len(classes) > max(2, table.rows / 2):
        other = ", or --task regression" if column.kind == read.NUMBER else ""
        many = f"{len(classes):,} different values in {counted(table.rows, 'row')}"
        raise TableError(f"{place} has {many}, too many for classes. {_told(column)}Choose another target{other}.")
    return Target(column.name, column.kind, tuple(classes)), numbers.astype(np.int32)


# -- for a trained model


def read_answers(table: Table, schema: Schema) -> np.ndarray:
    """The target's column as a model answers it: class numbers (int32), or values (float32).

    Raises:
        TableError: the target is not there, a field is missing, or a label is none of the model's classes.
    """
    target = schema.target
    column = table.column(target.name)
    if target.kind != read.NUMBER:
        return _class_numbers(table, target, list(_filled(table, column.name)))
    if not target.classes and column.kind not in (read.NUMBER, read.EMPTY):
        raise TableError(f"{table.path}: the model answers numbers, {column.name!r} holds {column.kind}.")
    if not target.classes:
        return complete(table, [column.name], table.numbers([column.name]))[:, 0]
    if column.kind == read.TEXT:
        return _class_numbers(table, target, list(_filled(table, column.name)))
    values = complete(table, [column.name], table.numbers([column.name]), np.float64)
    return _class_numbers(table, target, values[:, 0].tolist())


def _class_numbers(table: Table, target: Target, labels: Sequence[Label]) -> np.ndarray:
    known = {_key(label, target.kind): number for number, label in enumerate(target.classes)}
    numbers = np.array([known.get(_key(label, target.kind), -1) for label in labels], np.int32)
    outside = np.flatnonzero(numbers < 0)
    if len(outside):
        row = int(outside[0])
        more = f" ({counted(len(outside), 'such row')})" if len(outside) > 1 else ""
        raise TableError(
            f"{table.path}, {table.place(row)}, column {target.name!r}: {quoted(labels[row])} is none of the "
            f"model's classes ({listed([str(label) for label in target.classes])}){more}."
        )
    return numbers


def _key(label: Label, kind: str) -> Label:
    """What two labels of one class have in common: true, True and TRUE are the same."""
    return str(label).lower() if kind == read.TRUTH else label
