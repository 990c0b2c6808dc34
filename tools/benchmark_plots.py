"""Draws the plots of docs/benchmarks.md from the newest result: `benchmark_plots.py`, in the peers' environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from readme_table import NAMES, ROOT, newest

PLOTS = ROOT / "docs" / "plots"
STYLE = {"axes.spines.top": False, "axes.spines.right": False, "font.size": 9, "svg.hashsalt": "lamina"}


def ratios(axes: Axes, rungs: dict[str, Any], title: str) -> None:
    """Bars of the peers' times as multiples of Lamina's."""
    width = 0.8 / len(NAMES)
    for number, (peer, label) in enumerate(NAMES.items()):
        seen = [(at, rung["peers"][peer]["ratio"]) for at, rung in enumerate(rungs.values()) if peer in rung["peers"]]
        axes.bar([at + number * width for at, _ in seen], [ratio for _, ratio in seen], width, label=label)
    axes.axhline(1, color="black", linewidth=1)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_xticks([at + 0.4 - width / 2 for at in range(len(rungs))], list(rungs))
    axes.set_title(title)


def training(result: dict[str, Any], panels: list[Axes]) -> None:
    titles = {"plain": "plain rungs", "dressed": "dressed", "shapes": "other shapes"}
    for axes, (part, title) in zip(panels, titles.items(), strict=True):
        ratios(axes, result["parts"][part], title)
    for axes in panels[1:]:
        axes.sharey(panels[0])
    panels[0].set_ylabel("time over Lamina's")
    panels[0].legend(fontsize=7)


def rows(result: dict[str, Any], panels: list[Axes]) -> None:
    seconds = dict(result["parts"]["growth"]["rows"]["seconds_a_row"])
    mapped = 1e9 * seconds.pop("mapped")
    counts = [int(count) for count in seconds]
    axes = panels[0]
    axes.plot(counts, [1e9 * second for second in seconds.values()], "o-", label="in memory")
    axes.plot(counts[-1], mapped, "s", label="mapped from a file")
    axes.set(xscale="log", xlabel="rows", ylabel="nanoseconds a row", ylim=(0, None), title="small, one epoch")
    axes.legend()


def shape(result: dict[str, Any], panels: list[Axes]) -> None:
    limit = 1e9 * result["limit"]["gigaflops"]
    titles = {"width": "units of two hidden layers", "depth": "hidden layers of 64 units"}
    for axes, (what, title) in zip(panels, titles.items(), strict=True):
        grown = result["parts"]["growth"][what]
        sizes = [int(size) for size in grown]
        axes.plot(sizes, [1e9 * seen["seconds_a_row"] for seen in grown.values()], "o-", label="measured")
        axes.plot(sizes, [1e9 * seen["flops_a_row"] / limit for seen in grown.values()], "--", label="the limit")
        axes.set(xscale="log", yscale="log", xlabel=title, ylabel="nanoseconds a row")
        axes.legend()


# file → what draws it, and on how many panels
FIGURES: dict[str, tuple[Callable[[dict[str, Any], list[Axes]], None], int]] = {
    "training": (training, 3),
    "rows": (rows, 1),
    "shape": (shape, 2),
}


def main() -> None:
    result = newest()
    PLOTS.mkdir(parents=True, exist_ok=True)
    plt.rcParams.update(STYLE)
    for name, (draw, panels) in FIGURES.items():
        figure, axes = plt.subplots(1, panels, figsize=(1 + 3.5 * panels, 3.2), layout="constrained", squeeze=False)
        draw(result, list(axes[0]))
        figure.savefig(PLOTS / f"{name}.svg", metadata={"Date": None})
        plt.close(figure)


if __name__ == "__main__":
    main()
