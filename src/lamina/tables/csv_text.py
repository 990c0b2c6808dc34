"""What a CSV file's own text says: its separator, the names in its first line, where each row begins.

DuckDB reads the rows; it is told the separator and the names instead of guessing them, since a wrong guess
would drop lines in silence.
"""

from __future__ import annotations

import csv

from lamina.errors import TableError

SEPARATORS = ",;\t|"
_SAMPLE = 1 << 16  # characters that decide the separator


def separator(path: str) -> str:
    """The separator with which the first records split into the most fields, the same number in each."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        lines = file.read(_SAMPLE).splitlines(keepends=True)
    return max(SEPARATORS, key=lambda mark: _width(lines[:50], mark))


def _width(lines: list[str], mark: str) -> tuple[bool, int]:
    """Whether all records have as many fields as the header, and how many the header has."""
    records = [record for record in csv.reader(lines, delimiter=mark) if record]
    widths = [len(record) for record in (records[:-1] if len(records) > 2 else records)]
    return len(set(widths)) == 1 and widths[0] > 1, widths[0] if widths else 0


def header(path: str, mark: str) -> list[str]:
    """The names in the first line, without spaces around them.

    Raises:
        TableError: the first line holds numbers, or a name twice.
    """
    with open(path, encoding="utf-8-sig", newline="") as file:
        names = [name.strip() for name in next(csv.reader(file, delimiter=mark), [])]
    if names and all(map(is_number, names)):
        raise TableError(
            f"{path}: the first line must name the columns, but it holds numbers ({', '.join(names[:4])}"
            f"{', …' if len(names) > 4 else ''}). Write a line of names above it."
        )
    for at, name in enumerate(names):
        if name and name in names[:at]:
            both = f"columns {names.index(name) + 1} and {at + 1}"
            raise TableError(f"{path}: {both} are both named {name!r}. Rename one of them.")
    return names


def is_number(text: str) -> bool:
    """Whether a field is a number as Python writes one."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def line_of_record(path: str, mark: str, record: int, blank: bool = False) -> int:
    """The line on which a record begins; the header is record 0; ``blank`` lines count as records or not."""
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.reader(file, delimiter=mark)
        columns = len(next(reader))
        begin = reader.line_num + 1
        for fields in reader:
            record -= bool(fields) or blank or columns == 1
            if record == 0:
                return begin
            begin = reader.line_num + 1
    return begin
