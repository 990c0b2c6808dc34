"""Constraints: what they guarantee, their configs and names."""

from __future__ import annotations

import numpy as np
import pytest

from cases import CONSTRAINTS, Brick, name_of
from lamina import constraints

W = np.random.default_rng(1).normal(size=(5, 4))


@pytest.mark.parametrize("case", CONSTRAINTS, ids=name_of)
def test_config(case: Brick):
    made = getattr(constraints, case.name)(**case.arguments)
    again = constraints.get({"class_name": case.name, "config": made.get_config()})
    assert again.get_config() == made.get_config()
    assert (made(W) == again(W)).all()
    assert made(W).shape == W.shape


def test_non_negative():
    assert (constraints.NonNeg()(W) == np.maximum(W, 0)).all()


def test_lengths():
    length = lambda w: np.sqrt((w**2).sum(0))  # noqa: E731
    np.testing.assert_allclose(length(constraints.UnitNorm()(W)), 1, rtol=1e-6)
    np.testing.assert_allclose(length(constraints.MaxNorm(1.5)(W)), np.minimum(length(W), 1.5), rtol=1e-6)
    half = constraints.MinMaxNorm(1.0, 1.2, rate=0.5)(W)
    np.testing.assert_allclose(length(half), (np.clip(length(W), 1.0, 1.2) + length(W)) / 2, rtol=1e-6)


def test_axis_is_what_a_vector_runs_along():
    w = constraints.UnitNorm(axis=1)(W)
    np.testing.assert_allclose((w**2).sum(1), 1, rtol=1e-6)


def test_names():
    assert isinstance(constraints.get("max_norm"), constraints.MaxNorm)
    assert isinstance(constraints.get("NonNeg"), constraints.NonNeg)
    assert constraints.get(None) is None
    with pytest.raises(ValueError, match="did you mean 'max_norm'"):
        constraints.get("maxnorm")
