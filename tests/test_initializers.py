"""Initializers: distributions of the right size, repeatable, found by Keras's names."""

from __future__ import annotations

import numpy as np
import pytest

from cases import INITIALIZERS, Brick, name_of
from lamina import initializers, random
from lamina.errors import ShapeError


def make(case: Brick):
    return getattr(initializers, case.name)(**case.arguments)


@pytest.mark.parametrize("case", INITIALIZERS, ids=name_of)
def test_shape_dtype_and_config(case: Brick, dtype: str):
    made = make(case)
    values = made((6, 4), dtype=dtype)
    assert (values.shape, values.dtype) == ((6, 4), np.dtype(dtype))
    assert (values == made((6, 4), dtype=dtype)).all()  # an instance always gives the same numbers
    again = type(made).from_config(made.get_config())
    assert (values == again((6, 4), dtype=dtype)).all()
    assert made((6, 4)).dtype == np.float32


def test_every_class_has_a_case():
    assert {case.name for case in INITIALIZERS} == set(initializers.CLASSES)


FANS = {"fan_in": 300, "fan_out": 100, "fan_avg": 200}
SCALED = [
    ("GlorotUniform", 1, "fan_avg", True), ("GlorotNormal", 1, "fan_avg", False),
    ("HeUniform", 2, "fan_in", True), ("HeNormal", 2, "fan_in", False),
    ("LecunUniform", 1, "fan_in", True), ("LecunNormal", 1, "fan_in", False),
]  # fmt: skip


@pytest.mark.parametrize(("name", "scale", "mode", "uniform"), SCALED)
def test_variance(name: str, scale: float, mode: str, uniform: bool):
    values = getattr(initializers, name)(seed=1)((300, 100), dtype="float64")
    variance = scale / FANS[mode]
    assert abs(values.var() / variance - 1) < 0.03
    assert abs(values.mean()) < 0.02 * variance**0.5
    limit = np.sqrt(3 * variance) if uniform else 2 * np.sqrt(variance) / initializers.CUT_STDDEV
    assert 0.98 * limit < np.abs(values).max() < limit


@pytest.mark.parametrize(
    ("shape", "fans"), [((), (1, 1)), ((5,), (5, 5)), ((300, 100), (300, 100)), ((3, 8, 16), (24, 48))]
)
def test_fans(shape: tuple[int, ...], fans: tuple[int, int]):
    assert initializers.compute_fans(shape) == fans
    assert initializers.VarianceScaling(seed=1)(shape).shape == shape


def test_fans_of_chosen_axes():
    assert initializers.compute_fans((2, 3, 5), (0,), (1, 2)) == (2, 15)


@pytest.mark.parametrize("shape", [(4, 7), (7, 4), (2, 3, 5)])
def test_orthogonal(shape: tuple[int, ...]):
    q = initializers.Orthogonal(gain=2.0, seed=1)(shape, dtype="float64").reshape(-1, shape[-1])
    small = q.T @ q if q.shape[0] >= q.shape[1] else q @ q.T
    np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-12)


def test_constant_takes_an_array():
    assert initializers.Constant([1.0, 2.0])((3, 2)).tolist() == [[1, 2]] * 3


def test_a_seed_generator_goes_on_from_call_to_call():
    made = initializers.RandomNormal(seed=random.SeedGenerator(3))
    assert (made((5,)) != made((5,))).all()


def test_two_without_a_seed_differ():
    a, b = initializers.GlorotUniform(), initializers.GlorotUniform()
    assert (a((5,)) != b((5,))).all()
    assert a.get_config()["seed"] is None


@pytest.mark.parametrize(
    "name", ["zeros", "zero", "one", "normal", "uniform", "glorot_uniform", "HeNormal", "OrthogonalInitializer"]
)
def test_get_by_name(name: str):
    assert isinstance(initializers.get(name), initializers.Initializer)


def test_get_other_things():
    assert initializers.get(None) is None
    assert isinstance(initializers.get(initializers.Ones), initializers.Ones)
    assert initializers.get({"class_name": "Constant", "config": {"value": 2.0}})((1,)) == 2
    given = initializers.get(np.array([1.0, 2.0]))
    assert given((2,)).tolist() == [1, 2]
    with pytest.raises(ShapeError, match=r"has shape \(2,\), the variable \(3,\)"):
        given((3,))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: initializers.get("glorot"), "Could not interpret initializer identifier: 'glorot'"),
        (lambda: initializers.VarianceScaling(scale=0.0), "`scale` must be positive"),
        (lambda: initializers.VarianceScaling(mode="fan"), "`mode` must be one of fan_in, fan_out, fan_avg"),
        (lambda: initializers.VarianceScaling(distribution="beta"), "`distribution` must be one of"),
        (lambda: initializers.RandomNormal(seed="x"), "`seed` must be an integer or a SeedGenerator"),
        (lambda: initializers.Identity()((2, 3, 4)), "Identity makes matrices"),
        (lambda: initializers.Orthogonal()((3,)), "at least two axes"),
    ],
)
def test_mistakes(make, message: str):
    with pytest.raises(ValueError, match=message):
        make()
