"""Partial sums: a batch cut into shards by its number of rows, added up where the sums are read."""

from __future__ import annotations

import numpy as np
import pytest
from core_programs import run

from lamina import _core

ROWS = (1, 2, 63, 95, 96, 97, 160, 250, 257, 500, 1601)  # one shard, several, and more rows than go through at once
WIDE, HIGH, SIZE = 70, 9, 5


def text(dtype: str) -> str:
    """Sums of every kind over rows x (9), y (70) and indices i: into one vector, read by a later loop."""
    total = HIGH * WIDE + WIDE + 1 + SIZE * WIDE
    starts = np.cumsum([0, HIGH * WIDE, WIDE, 1, SIZE * WIDE]).tolist()
    return f"""lamina 1 {dtype}
slot 0 {HIGH} 0
slot 1 {WIDE} 0
slot 2 1 0
value 0 input x {HIGH}
value 1 input y {WIDE}
value 2 input i 1
value 3 temp 0 {HIGH} 0
value 4 temp 1 {WIDE} 0
value 5 temp 2 1 0
value 6 partial {total + 3}
value 7 part 6 {starts[0]} {HIGH * WIDE}
value 8 part 6 {starts[1]} {WIDE}
value 9 part 6 {starts[2]} 1
value 10 part 6 {starts[3]} {SIZE * WIDE}
value 11 part 6 {total} 3
value 12 output sums 0 {total + 3}
phase rows
load 3 0
load 4 1
load 5 2
matmul 7 3 4 m={HIGH} n={WIDE} k=B a=1,{HIGH} b={WIDE},1  # product
map m=B n={WIDE} in=4:full code=multiply 0 0 out=4:full:0,8:sum_rows:1,9:sum_all:1
scatter_add 10 5 4 m=B n={WIDE} size={SIZE}
phase one
fill 11 const:0x1.8p+1
phase split
map m=1 n={total + 3} in=6:full code=negative 0;negative 1 out=12:full:2
"""


def table(dtype: str, rows: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(rows)
    x, y = random.standard_normal((rows, HIGH)), random.standard_normal((rows, WIDE))
    return {"x": x.astype(dtype), "y": y.astype(dtype), "i": random.integers(0, SIZE, rows).astype(dtype)}


def expected(data: dict[str, np.ndarray]) -> np.ndarray:
    x, y = data["x"].astype("float64"), data["y"].astype("float64")
    table = np.zeros((SIZE, WIDE))
    np.add.at(table, data["i"].astype(int), y)
    squares = y * y
    return np.concatenate([(x.T @ y).ravel(), squares.sum(0), [squares.sum()], table.ravel(), [3.0, 3.0, 3.0]])


@pytest.mark.parametrize("rows", ROWS)
def test_sums_of_all_rows(rows: int, dtype: str, isa: str):
    data = table(dtype, rows)
    found = run(text(dtype), data, rows=rows, isa=isa)["sums"]
    exact = expected(data)
    np.testing.assert_allclose(found, exact, rtol=0, atol=np.abs(exact).max() * (1e-6 if dtype == "float32" else 1e-14))


@pytest.mark.parametrize("rows", ROWS)
def test_the_same_bits_for_any_number_of_threads(rows: int, dtype: str):
    data = table(dtype, rows)
    alone = run(text(dtype), data, rows=rows)["sums"]
    for threads in (2, 3, 5):
        assert np.array_equal(alone, run(text(dtype), data, rows=rows, threads=threads)["sums"])


def test_a_short_batch_after_a_long_one_forgets_it(dtype: str):
    """The shards that a short last batch does not have keep old sums, which nobody adds."""
    data = table(dtype, 300)
    last = {name: array[256:] for name, array in data.items()}
    assert np.array_equal(
        run(text(dtype), data, rows=300, batch=256)["sums"], run(text(dtype), last, rows=44, batch=256)["sums"]
    )


READ = text("float32")[text("float32").index("map m=1") :]
REFUSED = {
    "read before it is written": (
        "phase rows",
        f"phase one\n{READ}phase rows",
        "is read before a phase has written it",
    ),
    "read by something else than a map": (
        "phase split",
        "phase split\ncopy 12 6 sizes=1054 dst=0:1 src=0:1",
        "is read by maps outside phases of rows",
    ),
    "written as an ordinary result": ("out=4:full:0,8:sum_rows:1", "out=8:sum_cols:1", "takes sums over the rows"),
    "a maximum": ("8:sum_rows:1", "8:max_rows:1", "takes sums over the rows"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_broken_rule_is_refused(case: str):
    old, new, said = REFUSED[case]
    assert old in text("float32")
    with pytest.raises(ValueError, match=said):
        _core.Program(text("float32").replace(old, new))


def test_a_profile_names_every_instruction_by_its_line():
    data = table("float32", 500)
    program = _core.Program(text("float32"))
    workspace = _core.Workspace(program, 250, 2, None, profile=True)
    sums = np.zeros(program.outputs["sums"][1], "float32")
    workspace.run(data, {}, {"sums": sums}, None, 500, 0, 500, 0)
    lines = text("float32").splitlines()
    seconds = workspace.seconds
    named = {
        number for number, line in enumerate(lines, 1) if line.split()[0] not in {"lamina", "slot", "value", "phase"}
    }
    assert set(seconds) == named | {0}
    assert all(spent > 0 for spent in seconds.values())


@pytest.mark.parametrize("count", [0, 1, 2, 15, 16, 17, 1000])
def test_a_shuffle_has_every_row_once(count: int):
    order, again = np.empty(count, np.int64), np.empty(count, np.int64)
    _core.shuffle(order, 7)
    _core.shuffle(again, 7)
    assert sorted(order) == list(range(count))
    assert np.array_equal(order, again)


def test_shuffles_favour_no_order():
    """χ² of the 24 orders of four rows, over seeds that follow each other; beyond 49.7 once in a thousand times."""
    found: dict[tuple[int, ...], int] = {}
    order = np.empty(4, np.int64)
    for seed in range(24_000):
        _core.shuffle(order, seed)
        found[tuple(order)] = found.get(tuple(order), 0) + 1
    assert len(found) == 24
    assert sum((n - 1000) ** 2 / 1000 for n in found.values()) < 49.7


def test_a_shuffle_wants_whole_numbers():
    with pytest.raises(TypeError, match="order must be an array of int64"):
        _core.shuffle(np.zeros(3, np.float64), 1)
