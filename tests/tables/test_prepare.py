"""A table → inputs, target and parts: what is taken, what is left out and why, each unfit table's error."""

from __future__ import annotations

import numpy as np
import pytest

from lamina.errors import ModelFileError, TableError
from lamina.tables.prepare import outside_ranges, prepare_training, read_inputs
from lamina.tables.read import read_table
from lamina.tables.schema import Feature, Schema, Target
from lamina.tables.target import read_answers


@pytest.fixture
def table(tmp_path):
    def written(text: str):
        path = tmp_path / "table.csv"
        path.write_text(text, encoding="utf-8")
        return read_table(path)

    return written


def rows(names: str, *columns) -> str:
    return names + "\n" + "\n".join(",".join(map(str, row)) for row in zip(*columns, strict=True)) + "\n"


RANDOM = np.random.default_rng(3)
N = 60
A, B = RANDOM.normal(size=N).round(3), RANDOM.normal(size=N).round(3)
LABELS = np.where(A > 0.3, "yes", "no")


def test_binary_text_target(table):
    made = prepare_training(table(rows("b,a,city,flag,same,y", B, A, ["x"] * N, ["true"] * N, [7] * N, LABELS)), "y")
    assert made.schema.task == "binary"
    share = float(np.mean(LABELS[made.split.train] == "yes"))
    assert made.schema.target == Target("y", "text", ("no", "yes"), (1 - share, share))
    assert made.schema.names == ["b", "a"]
    assert made.left_out == [("city", "text"), ("flag", "true or false"), ("same", "constant")]
    np.testing.assert_array_equal(made.x, np.stack([B, A], axis=1).astype(np.float32))
    np.testing.assert_array_equal(made.y, LABELS == "yes")
    assert made.schema.features[1] == Feature("a", A.min(), A.max())


@pytest.mark.parametrize(
    ("values", "asked", "task", "classes"),
    [
        (np.arange(N) % 2, "auto", "binary", (0, 1)),
        (np.arange(N) % 2, "multiclass", "multiclass", (0, 1)),
        (np.arange(N) % 3 * 10, "auto", "multiclass", (0, 10, 20)),
        (np.arange(N) % 3 + 0.5, "auto", "regression", ()),
        (np.arange(N) % 3 + 0.5, "multiclass", "multiclass", (0.5, 1.5, 2.5)),
        (np.arange(N) % 20, "auto", "regression", ()),  # fewer than 5 rows each
        (np.arange(N) % 3, "regression", "regression", ()),
        (np.arange(N) % 2 == 0, "auto", "binary", (False, True)),
        (np.array(["é", "b,", "Z"])[np.arange(N) % 3], "auto", "multiclass", ("Z", "b,", "é")),
    ],
)
def test_task(table, values, asked, task, classes):
    made = prepare_training(table(rows("a,y", A, [f'"{value}"' for value in values])), "y", task=asked)
    assert (made.schema.task, made.schema.target.classes) == (task, classes)
    assert Schema.from_json(made.schema.to_json()) == made.schema
    assert bool(made.notes) == (asked == "auto" and classes == (0, 10, 20))


