"""The benchmarks measure what they say: the work of a rung, its table, the ratios, what is wanted of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import growth_rows
import keras_style
import lamina
import many_nets
import predict
from area import BUCKETS, under_roc
from growth_shape import rung_of, sizes
from rounds import figures
from rungs import ALL, CLASSES, CODES, RUNGS, Rung, table, weights
from targets import FIGURES, TARGETS, number, verdicts

TOY = Rung("toy", 300, (4, 5, 3), 32, CLASSES)


def small(name: str) -> Rung:
    """The rung on a few rows."""
    return replace(ALL[name], rows=300)


def test_the_work_of_an_epoch_is_that_of_its_products() -> None:
    forward = 300 * (4 * 5 + 5 * 3)
    weights = 300 * (4 * 5 + 5 * 3)
    inputs = 300 * 5 * 3
    assert TOY.flops == 2 * (forward + weights + inputs)


def test_dressed_rows_that_validate_are_only_read_forward() -> None:
    forward = 300 * (4 * 5 + 5 * 3)
    back = 270 * (4 * 5 + 5 * 3 + 5 * 3)
    assert replace(TOY, dressed=True).flops == 2 * (forward + back)


@pytest.mark.parametrize("name", RUNGS)
def test_a_table_has_all_its_classes_and_is_the_same_each_time(name: str) -> None:
    rung = RUNGS[name]
    (rows, held), (again, _) = table(rung), table(rung)
    assert rows.x[0].shape == (rung.rows, rung.sizes[0])
    assert rows.x[0].dtype == np.float32
    assert set(rows.y.ravel()) == set(range(max(2, rung.sizes[-1])))
    assert rows.x[0].tobytes() == again.x[0].tobytes()
    assert held is None


@pytest.mark.parametrize("name", ["small_dressed", "medium_dressed"])
def test_a_tenth_of_a_dressed_table_validates(name: str) -> None:
    rung = small(name)
    rows, held = table(rung)
    assert held is not None
    assert (len(rows.y), len(held.y)) == (rung.trained, 30) == (270, 30)
    assert rows.weight is not None
    assert rows.weight.shape == (270,)
    assert rows.y.shape == (270, rung.sizes[-1])


def test_inputs_of_the_other_shapes() -> None:
    (ones,) = table(small("one_hot")).train.x
    assert (ones.sum(axis=1) == 1).all()
    assert set(ones.ravel()) == {0, 1}
    numbers, codes = table(small("embeddings")).train.x
    assert (numbers.shape, codes.shape) == ((300, 20), (300, 10))
    assert set(codes.ravel()) <= set(range(CODES))


@pytest.mark.parametrize("name", sorted(set(ALL) - {"large", "large_dressed"}))
def test_lamina_trains_every_rung(name: str) -> None:
    losses: list[float] = []
    keras_style.train(lamina, small(name), table(small(name)), 3, lambda logs: losses.append(logs["loss"]))
    assert len(losses) == 3
    assert losses[-1] < losses[0]


def test_predictors_compute_the_rung_with_the_common_weights() -> None:
    (first, shift), (last, bias) = weights(TOY)
    x = np.random.default_rng(0).standard_normal((7, 4), dtype=np.float32)
    expected = np.maximum(x @ first + shift, 0) @ last + bias
    np.testing.assert_allclose(keras_style.predictor(lamina, TOY, threads=1)(x, 3), expected, rtol=1e-5, atol=1e-5)


def test_prediction_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"WARM": 1, "LEAST": 3, "MOST": 3}.items():
        monkeypatch.setattr(predict, name, value)
    seen = [predict.measure("lamina", "tiny", what, 20, 1) for what in ("one", "many")]
    assert seen[0]["calls"] == 3
    assert seen[0]["median"] <= seen[0]["percentile_99"]
    assert seen[1]["rows"] == 20
    assert seen[0]["outputs"] == seen[1]["outputs"]


def test_growth_is_measured_on_the_same_rows_in_memory_and_mapped(tmp_path: Path) -> None:
    growth_rows.write(tmp_path, 300)
    read, mapped = (growth_rows.read(tmp_path, 200, kind).train for kind in ("array", "mapped"))
    assert read.x[0].shape == (200, 30)
    assert read.x[0].tobytes() == mapped.x[0].tobytes()
    assert growth_rows.fit(tmp_path, 200, "mapped")["seconds_a_row"] > 0


def test_grown_networks_have_whole_batches_within_the_effort() -> None:
    rungs = [rung_of(size) for grown in sizes().values() for size in grown.values()]
    assert all(rung.rows % rung.batch == 0 and rung.rows >= 2 * rung.batch for rung in rungs)
    assert rung_of((4, 4, 1)).rows > rung_of((2048, 2048, 1)).rows


def test_many_nets_get_the_bits_that_they_get_alone() -> None:
    rung = small("tiny")
    alone, together = (many_nets.timed(t, rung, 3, 2) for t in (many_nets.one_after_another, lamina.fit_many))
    assert alone[1] == together[1]


def test_the_area_is_that_of_every_pair() -> None:
    random = np.random.default_rng(0)
    bucket, positive = random.integers(0, BUCKETS, 500), random.random(500) < 0.4
    counts = np.array([np.bincount(bucket[positive == kind], minlength=BUCKETS) for kind in (False, True)])
    pairs = bucket[positive][:, None] - bucket[~positive]
    assert under_roc(counts) == pytest.approx(((pairs > 0) + 0.5 * (pairs == 0)).mean())


def test_figures_are_of_the_best_round_and_leave_the_first_epoch_out() -> None:
    def report(*seconds: float) -> dict[str, object]:
        return {"seconds": [9.0, *seconds], "logs": [{"loss": 1.0}, {"loss": 0.5}], "versions": {}}

    reports = {"lamina": [report(1, 1, 4), report(2)], "slow": [report(3, 3, 1), report(8)]}
    seen = figures(TOY, reports)
    slow = seen["peers"]["slow"]
    assert slow["ratio_spread"] == [3.0, 4.0]
    assert slow["epoch_seconds"] == 3.0
    assert slow["ratio"] == 3.0
    assert slow["first_epoch_seconds"] == 9.0
    assert seen["fastest"] == {"peer": "slow", "ratio": 3.0}


def test_verdicts_compare_the_numbers_as_they_are_shown() -> None:
    one_row = {"lamina": {"median": 6.004e-6, "percentile_99": 20.3e-6}}
    listed = verdicts({"parts": {"prediction": {"one_row": one_row}}})
    met = {seen.what: (seen.wanted, seen.got, seen.met) for seen in listed}
    assert met == {
        "one row: median": ("≤ 6 µs", "6 µs", True),
        "one row: 99th percentile": ("≤ 20 µs", "20.3 µs", False),
    }
    assert {target.part for target in TARGETS} == set(FIGURES)


@pytest.mark.parametrize(("value", "text"), [(0.554, "0.55 ×"), (1.0, "1 ×"), (12.34, "12.3 ×"), (600.4, "600 ×")])
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert number(value, "×") == text
