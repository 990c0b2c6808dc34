"""Whole runs: a training step by hand, batches, the same bits everywhere, calls, signals, bad arguments."""

# An instruction is one line, however long.
# ruff: noqa: E501

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from core_programs import run

from isas import FUSED
from lamina import _core

# One step of gradient descent on a 3-4-1 sigmoid network with binary cross-entropy, as a person would write it.
TRAINING = """lamina 1 {dtype}
slot 0 3 0
slot 1 1 0
slot 2 4 0
slot 3 1 0
slot 4 1 0
slot 5 4 0
slot 6 0 21
slot 7 0 1
value 0 input x 3
value 1 input y 1
value 2 temp 0 3 0
value 3 temp 1 1 0
value 4 state p 0 12               # W1 (3, 4)
value 5 state p 12 4               # b1
value 6 state p 16 4               # W2 (4, 1)
value 7 state p 20 1               # b2
value 8 temp 2 4 0                 # Z1, then A1
value 9 temp 2 4 0
value 10 temp 3 1 0                # Z2, then A2
value 11 temp 3 1 0
value 12 temp 4 1 0                # dZ2
value 13 temp 5 4 0                # dA1, then dZ1
value 14 temp 5 4 0
value 15 temp 6 0 21               # gradients
value 16 part 15 0 12
value 17 part 15 12 4
value 18 part 15 16 4
value 19 part 15 20 1
value 20 rows
value 21 state p 0 21
value 22 output a {out} 0
value 23 temp 7 0 1
value 24 output cost 0 1
phase rows
load 2 0
load 3 1
matmul 8 2 4 m=B n=4 k=3 a=3,1 b=4,1            # layer 'hidden'
then m=B n=4 in=8:full,5:row code=add 0 1;sigmoid 2 out=9:full:3
matmul 10 9 6 m=B n=1 k=4 a=4,1 b=1,1
then m=B n=1 in=10:full,7:row,3:full,20:scalar code=add 0 1;sigmoid 4;subtract 5 2;divide 6 3 out=22:full:5,11:full:5,12:full:7
matmul 13 12 6 m=B n=4 k=1 a=1,1 b=1,1
then m=B n=4 in=13:full,9:full code=subtract const:0x1p+0 1;multiply 1 2;multiply 0 3 out=14:full:4
phase split
matmul 16 2 14 m=3 n=4 k=B a=1,3 b=4,1
map m=B n=4 in=14:full code= out=17:sum_rows:0
matmul 18 9 12 m=4 n=1 k=B a=1,4 b=1,1
map m=B n=1 in=12:full code= out=19:sum_rows:0
map m=B n=1 in=11:full,3:full code=log 0;multiply 1 2;subtract const:0x1p+0 0;log 4;subtract const:0x1p+0 1;multiply 6 5;add 3 7;negative 8 out=23:sum_all:9
phase one
map m=1 n=1 in=23:scalar,20:scalar code=divide 0 1 out=24:full:2
map m=1 n=21 in=21:full,15:full code=multiply 1 const:0x1p-1;subtract 0 2 out=21:full:3
"""


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def step_by_hand(p: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    w1, b1, w2, b2 = p[:12].reshape(3, 4), p[12:16], p[16:20].reshape(4, 1), p[20]
    a1 = sigmoid(x @ w1 + b1)
    a2 = sigmoid(a1 @ w2 + b2)
    dz2 = (a2 - y) / len(x)
    dz1 = dz2 @ w2.T * a1 * (1 - a1)
    gradient = np.concatenate([(x.T @ dz1).ravel(), dz1.sum(0), (a1.T @ dz2).ravel(), dz2.sum(0)])
    cost = -np.mean(y * np.log(a2) + (1 - y) * np.log(1 - a2))
    return p - 0.5 * gradient, a2, cost


def numbers(dtype: str, rows: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "x": rng.normal(size=(rows, 3)).astype(dtype),
        "y": rng.integers(0, 2, (rows, 1)).astype(dtype),
        "p": rng.normal(size=21).astype(dtype),
    }


def test_an_epoch_by_hand(isa: str, dtype: str):
    """Steps over batches of a permutation, the last one shorter."""
    data = numbers(dtype, 45)
    order = np.random.default_rng(1).permutation(45)
    p, answers = data["p"].astype(np.float64), []
    for first in range(0, 45, 16):
        batch = order[first : first + 16]
        p, a, cost = step_by_hand(p, data["x"][batch].astype(np.float64), data["y"][batch])
        answers.append(a)
    found = run(TRAINING.format(dtype=dtype, out=1), data, rows=45, batch=16, order=order, isa=isa)
    tolerance = 1e-5 if dtype == "float32" else 1e-13
    np.testing.assert_allclose(data["p"], p, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(found["a"], np.concatenate(answers).ravel(), rtol=tolerance)
    np.testing.assert_allclose(found["cost"], [cost], rtol=tolerance)


WIDE = """lamina 1 {dtype}
slot 0 70 0
slot 1 300 0
slot 2 300 0
slot 3 0 21000
slot 4 0 300
value 0 input x 70
value 1 temp 0 70 0
value 2 state w 0 21000
value 3 state b 0 300
value 4 temp 1 300 0
value 5 temp 2 300 0
value 6 temp 3 0 21000
value 7 temp 4 0 300
value 8 output y 300 0
value 9 state m 0 21000
value 10 output s 0 1
phase rows
load 1 0
matmul 4 1 2 m=B n=300 k=70 a=70,1 b=300,1
then m=B n=300 in=4:full,3:row code=random 5;add 0 1;tanh 3;multiply 4 2;exp 5;softplus 6;erf 7;log1p 8;sin 9;add 10 7 out=5:full:11,8:full:11
phase split
matmul 6 1 5 m=70 n=300 k=B a=1,70 b=300,1
map m=B n=300 in=5:full code=multiply 0 0 out=7:sum_rows:1
map m=B n=300 in=5:full code= out=10:sum_all:0
phase split
map m=1 n=21000 in=2:full,6:full,9:full code=subtract 1 2;multiply 3 const:0x1p-3;add 2 4;expm1 5;sqrt 5;power 5 const:0x1.2p+0;divide 6 const:0x1.9p+9;subtract 0 9 out=2:full:10,9:full:5
map m=1 n=300 in=3:full,7:full code=multiply 1 const:0x1p-9;cos 2;subtract 0 3 out=3:full:4
"""


def wide_run(dtype: str, isa: str, threads: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(700, 70)), rng.normal(size=21000) / 9
    data = {k: a.astype(dtype) for k, a in {"x": x, "w": w, "b": np.zeros(300), "m": np.abs(w)}.items()}
    outputs = run(
        WIDE.format(dtype=dtype), data, rows=700, batch=256, isa=isa, threads=threads, order=rng.permutation(700)
    )
    return {**outputs, "w": data["w"], "b": data["b"], "m": data["m"]}


def assert_same_bits(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    for name, array in one.items():
        assert array.tobytes() == other[name].tobytes(), name


def test_the_same_bits_on_any_number_of_threads(isa: str, dtype: str):
    one = wide_run(dtype, isa, 1)
    for threads in (2, 3):
        assert_same_bits(one, wide_run(dtype, isa, threads))


@pytest.mark.skipif(len(FUSED) < 2, reason="needs AVX2 and AVX-512")
def test_the_same_bits_on_avx2_and_avx512(dtype: str):
    assert_same_bits(wide_run(dtype, "avx2", 1), wide_run(dtype, "avx512", 1))


def test_the_portable_build_is_close(dtype: str):
    for isa in FUSED:
        portable, fused = wide_run(dtype, "portable", 1), wide_run(dtype, isa, 1)
        for name in portable:
            np.testing.assert_allclose(
                portable[name], fused[name], rtol=1e-2 if dtype == "float32" else 1e-10, atol=1e-4
            )


def test_rows_and_step_are_numbers_of_the_program(dtype: str):
    text = f"""lamina 1 {dtype}
value 0 rows
value 1 step
value 2 output x 1 0
phase rows
map m=B n=1 in=0:scalar,1:scalar code=multiply 1 const:0x1.9p+6;add 0 2 out=2:full:3
"""
    found = run(text, {}, rows=7, batch=3, step=4)["x"]
    np.testing.assert_array_equal(found, [403] * 3 + [503] * 3 + [601])


def test_subnormal_results_are_zero_and_the_caller_keeps_its_setting(dtype: str):
    tiny = np.finfo(dtype).tiny
    text = f"lamina 1 {dtype}\nvalue 0 state a 0 1\nvalue 1 output x 0 1\nphase one\nmap m=1 n=1 in=0:full code=multiply 0 const:0x1p-1 out=1:full:1\n"
    assert run(text, {"a": np.array([tiny])})["x"] == 0
    assert np.array([tiny]) * np.array([0.5], dtype) > 0


# ---- calls


def prepared(rows: int = 20) -> tuple[_core.Workspace, dict[str, np.ndarray], dict[str, np.ndarray]]:
    data = numbers("float32", rows)
    workspace = _core.Workspace(_core.Program(TRAINING.format(dtype="float32", out=1)), 8)
    return workspace, data, {"a": np.zeros((rows, 1), "f"), "cost": np.zeros((), "f")}


def arguments(data: dict[str, np.ndarray], outputs: dict[str, np.ndarray]) -> list:
    return [{"x": data["x"], "y": data["y"]}, {"p": data["p"]}, outputs, None, len(data["x"])]


def test_a_bound_call_is_a_run():
    workspace, data, outputs = prepared()
    other_workspace, other, other_outputs = prepared()
    call = workspace.bind(*arguments(data, outputs))
    assert call(0, 8, 0) == 1
    first = outputs["a"][:8].copy()
    assert call(8, 20, 1) == 2
    assert other_workspace.run(*arguments(other, other_outputs), 0, 20, 0) == 3
    np.testing.assert_array_equal(data["p"], other["p"])
    np.testing.assert_array_equal(first, other_outputs["a"][:8])
    np.testing.assert_array_equal(outputs["a"][:12], other_outputs["a"][8:])


def test_a_bound_call_keeps_its_arrays_alive():
    workspace, data, outputs = prepared()
    call = workspace.bind({"x": data["x"].copy(), "y": data["y"].copy()}, {"p": data["p"].copy()}, outputs, None, 20)
    del workspace
    assert call(0, 20, 0) == 3


def test_no_rows_are_no_steps():
    workspace, data, outputs = prepared()
    before = data["p"].copy()
    assert workspace.run(*arguments(data, outputs), 5, 5, 0) == 0
    np.testing.assert_array_equal(data["p"], before)


def test_two_python_threads_may_share_a_workspace():
    workspace, *_ = prepared()
    results = []

    def epochs() -> None:
        data = numbers("float32", 20)
        for _ in range(200):
            workspace.run(*arguments(data, {"a": np.zeros((20, 1), "f"), "cost": np.zeros(1, "f")}), 0, 20, 0)
        results.append(data["p"])

    pair = [threading.Thread(target=epochs) for _ in range(2)]
    for thread in pair:
        thread.start()
    for thread in pair:
        thread.join()
    np.testing.assert_array_equal(*results)


def test_properties():
    program = _core.Program(TRAINING.format(dtype="float64", out=1))
    assert program.dtype == "float64"
    assert program.inputs == {"x": 3, "y": 1}
    assert program.states == {"p": 21}
    assert program.outputs == {"a": (1, 0), "cost": (0, 1)}
    workspace = _core.Workspace(program, 5, threads=2, isa="portable")
    assert (workspace.batch_size, workspace.threads, workspace.isa) == (5, 2, "portable")
    assert _core.isa() in _core.isas()


def change(data: dict, outputs: dict, **new: object) -> tuple[list, tuple[int, int, int]]:
    """The arguments of a run with some of them replaced; a name alone is an array of `data` or `outputs`."""
    args = arguments(data, outputs)
    place = {"x": 0, "y": 0, "p": 1, "a": 2, "cost": 2}
    span = new.pop("span", (0, 20, 0))
    for name, array in new.items():
        if name in ("order", "rows"):
            args[3 if name == "order" else 4] = array
        elif array is None:
            args[place[name]] = {k: v for k, v in args[place[name]].items() if k != name}
        else:
            args[place[name]] = {**args[place[name]], name: array}
    return args, span


SHARED = np.zeros(64, "f")
BAD = {
    "input 'x' is missing": {"x": None},
    "state 'p' is missing": {"p": None},
    "output 'a' is missing": {"a": None},
    "input 'x' must be an array of float32": {"x": np.zeros((20, 3))},
    "input 'y' must be an array of float32": {"y": np.zeros((20, 1), "i4")},
    "input 'x' must be a C-contiguous array": {"x": np.zeros((3, 20), "f").T},
    "state 'p' must be a C-contiguous writable array": {"p": np.broadcast_to(np.zeros(1, "f"), 21)},
    "output 'a' must be a C-contiguous writable": {"a": b"bytes cannot be written"},
    "input 'x' must be a C-contiguous": {"x": [[1.0, 2.0, 3.0]] * 20},
    "input 'x' has 57 elements, expected 20 rows of 3": {"x": np.zeros((19, 3), "f")},
    "state 'p' has 20 elements, expected at least 21": {"p": np.zeros(20, "f")},
    "output 'cost' has 2 elements, expected 1": {"cost": np.zeros(2, "f")},
    "output 'a' has 19 rows, expected 20": {"a": np.zeros((19, 1), "f")},
    r"order\[1\] is 20, expected 0..19": {"order": np.array([0, 20]), "span": (0, 2, 0)},
    r"order\[0\] is -1, expected 0..19": {"order": np.array([-1]), "span": (0, 1, 0)},
    "order must be an array of int64": {"order": np.zeros(20, "i4")},
    "rows 0..21 are not within the pass of 20 rows": {"span": (0, 21, 0)},
    "rows 3..2 are not within": {"span": (3, 2, 0)},
    "rows -1..2 are not within": {"span": (-1, 2, 0)},
    "rows 0..3 are not within the pass of 2 rows": {"order": np.array([0, 1]), "span": (0, 3, 0)},
    "rows must not be negative": {"rows": -1},
    "share memory": {"p": SHARED[:30], "a": SHARED[20:40]},
    "output 'a' and state 'p' share memory": {"p": SHARED[:30], "a": SHARED[20:40]},
}


@pytest.mark.parametrize("said", BAD)
def test_bad_arguments(said: str):
    workspace, data, outputs = prepared()
    args, span = change(data, outputs, **BAD[said])
    before = data["p"].copy()
    with pytest.raises((TypeError, ValueError), match=said):
        workspace.run(*args, *span)
    np.testing.assert_array_equal(data["p"], before)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((0,), "batch_size must be in 1"),
        ((4, 0), "threads must be in 1..1024"),
        ((4, 1, "mmx"), "isa is 'mmx'; this machine runs portable"),
    ],
)
def test_bad_workspaces(arguments: tuple, said: str):
    with pytest.raises(ValueError, match=said):
        _core.Workspace(_core.Program("lamina 1 float32\n"), *arguments)


def test_the_environment_chooses_the_instruction_set(isa: str):
    code = "from lamina import _core; print(_core.isa(), _core.Workspace(_core.Program('lamina 1 float32'), 1).isa)"
    found = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "LAMINA_ISA": isa}, capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == [isa, isa]


def test_ctrl_c_stops_a_run_between_two_steps():
    data = numbers("float32", 4)
    order = np.zeros(8_000_000, np.int64)
    workspace = _core.Workspace(_core.Program(TRAINING.format(dtype="float32", out=1)), 1, threads=2)
    outputs = {"a": np.zeros(order.size, "f"), "cost": np.zeros(1, "f")}
    args = [{"x": data["x"], "y": data["y"]}, {"p": data["p"]}, outputs, order, 4]
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        workspace.run(*args, 0, order.size, 0)
    assert time.monotonic() - started < 60
    assert np.isfinite(data["p"]).all()
    assert workspace.run(*args, 0, 8, 0) == 8  # and it runs again