BAD_TRAINING = {
    "target missing": (rows("a,outcome", A, LABELS), "auto", "no column 'y'. There are: a, outcome"),
    "one class": (rows("a,y", A, ["same"] * N), "auto", "'y' is 'same' in every row"),
    "empty target": (rows("a,y", A, [""] * N), "auto", "'y' holds nothing"),
    "text for a regression": (
        rows("a,y", A, LABELS),
        "regression",
        "line 2: a regression needs numbers.*holds text",
    ),
    "numbers in other words": (
        rows("a,y", A, [f'"1,{i:03d}"' for i in range(N)]),
        "auto",
        "too many for classes.*numbers with commas or signs, as text: write 1234.5",
    ),
    "true for a regression": (rows("a,y", A, ["true"] * N), "regression", "'y' holds true or false, such as 'true'"),
    "three for binary": (rows("a,y", A, np.arange(N) % 3), "binary", "has 3 classes; --task binary needs 2"),
    "a class a row": (rows("a,y", A, [f"n{i}" for i in range(N)]), "auto", "60 different values in 60 rows"),
    "text among numbers": (
        rows("a,y", [*A[:-1], "two"], LABELS),
        "auto",
        "line 61, column 'a': 'two' is not a number",
    ),
    "text among the target's": (
        rows("a,y", A, [*B[:-1], "two"]),
        "auto",
        "line 61, column 'y': 'two' is not a number",
    ),
    "missing": (
        rows("a,b,y", ["", "", *A[2:]], [*B[:1], "", *B[2:]], LABELS),
        "auto",
        r"2 of 60 rows have missing fields, in columns 'a' \(2\), .b. \(1\): line 2 \(a\), line 3 \(a, b\)",
    ),
    "missing label": (rows("a,y", A, ["", *LABELS[1:]]), "auto", r"1 of 60 rows has missing.*line 2 \(y\)"),
    "missing number": (rows("a,y", A, ["NA", *B[1:]]), "auto", r"1 of 60 rows has missing.*line 2 \(y\)"),
    "infinite": (rows("a,y", [*A[:-1], "-inf"], LABELS), "auto", "line 61, column 'a': -inf is not finite"),
    "infinite target": (rows("a,y", A, ["inf", *B[1:]]), "auto", "line 2, column 'y': inf is not finite"),
    "too large": (rows("a,y", [*A[:-1], 1e39], LABELS), "auto", "line 61, column 'a': 1e[+]39 is too large"),
    "no numbers": (
        rows("a,y", ["x"] * N, LABELS),
        "auto",
        r"no column of numbers to learn 'y' from.*a \(text\)",
    ),
    "constant target": (rows("a,y", A, ["1.5"] * N), "auto", "'y' cannot be learned: constant"),
    "one row": (rows("a,y", A[:1], LABELS[:1]), "regression", "regression needs numbers"),
    "two rows": (rows("a,y", A[:2], B[:2]), "auto", "2 rows are too few to train on"),
}


@pytest.mark.parametrize("case", BAD_TRAINING)
def test_unfit_tables(table, case):
    text, task, message = BAD_TRAINING[case]
    with pytest.raises(TableError, match=message):
        prepare_training(table(text), "y", task=task)


def test_numbers_that_float32_blurs_are_noted(table):
    time = 1_700_000_000 + np.arange(N)
    made = prepare_training(table(rows("time,day,y", time * 10, time, LABELS)), "y")
    assert made.left_out == [("day", "varies too little for 32-bit numbers")]
    assert made.notes == ["time varies little for its size, so that 32-bit numbers blur it; subtract a constant first."]


@pytest.mark.parametrize("scale", [1e-8, 1e19])
def test_units_that_32_bit_numbers_cannot_standardise(table, scale):
    values = [f"{v * scale:.6e}" for v in A]
    made = prepare_training(table(rows("a,b,y", values, B, LABELS)), "y")
    assert made.schema.names == ["b"]
    assert "out of reach of 32-bit numbers: use another unit" in made.left_out[0][1]
    with pytest.raises(TableError, match=r"target 'a' cannot be learned: its deviation, .* use another unit"):
        prepare_training(table(rows("a,b", values, B)), "a")


def test_a_class_with_one_row_is_only_trained_on(table):
    made = prepare_training(table(rows("a,y", A, ["rare", *LABELS[1:]])), "y")
    assert 0 in made.split.train
    assert "not measured well: rare" in made.notes[0]


SCHEMA = Schema(
    "binary", (Feature("b", -1.0, 1.0), Feature("a", 0.0, 5.0)), Target("y", "text", ("no", "yes"), (0.5, 0.5))
)


