"""Every operation of `map` against NumPy in higher precision, on every instruction set, in every kind of operand."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from core_programs import SIZES, map_program, run, ulps

from lamina import _core

WIDE = {"float32": np.float64, "float64": np.longdouble}
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, np.inf, -np.inf, np.nan, 1e-30, -1e-30, 1e30, -1e30, 2.5, -2.5, 3.5]


def erf(x: np.ndarray) -> np.ndarray:
    """Its series without cancellation, 2/√π · exp(−x²) · Σ 2ⁿ x²ⁿ⁺¹ / (2n + 1)!!, in the numbers' own precision."""
    near = np.where(np.abs(x) < 7, x, 0)
    term = total = near
    for n in range(1, 250):
        term = term * 2 * near * near / (2 * n + 1)
        total = total + term
    root_pi = np.sqrt(np.arctan(x.dtype.type(1)) * 4)
    return np.where(np.abs(x) < 7, 2 / root_pi * np.exp(-near * near) * total, np.sign(x))


def softplus(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


ONE: dict[str, tuple[Callable, float, float]] = {  # op: truth, span of arguments, units in the last place
    "negative": (np.negative, 50, 0),
    "absolute": (np.abs, 50, 0),
    "sign": (np.sign, 3, 0),
    "exp": (np.exp, 100, 2),
    "expm1": (np.expm1, 30, 2),
    "log": (np.log, 50, 2),
    "log1p": (np.log1p, 3, 2),
    "sqrt": (np.sqrt, 50, 0.5),
    "sin": (np.sin, 200, 2),
    "cos": (np.cos, 200, 2),
    "tanh": (np.tanh, 8, 2),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), 40, 2),
    "softplus": (softplus, 40, 2),
    "erf": (erf, 4, 2),
    "floor": (np.floor, 9, 0),
    "ceil": (np.ceil, 9, 0),
    "round": (np.round, 9, 0),
    "isfinite": (lambda x: np.isfinite(x).astype(x.dtype), 9, 0),
}
TWO: dict[str, Callable] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "power": np.power,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "equal": lambda a, b: (a == b).astype(a.dtype),
    "less": lambda a, b: (a < b).astype(a.dtype),
    "less_equal": lambda a, b: (a <= b).astype(a.dtype),
}
THREE: dict[str, Callable] = {
    "where": lambda a, b, c: np.where(a != 0, b, c),
    "clip": lambda a, b, c: np.minimum(np.maximum(a, b), c),
    "fma": lambda a, b, c: a * b + c,
}


def test_every_operation_has_a_case():
    assert {*ONE, *TWO, *THREE, "random"} == set(_core.ops()["map"])


