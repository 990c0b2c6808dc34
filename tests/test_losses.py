"""Losses: values against NumPy, weights, reductions, masks, shapes, names, and the logits behind probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from cases import BATCH, DATA, LOSSES, REDUCTIONS, ROWS, WEIGHTS, Brick, name_of
from lamina import config, losses, ops
from lamina.engine import compile
from lamina.errors import DataError, ShapeError, TrapWarning
from lamina.graph.node import Graph, leaf

Y, P = np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([[1.0, 1.0], [0.0, 0.0]])

# class → the losses of the rows, in NumPy and float64
PLAIN = {
    "MeanSquaredError": lambda y, p: ((y - p) ** 2).mean(-1),
    "MeanAbsoluteError": lambda y, p: np.abs(y - p).mean(-1),
    "MeanAbsolutePercentageError": lambda y, p: 100 * np.abs((y - p) / y).mean(-1),
    "LogCosh": lambda y, p: np.log(np.cosh(p - y)).mean(-1),
    "CosineSimilarity": lambda y, p: -(y * p).sum(-1) / np.linalg.norm(y, axis=-1) / np.linalg.norm(p, axis=-1),
    "Poisson": lambda y, p: (p - y * np.log(p + 1e-7)).mean(-1),
    "Hinge": lambda y, p: np.maximum(1 - np.where(y > 0, p, -p), 0).mean(-1),
    "SquaredHinge": lambda y, p: (np.maximum(1 - np.where(y > 0, p, -p), 0) ** 2).mean(-1),
    "CategoricalHinge": lambda y, p: np.maximum(1 + (p * (1 - y)).max(-1) - (p * y).sum(-1), 0),
    "BinaryFocalCrossentropy": lambda y, p: -np.where(
        y > 0, (1 - p) ** 2 * np.log(p), p**2 * np.log(1 - p)
    ).mean(-1),
    "CategoricalFocalCrossentropy": lambda y, p: -0.25 * (y * (1 - p) ** 2 * np.log(p)).sum(-1),
    "CategoricalGeneralizedCrossEntropy": lambda y, p: 2 - 2 * np.sqrt(p[np.arange(len(p)), y.reshape(-1)]),
    "BinaryCrossentropy": lambda y, p: -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean(-1),
    "CategoricalCrossentropy": lambda y, p: -(y * np.log(p)).sum(-1),
    "SparseCategoricalCrossentropy": lambda y, p: -np.log(p[np.arange(len(p)), y.reshape(-1)]),
}


@pytest.mark.parametrize("case", [c for c in LOSSES if c.name in PLAIN and not c.arguments], ids=name_of)
def test_values(case: Brick):
    y, p = DATA[case.data]
    rows = PLAIN[case.name](y.reshape(p.shape) if y.size == p.size else y, p)
    loss = getattr(losses, case.name)
    np.testing.assert_allclose(loss(reduction="none")(y, p), rows, rtol=1e-12)
    np.testing.assert_allclose(loss()(y, p), rows.mean(), rtol=1e-12)
    np.testing.assert_allclose(loss(reduction="sum")(y, p), rows.sum(), rtol=1e-12)
    weighted = (rows * WEIGHTS).sum()
    np.testing.assert_allclose(loss()(y, p, WEIGHTS), weighted / ROWS, rtol=1e-12)
    np.testing.assert_allclose(loss()(y, p, WEIGHTS[:, None]), weighted / ROWS, rtol=1e-12)
    by_weight = loss(reduction="mean_with_sample_weight")(y, p, WEIGHTS)
    np.testing.assert_allclose(by_weight, weighted / WEIGHTS.sum(), rtol=1e-12)


def test_huber_is_a_parabola_then_a_line():
    y, p = np.zeros((3, 1)), np.array([[0.5], [1.0], [3.0]])
    np.testing.assert_allclose(losses.huber(y, p), [0.125, 0.5, 2.5])
    np.testing.assert_allclose(losses.huber(y, p, delta=2.0), [0.125, 0.5, 4.0])


@pytest.mark.parametrize("case", LOSSES, ids=name_of)
def test_config(case: Brick):
    made = getattr(losses, case.name)(**case.arguments)
    again = losses.get({"class_name": case.name, "config": made.get_config()})
    y, p = DATA[case.data]
    assert again.get_config() == made.get_config()
    assert again(y, p) == made(y, p)
    assert {**made.get_config(), **case.arguments} == made.get_config()


@pytest.mark.filterwarnings("ignore:.*compares all rows of a batch:RuntimeWarning")
@pytest.mark.parametrize("case", LOSSES, ids=name_of)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_in_a_graph_as_at_once(case: Brick, reduction: str, target: str, dtype: str):
    """One batch of all rows, the batch size unknown while the graph is built."""
    loss = getattr(losses, case.name)(**case.arguments, reduction=reduction)
    y, p, w = *DATA[case.data], WEIGHTS
    arrays = {"y": _as(y, dtype), "p": _as(p, dtype), "w": _as(w, dtype)}
    nodes = [leaf("input", (None, *a.shape[1:]), a.dtype.name, name=name) for name, a in arrays.items()]
    run = compile(Graph({"loss": loss(*nodes)}), target).run(arrays, {}, rows=ROWS, batch_size=ROWS)
    np.testing.assert_allclose(run["loss"], loss(y, p, w), rtol=2e-5 if dtype == "float32" else 1e-12)
    assert run["loss"].dtype == dtype


def _as(x: np.ndarray, dtype: str) -> np.ndarray:
    return x.astype(dtype if x.dtype.kind == "f" else "int32")


def test_logits_behind_a_probability_are_used(target: str):
    """A loss after sigmoid or softmax is finite and exact where the probability itself has rounded to 0."""
    z = leaf("input", (None, 1), "float32", name="z")
    zs = leaf("input", (None, 2), "float32", name="zs")
    y = leaf("input", (None, 1), "float32", name="y")
    outputs = {
        "binary": losses.BinaryCrossentropy(reduction="none")(y, ops.sigmoid(z)),
        "categorical": losses.CategoricalCrossentropy(reduction="none")(
            ops.concatenate([1.0 - y, y], 1), ops.softmax(zs)
        ),
        "sparse": losses.SparseCategoricalCrossentropy(reduction="none")(y, ops.softmax(zs)),
    }
    data = {
        "z": np.array([[-100.0], [100.0]], "f"),
        "zs": np.array([[100.0, 0.0], [0.0, 100.0]], "f"),
        "y": np.array([[1.0], [0.0]], "f"),
    }
    for name, values in compile(Graph(outputs), target).run(data, {}, rows=2, batch_size=2).items():
        np.testing.assert_allclose(values, [100, 100], err_msg=name)


def test_probabilities_are_clipped_as_keras_does():
    loss = losses.BinaryCrossentropy(reduction="none")
    found = loss(np.array([[1.0], [0.0]], "f"), np.array([[0.0], [1.0]], "f"))
    np.testing.assert_allclose(found, [16.11810, 15.94238], rtol=1e-6)


def test_overlaps_of_sets():
    """Of two sets as zeros and ones: three elements and two, of which one is common."""
    y, p = np.array([[1.0, 1, 1, 0]]), np.array([[1.0, 0, 0, 1]])
    np.testing.assert_allclose(losses.Dice()(y, p), 1 - 2 * 1 / (3 + 2))
    np.testing.assert_allclose(losses.Tversky()(y, p), 1 - 2 * 1 / (3 + 2), rtol=1e-6)
    np.testing.assert_allclose(losses.Tversky(alpha=1.0, beta=0.0)(y, p), 1 - 1 / 3, rtol=1e-6)  # of the targets missed


def test_a_focal_loss_without_focus_is_a_cross_entropy():
    y, p = DATA["labels"]
    focal = losses.BinaryFocalCrossentropy(gamma=0.0, reduction="none")
    np.testing.assert_allclose(focal(y, p), losses.BinaryCrossentropy(reduction="none")(y, p))


def test_circle_draws_classes_together():
    """Two rows of one class at distance d, and one of another class at distance e from both."""
    rows, labels = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]]), np.array([0, 0, 1])
    found = losses.circle(labels, rows, gamma=2.0, margin=0.25)
    near = 2.0 * (0.2 + 0.25) * (0.2 - 0.25)
    to_first, to_second = 2.0 * 0.25 * (0.75 - 1), 2.0 * (1.25 - 0.4) * (0.75 - 0.4)
    np.testing.assert_allclose(found[:2], np.log1p(np.exp(near + np.array([to_first, to_second]))))
    assert found[2] == 0  # no other row of its class
    with_itself = losses.circle(labels, rows, remove_diagonal=False, gamma=2.0, margin=0.25)
    own = 2.0 * 0.25 * -0.25
    np.testing.assert_allclose(with_itself[0], np.log1p((np.exp(near) + np.exp(own)) * np.exp(to_first)))
    mean = losses.Circle(2.0, 0.25)(labels, rows)
    np.testing.assert_allclose(mean, found[:2].mean())
    others = losses.circle(labels, rows, labels[:2], rows[:2], remove_diagonal=False, gamma=2.0, margin=0.25)
    assert others[0] == 0  # no row of another class
    with pytest.raises(ShapeError, match="remove_diagonal=False"):
        losses.circle(labels, rows, labels[:2], rows[:2])


def test_one_column_of_targets_meets_several_of_outputs_with_a_warning():
    config.clear_session()
    with pytest.warns(TrapWarning, match=r"targets of shape \(3, 1\) meet outputs of shape \(3, 2\).*one target for"):
        found = losses.mean_squared_error(np.zeros((3, 1)), np.array([[1.0, 2.0], [0, 0], [3, 1]]))
    assert found.tolist() == [2.5, 0, 5]
    assert losses.mean_absolute_error(np.zeros((3, 1)), np.ones((3, 2))).tolist() == [1, 1, 1]  # said once


def test_q_is_between_0_and_1():
    for q in (0.0, 1.0, -0.5):
        with pytest.raises(ValueError, match=f"q={q}"):
            losses.CategoricalGeneralizedCrossEntropy(q)


def test_mean_weight_zero_gives_zero():
    assert losses.MeanSquaredError("mean_with_sample_weight")(Y, P, np.zeros(2)) == 0


def test_ignored_rows_do_not_count():
    p = np.array([[0.5, 0.5], [0.9, 0.1]])
    loss = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    np.testing.assert_allclose(loss([0, -1], p), -np.log(0.5))
    np.testing.assert_allclose(loss([-1, -1], p), 0)


def test_a_loss_of_ones_own():
    class Cubed(losses.Loss):
        def call(self, y_true, y_pred):
            return ops.mean(ops.abs(y_true - y_pred) ** 3.0, axis=-1)

    assert Cubed().name == "cubed"
    assert Cubed("mine", "sum").get_config() == {"name": "mine", "reduction": "sum"}
    np.testing.assert_allclose(Cubed()(Y, P), (np.abs(Y - P) ** 3).mean())


def test_a_function_as_loss():
    wrapped = losses.LossFunctionWrapper(lambda y, p, scale: scale * (y - p) ** 2.0, name="scaled", scale=3.0)
    np.testing.assert_allclose(wrapped(Y[:, :1], P[:, 0]), 3 * ((Y - P)[:, 0] ** 2).mean())
    assert wrapped.get_config() == {
        "name": "scaled",
        "reduction": "sum_over_batch_size",
        "fn": wrapped.fn,
        "scale": 3.0,
    }
    assert losses.LossFunctionWrapper(losses.huber).name == "huber"


def test_lists_and_dtypes():
    assert losses.MeanSquaredError()([0.0, 1.0], [0.0, 3.0]) == 2
    assert losses.MeanSquaredError()(Y, P).dtype == np.float64
    assert losses.MeanSquaredError(dtype="float32")(Y, P).dtype == np.float32
    assert losses.MeanSquaredError()([[0, 1]], [[1, 1]]).dtype == config.floatx()


@pytest.mark.parametrize(
    ("name", "thing"),
    [
        ("mse", losses.mean_squared_error),
        ("MSE", losses.mean_squared_error),
        ("mae", losses.mean_absolute_error),
        ("bce", losses.binary_crossentropy),
        ("huber", losses.huber),
    ],
)
def test_short_names_are_functions(name: str, thing: object):
    assert losses.get(name) is thing


def test_class_names_are_instances():
    assert isinstance(losses.get("Huber"), losses.Huber)
    assert losses.get(None) is None
    with pytest.raises(ValueError, match="Could not interpret loss identifier: 'huber_loss'; did you mean 'huber'"):
        losses.get("huber_loss")


Y1, Y2, SPARSE = np.ones((3, 1)), np.ones((3, 2)), losses.SparseCategoricalCrossentropy()
MISTAKES = {
    "reduction": (lambda: losses.MeanSquaredError("average"), ValueError, "`reduction` must be one of"),
    "columns": (lambda: losses.BinaryCrossentropy()(Y1, Y2), ShapeError, r"target.shape=\(3, 1\), output.shape=\(3, 2"),
    "rank": (lambda: losses.CategoricalCrossentropy()(np.ones(3), Y2), ShapeError, "must have the same shape"),
    "one-hot": (lambda: SPARSE(Y2, Y2), ShapeError, "use the categorical"),
    "label too large": (lambda: SPARSE([0, 5], np.ones((2, 2))), DataError, r"label value of 5 .* \[0, 2\)"),
    "label negative": (lambda: SPARSE([0, -1], np.ones((2, 2))), DataError, "label value of -1"),
    "no equation": (lambda: losses.Loss()(Y, P), TypeError, "must define call"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name: str):
    make, error, message = MISTAKES[name]
    with pytest.raises(error, match=message):
        make()


def test_every_loss_has_a_case():
    assert {case.name for case in LOSSES} == set(losses.CLASSES)


def test_batches_are_of_the_size_that_the_cases_expect():
    assert ROWS % BATCH
