"""Regularizers: their penalties, configs and names."""

from __future__ import annotations

import numpy as np
import pytest

from cases import REGULARIZERS, Brick, name_of
from lamina import regularizers
from lamina.variables import Variable

W = np.array([[1.0, -2.0], [0.5, 3.0]])


@pytest.mark.parametrize("case", REGULARIZERS, ids=name_of)
def test_config_and_kinds_of_input(case: Brick):
    made = getattr(regularizers, case.name)(**case.arguments)
    again = regularizers.get({"class_name": case.name, "config": made.get_config()})
    assert again.get_config() == made.get_config()
    assert made(W) == again(W) == made(Variable(W))


def test_values():
    assert regularizers.L1(0.5)(W) == pytest.approx(0.5 * 6.5)
    assert regularizers.L2(0.5)(W) == pytest.approx(0.5 * 14.25)
    assert regularizers.L1L2(0.5, 2.0)(W) == pytest.approx(0.5 * 6.5 + 2 * 14.25)


def test_defaults_are_keras():
    assert regularizers.get("l1").l1 == regularizers.L1(None).l1 == 0.01
    assert regularizers.get("L2").l2 == 0.01
    assert (regularizers.get("l1l2").l1, regularizers.get("l1l2").l2) == (0.0, 0.0)
    assert regularizers.get(None) is None


def test_angles_between_rows_or_columns():
    w = np.array([[3.0, 0.0], [1.0, 1.0], [0.0, 2.0]])
    of_rows = (np.sqrt(0.5) + 0 + np.sqrt(0.5)) / 3
    assert regularizers.OrthogonalRegularizer(0.5)(w) == pytest.approx(0.5 * of_rows)
    of_columns = 1 / np.sqrt(10 * 5)
    assert regularizers.OrthogonalRegularizer(0.5, "columns")(w) == pytest.approx(0.5 * of_columns)
    assert regularizers.OrthogonalRegularizer()(w[:1]) == 0  # one vector has no angle
    with pytest.raises(ValueError, match="`mode` must be one of rows, columns"):
        regularizers.OrthogonalRegularizer(mode="cols")
    with pytest.raises(ValueError, match=r"needs a matrix of fixed size, got shape \(2,\)"):
        regularizers.OrthogonalRegularizer()(w[0])


@pytest.mark.parametrize("value", ["a", float("nan"), True, -0.1])
def test_a_factor_is_a_finite_number(value: object):
    with pytest.raises(ValueError, match="l2 must be a finite number"):
        regularizers.L2(value)


def test_an_unknown_name():
    with pytest.raises(ValueError, match="Could not interpret regularizer identifier: 'l1_l2'; did you mean 'l1l2'"):
        regularizers.get("l1_l2")


def test_the_base_asks_for_the_equation():
    with pytest.raises(TypeError, match="must define __call__"):
        regularizers.Regularizer()(W)
