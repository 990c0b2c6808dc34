"""Products over strides, odd sizes and the edges of tiles, panels and blocks, against NumPy in float64."""

from __future__ import annotations

import numpy as np
import pytest
from core_programs import run

from isas import FUSED

EPSILON = {"float32": 3e-6, "float64": 6e-15}


def product_text(dtype: str, m: int, n: int, k: int, a: str, b: str, repeat: int = 1) -> str:
    lines = [
        f"lamina 1 {dtype}",
        f"value 0 state a 0 {m * k}",
        f"value 1 state b 0 {k * n}",
        f"value 2 output c 0 {m * n}",
    ]
    return "\n".join([*lines, "phase split", f"matmul 2 0 1 m={m} n={n} k={k} a={a} b={b}"])


def check(dtype: str, isa: str, m: int, n: int, k: int, ta: bool, tb: bool, threads: int = 1) -> None:
    rng = np.random.default_rng(m * 7 + n * 3 + k)
    a, b = rng.normal(size=(m, k)).astype(dtype), rng.normal(size=(k, n)).astype(dtype)
    text = product_text(dtype, m, n, k, f"1,{m}" if ta else f"{k},1", f"1,{k}" if tb else f"{n},1")
    data = {"a": np.ascontiguousarray(a.T if ta else a), "b": np.ascontiguousarray(b.T if tb else b)}
    found = run(text, data, isa=isa, threads=threads)["c"].reshape(m, n)
    scale = np.abs(a).astype(np.float64) @ np.abs(b)
    assert np.max(np.abs(found - a.astype(np.float64) @ b) / scale) < EPSILON[dtype], (m, n, k, ta, tb)


@pytest.mark.parametrize("tb", [False, True], ids=["B", "Bt"])
@pytest.mark.parametrize("ta", [False, True], ids=["A", "At"])
def test_sizes_at_the_edges_of_tiles(isa: str, ta: bool, tb: bool, dtype: str):
    edges = (1, 2, 5, 6, 7, 8, 9, 12, 13, 15, 16, 17, 31, 32, 33)
    rng = np.random.default_rng(0)
    for m in edges:
        for n in (*edges, 47, 49, 63, 64, 65, 127, 129):
            check(dtype, isa, m, n, int(rng.choice((1, 2, 3, 16, 17, 33))), ta, tb)


@pytest.mark.parametrize("tb", [False, True], ids=["B", "Bt"])
@pytest.mark.parametrize("ta", [False, True], ids=["A", "At"])
def test_sizes_at_the_edges_of_blocks(isa: str, ta: bool, tb: bool, dtype: str):
    for m, n, k in [
        (65, 66, 255),
        (64, 129, 257),
        (191, 65, 385),
        (193, 7, 513),
        (100, 1, 300),
        (1, 100, 300),
        (1, 1, 700),
    ]:
        check(dtype, isa, m, n, k, ta, tb)


LARGE = [(70, 1030, 300), (7, 600, 1100), (200, 520, 2100), (97, 769, 1025)]  # m, n, k: too large for a cache


@pytest.mark.parametrize("tb", [False, True], ids=["B", "Bt"])
@pytest.mark.parametrize("ta", [False, True], ids=["A", "At"])
def test_large_products_are_cut_by_columns(isa: str, ta: bool, tb: bool, dtype: str):
    for m, n, k in LARGE:
        check(dtype, isa, m, n, k, ta, tb, threads=2)


