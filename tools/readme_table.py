"""Writes README.md's table of figures from the newest file in benchmarks/results: none is typed by hand.

`python tools/readme_table.py` writes it; with `--check` it only says whether it is up to date.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- figures: written by tools/readme_table.py -->\n", "<!-- end of figures -->"
NAMES = {
    "keras_tensorflow": "Keras on TensorFlow",
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


def short(number: float) -> str:
    """Two digits behind the point below 1, one below 10, none from there."""
    return f"{number:.{2 if number < 1 else 1 if number < 10 else 0}f}"


def ratio(peer: dict[str, Any]) -> str:
    low, high = peer["ratio_spread"]
    return f"{short(peer['ratio'])} × ({short(low)}–{short(high)})"


def milliseconds(peer: dict[str, Any]) -> str:
    milliseconds = 1e3 * peer["epoch_seconds"]
    return f"{milliseconds:.3g} ms" if milliseconds < 1000 else f"{milliseconds:,.0f} ms"


def rung_row(name: str, rung: dict[str, Any], limit: float) -> str:
    lamina = rung["peers"]["lamina"]
    share = f"{lamina['gigaflops'] / limit:.1%}"
    what = f"{name}: {rung['rows']:,} rows, {rung['layers']}, batch {rung['batch']}"
    return row(what, milliseconds(lamina), *(ratio(rung["peers"][peer]) for peer in NAMES), share)


def table(result: dict[str, Any]) -> str:
    """The table and the lines about how it came to be."""
    machine, versions = result["machine"], result["versions"]
    distributions = {package: number for of_peer in versions.values() for package, number in of_peer.items()}
    head = ("one epoch", "Lamina", *NAMES.values(), "of the machine's limit")
    lines = [
        row(*head),
        row(*["---"] * len(head)),
        *(rung_row(name, rung, result["limit"]["gigaflops"]) for name, rung in result["rungs"].items()),
        "",
        f"- Measured on {result['date']}: {machine['processor']}, {machine['cores']} cores, "
        f"{'/'.join(machine['instructions'])}, {machine['system']}, Python {machine['python']}; "
        + ", ".join(f"{package} {number}" for package, number in sorted(distributions.items()))
        + ".",
        "- A peer's figure is its time divided by Lamina's, so more than 1 × means that Lamina is faster: "
        f"each at its best of {result['rounds']} rounds (least–greatest ratio within a round).",
        f"- The last column is Lamina's share of {result['limit']['gigaflops']:.0f} GFLOP/s, the most reached "
        f"here by a library ({result['limit']['by']}).",
        f"- `import lamina` took {1e3 * result['import_seconds']['lamina']:.0f} ms, of which NumPy "
        f"{1e3 * result['import_seconds']['numpy']:.0f} ms.",
    ]
    return "\n".join(lines) + "\n"


def with_table(readme: str) -> str:
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    return before + BEGIN + "\n" + table(newest()) + "\n" + END + after


def main() -> None:
    path = ROOT / "README.md"
    readme = path.read_text(encoding="utf-8")
    wanted = with_table(readme)
    if "--check" in sys.argv:
        sys.exit("README.md's figures are out of date: run tools/readme_table.py" if wanted != readme else 0)
    path.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    main()
