"""Trainings of odd sizes: widths around every block and tile, one row, batches larger than the data, any last batch.

The step that `fit` runs (forward, loss, gradients, update, metric sums) and the one of `predict`, against the NumPy
reference; on every instruction set, on one thread and on two.
"""

from __future__ import annotations

import copy
from itertools import product
from typing import Any

import numpy as np
import pytest
from core_programs import run

import lamina
from isas import ISAS
from lamina import Input, Sequential, layers, optimizers
from lamina.lower.to_numpy import NumpyExecutable
from lamina.models.steps import Step

WIDTHS = (1, 2, 7, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 127, 128, 129, 191, 192, 193, 255, 256, 257)
ROWS_AND_BATCHES = (
    (1, 1), (1, 32), (2, 1), (7, 2), (31, 32), (32, 32), (33, 32), (33, 31), (64, 33), (65, 64), (97, 32), (95, 96),
    (129, 128), (193, 192), (200, 500), (257, 256),
)  # fmt: skip
ACTIVATIONS = ("relu", "tanh", "gelu", "sigmoid", None)
OPTIMIZERS = (  # a large ε: small gradients would make noise large
    lambda: optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    lambda: optimizers.RMSprop(0.01, epsilon=1e-2),
    lambda: optimizers.Adam(0.01, epsilon=1e-2),
)
TOLERANCE = {"float32": 1e-5, "float64": 2e-14}  # of an array's largest number


def steps(seed: int, width: int, rows: int, dtype: str) -> tuple[Step, Step, dict[str, np.ndarray]]:
    """Training and prediction of a net of two layers, this width between them, and its data."""
    lamina.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    inputs, outputs = (int(w) for w in rng.choice(WIDTHS, 2))
    activation = ACTIVATIONS[seed % len(ACTIVATIONS)]
    hidden, last = layers.Dense(width, activation=activation, dtype=dtype), layers.Dense(outputs, dtype=dtype)
    model = Sequential([Input((inputs,), dtype=dtype), hidden, last])
    model.compile(OPTIMIZERS[seed % len(OPTIMIZERS)](), "mse", metrics=["mae"])
    table = model._rows(rng.normal(size=(rows, inputs)), rng.normal(size=(rows, outputs)))
    return model._step("train", table), model._step("predict", table), table.arrays


def reference(compiled: Step, data: dict, state: dict, **how: Any) -> dict[str, np.ndarray]:
    """Outputs and changed buffers on the NumPy target."""
    return NumpyExecutable(compiled.executable.graph).run(data, state, **how) | state


def on_core(compiled: Step, data: dict, state: dict, *, batch_size: int, **how: Any) -> dict[str, np.ndarray]:
    return run(str(compiled.executable.program), data | state, batch=batch_size, **how) | state


def assert_close(found: dict[str, np.ndarray], expected: dict[str, np.ndarray], dtype: str, what: str) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        atol = TOLERANCE[dtype] * float(np.max(np.abs(value)))
        np.testing.assert_allclose(found[name], value.ravel(), rtol=0, atol=atol, err_msg=f"{name}, {what}")


def bits(results: dict[str, np.ndarray]) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in results.items()}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("other", range(2))  # rows, batch, optimizer, activation and the other widths
def test_the_core_is_the_reference(other: int, width: int, dtype: str) -> None:
    seed = WIDTHS.index(width) + 23 * other
    rows, batch = ROWS_AND_BATCHES[seed % len(ROWS_AND_BATCHES)]
    train, predict, data = steps(seed, width, rows, dtype)
    how: dict[str, Any] = {"rows": rows, "batch_size": batch}
    shuffled = how | {"order": np.random.default_rng(seed).permutation(rows), "step": 3}
    before, weights = train.state(), predict.state()
    expected = [reference(train, data, copy.deepcopy(before), **shuffled), reference(predict, data, weights, **how)]
    found = {}
    for isa, threads in product(ISAS, (1, 2)):
        on = {"isa": isa, "threads": threads}
        trained = on_core(train, data, copy.deepcopy(before), **shuffled, **on)
        found[isa, threads] = trained, on_core(predict, data, weights, **how, **on)
        for results, truth in zip(found[isa, threads], expected, strict=True):
            assert_close(results, truth, dtype, f"{rows} rows in batches of {batch} on {isa}, {threads} threads")
    for isa, threads in found:
        twin = found["portable" if isa == "portable" else ISAS[-1], 1]
        assert [*map(bits, found[isa, threads])] == [*map(bits, twin)], f"{isa}, {threads} threads: other bits"
