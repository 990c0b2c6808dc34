"""A table from a CSV or Parquet file, read by DuckDB; errors name line, column and value."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.errors import TableError
from lamina.tables import csv_text
from lamina.tables.names import quoted, unknown

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Fields that stand for "nothing here" where a number is expected, in lower case; elsewhere an empty one does.
MISSING = ("", "na", "n/a", "nan", "null", "none", "?", "-")
NUMBER, TEXT, TRUTH, OTHER, EMPTY = "number", "text", "truth", "other", "empty"


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: as the file writes it.
        kind: ``number``, ``text``, ``truth`` (true or false), ``other`` (dates, lists …) or ``empty``.
        key: its name in SQL.
        note: what a person should know about it, or "".
        cast: the SQL that makes a number of a field; NULL where it is missing or no number.
        given: the SQL that says whether a field is filled in, where a number is expected.
    """

    name: str
    kind: str
    key: str
    note: str
    cast: str
    given: str


class Table:
    """The columns and rows of one file.

    Attributes:
        path: the file.
        columns: name → Column, in the file's order.
        rows: number of rows.
    """

    def __init__(
        self,
        path: str,
        connection: DuckDBPyConnection,
        columns: dict[str, Column],
        separator: str | None = None,
    ):
        self.path = path
        self.columns = columns
        self.rows = int(_one(connection, "SELECT count(*) FROM rows")[0])
        self._connection = connection
        self._separator = separator

    def column(self, name: str) -> Column:
        """A column by its name.

        Raises:
            TableError: there is none; the message names the nearest.
        """
        if name not in self.columns:
            raise TableError(f"{self.path}: {unknown('column', name, list(self.columns))}")
        return self.columns[name]

    def place(self, row: int) -> str:
        """Where a row (counted from 0) stands in the file: ``line 7`` of a CSV file, ``row 6`` of another."""
        if self._separator is None:
            return f"row {row + 1}"
        return f"line {csv_text.line_of_record(self.path, self._separator, row + 1)}"

    def numbers(self, names: Sequence[str]) -> np.ndarray:
        """Columns as an array (rows, columns) of float64, NaN where a field is missing.

        Raises:
            TableError: there is no such column, or it holds something that is no number.
        """
        columns = [self.column(name) for name in names]
        if not columns:
            return np.empty((self.rows, 0))
        for column in columns:
            if column.note and column.kind in (OTHER, TRUTH):
                raise TableError(f"{self.path}: column {column.name!r} holds {column.note}, not numbers.")
        query = self._connection.execute(f"SELECT {', '.join(c.cast for c in columns)} FROM rows")
        found = list(query.fetchnumpy().values())
        self._refuse_other_than_numbers([c for c, v in zip(columns, found, strict=True) if np.ma.is_masked(v)])
        return np.stack([np.ma.filled(values, np.nan) for values in found], axis=1)

    def _refuse_other_than_numbers(self, gaps: Sequence[Column]) -> None:
        """An error if a column that has gaps where numbers should be is filled in there."""
        if not gaps:
            return
        wrong = [f"count(*) FILTER (WHERE {c.given}) - count({c.cast})" for c in gaps]
        counts = _one(self._connection, f"SELECT {', '.join(wrong)} FROM rows")
        for column, count in zip(gaps, counts, strict=True):
            if count:
                raise TableError(self._no_number(column, count))

    def _no_number(self, column: Column, count: int) -> str:
        row, value = self._first(column, f"{column.given} AND {column.cast} IS NULL")
        more = f" ({count} such fields in all)" if count > 1 else ""
        return (
            f"{self.path}, {self.place(row)}, column {column.name!r}: {quoted(value)} is not a number{more}. "
            "Correct it, or take the row out."
        )

    def _first(self, column: Column, condition: str) -> tuple[int, Any]:
        row, value = _one(
            self._connection, f"SELECT rowid, {column.key} FROM rows WHERE {condition} ORDER BY rowid LIMIT 1"
        )
        return int(row), value

    def labels(self, name: str) -> list[str | None]:
        """A column as text without spaces around it, None where a field is empty."""
        key = self.column(name).key
        found = self._connection.execute(f"SELECT nullif(trim({key}::VARCHAR), '') FROM rows").fetchall()
        return [label for (label,) in found]


