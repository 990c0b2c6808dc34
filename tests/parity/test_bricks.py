"""Real Keras beside Lamina: values, configs, names and trajectories of every brick."""

from __future__ import annotations

import warnings

import keras
import numpy as np
import pytest

from cases import (
    ACTIVATIONS,
    ARRAY_FUNCTIONS,
    BATCH,
    CONSTRAINTS,
    DATA,
    FUNCTIONS,
    INITIALIZERS,
    LOSSES,
    METRICS,
    OPTIMIZERS,
    REDUCTIONS,
    REGULARIZERS,
    ROWS,
    SCHEDULES,
    WEIGHTS,
    Brick,
    Function,
    name_of,
)
from lamina import (
    activations,
    config,
    constraints,
    initializers,
    losses,
    metrics,
    ops,
    optimizers,
    regularizers,
)
from lamina.metrics.histogram import Histogram
from lamina.optimizers import schedules
from lamina.variables import Variable

WEIGHTINGS = [None, WEIGHTS.astype("float32")]


@pytest.fixture(autouse=True)
def _same_names():
    keras.utils.clear_session(free_memory=False)
    config.clear_session()


def single(x):
    """What both libraries get: float32 and int32."""
    return (
        x.astype("float32" if x.dtype.kind == "f" else "int32")
        if isinstance(x, np.ndarray) and x.dtype.kind in "fi"
        else x
    )


def pair(family: str, case: Brick):
    """The same class in Keras and here."""
    theirs = getattr(keras, family) if family != "schedules" else keras.optimizers.schedules
    ours = {"metrics": metrics, "losses": losses, "schedules": schedules, "initializers": initializers,
            "regularizers": regularizers, "constraints": constraints, "optimizers": optimizers}[family]  # fmt: skip
    return getattr(theirs, case.name)(**case.arguments), getattr(ours, case.name)(**case.arguments)


# Keras on TensorFlow adds up sums of sums: its sparsemax does not sum to 1 where more than one number is left.
WRONG_IN_KERAS = {"sparsemax"}