def test_inputs_are_found_by_name(table):
    x = read_inputs(table("q,a,y,b\nx,1,yes,2\nx,3,no,4\n"), SCHEMA)
    np.testing.assert_array_equal(x, np.array([[2, 1], [4, 3]], np.float32))
    assert outside_ranges(SCHEMA, x) == ["outside the range of the table trained on: b (2 rows not within -1 to 1)."]


BAD_INPUTS = {
    "a,c\n1,2\n": "the model takes the column 'b', which is not there",
    "c,d\n1,2\n": "the model takes 2 columns that are not there: 'b', 'a'",
    "A,b\n1,2\n": r"takes the column 'a' \(did you mean 'A'\?\)",
    "a,b\n1,2\nx,3\ny,4\n": r"line 3, column 'a': 'x' is not a number \(2 such fields in all\)",
    "a,b\n1,2\n,3\n": r"1 of 2 rows has missing fields, in column 'a' \(1\): line 3 \(a\)",
    "a,b\n1,2\n3,inf\n": "line 3, column 'b': inf is not finite",
}


@pytest.mark.parametrize("text", BAD_INPUTS)
def test_unfit_inputs(table, text):
    with pytest.raises(TableError, match=BAD_INPUTS[text]):
        read_inputs(table(text), SCHEMA)


@pytest.mark.parametrize(
    ("answer", "text", "numbers"),
    [
        (Target("y", "text", ("no", "yes")), "y,a\nyes,1\nno,2\n", [1, 0]),
        (Target("y", "number", (0, 7)), "y,a\n7.0,1\n0,2\n", [1, 0]),
        (Target("y", "truth", (False, True)), "y,a\nTRUE,1\nfalse,2\n", [1, 0]),
        (Target("y", "text", ("1", "2a")), "y,a\n1,1\n1,2\n", [0, 0]),
        (Target("y", "number", (), (0.5,), 0.0, 1.0), "y,a\n0.25,1\n5,2\n", [0.25, 5]),
    ],
)
def test_answers(table, answer, text, numbers):
    schema = Schema("binary" if answer.classes else "regression", SCHEMA.features, answer)
    assert read_answers(table(text), schema).tolist() == numbers


@pytest.mark.parametrize(
    ("answer", "text", "message"),
    [
        (
            Target("y", "text", ("no", "yes")),
            "y\nyes\nmaybe\nor\n",
            r"line 3, .*'maybe' is none of.*\(no, yes\) \(2 such rows\)",
        ),
        (
            Target("y", "number", (0, 1)),
            "y\n1\n2\n",
            r"line 3, column 'y': '2.0' is none of the model's classes \(0, 1\)",
        ),
        (
            Target("y", "number", (0, 1)),
            "y\nyes\nno\n",
            "line 2, column 'y': 'yes' is none of the model's classes",
        ),
        (Target("y", "number", ()), "y\nyes\nno\n", "the model answers numbers, 'y' holds text"),
        (
            Target("y", "text", ("no", "yes")),
            "y,a\nyes,1\n,2\n",
            r"missing fields, in column 'y' \(1\): line 3",
        ),
        (Target("why", "text", ("no", "yes")), "y\nyes\n", "no column 'why'. Did you mean 'y'|There are: y"),
    ],
)
def test_unfit_answers(table, answer, text, message):
    with pytest.raises(TableError, match=message):
        read_answers(table(text), Schema("binary", SCHEMA.features, answer))


@pytest.mark.parametrize(
    "change",
    [
        {"task": "sorting"},
        {"features": "a"},
        {"features": [{"name": 3, "minimum": 0, "maximum": 1}]},
        {"target": None},
        {"target": {**SCHEMA.to_json()["target"], "classes": [[], "a"]}},
        {"target": {**SCHEMA.to_json()["target"], "usual": [1.0]}},
        {"target": {"name": "y", "kind": "text"}},
    ],
)
def test_a_damaged_schema_is_refused(change):
    with pytest.raises(ModelFileError, match="the model file's"):
        Schema.from_json(SCHEMA.to_json() | change)