def read_table(path: str | os.PathLike[str]) -> Table:
    """Read a CSV or Parquet file.

    Args:
        path: a Parquet file, or a CSV file in UTF-8 whose first line names the columns, separated by commas,
            semicolons, tabs or bars.

    Raises:
        TableError: no such file, not a table, no rows; the message says where and what to do.

    Example:
        >>> table = read_table("examples/diabetes.csv")
        >>> table.rows, list(table.columns)[:3]
        (442, ['age', 'sex', 'bmi'])
    """
    path = os.fspath(path)
    start = _first_bytes(path)
    connection = _connect()
    table = _read_parquet(path, connection) if start[:4] == b"PAR1" else _read_csv(path, connection, start)
    if table.rows == 0:
        raise TableError(f"{path} has column names but no rows.")
    return table


def _first_bytes(path: str) -> bytes:
    if not os.path.exists(path):
        raise TableError(f"{path}: no such file.")
    if not os.path.isfile(path):
        raise TableError(f"{path} is a folder, not a file." if os.path.isdir(path) else f"{path} is not a file.")
    try:
        with open(path, "rb") as file:
            start = file.read(4096)
    except OSError as error:
        raise TableError(f"{path} cannot be opened: {error.strerror}.") from error
    if not start.strip():
        raise TableError(f"{path} is empty.")
    return start


def _connect() -> DuckDBPyConnection:
    import duckdb  # only here: it takes a tenth of a second to load

    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})  # nothing is fetched
    connection.execute("PRAGMA disable_optimizer")  # it takes minutes over hundreds of columns, and finds nothing
    connection.execute("SET enable_progress_bar = false")  # it would stand among the predictions
    return connection