@pytest.mark.parametrize("op", ONE)
def test_operations_of_one_operand(op: str, dtype: str, isa: str):
    truth, span, allowed = ONE[op]
    rng = np.random.default_rng(len(op))
    for size in (*SIZES, 30_000):
        a = rng.uniform(-span, span, size).astype(dtype)
        a[:: min(max(size // 7, 1), 5)] *= a.dtype.type(1e-3)
        program = map_program(dtype, 1, size, [("full", size)], f"{op} 0", [("full", size)])
        with np.errstate(all="ignore"):
            exact = truth(a.astype(WIDE[dtype]))
        assert ulps(run(program, {"a": a}, isa=isa)["x"], exact) <= allowed


@pytest.mark.parametrize("op", ONE)
def test_special_numbers(op: str, dtype: str, isa: str):
    a = np.array(SPECIAL, dtype)
    program = map_program(dtype, 1, a.size, [("full", a.size)], f"{op} 0", [("full", a.size)])
    with np.errstate(all="ignore"):
        exact = ONE[op][0](a.astype(WIDE[dtype]))
    assert ulps(run(program, {"a": a}, isa=isa)["x"], exact) <= ONE[op][2]


def test_sine_of_large_arguments(dtype: str, isa: str):
    a = np.array([8191.5, 8192.5, 1e5, -1e6, 1e7, 3e8], dtype)
    for op in ("sin", "cos"):
        program = map_program(dtype, 1, a.size, [("full", a.size)], f"{op} 0", [("full", a.size)])
        assert ulps(run(program, {"a": a}, isa=isa)["x"], ONE[op][0](a.astype(WIDE[dtype]))) <= 2


def operands(op: str, sizes: list[int], dtype: str, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    arrays = [np.round(rng.normal(0, 2, size) * 4).astype(dtype) / 4 for size in sizes]
    return [np.abs(arrays[0]) + 0.25, *arrays[1:]] if op == "power" else arrays


COUNT = {"full": lambda m, n: m * n, "row": lambda m, n: n, "column": lambda m, n: m, "scalar": lambda m, n: 1}
SHAPE = {
    "full": lambda m, n: (m, n),
    "row": lambda m, n: (1, n),
    "column": lambda m, n: (m, 1),
    "scalar": lambda m, n: (1, 1),
}


def check_kinds(op: str, kinds: tuple[str, ...], m: int, n: int, dtype: str, isa: str) -> None:
    truth = {**TWO, **THREE}[op]
    arrays = operands(op, [COUNT[kind](m, n) for kind in kinds], dtype, m * 1000 + n)
    inputs = [(kind, array.size) for kind, array in zip(kinds, arrays, strict=True)]
    code = f"{op} {' '.join(map(str, range(len(kinds))))}"
    found = run(
        map_program(dtype, m, n, inputs, code, [("full", m * n)]), dict(zip("abc", arrays, strict=False)), isa=isa
    )
    spread = [
        np.broadcast_to(a.reshape(SHAPE[k](m, n)), (m, n)).astype(WIDE[dtype])
        for k, a in zip(kinds, arrays, strict=True)
    ]
    with np.errstate(all="ignore"):
        exact = truth(*spread)
    allowed = 1.0 if op == "power" else 0.51
    if op == "fma" and isa == "portable":
        np.testing.assert_allclose(found["x"], exact.ravel().astype(dtype), rtol=1e-6)
    else:
        assert ulps(found["x"].reshape(m, n), exact) <= allowed, (kinds, m, n)


@pytest.mark.parametrize("op", TWO)
def test_operations_of_two_operands(op: str, dtype: str, isa: str):
    kinds = ("full", "row", "column", "scalar")
    for m, n in [(1, 1), (1, 257), (5, 1), (7, 3), (33, 17), (9, 255), (3, 300), (2, 1025)]:
        for pair in [(a, b) for a in kinds for b in kinds]:
            check_kinds(op, pair, m, n, dtype, isa)


@pytest.mark.parametrize("op", THREE)
def test_operations_of_three_operands(op: str, dtype: str, isa: str):
    kinds = ("full", "row", "column", "scalar")
    for m, n in [(7, 3), (33, 17), (2, 601)]:
        for triple in [(a, b, c) for a in kinds for b in kinds for c in kinds]:
            check_kinds(op, triple, m, n, dtype, isa)


def test_nan_goes_through_maximum_and_minimum(dtype: str, isa: str):
    a, b = np.array([np.nan, 1, np.nan, 2], dtype), np.array([1, np.nan, np.nan, 3], dtype)
    for op in ("maximum", "minimum"):
        program = map_program(dtype, 1, 4, [("full", 4)] * 2, f"{op} 0 1", [("full", 4)])
        np.testing.assert_array_equal(run(program, {"a": a, "b": b}, isa=isa)["x"], getattr(np, op)(a, b))


def test_constants_and_chains(dtype: str, isa: str):
    a = np.linspace(-3, 3, 1025).astype(dtype)
    code = "multiply 0 const:0x1.8p+0;maximum 1 const:0x0p+0;add 2 0;subtract const:0x1p+0 3"
    program = map_program(dtype, 1, a.size, [("full", a.size)], code, [("full", a.size)])
    half = a.dtype.type(1.5)
    np.testing.assert_array_equal(run(program, {"a": a}, isa=isa)["x"], 1 - (np.maximum(a * half, 0) + a))


def test_results_from_operands_and_constants_alone(dtype: str, isa: str):
    """A result may be an operand itself, a scalar, a row or a column spread out."""
    m, n = 37, 19
    lines = [f"lamina 1 {dtype}", f"value 0 state a 0 {m * n}", f"value 1 state b 0 {n}", f"value 2 state c 0 {m}"]
    lines += [f"value {10 + i} output {name} 0 {m * n}" for i, name in enumerate("xyzuv")]
    lines += ["phase one", f"map m={m} n={n} in=0:full,1:row,2:column code=exp 2;add const:0x1p+0 const:0x1p+1"
              " out=10:full:0,11:full:1,12:full:2,13:full:3,14:full:4"]  # fmt: skip
    rng = np.random.default_rng(0)
    a, b, c = (rng.normal(size=s).astype(dtype) for s in ((m, n), n, (m, 1)))
    found = run("\n".join(lines), {"a": a, "b": b, "c": c}, isa=isa)
    for name, expected in {"x": a, "y": b, "z": c, "v": np.full((m, n), 3, dtype)}.items():
        np.testing.assert_array_equal(found[name].reshape(m, n), np.broadcast_to(expected, (m, n)))
    np.testing.assert_allclose(found["u"].reshape(m, n), np.broadcast_to(np.exp(c), (m, n)), rtol=1e-6)


def test_in_place_update_reads_the_old_numbers_first(dtype: str, isa: str):
    """p and m are overwritten; later operations and sums still read what they held."""
    n = 1025
    lines = [f"lamina 1 {dtype}", f"value 0 state p 0 {n}", f"value 1 state m 0 {n}", "value 2 output s 0 1"]
    lines += ["phase one", f"map m=1 n={n} in=0:full,1:full code=add 0 1;multiply 0 1;subtract 2 3"
              " out=0:full:2,1:full:4,2:sum_all:0"]  # fmt: skip
    rng = np.random.default_rng(0)
    p, m = (rng.integers(-8, 8, n).astype(dtype) for _ in range(2))
    old_p, old_m = p.copy(), m.copy()
    found = run("\n".join(lines), {"p": p, "m": m}, isa=isa)
    np.testing.assert_array_equal(p, old_p + old_m)
    np.testing.assert_array_equal(m, old_p + old_m - old_p * old_m)
    assert found["s"] == old_p.sum()


def test_a_long_chain_keeps_its_registers_apart(dtype: str, isa: str):
    """Forty operations that all stay alive until the end."""
    n = 700
    ops = ";".join(f"add 0 const:{float(i).hex()}" for i in range(1, 40))
    total = ";".join(f"add {i} {38 + i if i > 1 else 0}" for i in range(1, 40))
    a = np.arange(n).astype(dtype)
    program = map_program(dtype, 1, n, [("full", n)], f"{ops};{total}", [("full", n)])
    np.testing.assert_array_equal(run(program, {"a": a}, isa=isa)["x"], 40 * a + sum(range(1, 40)))



def joined_chains() -> list[list[tuple[str, int]]]:
    """The operations that ops.def lets go through their elements in one pass, each with the argument that is the last
    one's result."""
    lines = (Path(__file__).parents[2] / "core" / "ops.def").read_text(encoding="utf-8")
    chains = []
    for words in re.findall(r"^LAMINA_MAP_(?:PAIR|TRIPLE)\((.*)\)$", lines, re.MULTILINE):
        first, *later = words.split(", ")
        chains.append([(first, -1), *((op, int(at)) for op, at in zip(later[::2], later[1::2], strict=True))])
    return chains


def arity(op: str) -> int:
    return 1 if op in ONE else 2 if op in TWO else 3


def chain_code(chain: list[tuple[str, int]], inputs: int) -> str:
    """The chain over inputs 0, 1, …; each operation takes the next ones, and the result before it."""
    code, free = [], iter(range(inputs))
    for number, (op, at) in enumerate(chain):
        arguments = [inputs + number - 1 if i == at else next(free) for i in range(arity(op))]
        code.append(f"{op} {' '.join(map(str, arguments))}")
    return ";".join(code)


@pytest.mark.parametrize("chain", joined_chains(), ids=lambda chain: "-".join(f"{op}{at}" for op, at in chain))
def test_operations_in_one_pass_have_the_bits_of_one_after_another(chain: list, isa: str, dtype: str):
    inputs = sum(arity(op) for op, _ in chain) - len(chain) + 1
    rng = np.random.default_rng(0)
    for n in (1, 17, 600):
        for scalars in range(2**inputs - 1):
            kinds = ["scalar" if scalars >> i & 1 else "full" for i in range(inputs)]
            sizes = {"abcd"[i]: 1 if kind == "scalar" else n for i, kind in enumerate(kinds)}
            data = {name: rng.uniform(-2, 2, size).astype(dtype) for name, size in sizes.items()}
            last = inputs + len(chain) - 1
            lines = [f"lamina 1 {dtype}"]
            lines += [f"value {i} state {name} 0 {len(array)}" for i, (name, array) in enumerate(data.items())]
            lines += [f"value {10 + i} output {'xyz'[i]} 0 {n}" for i in range(len(chain))]
            read = ",".join(f"{i}:{kind}" for i, kind in enumerate(kinds))
            start = f"map m=1 n={n} in={read} code={chain_code(chain, inputs)} out="
            apart = ",".join(f"{10 + i}:full:{inputs + i}" for i in range(len(chain)))
            whole = run("\n".join([*lines, "phase one", f"{start}10:full:{last}"]), data, isa=isa)["x"]
            one_by_one = run("\n".join([*lines, "phase one", start + apart]), data, isa=isa)
            np.testing.assert_array_equal(whole, one_by_one["xyz"[len(chain) - 1]])
