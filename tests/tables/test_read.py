"""Files → columns and values: against what was written and against pandas; each bad file's clear error."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lamina.errors import TableError
from lamina.tables.read import read_table


def write(folder: Path, text: str, name: str = "table.csv") -> str:
    path = folder / name
    path.write_bytes(text.encode())
    return str(path)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("a,b\n1,x\n2.5,y\n", {"a": "number", "b": "text"}),
        ("a;b\n1;x,y\n2;z\n", {"a": "number", "b": "text"}),
        ("a\tb\n1\tx\n2\ty\n", {"a": "number", "b": "text"}),
        ("a|b\n1|x\n2|y\n", {"a": "number", "b": "text"}),
        ("\ufeffa,b\r\n1,true\r\n2,FALSE\r\n", {"a": "number", "b": "truth"}),
        (" a , b\n1, 2\n", {"a": "number", "b": "number"}),
        ('"a ""q""","b, c"\n1,x\n', {'a "q"': "number", "b, c": "text"}),
        ("größe,数\n1,2\n", {"größe": "number", "数": "number"}),
        ("a,A\n1,x\n", {"a": "number", "A": "text"}),
        (",a\n0,1\n1,2\n", {"(column 1)": "other", "a": "number"}),
        ("a,b,\n1,x,\n2,y,\n", {"a": "number", "b": "text", "(column 3)": "empty"}),
        ("a,b\n,1\nNA,2\n", {"a": "empty", "b": "number"}),
        ("a\n1\n2\n", {"a": "number"}),
        ("a,b\n1,2\n\n3,4\n\n", {"a": "number", "b": "number"}),
        ('day,price\n2024-01-02,"1,234.5"\n2024-01-03,"2,000"\n', {"day": "text", "price": "text"}),
        ("a\n1\n2\nx\n", {"a": "number"}),
        ("a\n1\nx\n", {"a": "text"}),
    ],
)
def test_kinds_of_columns(tmp_path, text, kinds):
    table = read_table(write(tmp_path, text))
    assert {name: column.kind for name, column in table.columns.items()} == kinds


def test_numbers_are_those_of_pandas(tmp_path):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(100, 4)) * 1e3, columns=list("abcd"))
    frame["n"] = np.arange(100) - 50
    frame.to_csv(tmp_path / "t.csv", index=False)
    names = ["d", "n", "a"]
    np.testing.assert_array_equal(read_table(tmp_path / "t.csv").numbers(names), frame[names].to_numpy())


@pytest.fixture
def parquet(tmp_path):
    import duckdb

    def written(query: str) -> str:
        path = str(tmp_path / "t.parquet")
        duckdb.sql(query).write_parquet(path)
        return path

    return written


def test_parquet_kinds_and_values(parquet):
    path = parquet(
        "SELECT * FROM (VALUES (1::TINYINT, 2.5::DECIMAL(5, 2), 'x', true, DATE '2024-01-01', 0.5::FLOAT), "
        "(NULL, 3, 'y', false, NULL, 'nan')) AS t(i, d, \"t,\"\"1\", b, day, f)"
    )
    table = read_table(path)
    kinds = {name: column.kind for name, column in table.columns.items()}
    assert kinds == {
        "i": "number",
        "d": "number",
        't,"1': "text",
        "b": "truth",
        "day": "other",
        "f": "number",
    }
    np.testing.assert_array_equal(table.numbers(["f", "i", "d"]), [[0.5, 1, 2.5], [np.nan, np.nan, 3]])
    assert table.labels('t,"1') == ["x", "y"]
    assert table.place(1) == "row 2"
    with pytest.raises(TableError, match="'day' holds values of type date, not numbers"):
        table.numbers(["day"])


def test_missing_fields_are_nan(tmp_path):
    table = read_table(write(tmp_path, "a,b\n1,2\n,NaN\nn/a,?\n3,4\n"))
    np.testing.assert_array_equal(table.numbers(["a", "b"]), [[1, 2], [np.nan] * 2, [np.nan] * 2, [3, 4]])


