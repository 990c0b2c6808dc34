"""What is wanted of the figures: one table, and what a result has to show for each of its lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from operator import getitem
from typing import Any, NamedTuple

FIGURES = {
    "plain": 1, "dressed": 2, "shapes": 3, "prediction": 4, "first_second": 5, "threads": 6, "many": 7, "growth": 8,
    "float64": 9, "accelerate": 10,
}  # fmt: skip
FASTEST, KERAS = "faster than the fastest peer", "faster than Keras on TensorFlow"
AS_IT_COMES = f"{KERAS} as it comes"


class Target(NamedTuple):
    """A bound of one number of a result.

    Attributes:
        part: the part that measures it.
        what: it is, in words.
        sign: `≥` or `≤`.
        wanted: the bound, in `unit`.
        path: where it stands in the part's result.
        factor: from the result's unit to `unit`.
    """

    part: str
    what: str
    sign: str
    wanted: float
    unit: str
    path: str
    factor: float = 1.0


class Verdict(NamedTuple):
    """A target beside what was measured, as both are shown."""

    figure: int
    what: str
    wanted: str
    got: str
    met: bool


def each(
    wanted: Mapping[str, float], part: str, what: str, sign: str, unit: str, path: str, factor: float = 1.0
) -> list[Target]:  # fmt: skip
    """A target for each rung, whose name comes first in its path."""
    return [
        Target(part, f"{rung}: {what}", sign, bound, unit, f"{rung}.{path}", factor) for rung, bound in wanted.items()
    ]


def alike(wanted: float, *rungs: str) -> dict[str, float]:
    return dict.fromkeys(rungs or ("tiny", "small", "medium", "large"), wanted)


PEERS = {"tiny": 12.0, "small": 6.0, "medium": 2.2, "large": 1.2}
KERAS_PEERS = {"tiny": 600.0, "small": 60.0, "medium": 5.0, "large": 1.7}
TARGETS: tuple[Target, ...] = (
    *each(PEERS, "plain", FASTEST, "≥", "×", "fastest.ratio"),
    *each(KERAS_PEERS, "plain", KERAS, "≥", "×", "peers.keras_tensorflow.ratio"),
    *each(KERAS_PEERS, "plain", AS_IT_COMES, "≥", "×", "peers.keras_defaults.ratio"),
    *each({"medium": 60, "large": 75}, "plain", "of the machine's limit", "≥", "%", "peers.lamina.share", 100),
    *each(alike(1.6), "dressed", "cost of a row over the plain rung's", "≤", "×", "cost"),
    *each(PEERS, "dressed", FASTEST, "≥", "×", "fastest.ratio"),
    *each(KERAS_PEERS, "dressed", KERAS, "≥", "×", "peers.keras_tensorflow.ratio"),
    *each(alike(1.0, "regression", "deep", "one_hot", "embeddings"), "shapes", FASTEST, "≥", "×", "fastest.ratio"),
    Target("prediction", "one row: median", "≤", 6, "µs", "one_row.lamina.median", 1e6),
    Target("prediction", "one row: 99th percentile", "≤", 20, "µs", "one_row.lamina.percentile_99", 1e6),
    *each(alike(1.2), "prediction", "rows a second over ONNX Runtime's", "≥", "×", "ratio"),
    Target("first_second", "import lamina", "≤", 0.2, "s", "import_seconds.lamina"),
    Target("first_second", "first fit of five layers, before its step", "≤", 20, "ms", "first_fit_seconds", 1e3),
    Target("first_second", "lamina train, whole process", "≤", 1.0, "s", "command.seconds.lamina"),
    Target("first_second", "lamina train: faster than the Keras script", "≥", 10, "×", "command.ratio"),
    *each(alike(1.0, "tiny", "small") | alike(1.7, "medium", "large"), "threads", "two, faster than one", "≥", "×",
          "speedup"),
    *each(alike(1.25), "threads", "processor time of two over that of one", "≤", "×", "cpu"),
    *each(alike(1.0), "threads", "of a processor while idle", "≤", "%", "idle_cpu", 100),
    Target("many", "16 nets at once over one after another", "≤", 0.55, "×", "share"),
    Target("many", "16 nets at once: the same bits", "≥", 1, "", "same_bits"),
    Target("growth", "time a row, 10⁴ to 10⁷ and mapped: deviation", "≤", 15, "%", "rows.deviation", 100),
    Target("growth", "memory of fit over data + 4 × parameters", "≤", 100, "MB", "rows.beyond", 1e-6),
    *each(alike(0.45, "medium", "large"), "float64", "speed over float32's", "≥", "×", "speed"),
    *each(alike(1.1), "accelerate", "a fit of a Keras model over Lamina's own", "≤", "×", "ratio"),
)  # fmt: skip


def number(value: float, unit: str) -> str:
    """To two digits behind the point, one from 10 on, none from 100 on; zeros at the end are left out."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    text = f"{value:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if digits else text} {unit}".strip()


def verdicts(result: Mapping[str, Any]) -> Iterator[Verdict]:
    """Each target whose part, rung and peer were measured; met as the numbers are shown."""
    for part, what, sign, wanted, unit, path, factor in TARGETS:
        try:
            got = factor * reduce(getitem, path.split("."), result["parts"][part])
        except KeyError:
            continue
        bound, shown = number(wanted, unit), number(got, unit)
        met = bound == shown or (got >= wanted if sign == "≥" else got <= wanted)
        yield Verdict(FIGURES[part], what, f"{sign} {bound}", shown, met)


def show(listed: Sequence[Mapping[str, Any]]) -> None:
    """The verdicts as a table of plain text."""
    print(f"\n{'figure':6}  {'':60} {'wanted':>10} {'got':>10}")
    for seen in listed:
        met = "met" if seen["met"] else "NOT MET"
        print(f"{seen['figure']:6}  {seen['what']:60} {seen['wanted']:>10} {seen['got']:>10}  {met}")
    print(f"{sum(seen['met'] for seen in listed)} of {len(listed)} met")