def chain(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """One fused multiply-add after another in the order of k: exact in longdouble for float32 numbers."""
    total = np.zeros((a.shape[0], b.shape[1]), np.float32)
    for k in range(a.shape[1]):
        exact = a[:, k : k + 1].astype(np.longdouble) * b[k].astype(np.longdouble) + total
        total = exact.astype(np.float32)
    return total


@pytest.mark.parametrize("fused", FUSED)
def test_the_sum_is_one_chain_in_the_order_of_k(fused: str):
    rng = np.random.default_rng(0)
    for m, n, k in [(3, 5, 40), (70, 17, 600), (9, 1, 300), (1, 70, 400)]:
        a, b = rng.normal(size=(m, k)).astype("f"), rng.normal(size=(k, n)).astype("f")
        found = run(product_text("float32", m, n, k, f"{k},1", f"{n},1"), {"a": a, "b": b}, isa=fused)["c"]
        np.testing.assert_array_equal(found.reshape(m, n), chain(a, b))


def test_other_strides(isa: str, dtype: str):
    """Every second row and column of A, a B that repeats one row, a B with gaps."""
    m, n, k = 11, 21, 9
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2 * m, 2 * k)).astype(dtype), rng.normal(size=3 * k * n).astype(dtype)
    lines = [f"lamina 1 {dtype}", f"value 0 state a 0 {a.size}", f"value 1 state b 0 {b.size}"]
    lines += [f"value 2 output x 0 {m * n}", f"value 3 output y 0 {m * n}", "phase one"]
    lines += [
        f"matmul 2 0 1 m={m} n={n} k={k} a={4 * k},2 b=0,1",
        f"matmul 3 0 1 m={m} n={n} k={k} a={4 * k},2 b={3 * n},3",
    ]
    found = run("\n".join(lines), {"a": a, "b": b}, isa=isa)
    half = a[::2, ::2].astype(np.float64)
    for name, right in {"x": np.tile(b[:n], (k, 1)), "y": b.reshape(k, n, 3)[:, :, 0]}.items():
        np.testing.assert_allclose(found[name].reshape(m, n), half @ right, rtol=1e-4, atol=1e-4)


def layer_text(dtype: str, n: int, k: int, transposed: bool) -> str:
    b = f"1,{k}" if transposed else f"{n},1"
    return f"""lamina 1 {dtype}
slot 0 {k} 0
slot 1 {n} 0
value 0 input x {k}
value 1 temp 0 {k} 0
value 2 state w 0 {k * n}
value 3 state b 0 {n}
value 4 temp 1 {n} 0
value 5 temp 1 {n} 0
value 6 output y {n} 0
value 7 output s 0 {n}
phase rows
load 1 0
matmul 4 1 2 m=B n={n} k={k} a={k},1 b={b}
then m=B n={n} in=4:full,3:row code=add 0 1;maximum 2 const:0x0p+0 out=5:full:3,6:full:3
phase split
map m=B n={n} in=5:full code= out=7:sum_rows:0
"""