def test_labels_keep_their_words(tmp_path):
    table = read_table(write(tmp_path, 'a,b\n1, x y \n2,NA\n3,\n4,"a,""b"""\n'))
    assert table.labels("b") == ["x y", "NA", None, 'a,"b"']


def test_file_names_are_taken_as_they_are(tmp_path):
    write(tmp_path, "a,b\n9,9\n", "table1.csv")
    table = read_table(write(tmp_path, "a,b\n1,2\n", "table[1]*?'.csv"))
    np.testing.assert_array_equal(table.numbers(["a"]), [[1]])


BAD_FILES = {
    "empty": (b"", "is empty"),
    "blank": (b" \n\n", "is empty"),
    "only a header": (b"a,b\n", "has column names but no rows"),
    "binary": (bytes(range(256)) * 8, "is not a table"),
    "spreadsheet": (b"PK\x03\x04" + b"x" * 50, "spreadsheet.*CSV or Parquet"),
    "image": (b"\x89PNG\r\n\x1a\n" + b"\xff\xfe" * 50, "not UTF-8 text"),
    "latin-1": ("a,b\n1,café\n".encode("latin-1"), "not UTF-8 text"),
    "latin-1 later": (b"a,b\n" + b"1,x\n" * 40_000 + "1,é\n".encode("latin-1"), "line 40002: not UTF-8 text"),
    "utf-16": ("a,b\n1,2\n".encode("utf-16"), "is UTF-16 text. Save it as CSV in UTF-8"),
    "truncated parquet": (b"PAR1" + b"\1" * 50, "is not a readable Parquet file"),
    "numbers for names": (b"1,2\n3,4\n", "first line must name the columns"),
    "a name twice": (b"a,b,a\n1,2,3\n", "columns 1 and 3 are both named 'a'"),
    "too few fields": (b"a,b\n1,2\n3\n", "line 3: 2 fields expected, as in the first line, got 1"),
    "too many fields": (
        b"a,b\n1,2\n\n3,4\n5,6,7\n",
        "line 5: 2 fields expected, as in the first line, got 3",
    ),
    "open quote": (b'a,b\n1,"x\ny"\n3,4\n5,"bad\n', "line 5: a field in double quotes"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_files(tmp_path, case):
    content, message = BAD_FILES[case]
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(TableError, match=message) as caught:
        read_table(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_hundreds_of_columns(tmp_path):
    """Casting them takes a moment; with DuckDB's optimizer it took minutes."""
    values = np.arange(1200.0).reshape(3, 400)
    names = [f"c{i}" for i in range(400)]
    text = "\n".join([",".join(names), *(",".join(map(str, row)) for row in values.tolist())])
    np.testing.assert_array_equal(read_table(write(tmp_path, text)).numbers(names), values)


def test_no_such_file_and_folder(tmp_path):
    with pytest.raises(TableError, match=r"nothing\.csv: no such file"):
        read_table("nothing.csv")
    with pytest.raises(TableError, match="is a folder"):
        read_table(tmp_path)


def test_text_where_a_number_belongs_is_named_by_line_column_and_value(tmp_path):
    table = read_table(write(tmp_path, 'note,age\n"two\nlines",1\n\nx,2\ny,3\nz,ten\nw,eleven\n'))
    with pytest.raises(
        TableError, match=r"table.csv, line 7, column 'age': 'ten' is not a number \(2 such fields in all\)"
    ):
        table.numbers(["age"])


def test_unknown_column_names_the_nearest(tmp_path):
    table = read_table(write(tmp_path, "Diagnosis,age\n1,2\n"))
    with pytest.raises(TableError, match=r"there is no column 'diagnosys'\. Did you mean 'Diagnosis'\?"):
        table.column("diagnosys")
    with pytest.raises(TableError, match="There are: Diagnosis, age"):
        table.column("q")
