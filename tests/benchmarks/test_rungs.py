"""The benchmarks measure what they say: the work of a rung, its table, the ratios."""

from __future__ import annotations

import numpy as np
import pytest

import keras_style
import lamina
from run import figures
from rungs import RUNGS, Rung, table

TOY = Rung("toy", 300, (4, 5, 3), 32)


def test_the_work_of_an_epoch_is_that_of_its_products() -> None:
    forward = 300 * (4 * 5 + 5 * 3)
    weights = 300 * (4 * 5 + 5 * 3)
    inputs = 300 * 5 * 3
    assert TOY.flops == 2 * (forward + weights + inputs)


@pytest.mark.parametrize("name", RUNGS)
def test_a_table_has_all_its_classes_and_is_the_same_each_time(name: str) -> None:
    rung = RUNGS[name]
    (x, y), (again, _) = table(rung), table(rung)
    assert x.shape == (rung.rows, rung.sizes[0])
    assert x.dtype == np.float32
    assert set(y) == set(range(2 if rung.binary else rung.sizes[-1]))
    assert x.tobytes() == again.tobytes()


def test_lamina_learns_a_rung() -> None:
    losses: list[float] = []
    keras_style.train(lamina, TOY, *table(TOY), 5, losses.append)
    assert len(losses) == 5
    assert losses[-1] < losses[0]


def test_figures_are_of_the_best_round_and_leave_the_first_epoch_out() -> None:
    def report(*seconds: float) -> dict[str, object]:
        return {"seconds": [9.0, *seconds], "losses": [1.0, 0.5]}

    reports = {"lamina": [report(1, 1, 4), report(2)], "slow": [report(3, 3, 1), report(8)]}
    seen = figures(TOY, reports)["peers"]["slow"]
    assert seen["ratio_spread"] == [3.0, 4.0]
    assert seen["epoch_seconds"] == 3.0
    assert seen["ratio"] == 3.0
    assert seen["first_epoch_seconds"] == 9.0
