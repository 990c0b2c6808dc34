"""``lamina predict``: a model's answers for the rows of a table, as CSV."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import numpy as np

    from lamina.tables.schema import Schema


def predict(
    model: Annotated[str, typer.Argument(help="A file that lamina train saved.")],
    table: Annotated[str, typer.Argument(help="A CSV or Parquet file with the model's columns.")],
    out: Annotated[str | None, typer.Option(help="Where the predictions go; to the screen by default.")] = None,
) -> None:
    """Predict the target for each row of a table.

    Columns are found by name, in any order; others are passed over. The answer is CSV with a column `predicted`, and
    for classes a column `probability_CLASS` for each.
    """
    from lamina.cli import checks, model_file
    from lamina.saving.archive import replacing
    from lamina.tables.prepare import outside_ranges, read_inputs
    from lamina.tables.read import read_table

    if out is not None:
        checks.csv_path(out)
    network, schema = model_file.load_with_schema(model)
    x = read_inputs(read_table(table), schema)
    for note in outside_ranges(schema, x):
        print(f"lamina: note: {note}", file=sys.stderr)
    text = _csv(schema, model_file.answer(model, network, schema, x))
    if out is None:
        sys.stdout.write(text)
        return
    with replacing(out) as file:
        file.write(text.encode())
    print(f"Saved {out} ({len(x):,} rows).")


def _csv(schema: Schema, answers: np.ndarray) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(_rows(schema, answers))
    return text.getvalue()


def _rows(schema: Schema, answers: np.ndarray) -> Iterator[list[str]]:
    import numpy as np

    from lamina.tables.figures import class_numbers
    from lamina.tables.names import word

    names = [word(label) for label in schema.target.classes]
    yield ["predicted", *(f"probability_{name}" for name in names)]
    if not names:
        yield from ([str(value)] for value in answers[:, 0])
        return
    probabilities = np.concatenate([1 - answers, answers], axis=1) if schema.outputs == 1 else answers
    for number, row in zip(class_numbers(schema, answers), probabilities, strict=True):
        yield [names[number], *map(str, row)]
