"""The figures of models and of the simplest answer, against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from lamina.tables.figures import class_numbers, figures, simplest, simplest_name, verdict
from lamina.tables.names import short
from lamina.tables.schema import Feature, Schema, Target
from lamina.tables.train import Settings

RANDOM = np.random.default_rng(4)
ONE = (Feature("a", 0.0, 1.0),)


def by_name(schema, y, said):
    return {f.name: (f.model, f.simplest) for f in figures(schema, y, said)}


def test_binary():
    schema = Schema("binary", ONE, Target("y", "text", ("no", "yes"), (0.7, 0.3)))
    y = RANDOM.integers(0, 2, 500).astype(np.int32)
    said = np.clip(0.4 * y[:, None] + RANDOM.uniform(0, 0.6, (500, 1)), 0, 1).astype(np.float32)
    found = by_name(schema, y, said)
    assert found["accuracy"] == pytest.approx((metrics.accuracy_score(y, said[:, 0] > 0.5), np.mean(y == 0)))
    assert found["cross-entropy"][0] == pytest.approx(metrics.log_loss(y, said[:, 0]), rel=1e-5)
    assert found["cross-entropy"][1] == pytest.approx(metrics.log_loss(y, np.full(500, 0.3)), rel=1e-5)
    assert found["AUC"] == pytest.approx((metrics.roc_auc_score(y, said[:, 0]), 0.5), abs=5e-3)
    assert simplest_name(schema) == "always no"
    wrong = int((class_numbers(schema, said) != y).sum())
    sentence = f"The model is wrong in {wrong} of 500 rows; always answering no is wrong in {int(y.sum())}."
    assert verdict(schema, y, said) == sentence
    assert "do not rely on this model" in verdict(schema, y, simplest(schema, 500))


def test_one_class_in_the_test_has_no_auc():
    schema = Schema("binary", ONE, Target("y", "text", ("no", "yes"), (0.7, 0.3)))
    assert "AUC" not in by_name(schema, np.zeros(5, np.int32), np.full((5, 1), 0.2, np.float32))


def test_truth_is_written_as_in_tables():
    assert simplest_name(Schema("binary", ONE, Target("y", "truth", (False, True), (0.3, 0.7)))) == "always true"


def test_multiclass():
    schema = Schema("multiclass", ONE, Target("y", "number", (1, 2, 3), (0.2, 0.5, 0.3)))
    y = RANDOM.integers(0, 3, 300).astype(np.int32)
    said = RANDOM.dirichlet((1, 1, 1), 300)
    found = by_name(schema, y, said)
    assert found["accuracy"] == pytest.approx((np.mean(said.argmax(1) == y), np.mean(y == 1)))
    assert found["cross-entropy"][0] == pytest.approx(metrics.log_loss(y, said), rel=1e-5)


def test_the_sentence_has_the_figure_of_the_table():
    schema = Schema("regression", ONE, Target("y", "number", (), (0.1,), 0.0, 1.0))
    y, said = np.array([4.363], np.float32), np.array([[-0.5985]], np.float32)
    exact = abs(float(said[0, 0]) - float(y[0]))
    assert by_name(schema, y, said)["root mean squared error"][0] == pytest.approx(exact, rel=1e-12)
    assert short(exact) in verdict(schema, y, said)


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_regression(offset):
    schema = Schema("regression", ONE, Target("y", "number", (), (offset + 2.0,), 0.0, 1.0))
    y = (offset + RANDOM.normal(2, 3, 400)).astype(np.float32)
    said = (y + RANDOM.normal(0, 1, 400)).astype(np.float32)[:, None]
    found = by_name(schema, y, said)
    wide = y.astype(float), said[:, 0].astype(float)
    assert found["root mean squared error"][0] == pytest.approx(metrics.root_mean_squared_error(*wide), rel=1e-6)
    assert found["mean absolute error"][0] == pytest.approx(metrics.mean_absolute_error(*wide), rel=1e-6)
    assert found["R²"][0] == pytest.approx(metrics.r2_score(*wide), rel=1e-6)


@pytest.mark.parametrize(("rows", "step"), [(5, 4), (79, 4), (80, 8), (341, 32), (60_000, 32), (600_000, 512)])
def test_rows_a_step(rows, step):
    assert Settings().rows_a_step(rows) == step
    assert Settings(batch_size=7).rows_a_step(rows) == 7


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.98246, "0.9825"),
        (57.1, "57.10"),
        (690687.2, "690,687"),
        (1.6651e12, "1.665e+12"),
        (0, "0"),
        (-0.0337, "-0.03370"),
    ],
)
def test_short(value, text):
    assert short(value) == text
