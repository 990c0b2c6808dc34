"""Writes README.md's table of figures from the newest file in benchmarks/results: none is typed by hand.

`python tools/readme_table.py` writes it; with `--check` it only says whether it is up to date.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- figures: written by tools/readme_table.py -->\n", "<!-- end of figures -->"
NAMES = {
    "keras_tensorflow": "Keras on TensorFlow, tuned",
    "keras_defaults": "Keras on TensorFlow, as it comes",
    "keras_jax": "Keras on JAX",
    "torch": "PyTorch",
    "jax": "JAX, one scan",
    "sklearn": "scikit-learn",
}


def newest() -> dict[str, Any]:
    """The result with the latest date; the names of the files sort by it."""
    files = sorted((ROOT / "benchmarks" / "results").glob("*.json"))
    return json.loads(files[-1].read_text(encoding="utf-8"))


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """The lines of a table in Markdown."""
    return [row(*head), row(*["---"] * len(head)), *(row(*cells) for cells in rows)]


def short(number: float) -> str:
    """Two digits behind the point below 1, one below 10, none from there."""
    return f"{number:.{2 if number < 1 else 1 if number < 10 else 0}f}"


def ratio(peer: Mapping[str, Any] | None) -> str:
    if peer is None:
        return "–"
    low, high = peer["ratio_spread"]
    return f"{short(peer['ratio'])} × ({short(low)}–{short(high)})"


def milliseconds(seconds: float) -> str:
    milliseconds = 1e3 * seconds
    return f"{milliseconds:.3g} ms" if milliseconds < 1000 else f"{milliseconds:,.0f} ms"


def epochs(rungs: Mapping[str, Any]) -> list[str]:
    """One epoch of each rung: Lamina's time, the peers' ratios, the share of the limit."""
    head = ("one epoch", "Lamina", *NAMES.values(), "of the machine's limit")
    return table(head, [epoch(name, rung) for name, rung in rungs.items()])


def epoch(name: str, rung: Mapping[str, Any]) -> tuple[str, ...]:
    peers = rung["peers"]
    what = f"{name}: {rung['rows']:,} rows, {rung['network']}, batch {rung['batch']}"
    time, share = milliseconds(peers["lamina"]["epoch_seconds"]), f"{peers['lamina']['share']:.1%}"
    return what, time, *(ratio(peers.get(peer)) for peer in NAMES), share


def versions(result: Mapping[str, Any]) -> str:
    """The version of each distribution that had a part in the figures."""
    parts = result["parts"]
    reports = [rung["peers"] for rung in parts["plain"].values()] + [parts.get("prediction", {}).get("one_row", {})]
    found = {name: number for of in reports for report in of.values() for name, number in report["versions"].items()}
    return ", ".join(f"{name} {number}" for name, number in sorted(found.items()))


def circumstances(result: Mapping[str, Any]) -> list[str]:
    """When, on what and with what it was measured, and how to read it."""
    machine, limit = result["machine"], result["limit"]
    rounds = " or ".join(map(str, sorted(set(result["rounds"].values()))))
    return [
        f"- Measured on {result['date']}: {machine['processor']}, {machine['cores']} cores, "
        f"{'/'.join(machine['instructions'])}, {machine['system']}, Python {machine['python']}; {versions(result)}.",
        "- A peer's figure is its time divided by Lamina's, so more than 1 × means that Lamina is faster: "
        f"each at its best of {rounds} rounds (least–greatest ratio within a round).",
        f"- All have {machine['cores']} threads, but PyTorch one where no layer has more than 100 units or inputs, "
        "as its guide says.",
        f"- The last column is Lamina's share of {limit['gigaflops']:.0f} GFLOP/s, the most reached "
        f"here by a library ({limit['by']}).",
    ]


def imports(part: Mapping[str, Any]) -> str:
    seconds = part["import_seconds"]
    return f"- `import lamina` takes {1e3 * seconds['lamina']:.0f} ms, of which NumPy {1e3 * seconds['numpy']:.0f} ms."


def figures(result: Mapping[str, Any]) -> str:
    """What stands between the marks."""
    parts = result["parts"]
    lines = [*epochs(parts["plain"]), "", *circumstances(result), imports(parts["first_second"])]
    return "\n".join(lines) + "\n"


def with_figures(readme: str) -> str:
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    return before + BEGIN + "\n" + figures(newest()) + "\n" + END + after


def main() -> None:
    path = ROOT / "README.md"
    readme = path.read_text(encoding="utf-8")
    wanted = with_figures(readme)
    if "--check" in sys.argv:
        sys.exit("README.md's figures are out of date: run tools/readme_table.py" if wanted != readme else 0)
    path.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    main()
