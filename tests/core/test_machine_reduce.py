"""Sums and maxima: right, and in one order that no instruction set, thread count or neighbour changes."""

from __future__ import annotations

import numpy as np
import pytest
from core_programs import SIZES, map_program, run

FOLDS = ["sum_cols", "max_cols", "sum_rows", "max_rows", "sum_all", "max_all"]
EPSILON = {"float32": 2e-6, "float64": 4e-15}


def expected(fold: str, a: np.ndarray) -> np.ndarray:
    reduce = np.sum if fold.startswith("sum") else np.max
    axis = {"cols": 1, "rows": 0, "all": None}[fold[4:]]
    return np.ravel(reduce(a.astype(np.float64), axis=axis))


def count(fold: str, m: int, n: int) -> int:
    return {"cols": m, "rows": n, "all": 1}[fold[4:]]


@pytest.mark.parametrize("fold", FOLDS)
def test_reductions(fold: str, isa: str, dtype: str):
    rng = np.random.default_rng(0)
    for m, n in [*((3, n) for n in SIZES), *((m, 7) for m in SIZES), *((m, 1) for m in SIZES), (129, 64), (40, 200)]:
        a = rng.normal(size=(m, n)).astype(dtype)
        program = map_program(dtype, m, n, [("full", m * n)], "", [(fold, count(fold, m, n))])
        found = run(program, {"a": a}, isa=isa)["x"]
        np.testing.assert_allclose(found, expected(fold, a), rtol=EPSILON[dtype], atol=EPSILON[dtype] * np.abs(a).sum())


@pytest.mark.parametrize("fold", ["max_cols", "max_rows", "max_all"])
def test_a_nan_is_the_maximum(fold: str, isa: str, dtype: str):
    for n in (3, 40, 600):
        a = np.zeros((5, n), dtype)
        a[2, n // 2] = np.nan
        program = map_program(dtype, 5, n, [("full", a.size)], "", [(fold, count(fold, 5, n))])
        np.testing.assert_array_equal(run(program, {"a": a}, isa=isa)["x"], np.ravel(expected(fold, a)))


def test_a_maximum_of_negative_numbers_is_negative(isa: str, dtype: str):
    a = -1 - np.arange(35, dtype=dtype).reshape(5, 7)
    for fold in ("max_cols", "max_rows", "max_all"):
        program = map_program(dtype, 5, 7, [("full", 35)], "", [(fold, count(fold, 5, 7))])
        np.testing.assert_array_equal(run(program, {"a": a}, isa=isa)["x"], expected(fold, a))


def tree(lanes: np.ndarray) -> np.ndarray:
    """Fold the first axis in halves."""
    while len(lanes) > 1:
        lanes = lanes[: len(lanes) // 2] + lanes[len(lanes) // 2 :]
    return lanes[0]


def by_lanes(row: np.ndarray) -> np.ndarray:
    """The documented order along a row: element i to lane i % 64."""
    lanes = np.zeros(64, row.dtype)
    for i, number in enumerate(row):
        lanes[i % 64] += number
    return tree(lanes)


def by_accumulators(a: np.ndarray) -> np.ndarray:
    """The documented order down the columns: row r to accumulator r % 4, one accumulator from 128 columns on."""
    sums = np.zeros((4 if a.shape[1] < 128 else 1, a.shape[1]), a.dtype)
    for r, row in enumerate(a):
        sums[r % len(sums)] += row
    return sums[0] if len(sums) == 1 else (sums[0] + sums[1]) + (sums[2] + sums[3])


@pytest.mark.parametrize("extra", [False, True], ids=["flat", "with a row"])
def test_the_order_is_the_documented_one(isa: str, extra: bool, dtype: str):
    rng = np.random.default_rng(3)
    for m, n in [(37, 7), (50, 33), (6, 129), (3, 700), (300, 1), (1, 300)]:
        a, b = rng.normal(size=(m, n)).astype(dtype), np.zeros(n, dtype)
        inputs = [("full", m * n), ("row", n)] if extra else [("full", m * n)]
        code = "add 0 1" if extra else "negative 0;negative 1"
        outputs = [("sum_all", 1), ("sum_cols", m), ("sum_rows", n)]
        found = run(map_program(dtype, m, n, inputs, code, outputs), {"a": a, "b": b}, isa=isa)
        np.testing.assert_array_equal(found["x"], by_lanes(a.ravel()))
        np.testing.assert_array_equal(found["y"], [by_lanes(row) if n > 1 else row[0] for row in a])
        columns = by_accumulators(a) if n > 1 else np.array([by_lanes(a.ravel())])
        np.testing.assert_array_equal(found["z"], columns if m > 1 else a[0])


def test_a_result_may_replace_an_operand_of_its_kind(isa: str, dtype: str):
    m, n = 21, 33
    lines = [f"lamina 1 {dtype}", f"value 0 state a 0 {m * n}", f"value 1 state b 0 {n}", f"value 2 state c 0 {m}"]
    lines += ["value 3 state d 0 1", "phase one", f"map m={m} n={n} in=0:full,1:row,2:column,3:scalar"
              " code=multiply 0 1;multiply 4 2;multiply 5 3"
              " out=0:full:6,1:sum_rows:6,2:sum_cols:6,3:sum_all:6"]  # fmt: skip
    rng = np.random.default_rng(0)
    a, b, c, d = (rng.integers(-4, 5, s).astype(dtype) for s in ((m, n), n, m, 1))
    product = a * b * c[:, None] * d
    run("\n".join(lines), {"a": a, "b": b, "c": c, "d": d}, isa=isa)
    for found, wanted in ((a, product), (b, product.sum(0)), (c, product.sum(1)), (d, [product.sum()])):
        np.testing.assert_array_equal(found, wanted)
