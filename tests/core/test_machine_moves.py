"""load, copy, fill, take, scatter_add, argmax: against NumPy's indexing."""

from __future__ import annotations

import re

import numpy as np
import pytest
from core_programs import SIZES, run


def load_text(dtype: str, n: int) -> str:
    return f"""lamina 1 {dtype}
slot 0 {n} 0
value 0 input x {n}
value 1 temp 0 {n} 0
value 2 output y {n} 0
phase rows
load 1 0
map m=B n={n} in=1:full code= out=2:full:0
"""


def test_rows_come_in_the_order_of_the_pass(isa: str, dtype: str):
    rng = np.random.default_rng(0)
    for n in SIZES[:9]:
        x = rng.normal(size=(23, n)).astype(dtype)
        order = rng.permutation(23)[:17]
        found = run(load_text(dtype, n), {"x": x}, rows=23, batch=5, order=order, start=2, isa=isa)["y"]
        np.testing.assert_array_equal(found.reshape(-1, n), x[order[2:]])
        found = run(load_text(dtype, n), {"x": x}, rows=23, batch=7, start=3, stop=22, isa=isa)["y"]
        np.testing.assert_array_equal(found.reshape(-1, n), x[3:22])


def test_copy_slices_transposes_and_broadcasts(isa: str, dtype: str):
    a = np.random.default_rng(0).normal(size=(4, 5, 6)).astype(dtype)
    cases = {
        "sizes=4,5,6 dst=0:30,6,1 src=0:30,6,1": a,
        "sizes=6,5,4 dst=0:20,4,1 src=0:1,6,30": a.transpose(2, 1, 0),
        "sizes=4,2,3 dst=0:6,3,1 src=8:30,12,1": a[:, 1::2, 2:5],
        "sizes=4,5,6 dst=0:30,6,1 src=2:30,6,0": np.repeat(a[:, :, 2:3], 6, 2),
        "sizes=2,4,5,6 dst=0:120,30,6,1 src=0:0,30,6,1": np.broadcast_to(a, (2, 4, 5, 6)),
    }
    for copy, expected in cases.items():
        values = f"value 0 state a 0 120\nvalue 1 output x 0 {expected.size}\n"
        text = f"lamina 1 {dtype}\n{values}phase split\ncopy 1 0 {copy}\n"
        for threads in (1, 2):
            found = run(text, {"a": a}, isa=isa, threads=threads)["x"]
            np.testing.assert_array_equal(found, np.ascontiguousarray(expected).ravel())


def test_copies_side_by_side_join_columns(isa: str, dtype: str):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(9, 3)).astype(dtype), rng.normal(size=(9, 2)).astype(dtype)
    text = f"""lamina 1 {dtype}
slot 0 3 0
slot 1 2 0
slot 2 5 0
value 0 input a 3
value 1 input b 2
value 2 temp 0 3 0
value 3 temp 1 2 0
value 4 temp 2 5 0
value 5 output x 5 0
phase rows
load 2 0
load 3 1
copy 4 2 sizes=B,3 dst=0:5,1 src=0:3,1
copy 4 3 sizes=B,2 dst=3:5,1 src=0:2,1
map m=B n=5 in=4:full code= out=5:full:0
"""
    found = run(text, {"a": a, "b": b}, rows=9, batch=4, isa=isa)["x"]
    np.testing.assert_array_equal(found.reshape(9, 5), np.concatenate([a, b], 1))


def test_fill(isa: str, dtype: str):
    values = "value 0 output x 3 0\nvalue 1 output y 0 37\n"
    text = f"lamina 1 {dtype}\n{values}phase split\nfill 0 const:0x1.8p+1\nfill 1 const:-0x1p-1\n"
    found = run(text, {}, rows=5, batch=2, isa=isa)
    np.testing.assert_array_equal(found["x"], np.full(15, 3, dtype))
    np.testing.assert_array_equal(found["y"], np.full(37, -0.5, dtype))


def lookup_text(dtype: str, size: int, n: int) -> str:
    return f"""lamina 1 {dtype}
slot 0 1 0
slot 1 {n} 0
value 0 input i 1
value 1 temp 0 1 0
value 2 state t 0 {size * n}
value 3 temp 1 {n} 0
value 4 output y {n} 0
value 5 output g 0 {size * n}
phase rows
load 1 0
take 3 2 1 m=B n={n} size={size}  # layer 'embedding'
map m=B n={n} in=3:full code= out=4:full:0
phase split
scatter_add 5 1 3 m=B n={n} size={size}  # gradient of layer 'embedding'
"""


def test_take_and_scatter_add(isa: str, dtype: str):
    rng = np.random.default_rng(0)
    for size, n, rows in [(3, 1, 5), (10, 7, 40), (50, 33, 200)]:
        table = rng.integers(-9, 9, (size, n)).astype(dtype)
        index = rng.integers(-size, size, rows)
        found = run(lookup_text(dtype, size, n), {"i": index.astype(dtype), "t": table}, rows=rows, isa=isa)
        np.testing.assert_array_equal(found["y"].reshape(rows, n), table[index])
        expected = np.zeros((size, n), dtype)
        np.add.at(expected, index, table[index])
        np.testing.assert_array_equal(found["g"].reshape(size, n), expected)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (3, "index is 3"),
        (-4, "index is -4"),
        (np.nan, "not a finite"),
        (np.inf, "not a finite"),
        (1e30, "not a finite"),
    ],
)
@pytest.mark.parametrize("threads", [1, 2])
def test_an_index_outside_names_layer_row_and_size(isa: str, bad: float, said: str, threads: int, dtype: str):
    index = np.zeros(600, dtype)
    index[[407, 550]] = bad
    table = np.zeros((3, 70), dtype)
    with pytest.raises(IndexError, match=re.escape("layer 'embedding', row 407: ") + f".*{said}.*-3..2"):
        run(lookup_text(dtype, 3, 70), {"i": index, "t": table}, rows=600, batch=400, isa=isa, threads=threads)


def test_an_index_is_truncated(isa: str, dtype: str):
    table = np.arange(3).astype(dtype)
    found = run(lookup_text(dtype, 3, 1), {"i": np.array([1.9, -0.5, -1.2], dtype), "t": table}, rows=3, isa=isa)["y"]
    np.testing.assert_array_equal(found, [1, 0, 2])


def test_argmax_takes_the_first_maximum_and_nan_above_all(isa: str, dtype: str):
    rng = np.random.default_rng(0)
    for n in (1, 2, 7, 33):
        a = rng.integers(0, 4, (50, n)).astype(dtype)
        a[3, n // 2] = np.nan
        text = (
            f"lamina 1 {dtype}\nvalue 0 state a 0 {a.size}\nvalue 1 output x 0 50\nphase split\nargmax 1 0 m=50 n={n}\n"
        )
        np.testing.assert_array_equal(run(text, {"a": a}, isa=isa)["x"], np.argmax(a, 1))
