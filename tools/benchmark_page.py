"""Writes docs/benchmarks.md from the newest file in benchmarks/results: all figures, beside what is wanted of them.

`python tools/benchmark_page.py` writes it; with `--check` it only says whether it is up to date.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from readme_table import NAMES, ROOT, circumstances, epochs, imports, milliseconds, newest, short, table

PAGE = ROOT / "docs" / "benchmarks.md"
PREDICTORS = {"lamina": "Lamina", "onnxruntime": "ONNX Runtime"} | NAMES
Part = Mapping[str, Any]


def plain(part: Part) -> list[str]:
    return [
        "Dense layers with relu between them, Adam, float32, the rows shuffled every epoch.", "",
        *epochs(part), "", "![Times of the peers over Lamina's](plots/training.svg)",
    ]  # fmt: skip


def dressed(part: Part) -> list[str]:
    costs = [(name, milliseconds(rung["plain_seconds"]), f"{rung['cost']:.2f} ×") for name, rung in part.items()]
    return [
        "The same rungs with batch normalisation and dropout of 0.2 after each hidden layer, weights of rows, an "
        "accuracy and an AUC; a tenth of the rows validates every epoch, and EarlyStopping watches.", "",
        *epochs(part), "",
        "The cost is the time of such an epoch, validation included, over that of the plain rung on as many rows "
        "as are trained:", "",
        *table(("", "plain, as many rows", "cost"), costs),
    ]  # fmt: skip


def shapes(part: Part) -> list[str]:
    return [
        "`regression`: tanh, mean squared error, RMSprop. `deep`: relu, Adam. `one_hot`: each row of the inputs is one "
        "1 among zeros. `embeddings`: ten columns of codes, each through an embedding of 8, beside 20 numbers. "
        "scikit-learn has no RMSprop and no embeddings.", "",
        *epochs(part),
    ]  # fmt: skip


def prediction(part: Part) -> list[str]:
    one = part["one_row"]
    calls = [
        (label, f"{1e6 * one[peer]['median']:,.1f} µs", f"{1e6 * one[peer]['percentile_99']:,.1f} µs",
         f"{one[peer]['calls']:,}")
        for peer, label in PREDICTORS.items() if peer in one
    ]  # fmt: skip
    rungs = {name: seen for name, seen in part.items() if name != "one_row"}
    return [
        "One row through `model.predict(x, verbose=0)` on small, called from Python:", "",
        *table(("", "median", "99th percentile", "calls"), calls), "",
        "Many rows in memory, two threads each, each with its best batch (which is shown):", "",
        *table(("", "rows", "Lamina, rows a second", "ONNX Runtime, rows a second", "ratio"),
               [many_rows(name, seen) for name, seen in rungs.items()]),
    ]  # fmt: skip


def many_rows(name: str, seen: Part) -> tuple[str, ...]:
    speeds = [
        f"{seen['rows_a_second'][peer] / 1e6:,.2f} million ({seen['batch'][peer]:,})"
        for peer in ("lamina", "onnxruntime")
    ]
    return name, f"{seen['rows']:,}", *speeds, f"{short(seen['ratio'])} ×"


def first_second(part: Part) -> list[str]:
    command = part["command"]
    seconds = command["seconds"]
    return [
        imports(part),
        f"- The first `fit` of a network of five layers spends {1e3 * part['first_fit_seconds']:.1f} ms before its "
        "first step: how much longer a fit of one step takes the first time than the same fit does later.",
        f"- `lamina train examples/breast_cancer.csv`, the whole process, takes {seconds['lamina']:.2f} s; a script of "
        f"Keras on TensorFlow that does the same, {command['epochs']} epochs too, {seconds['keras_tensorflow']:.2f} s.",
    ]


def threads(part: Part) -> list[str]:
    rows = [
        (name, *map(milliseconds, seen["seconds"]), f"{seen['speedup']:.2f} ×", f"{seen['cpu']:.2f} ×",
         f"{seen['idle_cpu']:.1%}")
        for name, seen in part.items()
    ]  # fmt: skip
    return [
        "Both make the same bits. The last two columns are the processors' time on two threads over that on one, and "
        "the share of a processor that a trained model's threads use while nothing runs.", "",
        *table(("one epoch", "one thread", "two threads", "faster", "processor time", "idle"), rows),
    ]  # fmt: skip


def many(part: Part) -> list[str]:
    seconds = part["seconds"]
    bits = "the same bits as" if part["same_bits"] else "other bits than"
    return [
        f"`fit_many` trains {part['nets']} networks of the small rung in {seconds['together']:.2f} s, one after "
        f"another they take {seconds['alone']:.2f} s: {part['share']:.2f} × the time. Each gets {bits} alone."
    ]


def growth(part: Part) -> list[str]:
    rows = part["rows"]
    above = {kind: f"{1e-6 * value:.0f} MB" for kind, value in rows["peak_above"].items()}
    lines = [
        (f"{int(kind):,}" if kind.isdigit() else "10,000,000, mapped from a file", f"{1e9 * seconds:.0f} ns",
         above.get(kind, "–"))
        for kind, seconds in rows["seconds_a_row"].items()
    ]  # fmt: skip
    return [
        "Small, by rows; the memory is the most that `fit` had above what was held before it, data included.", "",
        *table(("rows", "time a row", "memory of fit"), lines), "",
        "![Time a row by rows](plots/rows.svg)", "",
        "By the width of two hidden layers, and by the number of layers of 64 units, with what the machine's limit "
        "would allow:", "",
        "![Time a row by width and depth](plots/shape.svg)",
    ]  # fmt: skip


def float64(part: Part) -> list[str]:
    rows = [
        (name, *(milliseconds(seen["seconds"][kind]) for kind in ("float32", "float64")), f"{seen['speed']:.2f} ×")
        for name, seen in part.items()
    ]
    return table(("one epoch", "float32", "float64", "speed"), rows)


# part → its title and what it says
SECTIONS: dict[str, tuple[str, Callable[[Part], list[str]]]] = {
    "plain": ("Training", plain),
    "dressed": ("What people really train", dressed),
    "shapes": ("Other shapes", shapes),
    "prediction": ("Prediction", prediction),
    "first_second": ("The first second", first_second),
    "threads": ("Threads", threads),
    "many": ("Many networks", many),
    "growth": ("Growth", growth),
    "float64": ("Float64", float64),
}


def targets(result: Part) -> list[str]:
    rows = [
        (str(seen["figure"]), seen["what"], seen["wanted"], seen["got"], "met" if seen["met"] else "**not met**")
        for seen in result["targets"]
    ]
    return table(("", "figure", "wanted", "got", ""), rows)


def page(result: Part) -> str:
    lines = [
        "# Benchmarks", "",
        "Written by `tools/benchmark_page.py` from one run of `make bench`; [benchmarks/](../benchmarks/) has the "
        "code. Every peer is written the way its own documentation recommends for speed.", "",
        *circumstances(result), "", "## What is wanted", "", *targets(result),
    ]  # fmt: skip
    for number, (part, (title, told)) in enumerate(SECTIONS.items(), 1):
        lines += ["", f"## {number}. {title}", "", *told(result["parts"][part])]
    return "\n".join(lines) + "\n"


def main() -> None:
    wanted = page(newest())
    if "--check" in sys.argv:
        current = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        sys.exit("docs/benchmarks.md is out of date: run tools/benchmark_page.py" if wanted != current else 0)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    main()
