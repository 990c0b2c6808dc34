"""What ``lamina train`` and ``lamina evaluate`` say: short lines about the table, the network and its figures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from lamina.tables import figures
from lamina.tables.names import counted, listed, short, word
from lamina.tables.prepare import Training
from lamina.tables.read import Table
from lamina.tables.schema import BINARY, Schema
from lamina.tables.train import Settings, Trained, answers


class Lines:
    """Prints lines, or nothing when quiet."""

    def __init__(self, quiet: bool):
        self._quiet = quiet

    def say(self, *lines: str) -> None:
        """Print the lines."""
        if not self._quiet:
            print("\n".join(lines), flush=True)


def about_table(table: Table, training: Training, seed: int) -> list[str]:
    """The rows, the columns taken and left out, the target and the task."""
    schema, split = training.schema, training.split
    taken = f"{table.path}: {counted(table.rows, 'row')}, {counted(len(schema.features), 'column')} of numbers taken"
    parts = [f"{len(split.train):,} to train"]
    parts += [f"{len(split.validation):,} to validate"] if len(split.validation) else []
    parts += [f"{len(split.test):,} held out for the test"] if len(split.test) else []
    how = " in proportion to the classes" if schema.target.classes else ""
    return [
        f"{taken}.",
        *(
            [f"Left out: {listed([f'{name} ({why})' for name, why in training.left_out])}."]
            if training.left_out
            else []
        ),
        f"Target {schema.target.name!r}, {schema.task}: {_target(training)}.",
        *(f"Note: {note}" for note in training.notes),
        f"Rows divided at random{how} (seed {seed}): {', '.join(parts)}.",
    ]


def _target(training: Training) -> str:
    target = training.schema.target
    if not target.classes:
        return f"numbers from {short(training.y.min())} to {short(training.y.max())}"
    counts = np.bincount(training.y, minlength=len(target.classes)).tolist()
    classes = listed([f"{word(name)} ({count:,})" for name, count in zip(target.classes, counts, strict=True)])
    return classes + (
        f"; the output is the probability of {word(target.classes[1])!r}" if training.schema.task == BINARY else ""
    )


def about_network(training: Training, settings: Settings) -> list[str]:
    """The sizes of the layers and how they are trained."""
    sizes = _sizes(training.schema, settings.hidden)
    numbers = weights(training.schema, settings.hidden)
    shape = " → ".join(map(str, sizes))
    return [
        f"Network {shape}, {settings.activation}, {numbers:,} weights; Adam, learning rate {settings.learning_rate:g}, "
        f"{counted(settings.rows_a_step(len(training.split.train)), 'row')} a step."
    ]


def weights(schema: Schema, hidden: Sequence[int]) -> int:
    """How many weights the network of a table has."""
    return sum(a * b + b for a, b in pairwise(_sizes(schema, hidden)))


def _sizes(schema: Schema, hidden: Sequence[int]) -> list[int]:
    return [len(schema.features), *hidden, schema.outputs]


def about_training(training: Training, settings: Settings, trained: Trained) -> list[str]:
    """When the training stopped, and which weights are kept."""
    if not len(training.split.validation):
        return [f"Trained {counted(trained.epochs, 'epoch')}, without rows to validate on."]
    stopped = trained.epochs < settings.epochs
    why = f"no progress for {counted(settings.patience, 'epoch')}" if stopped else "as many as asked for"
    return [f"Stopped after {counted(trained.epochs, 'epoch')} ({why}); the weights are those of epoch {trained.best}."]


def about_test(training: Training, trained: Trained) -> list[str]:
    """The figures on the rows held out."""
    rows = training.split.test
    if not len(rows):
        return ["No rows were held out, so that nothing is known of how good the model is."]
    said = answers(trained.network.model, training.x[rows])
    return [
        "",
        f"Held-out test, {counted(len(rows), 'row')} the model never saw:",
        *table_of(training.schema, training.y[rows], said),
    ]


def table_of(schema: Schema, y: np.ndarray, said: np.ndarray) -> list[str]:
    """The figures next to those of the simplest answer, and a sentence."""
    rows = [("", "model", figures.simplest_name(schema))]
    rows += [(f.name, short(f.model), short(f.simplest)) for f in figures.figures(schema, y, said)]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    lines = [f"  {a:<{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}" for a, b, c in rows]
    return [*lines, figures.verdict(schema, y, said)]


def saved(path: str, replaced: bool) -> str:
    """Where the model is and what to do with it."""
    size = f"{os.path.getsize(path) / 1000:,.0f} kB{', replacing the one there' if replaced else ''}"
    return f"\nSaved {path} ({size}). Next: lamina predict {path} TABLE"