@pytest.mark.parametrize("transposed", [False, True])
def test_a_layer_with_its_epilogue(isa: str, transposed: bool, dtype: str):
    rng = np.random.default_rng(0)
    for rows, n, k in [(1, 3, 5), (13, 16, 8), (32, 1, 16), (129, 70, 65), (300, 130, 300)]:
        x, w, b = (
            rng.normal(size=(rows, k)).astype(dtype),
            rng.normal(size=(k, n)).astype(dtype),
            rng.normal(size=n).astype(dtype),
        )
        stored = np.ascontiguousarray(w.T if transposed else w)
        found = run(layer_text(dtype, n, k, transposed), {"x": x, "w": stored, "b": b}, rows=rows, isa=isa)
        y = np.maximum(x.astype(np.float64) @ w + b, 0)
        np.testing.assert_allclose(found["y"].reshape(rows, n), y, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(found["s"], y.sum(0), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("transposed", [False, True])
def test_a_large_layer_has_the_same_bits_for_any_threads_and_fused_instruction_sets(transposed: bool, dtype: str):
    rng = np.random.default_rng(0)
    for rows, n, k in [(129, 1030, 300), (5, 520, 1100)]:
        x, w, b = (rng.normal(size=size).astype(dtype) for size in ((rows, k), (k, n), (n,)))
        data = {"x": x, "w": np.ascontiguousarray(w.T if transposed else w), "b": b}
        text = layer_text(dtype, n, k, transposed)
        runs = [run(text, data, rows=rows, isa=isa, threads=t) for isa in FUSED for t in (1, 2, 3)]
        y = np.maximum(x.astype(np.float64) @ w + b, 0)
        np.testing.assert_allclose(runs[0]["y"].reshape(rows, n), y, rtol=1e-4, atol=1e-3)
        for other in runs[1:]:
            np.testing.assert_array_equal(other["y"], runs[0]["y"])
            np.testing.assert_array_equal(other["s"], runs[0]["s"])


@pytest.mark.parametrize("kind", ["split", "one"])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_fold_along_rows_sees_all_columns(isa: str, kind: str, threads: int):
    rng = np.random.default_rng(0)
    for m, n, k, transposed in [(11, 2100, 1025, True), (16, 2100, 1025, False), (13, 511, 8, True)]:
        a, b = rng.normal(size=(m, k)).astype("f"), rng.normal(size=(k, n)).astype("f")
        lines = ["lamina 1 float32", f"value 0 state a 0 {m * k}", f"value 1 state b 0 {k * n}"]
        lines += [f"value 2 output c 0 {m * n}", f"value 3 output s 0 {m}", f"value 4 output t 0 {m}", f"phase {kind}"]
        lines += [f"matmul 2 0 1 m={m} n={n} k={k} a={k},1 b={f'1,{k}' if transposed else f'{n},1'}"]
        lines += [f"then m={m} n={n} in=2:full code= out=3:sum_cols:0,4:max_cols:0"]
        data = {"a": a, "b": np.ascontiguousarray(b.T if transposed else b)}
        found = run("\n".join(lines), data, isa=isa, threads=threads)
        c = found["c"].reshape(m, n)
        np.testing.assert_allclose(found["s"], c.sum(1), rtol=1e-4, atol=1e-2)
        np.testing.assert_array_equal(found["t"], c.max(1))


def test_an_epilogue_in_a_split_phase_may_sum(isa: str, dtype: str):
    m, n, k = 150, 140, 90
    lines = [f"lamina 1 {dtype}", "slot 0 0 30000", f"value 0 state a 0 {m * k}", f"value 1 state b 0 {k * n}"]
    lines += [f"value 2 temp 0 0 {m * n}", f"value 3 output s 0 {n}", "value 4 output t 0 1", f"value 5 output r 0 {m}"]
    outs = "3:sum_rows:1,4:sum_all:1,5:sum_cols:1"
    lines += [
        "phase split",
        f"matmul 2 0 1 m={m} n={n} k={k} a={k},1 b={n},1",
        f"then m={m} n={n} in=2:full code=absolute 0 out={outs}",
    ]
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(m, k)).astype(dtype), rng.normal(size=(k, n)).astype(dtype)
    exact = np.abs(a.astype(np.float64) @ b)
    for threads in (1, 2):
        found = run("\n".join(lines), {"a": a, "b": b}, isa=isa, threads=threads)
        np.testing.assert_allclose(found["s"], exact.sum(0), rtol=1e-5)
        np.testing.assert_allclose(found["r"], exact.sum(1), rtol=1e-5)
        np.testing.assert_allclose(found["t"], [exact.sum()], rtol=1e-5)


def test_in_a_phase_of_one_a_product_reads_what_was_just_written(isa: str, dtype: str):
    """The second factor is made, used, made anew and used again; it lies transposed, so it is packed."""
    n = 40
    lines = [f"lamina 1 {dtype}", f"slot 0 0 {n * n}", f"value 0 state a 0 {n * n}", f"value 1 temp 0 0 {n * n}"]
    lines += [f"value {2 + i} output {name} 0 {n * n}" for i, name in enumerate("xy")]
    lines += ["phase one"]
    for i, scale in enumerate(("0x1p+1", "0x1p-1")):
        lines += [f"map m={n} n={n} in=0:full code=multiply 0 const:{scale} out=1:full:1"]
        lines += [f"matmul {2 + i} 0 1 m={n} n={n} k={n} a={n},1 b=1,{n}"]
    a = np.random.default_rng(0).integers(-3, 4, (n, n)).astype(dtype)
    found = run("\n".join(lines), {"a": a}, isa=isa)
    np.testing.assert_array_equal(found["x"].reshape(n, n), a @ (2 * a).T)
    np.testing.assert_array_equal(found["y"].reshape(n, n), a @ (a / 2).T)
