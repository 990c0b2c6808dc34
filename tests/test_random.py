"""Seeds and draws: repeatable, of the right distribution, and never frozen into a graph."""

from __future__ import annotations

import numpy as np
import pytest

from lamina import random
from lamina.engine import compile
from lamina.errors import GraphError
from lamina.graph.node import Graph, constant
from lamina.trace import Trace

DRAWS = {
    "uniform": lambda seed: random.uniform((50,), seed=seed),
    "normal": lambda seed: random.normal((50,), seed=seed),
    "truncated_normal": lambda seed: random.truncated_normal((50,), seed=seed),
    "randint": lambda seed: random.randint((50,), 0, 1000, seed=seed),
    "categorical": lambda seed: random.categorical(np.zeros((5, 9)), 10, seed=seed),
    "binomial": lambda seed: random.binomial((50,), 1000, 0.5, seed=seed),
    "beta": lambda seed: random.beta((50,), 2.0, 3.0, seed=seed),
    "gamma": lambda seed: random.gamma((50,), 2.0, seed=seed),
    "shuffle": lambda seed: random.shuffle(np.arange(50), seed=seed),
    "dropout": lambda seed: random.dropout(np.ones(50), 0.5, seed=seed),
}


@pytest.mark.parametrize("name", DRAWS)
def test_an_integer_repeats_and_a_generator_goes_on(name: str):
    draw, generator = DRAWS[name], random.SeedGenerator(5)
    assert (draw(5) == draw(5)).all()
    assert (draw(5) != draw(6)).any()
    assert (draw(generator) == draw(5)).all()
    assert (draw(generator) != draw(5)).any()


@pytest.mark.parametrize("name", DRAWS)
def test_set_random_seed_fixes_draws_without_a_seed(name: str):
    runs = []
    for _ in range(2):
        random.set_random_seed(11)
        runs.append([DRAWS[name](None), DRAWS[name](None), random.SeedGenerator().next()])
    for a, b in zip(*runs, strict=True):
        assert (a == b).all()
    assert (runs[0][0] != runs[0][1]).any()


def test_distributions():
    u, z, t = (DRAWS_BIG[name]() for name in ("uniform", "normal", "truncated"))
    assert -1 <= u.min() < -0.99 < 2.99 < u.max() < 3
    assert abs(z.mean() - 2) < 0.02
    assert abs(z.std() - 3) < 0.02
    assert np.abs(t).max() < 2
    assert abs(t.std() - 0.8796) < 0.01  # the standard deviation of a normal cut at ±2


DRAWS_BIG = {
    "uniform": lambda: random.uniform((50_000,), -1.0, 3.0, seed=1),
    "normal": lambda: random.normal((100_000,), 2.0, 3.0, seed=1),
    "truncated": lambda: random.truncated_normal((50_000,), seed=1),
}


@pytest.mark.parametrize(
    ("draw", "mean", "variance"),
    [
        (lambda n: random.binomial((n,), [10.0], 0.3, seed=1), 3.0, 2.1),
        (lambda n: random.beta((n,), 2.0, 3.0, seed=1), 0.4, 0.04),
        (lambda n: random.gamma((n,), 2.5, seed=1), 2.5, 2.5),
    ],
)
def test_moments_of_distributions(draw, mean: float, variance: float):
    x = draw(100_000)
    assert x.dtype == np.float32
    assert abs(x.mean() / mean - 1) < 0.01
    assert abs(x.var() / variance - 1) < 0.03


def test_nodes_of_cut_whole_and_chosen_numbers(target: str):
    with Trace().active():
        cut = random.truncated_normal((20_000,), 1.0, 2.0, seed=1)
        whole = random.randint((20_000,), 3, 8, seed=2)
        chosen = random.categorical(constant(np.log([[0.1, 0.6, 0.3]])), 20_000, seed=3)
    run = compile(Graph({"cut": cut}), target).run({}, {}, rows=1, batch_size=1)["cut"]
    assert -3 <= run.min() < -2.9 < 4.9 < run.max() <= 5
    assert abs(run.std() / 2 - 0.8796) < 0.02
    run = compile(Graph({"whole": whole}), target).run({}, {}, rows=1, batch_size=1)["whole"]
    np.testing.assert_allclose(np.bincount(run.astype(int)), [0, 0, 0, *[4000] * 5], atol=300)
    run = compile(Graph({"chosen": chosen}), target).run({}, {}, rows=1, batch_size=1)["chosen"]
    np.testing.assert_allclose(np.bincount(run[0].astype(int)) / 20_000, [0.1, 0.6, 0.3], atol=0.02)


def test_categorical_follows_the_probabilities():
    drawn = random.categorical(np.log([[0.1, 0.6, 0.3]]), 20_000, seed=2)
    np.testing.assert_allclose(np.bincount(drawn[0]) / 20_000, [0.1, 0.6, 0.3], atol=0.015)


def test_dropout_keeps_the_mean():
    x = random.dropout(np.ones((200, 200), "float32"), 0.25, seed=3)
    assert set(np.unique(x)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs(x.mean() - 1) < 0.02
    assert (random.dropout(np.ones(4), 1.0) == 0).all()
    rows = random.dropout(np.ones((50, 3)), 0.5, noise_shape=(50, 1), seed=1)
    assert (rows == rows[:, :1]).all()


def test_dtypes_are_kept():
    assert random.normal((2,), dtype="float64").dtype == np.float64
    assert random.uniform((2,)).dtype == np.float32


def test_whole_numbers_are_no_floats():
    with pytest.raises(ValueError, match="integer dtype. Received: dtype=float32"):
        random.randint((2,), 0, 5, dtype="float32")


@pytest.mark.parametrize("seed", [1.5, "a", True])
def test_a_seed_is_an_integer(seed: object):
    with pytest.raises(ValueError, match="must be an integer or a SeedGenerator"):
        random.normal((2,), seed=seed)
    with pytest.raises(ValueError, match="must be an integer"):
        random.SeedGenerator(seed)


def test_neighbouring_seeds_have_far_streams():
    streams = sorted(random.mixed(seed) for seed in range(1000))
    assert min(np.diff(np.array(streams, dtype=object))) > 10**6


def test_a_generator_has_a_config():
    again = random.SeedGenerator.from_config(random.SeedGenerator(4, name="g").get_config())
    assert (again.name, again.next().tolist()) == ("g", [4, 0])


@pytest.mark.parametrize("draw", [random.uniform, random.normal])
def test_nodes_draw_anew_in_each_step(draw, target: str):
    with Trace().active():
        x = draw((4000,), seed=3)
    run = compile(Graph({"x": x}), target)
    first, second, again = (run.run({}, {}, rows=1, batch_size=1, step=step)["x"] for step in (0, 1, 0))
    assert (first == again).all()
    assert (first != second).mean() > 0.99
    plain = draw((4000,), seed=3)
    assert abs(first.mean() - plain.mean()) < 0.06
    assert abs(first.std() - plain.std()) < 0.06


@pytest.mark.parametrize("name", ["binomial", "beta", "gamma", "shuffle"])
def test_draws_that_a_graph_would_freeze_are_refused(name: str):
    with Trace().active(), pytest.raises(GraphError, match=f"random.{name} draws numbers at once"):
        DRAWS[name](1)


def test_an_array_needs_a_fixed_shape():
    with pytest.raises(ValueError, match="fixed shape"):
        random.normal((None, 3))