def _one(connection: DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    found = connection.execute(query).fetchone()
    assert found is not None, "an aggregate always has one row"
    return found


def _literal(path: str) -> str:
    """A path that DuckDB takes as it is: the signs of its patterns are put in brackets."""
    return re.sub(r"([*?\[])", r"[\1]", path)


# -- Parquet: the file says what each column is


_KINDS = {
    NUMBER: re.compile(r"(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL.*)$"),
    TEXT: re.compile(r"(VARCHAR|ENUM.*|UUID)$"),
    TRUTH: re.compile(r"BOOLEAN$"),
}


def _read_parquet(path: str, connection: DuckDBPyConnection) -> Table:
    import duckdb

    try:
        connection.execute("CREATE TABLE rows AS SELECT * FROM read_parquet(?)", [_literal(path)])
        described = connection.execute("DESCRIBE rows").fetchall()
    except duckdb.Error as error:
        raise TableError(f"{path} is not a readable Parquet file: {str(error).splitlines()[0]}") from error
    columns = [_typed(name, str(kind)) for name, kind, *_ in described]
    return Table(path, connection, {column.name: column for column in columns})


def _typed(name: str, kind: str) -> Column:
    key = '"' + name.replace('"', '""') + '"'
    found = next((k for k, pattern in _KINDS.items() if pattern.match(kind)), OTHER)
    note = f"values of type {kind.lower()}" if found in (OTHER, TRUTH) else ""
    return Column(name, found, key, note, f"TRY_CAST({key} AS DOUBLE)", f"{key} IS NOT NULL")


# -- CSV: every field is text first


def _read_csv(path: str, connection: DuckDBPyConnection, start: bytes) -> Table:
    import duckdb

    _refuse_binary(path, start)
    try:
        mark = csv_text.separator(path)
        names = csv_text.header(path, mark)
    except (UnicodeDecodeError, ValueError) as error:
        if isinstance(error, TableError):
            raise
        raise TableError(f"{path} is not UTF-8 text ({error}). Save it as CSV in UTF-8.") from error
    keys = {f"c{i}": "VARCHAR" for i in range(len(names))}
    options = f"auto_detect=false, header=true, delim='{mark}', quote='\"', escape='\"', columns={keys}"
    try:
        connection.execute(f"CREATE TABLE rows AS SELECT * FROM read_csv(?, {options})", [_literal(path)])
    except duckdb.Error as error:
        raise TableError(_csv_error(path, mark, len(names), str(error))) from error
    return Table(path, connection, _text_columns(connection, names, list(keys)), mark)


def _refuse_binary(path: str, start: bytes) -> None:
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise TableError(f"{path} is UTF-16 text. Save it as CSV in UTF-8.")
    if start[:2] == b"PK":
        raise TableError(f"{path} is a zip archive or a spreadsheet, not a table of text. Save it as CSV or Parquet.")
    if b"\0" in start or start[:2] == b"\x1f\x8b":
        raise TableError(f"{path} is not a table: neither CSV text nor Parquet.")


def _csv_error(path: str, mark: str, columns: int, message: str) -> str:
    """DuckDB's report in one line, with the line of the file instead of the number of the record."""
    message = message.partition("Possible")[0]
    found = re.search(r"on Line: (\d+)", message)
    where = f"{path}, line {csv_text.line_of_record(path, mark, int(found[1]) - 1, blank=True)}" if found else path
    for pattern, text in _CSV_ERRORS.items():
        if match := re.search(pattern, message, re.IGNORECASE):
            return f"{where}: {text.format(columns=columns, found=match.groups())}"
    return f"{where} cannot be read as CSV: {message.splitlines()[0]}"


_CSV_ERRORS = {
    r"Expected Number of Columns: \d+ Found: (\d+)": "{columns} fields expected, as in the first line, got "
    "{found[0]}. Put a field that holds the separator between double quotes.",
    r"quote": 'a field in double quotes (") is not closed, or goes on behind them. Inside a field write "".',
    r"unicode|utf-8": "not UTF-8 text. Save the file as CSV in UTF-8.",
    r"maximum line size": "this line is longer than a table's line can be; a double quote may be missing.",
}


def _text_columns(connection: DuckDBPyConnection, names: list[str], keys: list[str]) -> dict[str, Column]:
    counts = _counts(connection, keys)
    kinds = [_text_kind(name, *count) for name, count in zip(names, counts, strict=True)]
    texts = {key: given for key, kind, (given, *_) in zip(keys, kinds, counts, strict=True) if kind == TEXT}
    dressed = _dressed(connection, texts)
    columns = {}
    for shown, key, kind in zip(_shown(names), keys, kinds, strict=True):
        given = f"{_WORD.format(key)} NOT IN ({_MISSING})"
        note = "values without a name" if kind == OTHER else _DRESSED if key in dressed else ""
        columns[shown] = Column(shown, kind, key, note, f"CASE WHEN {given} THEN TRY_CAST({key} AS DOUBLE) END", given)
    return columns


def _counts(connection: DuckDBPyConnection, keys: list[str]) -> tuple[tuple[int, int, int], ...]:
    """How many fields of each column are filled in, are numbers, are true or false; each step asks the one before."""
    steps = (
        f"{{0}}, {_WORD} AS word_{{0}}",
        f"{{0}}, word_{{0}}, word_{{0}} NOT IN ({_MISSING}) AS given_{{0}}",
        "[count(*) FILTER (WHERE given_{0}), count(CASE WHEN given_{0} THEN TRY_CAST({0} AS DOUBLE) END), "
        "count(*) FILTER (WHERE word_{0} IN ('true', 'false'))]",
    )
    query = "rows"
    for step in steps:
        query = f"(SELECT {', '.join(map(step.format, keys))} FROM {query})"
    return _one(connection, query)


def _dressed(connection: DuckDBPyConnection, given: dict[str, int]) -> set[str]:
    """The columns of text (and how many fields are filled in) that hold numbers but for the signs around them."""
    if not given:
        return set()
    asked = [f"count(TRY_CAST(nullif({_UNDRESSED.format(key)}, '') AS DOUBLE))" for key in given]
    counts = _one(connection, f"SELECT {', '.join(asked)} FROM rows")
    return {key for key, count in zip(given, counts, strict=True) if count > given[key] / 2}


def _shown(names: list[str]) -> list[str]:
    return [name or f"(column {at + 1})" for at, name in enumerate(names)]


_WORD = "coalesce(lower(trim({0})), '')"
_MISSING = ", ".join(f"'{word}'" for word in MISSING)
_UNDRESSED = "regexp_replace({}, '[,_%$€£ ]', '', 'g')"  # a number without what people write around its digits


def _text_kind(name: str, given: int, numbers: int, truths: int) -> str:
    """The kind of a column of text fields: numbers if most are, so that the odd one out is an error."""
    if not given:
        return EMPTY
    if not name:
        return OTHER
    if numbers > given / 2:
        return NUMBER
    return TRUTH if truths == given else TEXT


_DRESSED = "numbers with commas or signs, as text: write 1234.5 to have them taken"
