"""The three parts: every row once, shares as asked, classes in proportion, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamina.errors import TableError
from lamina.tables.split import split_rows


@given(
    rows=st.integers(20, 300),
    validation=st.floats(0, 0.4),
    test=st.floats(0, 0.4),
    seed=st.integers(0, 2**32),
)
def test_every_row_once_in_shares(rows, validation, test, seed):
    validation, test = (share if round(share * rows) >= 2 else 0.0 for share in (validation, test))
    parts = split_rows(rows, validation=validation, test=test, seed=seed)
    assert sorted(np.concatenate(parts)) == list(range(rows))
    assert abs(len(parts.test) - test * rows) <= 0.5
    assert abs(len(parts.validation) - validation * rows) <= 1.0


@given(counts=st.lists(st.integers(5, 60), min_size=2, max_size=6), seed=st.integers(0, 1000))
def test_classes_keep_their_proportions(counts, seed):
    classes = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    parts = split_rows(len(classes), validation=0.2, test=0.2, seed=seed, classes=classes)
    for part, share in zip(parts, (0.6, 0.2, 0.2), strict=True):
        found = np.bincount(classes[part], minlength=len(counts))
        assert np.all(np.abs(found - share * np.array(counts)) <= 2.0)
    assert sorted(np.concatenate(parts)) == list(range(len(classes)))


def test_seed_decides():
    def parts(seed):
        return np.concatenate(split_rows(100, validation=0.2, test=0.2, seed=seed)).tolist()

    assert parts(1) == parts(1)
    assert parts(1) != parts(2)


def test_parts_may_be_left_out():
    parts = split_rows(2, validation=0.0, test=0.0, seed=0)
    assert (len(parts.train), len(parts.validation), len(parts.test)) == (2, 0, 0)


@pytest.mark.parametrize(
    ("rows", "validation", "test", "message"),
    [
        (1, 0.2, 0.2, "1 row is too few"),
        (
            3,
            0.2,
            0.2,
            "3 rows are too few to train on and to hold out 0.2 of them for validation and 0.2 for the test",
        ),
        (100, 0.5, 0.5, "leave no rows to train on"),
        (100, -0.1, 0.2, "--validation is a share"),
        (100, 0.1, float("nan"), "--test is a share"),
    ],
)
def test_impossible_shares(rows, validation, test, message):
    with pytest.raises(TableError, match=message):
        split_rows(rows, validation=validation, test=test, seed=0)
