"""Random maps: any mix of operands, operations, results, sums and in-place updates is what NumPy computes."""

from __future__ import annotations

import numpy as np
from core_programs import run

from lamina import _core

OPS = {
    "add": np.add,
    "subtract": np.subtract,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "less": lambda a, b: (a < b).astype(a.dtype),
    "negative": np.negative,
    "absolute": np.abs,
    "where": lambda a, b, c: np.where(a != 0, b, c),
}
ARITY = {"negative": 1, "absolute": 1, "where": 3}
SHAPES = {
    "full": lambda m, n: (m, n),
    "row": lambda m, n: (1, n),
    "column": lambda m, n: (m, 1),
    "scalar": lambda m, n: (1, 1),
}
FOLDS = {
    "full": ("full", lambda a: a),
    "sum_cols": ("column", lambda a: a.sum(1, keepdims=True)),
    "max_cols": ("column", lambda a: a.max(1, keepdims=True)),
    "sum_rows": ("row", lambda a: a.sum(0, keepdims=True)),
    "max_rows": ("row", lambda a: a.max(0, keepdims=True)),
    "sum_all": ("scalar", lambda a: a.sum(keepdims=True)),
    "max_all": ("scalar", lambda a: a.max(keepdims=True)),
}


class RandomMap:
    """A map over states s0, s1, …; whole numbers keep every result exact in float64."""

    def __init__(self, seed: int):
        self.rng = np.random.default_rng(seed)
        self.m, self.n = (int(self.rng.choice(s)) for s in ((1, 2, 7, 40, 130), (1, 3, 16, 33, 130, 700)))
        kinds = self.rng.choice(list(SHAPES), self.rng.integers(1, 5))
        self.kinds = [str(kind) for kind in kinds]
        self.code = [self.operation(i) for i in range(self.rng.integers(0, 12))]
        self.outputs = self.results()

    def operation(self, index: int) -> tuple[str, list]:
        name = str(self.rng.choice(list(OPS)))
        registers = len(self.kinds) + index
        return name, [self.argument(registers) for _ in range(ARITY.get(name, 2))]

    def argument(self, registers: int) -> int | str:
        if self.rng.random() < 0.2:
            return "const:" + float(self.rng.integers(-3, 4)).hex()
        return int(self.rng.integers(max(0, registers - 6), registers))

    def results(self) -> list[tuple[int, str, int]]:
        """(state, kind, register): a state of its own, or now and then an operand of that kind."""
        free, outputs = list(range(len(self.kinds))), []
        for i in range(self.rng.integers(1, 5)):
            kind = str(self.rng.choice(list(FOLDS)))
            same = [s for s in free if self.kinds[s] == FOLDS[kind][0]]
            state = same[0] if same and self.rng.random() < 0.6 else len(self.kinds) + i
            free = [s for s in free if s != state]
            outputs.append((state, kind, int(self.rng.integers(0, len(self.kinds) + len(self.code)))))
        return outputs

    def shape(self, kind: str) -> tuple[int, int]:
        return SHAPES[kind](self.m, self.n)

    def text(self, dtype: str, phase: str) -> str:
        shapes = {i: self.shape(kind) for i, kind in enumerate(self.kinds)}
        shapes |= {state: self.shape(FOLDS[kind][0]) for state, kind, _ in self.outputs}
        lines = [f"lamina 1 {dtype}"] + [f"value {i} state s{i} 0 {a * b}" for i, (a, b) in shapes.items()]
        read = ",".join(f"{i}:{kind}" for i, kind in enumerate(self.kinds))
        code = ";".join(f"{name} {' '.join(map(str, arguments))}" for name, arguments in self.code)
        write = ",".join(f"{state}:{kind}:{register}" for state, kind, register in self.outputs)
        return "\n".join([*lines, f"phase {phase}", f"map m={self.m} n={self.n} in={read} code={code} out={write}"])

    def data(self, dtype: str) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(1)
        arrays = {f"s{i}": rng.integers(-4, 5, self.shape(kind)) for i, kind in enumerate(self.kinds)}
        arrays |= {f"s{s}": np.zeros(self.shape(FOLDS[k][0])) for s, k, _ in self.outputs if s >= len(self.kinds)}
        return {name: array.astype(dtype) for name, array in arrays.items()}

    def expected(self, data: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        registers = [np.broadcast_to(data[f"s{i}"], (self.m, self.n)) for i in range(len(self.kinds))]
        for name, arguments in self.code:
            read = [
                registers[a] if isinstance(a, int) else np.full((self.m, self.n), float.fromhex(a[6:]))
                for a in arguments
            ]
            registers.append(OPS[name](*read))
        return {f"s{state}": FOLDS[kind][1](registers[register]) for state, kind, register in self.outputs}


def test_random_maps(isa: str):
    for seed in range(400):
        random = RandomMap(seed)
        for phase, threads in (("one", 1), ("split", 2)):
            data = random.data("float64")
            expected = random.expected({name: array.copy() for name, array in data.items()})
            run(random.text("float64", phase), data, isa=isa, threads=threads)
            for name, array in expected.items():
                np.testing.assert_array_equal(
                    data[name], array, err_msg=f"seed {seed}: {random.text('float64', phase)}"
                )


def test_random_maps_in_float32_are_those_in_float64():
    for seed in range(400, 500):
        random = RandomMap(seed)
        narrow, wide = random.data("float32"), random.data("float64")
        for dtype, data in (("float32", narrow), ("float64", wide)):
            run(random.text(dtype, "one"), data, isa=_core.isa())
        for name, array in wide.items():
            np.testing.assert_allclose(narrow[name], array, rtol=1e-5, atol=1e-2)
