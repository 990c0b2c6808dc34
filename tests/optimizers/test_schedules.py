"""Schedules: values against closed forms, one number or a node in a graph, configs."""

from __future__ import annotations

from math import cos, pi

import numpy as np
import pytest

from cases import SCHEDULES, Brick, name_of
from lamina.engine import compile
from lamina.graph.node import Graph, leaf
from lamina.optimizers import schedules

STEPS = range(12)


def _restarts(step: int, t_mul: float = 2.0, first: int = 2) -> float:
    begin, length = 0.0, float(first)
    while step >= begin + length:
        begin, length = begin + length, length * t_mul
    return 0.5 * (1 + cos(pi * (step - begin) / length))


# the same row of SCHEDULES in plain Python
TRUTH = [
    lambda s: 0.5 ** (s / 2),
    lambda s: 0.5 ** (s // 2),
    lambda s: 1 / (1 + 0.5 * s / 2),
    lambda s: 1 / (1 + 0.5 * (s // 2)),
    lambda s: 1.0 if s <= 2 else 0.5 if s <= 4 else 0.25,
    lambda s: 0.8 * (1 - min(s, 4) / 4) ** 2 + 0.2,
    lambda s: 0.9999 * (1 - s / (4 * max(1, -(-s // 4)))) + 0.0001,
    lambda s: 0.9 * 0.5 * (1 + cos(pi * min(s, 4) / 4)) + 0.1,
    lambda s: s / 2 if s <= 2 else 0.5 * (1 + cos(pi * min(s - 2, 4) / 4)),
    _restarts,
    lambda s: 0.9 * 0.5 ** (s // 3) * 0.5 * (1 + cos(pi * (s % 3) / 3)) + 0.1,
]


@pytest.mark.parametrize(
    ("case", "truth"), list(zip(SCHEDULES, TRUTH, strict=True)), ids=lambda x: getattr(x, "name", "")
)
def test_values(case: Brick, truth):
    schedule = getattr(schedules, case.name)(**case.arguments)
    np.testing.assert_allclose(
        [schedule(step) for step in STEPS], [truth(step) for step in STEPS], rtol=1e-6, atol=1e-7
    )


@pytest.mark.parametrize("case", SCHEDULES, ids=name_of)
def test_as_a_node(case: Brick, target: str, dtype: str):
    schedule = getattr(schedules, case.name)(**case.arguments)
    executable = compile(Graph({"rate": schedule(leaf("step", (), dtype))}), target)
    for step in STEPS:
        rate = executable.run({}, {}, rows=1, batch_size=1, step=step)["rate"]
        np.testing.assert_allclose(rate, schedule(step), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("case", SCHEDULES, ids=name_of)
def test_config(case: Brick):
    schedule = getattr(schedules, case.name)(**case.arguments)
    assert type(schedule).from_config(schedule.get_config()).get_config() == schedule.get_config()
    assert schedule.get_config().items() >= case.arguments.items()


def test_every_schedule_has_a_case():
    assert {case.name for case in SCHEDULES} == set(schedules.CLASSES)


def test_mistakes():
    with pytest.raises(ValueError, match="`decay_steps` must be > 0"):
        schedules.CosineDecay(0.1, 0)
    with pytest.raises(ValueError, match="boundaries should be 1 less"):
        schedules.PiecewiseConstantDecay([1], [1.0])
    with pytest.raises(TypeError, match="must define rate"):
        schedules.LearningRateSchedule()(1)
