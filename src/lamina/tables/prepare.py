"""A table → the numbers that a model takes, with what was left out and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import compress

import numpy as np

from lamina.errors import TableError
from lamina.tables import read
from lamina.tables.complete import coarse, complete, unfit_spread
from lamina.tables.names import counted, listed, nearest
from lamina.tables.read import Column, Table
from lamina.tables.schema import BINARY, MULTICLASS, REGRESSION, Schema, Target, features_of
from lamina.tables.split import Split, split_rows
from lamina.tables.target import read_target


@dataclass(frozen=True)
class Training:
    """All that a training needs of a table.

    Attributes:
        schema: the columns that the model takes, and its target.
        x: (rows, features) float32, in the order of the schema.
        y: (rows,): class numbers (int32), or the target's numbers (float32) for a regression.
        split: the rows of the three parts.
        left_out: (column, reason) of each column that the model does not take.
        notes: what a person should know about how the table was read.
    """

    schema: Schema
    x: np.ndarray
    y: np.ndarray
    split: Split
    left_out: list[tuple[str, str]]
    notes: list[str]


def prepare_training(
    table: Table,
    target: str,
    *,
    task: str = "auto",
    validation: float = 0.2,
    test: float = 0.2,
    seed: int = 0,
) -> Training:
    """Choose the columns, read their numbers, find the task and divide the rows.

    Args:
        table: from ``read_table``.
        target: the column to predict.
        task: ``binary``, ``multiclass``, ``regression``, or ``auto`` to decide by the target's values.
        validation, test: shares of the rows held out.
        seed: of the division.

    Raises:
        TableError: a column is missing or unfit, a field is missing, no number or infinite.
    """
    answer, y, notes = read_target(table, target, task)
    classes = y if answer.classes else None
    names, left_out = _numeric(table, target)
    numbers = table.numbers(names)
    x = complete(table, names, numbers)
    split = split_rows(table.rows, validation=validation, test=test, seed=seed, classes=classes)
    reasons = [unfit_spread(column) for column in numbers[split.train].T]
    left_out += [(name, reason) for name, reason in zip(names, reasons, strict=True) if reason]
    fit = [not reason for reason in reasons]
    names, x = list(compress(names, fit)), x[:, fit]
    if not names:
        others = listed([f"{name} ({reason})" for name, reason in left_out]) or "none"
        raise TableError(f"{table.path}: no column of numbers to learn {target!r} from. Left out: {others}.")
    answer = _described(table, answer, y, y[split.train])
    schema = Schema(_task(answer, task), features_of(names, x), answer)
    notes += [*coarse(names, x[split.train]), *_rare(answer, y, split)]
    notes += coarse([target], y[split.train, None]) if classes is None else []
    return Training(schema, x, y, split, left_out, notes)


def _task(answer: Target, task: str) -> str:
    if not answer.classes:
        return REGRESSION
    return BINARY if len(answer.classes) == 2 and task != MULTICLASS else MULTICLASS


def _numeric(table: Table, target: str) -> tuple[list[str], list[tuple[str, str]]]:
    """The columns of numbers beside the target, and why each other one is left out."""
    others = [column for name, column in table.columns.items() if name != target]
    taken = [column.name for column in others if column.kind == read.NUMBER]
    return taken, [(column.name, _reason(column)) for column in others if column.kind != read.NUMBER]


def _reason(column: Column) -> str:
    return column.note or {read.TRUTH: "true or false"}.get(column.kind, column.kind)


def _described(table: Table, target: Target, y: np.ndarray, trained: np.ndarray) -> Target:
    """The target with its range, and with its simplest answer, which the rows trained on give."""
    if target.classes:
        shares = np.bincount(trained, minlength=len(target.classes)) / len(trained)
        return replace(target, usual=tuple(shares.tolist()))
    if reason := unfit_spread(trained.astype(np.float64)):
        raise TableError(f"{table.path}: the target {target.name!r} cannot be learned: {reason}.")
    mean = float(trained.mean(dtype=np.float64))
    return replace(target, usual=(mean,), minimum=float(str(y.min())), maximum=float(str(y.max())))


def _rare(target: Target, y: np.ndarray, split: Split) -> list[str]:
    held = [part for part in (split.validation, split.test) if len(part)]
    rare = [str(c) for i, c in enumerate(target.classes) if not all(np.any(y[part] == i) for part in held)]
    return [f"Too few rows for each part, hence not measured well: {listed(rare)}."] if rare else []


# -- for a trained model


def read_inputs(table: Table, schema: Schema) -> np.ndarray:
    """The columns that a model takes, found by name: (rows, features) float32.

    Raises:
        TableError: a column is not there (the nearest is named); a field is missing, no number or infinite.
    """
    absent = [name for name in schema.names if name not in table.columns]
    if absent:
        raise TableError(f"{table.path}: {_absent(absent, [n for n in table.columns if n not in schema.names])}")
    return complete(table, schema.names, table.numbers(schema.names))


def _absent(absent: list[str], others: list[str]) -> str:
    near = {name: nearest(name, others) for name in absent}
    hints = [f"{name!r}" + (f" (did you mean {near[name]!r}?)" if near[name] else "") for name in absent]
    if len(absent) == 1:
        return f"the model takes the column {hints[0]}, which is not there."
    return f"the model takes {counted(len(absent), 'column')} that are not there: {listed(hints)}."


def outside_ranges(schema: Schema, x: np.ndarray) -> list[str]:
    """A note on the columns that leave the range which they had in the table trained on."""
    low = np.array([f.minimum for f in schema.features], np.float32)
    high = np.array([f.maximum for f in schema.features], np.float32)
    counts = ((x < low) | (x > high)).sum(axis=0).tolist()
    outside = [
        f"{f.name} ({counted(count, 'row')} not within {f.minimum:g} to {f.maximum:g})"
        for f, count in zip(schema.features, counts, strict=True)
        if count
    ]
    return [f"outside the range of the table trained on: {listed(outside, 4)}."] if outside else []
