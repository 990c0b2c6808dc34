"""``lamina train``: a table → a trained network in one file, with its figures on rows it never saw."""

from __future__ import annotations

import os
from typing import Annotated

import typer


def train(
    table: Annotated[str, typer.Argument(help="A CSV or Parquet file.")],
    target: Annotated[str, typer.Option(help="The column to predict.")],
    out: Annotated[str, typer.Option(help="Where the model goes.")] = "model.keras",
    task: Annotated[str, typer.Option(help="auto, binary, multiclass or regression.")] = "auto",
    hidden: Annotated[str, typer.Option(help="Units of the hidden layers; '' for none.")] = "64,32",
    activation: Annotated[str, typer.Option(help="Of the hidden layers, by Keras's name.")] = "relu",
    epochs: Annotated[int, typer.Option(min=1, help="At most so many passes over the rows.")] = 500,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Rows a step; 4 to 32, more for large tables.")] = None,
    learning_rate: Annotated[float, typer.Option(help="Of Adam.")] = 0.001,
    validation: Annotated[float, typer.Option(help="Share of the rows that decides when to stop.")] = 0.2,
    test: Annotated[float, typer.Option(help="Share of the rows held out for the figures.")] = 0.2,
    patience: Annotated[int, typer.Option(min=1, help="Stop after so many epochs without progress.")] = 20,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="The same seed, the same bits.")] = 0,
    threads: Annotated[int | None, typer.Option(min=1, max=1024, help="All by default; the bits are the same.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing.")] = False,
) -> None:
    """Train a network on a table and save it.

    The numeric columns are its inputs, standardised inside the model; others are left out and named. Text, true and
    false, or few distinct whole numbers (20 at most, 5 rows each) as the target are classes; other numbers are
    predicted as numbers.
    """
    from lamina.cli import checks, report
    from lamina.cli.progress import progress
    from lamina.tables.prepare import prepare_training
    from lamina.tables.read import read_table
    from lamina.tables.train import Settings, save_trained, train_network

    checks.model_path(out)
    checks.one_of("--task", task, checks.TASKS)
    checks.one_of("--activation", activation, checks.activations())
    checks.positive("--learning-rate", learning_rate)
    settings = Settings(checks.units(hidden), activation, epochs, batch_size, learning_rate, patience, seed, threads)
    data = read_table(table)
    training = prepare_training(data, target, task=task, validation=validation, test=test, seed=seed)
    checks.fits_memory(report.weights(training.schema, settings.hidden))
    lines = report.Lines(quiet)
    lines.say(*report.about_table(data, training, seed), *report.about_network(training, settings))
    with progress(training.schema, quiet) as watch:
        trained = train_network(training, settings, watch)
    lines.say(*report.about_training(training, settings, trained), *report.about_test(training, trained))
    replaced = os.path.exists(out)
    save_trained(out, trained, training, settings, table)
    lines.say(report.saved(out, replaced))
