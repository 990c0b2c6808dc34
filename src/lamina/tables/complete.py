"""Nothing missing, nothing infinite: values in the model's number type, or an error naming places."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lamina.errors import TableError
from lamina.tables.names import counted, listed
from lamina.tables.read import Table

_SHOWN = 5  # rows with missing fields that an error names
# Deviations that a Normalization in 32-bit numbers can divide by: Keras's takes none below 1e-7, and squares them.
_SMALLEST, _LARGEST = 1e-7, 1e18
_FEW_STEPS = 100  # a column whose spread has fewer float32 steps than this is worth a note


def complete(
    table: Table, names: Sequence[str], values: np.ndarray, dtype: type[np.floating] = np.float32
) -> np.ndarray:
    """The values (rows, columns) in a number type, when all are there and finite in it.

    Raises:
        TableError: which rows have missing fields in which columns, or where a value is infinite or too big.
    """
    refuse_missing(table, names, np.isnan(values))
    bad = np.argwhere(np.abs(values) > np.finfo(dtype).max)
    if len(bad):
        row, column = bad[0].tolist()
        value = values[row, column]
        wrong = "is too large for 32-bit numbers" if np.isfinite(value) else "is not finite"
        more = f" ({len(bad)} such fields)" if len(bad) > 1 else ""
        place = f"{table.path}, {table.place(row)}, column {names[column]!r}"
        raise TableError(f"{place}: {value:g} {wrong}{more}. Correct it, or take the row out.")
    return values.astype(dtype)


def refuse_missing(table: Table, names: Sequence[str], missing: np.ndarray) -> None:
    """Raise an error where ``missing`` (rows, columns) is true anywhere."""
    rows = np.flatnonzero(missing.any(axis=1))
    if not len(rows):
        return
    counts = [f"{n!r} ({c:,})" for n, c in zip(names, missing.sum(axis=0).tolist(), strict=True) if c]
    have = f"{len(rows):,} of {counted(table.rows, 'row')} {'has' if len(rows) == 1 else 'have'} missing fields"
    columns = f"in {'column' if len(counts) == 1 else 'columns'} {listed(counts)}"
    raise TableError(
        f"{table.path}: {have}, {columns}: {_places(table, names, missing, rows.tolist())}. "
        "Fill them in, or take these rows or columns out."
    )


def _places(table: Table, names: Sequence[str], missing: np.ndarray, rows: list[int]) -> str:
    """``line 7 (age), line 9 (age, fare), …``."""
    absent = {row: [n for n, m in zip(names, missing[row], strict=True) if m] for row in rows[:_SHOWN]}
    places = [f"{table.place(row)} ({listed(columns)})" for row, columns in absent.items()]
    return ", ".join(places) + (", …" if len(rows) > _SHOWN else "")


def unfit_spread(values: np.ndarray) -> str:
    """Why a column (of float64) cannot be standardised inside a model, or "" where it can."""
    narrow = values.astype(np.float32)
    if np.ptp(values) == 0:
        return "constant"
    if np.ptp(narrow) == 0:
        return "varies too little for 32-bit numbers"
    deviation = float(narrow.astype(np.float64).std())
    if not _SMALLEST < deviation < _LARGEST:
        return f"its deviation, {deviation:.2g}, is out of reach of 32-bit numbers: use another unit"
    return ""


def coarse(names: Sequence[str], x: np.ndarray) -> list[str]:
    """A note for each column (float32) whose numbers are so large next to their spread that they blur."""
    steps = x.std(axis=0, dtype=np.float64) / np.spacing(np.abs(x).max(axis=0)).astype(np.float64)
    return [
        f"{name} varies little for its size, so that 32-bit numbers blur it; subtract a constant first."
        for name, count in zip(names, steps.tolist(), strict=True)
        if count < _FEW_STEPS
    ]
