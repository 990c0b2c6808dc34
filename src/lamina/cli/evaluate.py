"""``lamina evaluate``: how good a model is on a table that has the target."""

from __future__ import annotations

from typing import Annotated

import typer


def evaluate(
    model: Annotated[str, typer.Argument(help="A file that lamina train saved.")],
    table: Annotated[str, typer.Argument(help="A CSV or Parquet file with the model's columns and its target.")],
) -> None:
    """Compare a model's answers with the target of a table.

    Rows that the model was trained on make it look better than it is.
    """
    from lamina.cli import model_file, report
    from lamina.tables.names import counted
    from lamina.tables.prepare import outside_ranges, read_inputs
    from lamina.tables.read import read_table
    from lamina.tables.target import read_answers

    network, schema = model_file.load_with_schema(model)
    data = read_table(table)
    y = read_answers(data, schema)
    x = read_inputs(data, schema)
    said = model_file.answer(model, network, schema, x)
    notes = [f"Note: {note}" for note in outside_ranges(schema, x)]
    head = f"{table}: {counted(data.rows, 'row')}, target {schema.target.name!r}, {schema.task}."
    report.Lines(quiet=False).say(head, *notes, *report.table_of(schema, y, said))