@pytest.mark.parametrize("case", [c for c in ACTIVATIONS if c.name not in WRONG_IN_KERAS], ids=name_of)
def test_activation(case: Brick):
    x = np.random.default_rng(1).uniform(-4, 4, (5, 4)).astype("float32")
    theirs = getattr(keras.activations, case.name)(x, **case.arguments)
    np.testing.assert_allclose(getattr(activations, case.name)(x, **case.arguments), theirs, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize(
    "case", [c for c in (*FUNCTIONS, *ARRAY_FUNCTIONS) if c.name != "sparsemax"], ids=lambda f: f.name
)  # sparsemax is argued in docs/differences.md
def test_function_of_ops(case: Function):
    inputs = [[single(p) for p in x] if isinstance(x, list) else single(x) for x in case.inputs]
    theirs = getattr(keras.ops, case.name)(*inputs, **case.arguments)
    ours = getattr(ops, case.name)(*inputs, **case.arguments)
    theirs, ours = (list(x) if isinstance(x, list | tuple) else [x] for x in (theirs, ours))
    for a, b in zip(ours, theirs, strict=True):
        b = np.asarray(b)
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        np.testing.assert_allclose(a, b, rtol=3e-6, atol=1e-6)


@pytest.mark.parametrize("weights", WEIGHTINGS, ids=["plain", "weighted"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("case", LOSSES, ids=name_of)
def test_loss(case: Brick, reduction: str, weights: np.ndarray | None):
    y, p = map(single, DATA[case.data])
    theirs, ours = pair("losses", case._replace(arguments={**case.arguments, "reduction": reduction}))
    expected = theirs(y, p, sample_weight=weights)
    np.testing.assert_allclose(ours(y, p, sample_weight=weights), expected, rtol=2e-6, atol=1e-6)


# What Keras forgets to write; it reads these back.
FORGOTTEN = {
    "Huber": {"delta"},
    "CosineSimilarity": {"axis"},
    "SparseCategoricalCrossentropy": {"axis"},
    "SparseTopKCategoricalAccuracy": {"from_sorted_ids"},
    "Identity": {"gain"},
}


def plain(value):
    """Numbers and lists out of whatever a config holds."""
    if hasattr(value, "numpy"):
        value = value.numpy()
    return np.asarray(value).tolist() if isinstance(value, list | tuple | np.ndarray | np.generic) else value


def same_config(theirs, ours, case: Brick):
    extra = FORGOTTEN.get(case.name, set())
    expected = {k: plain(v) for k, v in theirs.get_config().items()}
    found = {k: plain(v) for k, v in ours.get_config().items()}
    compared = {k: v for k, v in found.items() if k not in extra or k in expected}
    assert compared == {k: _close_to(v) for k, v in expected.items()}


def _close_to(value):
    """Keras rounds some factors to float32."""
    return pytest.approx(value, rel=1e-6) if isinstance(value, float) else value


FAMILIES = {
    "losses": LOSSES, "metrics": METRICS, "optimizers": OPTIMIZERS, "schedules": SCHEDULES,
    "initializers": INITIALIZERS, "regularizers": REGULARIZERS, "constraints": CONSTRAINTS,
}  # fmt: skip


@pytest.mark.parametrize(
    ("family", "case"),
    [(family, case) for family, cases in FAMILIES.items() for case in cases],
    ids=lambda x: x if isinstance(x, str) else name_of(x),
)
def test_config(family: str, case: Brick):
    theirs, ours = pair(family, case)
    same_config(theirs, ours, case)
    type(theirs).from_config(ours.get_config())  # Keras takes what Lamina writes


@pytest.mark.parametrize("weights", WEIGHTINGS, ids=["plain", "weighted"])
@pytest.mark.parametrize("case", METRICS, ids=name_of)
def test_metric(case: Brick, weights: np.ndarray | None):
    y, p = map(single, DATA[case.data])
    theirs, ours = pair("metrics", case)
    for begin in range(0, ROWS, BATCH):
        rows = slice(begin, begin + BATCH)
        given = (y[rows], p[rows], None if weights is None else weights[rows])
        theirs.update_state(*given)
        ours.update_state(*given)
    np.testing.assert_allclose(ours.result(), theirs.result(), rtol=1e-5, atol=1e-6)
    assert ours._direction == getattr(theirs, "_direction", None)
    assert (np.shape(ours.result()), ours.result().dtype) == (tuple(theirs.result().shape), theirs.result().dtype)
    if not isinstance(ours, Histogram):
        assert [(v.name, v.shape) for v in ours.variables] == [(v.name, v.shape) for v in theirs.variables]


@pytest.mark.parametrize("case", INITIALIZERS, ids=name_of)
def test_initializer_has_the_same_spread(case: Brick):
    theirs, ours = pair("initializers", case)
    a, b = np.asarray(theirs((120, 120))), ours((120, 120))
    assert abs(a.mean() - b.mean()) < 0.02 * max(a.std(), 1e-3) + 1e-6
    assert a.std() == pytest.approx(b.std(), rel=0.03)
    assert a.max() == pytest.approx(b.max(), rel=0.25)


@pytest.mark.parametrize("case", REGULARIZERS, ids=name_of)
def test_regularizer(case: Brick):
    w = np.random.default_rng(3).normal(size=(5, 4)).astype("float32")
    theirs, ours = pair("regularizers", case)
    np.testing.assert_allclose(ours(w), theirs(keras.ops.convert_to_tensor(w)), rtol=1e-6)


@pytest.mark.parametrize("case", CONSTRAINTS, ids=name_of)
def test_constraint(case: Brick):
    w = np.random.default_rng(3).normal(size=(5, 4)).astype("float32")
    theirs, ours = pair("constraints", case)
    np.testing.assert_allclose(ours(w), theirs(w), rtol=1e-6)


@pytest.mark.parametrize("case", SCHEDULES, ids=name_of)
def test_schedule(case: Brick):
    theirs, ours = pair("schedules", case)
    steps = [0, 1, 2, 3, 5, 8, 13, 40]
    np.testing.assert_allclose([ours(s) for s in steps], [theirs(s) for s in steps], rtol=1e-6, atol=1e-6)


# Not so ScheduleFreeAdamW, which loses z's start and its old value in Keras on TensorFlow (docs/differences.md).
@pytest.mark.parametrize("case", [c for c in OPTIMIZERS if c.name != "ScheduleFreeAdamW"], ids=name_of)
def test_trajectory(case: Brick):
    """Step by step on a small quadratic: weights and every state variable."""
    rng = np.random.default_rng(4)
    weights = [rng.normal(size=shape).astype("float32") for shape in ((3, 4), (4,))]
    scales = [rng.uniform(0.2, 3, w.shape).astype("float32") for w in weights]
    theirs, ours = pair("optimizers", case)
    a, b = [keras.Variable(w) for w in weights], [Variable(w) for w in weights]
    for _ in range(8):
        theirs.apply([s * v.numpy() for s, v in zip(scales, a, strict=True)], a)
        ours.apply([s * v.numpy() for s, v in zip(scales, b, strict=True)], b)
        for mine, keras_ in zip([*b, *ours.variables], [*a, *theirs.variables], strict=True):
            np.testing.assert_allclose(mine.numpy(), keras_.numpy(), rtol=2e-6, atol=1e-7)


NAMES = {
    "initializers": (initializers, keras.src.initializers.ALL_OBJECTS_DICT),
    "regularizers": (regularizers, keras.src.regularizers.ALL_OBJECTS_DICT),
    "constraints": (constraints, keras.src.constraints.ALL_OBJECTS_DICT),
    "activations": (activations, keras.src.activations.ALL_OBJECTS_DICT),
    "losses": (losses, keras.src.losses.ALL_OBJECTS_DICT),
    "metrics": (metrics, keras.src.metrics.ALL_OBJECTS_DICT),
    "optimizers": (optimizers, keras.src.optimizers.ALL_OBJECTS_DICT),
}


# Public in Keras, but missing from its own tables of names.
UNLISTED = {"CategoricalGeneralizedCrossEntropy", "categorical_generalized_cross_entropy", "Lamb", "lamb"}


@pytest.mark.parametrize("family", NAMES)
def test_names_mean_the_same(family: str):
    """Each name of Keras that stands for something Lamina has is a name here too, of the same thing."""
    module, theirs = NAMES[family]
    known = {thing.__name__ for thing in module.TABLE.values()}
    expected = {name: thing.__name__ for name, thing in theirs.items() if thing.__name__ in known}
    found = {name: module.TABLE[name].__name__ for name in expected}
    assert found == expected
    more = set(module.TABLE) - UNLISTED
    assert {name.lower() if family == "optimizers" else name for name in more} <= set(theirs)


@pytest.mark.parametrize("family", sorted(set(NAMES) - {"optimizers"}))
def test_every_public_name_is_here(family: str):
    ours, theirs = NAMES[family][0], getattr(keras, family)
    absent = getattr(ours, "ABSENT", {})
    missing = {n for n in dir(theirs) if not n.startswith("_") and not hasattr(ours, n)}
    assert missing == {n for n in absent if hasattr(theirs, n)}
    for name in {n for n in dir(theirs) if not n.startswith("_")} - missing - {"serialize"}:
        assert getattr(ours, name).__name__ == getattr(theirs, name).__name__


RECORDED = [
    ("activations", "mish"), ("losses", "huber"), ("losses", "Huber"), ("metrics", "binary_accuracy"),
    ("metrics", "MeanSquaredError"), ("regularizers", "l1"), ("constraints", "MaxNorm"), ("initializers", "he_normal"),
]  # fmt: skip


@pytest.mark.parametrize(("family", "name"), RECORDED)
def test_serialize_and_deserialize(family: str, name: str):
    ours, theirs = NAMES[family][0], getattr(keras, family)
    mine, record = ours.serialize(ours.get(name)), theirs.serialize(theirs.get(name))
    if isinstance(mine, dict) and isinstance(mine["config"], dict):
        same_config(theirs.deserialize(mine), ours.deserialize(record), Brick(name, {}))
        mine, record = ({**r, "config": None} for r in (mine, record))
    assert mine == record


def test_automatic_names():
    for _ in range(2):
        assert keras.metrics.AUC().name == metrics.AUC().name
        assert keras.optimizers.Adam().name == optimizers.Adam().name
        assert keras.losses.Huber().name == losses.Huber().name


def test_a_size_one_softmax_warns_only_in_keras():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert activations.softmax(np.ones((2, 1))).tolist() == [[1], [1]]


def test_circle_tells_a_row_from_its_doubles_and_from_longer_rows():
    """Keras removes the diagonal itself, however near the other rows are."""
    rng = np.random.default_rng(0)
    rows, labels = 2 * rng.normal(size=(12, 3)).astype("float32"), rng.integers(0, 3, 12)
    rows[3], rows[4], rows[5] = rows[2], rows[2], 0.2 * rows[2]
    labels[2:5] = 0, 0, 1
    other = rng.integers(0, 3, 12)
    for references in ({}, {"ref_labels": other, "ref_embeddings": rows[::-1].copy()}):
        theirs = keras.losses.circle(labels, rows, **references)
        np.testing.assert_allclose(losses.circle(labels, rows, **references), np.asarray(theirs), rtol=2e-6)
