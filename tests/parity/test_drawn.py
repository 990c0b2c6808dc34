"""Random models, losses, optimizers and fits of a fixed seed next to real Keras; more of them: `make parity`."""

from __future__ import annotations

import pytest
from drawn.draw import draw_case
from drawn.judge import judge, judge_core

SEED, CASES = 4, 12


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("index", range(CASES))
def test_case(index: int) -> None:
    assert judge(draw_case(SEED, index)).differences == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("index", range(40))
def test_the_core_trains_as_the_reference(index: int) -> None:
    assert judge_core(draw_case(SEED, index)).differences == []


def test_a_case_is_drawn_again_from_its_name() -> None:
    one, other = draw_case(SEED, 7), draw_case(SEED, 7)
    assert list(one.parts()) == list(other.parts())
    assert one.fit.keys() == other.fit.keys()
