"""plot_model and model_to_dot: a model's layers as a picture, without Graphviz."""

from __future__ import annotations

import os
from collections.abc import Iterator
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

from lamina.errors import required
from lamina.utils.diagram import LINE, PAD, TURNED, Box, Diagram, Shown, diagram_of

INK, FILL, FRAME, HEAD = "#1f2933", "#eef2f7", "#8796a5", 6.0
DOTS_AN_INCH = 96.0  # of the diagram's own pixels


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
) -> None:
    """Draw a model's layers, and what goes from one to the next.

    Args:
        model: a built model.
        to_file: ``.svg``, which needs nothing else, or ``.png``, ``.pdf`` …, which Matplotlib writes.
        show_shapes: the shapes of each layer's inputs and outputs.
        show_dtype: its element type.
        show_layer_names: its name.
        rankdir: ``"TB"`` from the top down, ``"BT"``, ``"LR"`` from the left to the right, ``"RL"``.
        expand_nested: models inside are drawn with their layers, in a frame.
        dpi: dots an inch of a picture made of dots.
        show_layer_activations: the activation of a layer that has one.
        show_trainable: whether training changes it.
        splines: taken for Keras's sake; arrows are curves.

    Raises:
        ValueError: the model is not built, or there is no such direction or kind of file.
        MissingLibraryError: a picture made of dots needs Matplotlib.

    Source: Keras's function of the same name.
    """
    shown = Shown(show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable, expand_nested)
    made = diagram_of(model, shown, rankdir)
    path = Path(os.fspath(to_file))
    if path.suffix.lower() == ".svg":
        path.write_text(svg(made, turned=rankdir in TURNED), encoding="utf-8")
    else:
        _with_matplotlib(made, path, dpi, turned=rankdir in TURNED)


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
) -> str:
    """A model's layers as text in the language of Graphviz.

    Args:
        subgraph: whether it is to stand inside another graph.
        model, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi, show_layer_activations,
            show_trainable, splines: see ``plot_model``.

    Returns:
        The text; Keras gives an object of the package pydot that holds it.

    Example:
        >>> import lamina
        >>> model = lamina.Sequential([lamina.Input((3,)), lamina.layers.Dense(4), lamina.layers.Dense(1)])
        >>> print(model_to_dot(model, show_layer_names=False))
        digraph G {
          rankdir=TB; dpi=200; splines=ortho; node [shape=box];
          0 [label="Dense"];
          1 [label="Dense"];
          0 -> 1;
        }
    """
    shown = Shown(show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable, expand_nested)
    made = diagram_of(model, shown, rankdir)
    number = {box: i for i, box in enumerate(b for b in made.boxes if b.lines)}
    lines = [f'{"subgraph cluster" if subgraph else "digraph G"} {{']
    lines.append(f"  rankdir={rankdir}; dpi={dpi}; splines={splines}; node [shape=box];")
    for box in filter(lambda b: b.lines, made.boxes):
        text = "\\n".join(line.replace('"', '\\"') for line in box.lines)
        lines.append(f'  {number[box]} [label="{text}"];')
    lines += [f"  {number[a]} -> {number[b]};" for a, *_, b in made.arrows]
    return "\n".join([*lines, "}"])


# -- what both kinds of pictures draw

Point = tuple[float, float]


def _curves(arrow: list[Box], turned: bool) -> Iterator[tuple[Point, Point, Point, Point]]:
    """An arrow as cubic curves, each from one row to the next."""
    for a, b in pairwise(arrow):
        if turned:
            way = 1 if b.x > a.x else -1
            start, end = (a.x + way * a.width / 2, a.y), (b.x - way * b.width / 2, b.y)
            middle = (start[0] + end[0]) / 2
            yield start, (middle, start[1]), (middle, end[1]), end
        else:
            way = 1 if b.y > a.y else -1
            start, end = (a.x, a.y + way * a.height / 2), (b.x, b.y - way * b.height / 2)
            middle = (start[1] + end[1]) / 2
            yield start, (start[0], middle), (end[0], middle), end


def _head(arrow: list[Box], turned: bool) -> tuple[Point, Point, Point]:
    """The corners of an arrow's head."""
    *_, (*_, tip) = _curves(arrow, turned)
    a, b = arrow[-2:]
    if turned:
        back = tip[0] - HEAD if b.x > a.x else tip[0] + HEAD
        return tip, (back, tip[1] - HEAD / 2), (back, tip[1] + HEAD / 2)
    back = tip[1] - HEAD if b.y > a.y else tip[1] + HEAD
    return tip, (tip[0] - HEAD / 2, back), (tip[0] + HEAD / 2, back)


def _written(box: Box) -> Iterator[tuple[str, float, float, bool]]:
    """(text, x, y of its middle, whether it is the heading)."""
    top = box.y - box.height / 2 + PAD / 2
    yield from ((line, box.x, top + LINE * (i + 0.5), i == 0) for i, line in enumerate(box.lines))


# -- SVG


def svg(made: Diagram, turned: bool) -> str:
    """The diagram as SVG."""
    width, height = made.size
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="Helvetica, Arial, sans-serif" font-size="13">',
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="white"/>',
    ]
    for name, left, top, right, bottom in made.frames():
        lines.append(
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}" rx="8" '
            f'fill="none" stroke="{FRAME}" stroke-dasharray="5 4"/>'
            f'<text x="{left + 8:.1f}" y="{top + 14:.1f}" fill="{FRAME}" font-size="11">{escape(name)}</text>'
        )
    for arrow in made.arrows:
        for a, b, c, d in _curves(arrow, turned):
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (b, c, d))
            lines.append(f'<path d="M{a[0]:.1f},{a[1]:.1f} C{points}" fill="none" stroke="{INK}"/>')
        corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in _head(arrow, turned))
        lines.append(f'<polygon points="{corners}" fill="{INK}"/>')
    for box in filter(lambda b: b.lines, made.boxes):
        lines.append(
            f'<rect x="{box.x - box.width / 2:.1f}" y="{box.y - box.height / 2:.1f}" width="{box.width:.1f}" '
            f'height="{box.height:.1f}" rx="5" fill="{FILL}" stroke="{INK}"/>'
        )
        for text, x, y, heading in _written(box):
            weight = ' font-weight="bold"' if heading else ""
            lines.append(
                f'<text x="{x:.1f}" y="{y + 4.5:.1f}" text-anchor="middle" fill="{INK}"{weight}>{escape(text)}</text>'
            )
    return "\n".join([*lines, "</svg>"]) + "\n"


# -- all other kinds


def _with_matplotlib(made: Diagram, path: Path, dpi: int, turned: bool) -> None:
    required("matplotlib", "plot", ", or write a .svg, which needs nothing")
    from matplotlib.figure import Figure
    from matplotlib.patches import FancyBboxPatch, PathPatch, Polygon
    from matplotlib.path import Path as Line

    width, height = made.size
    figure = Figure(figsize=(width / DOTS_AN_INCH, height / DOTS_AN_INCH))
    if path.suffix.lower().lstrip(".") not in figure.canvas.get_supported_filetypes():
        raise ValueError(f"`to_file` must end in .svg, .png or another kind of picture, got {str(path)!r}")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    points = 72 / DOTS_AN_INCH  # a font's size in pixels
    for name, left, top, right, bottom in made.frames():
        shape = FancyBboxPatch((left, top), right - left, bottom - top, "round,pad=0,rounding_size=8", fill=False)
        shape.set(edgecolor=FRAME, linestyle="--", linewidth=points)
        axes.add_patch(shape)
        axes.text(left + 8, top + 10, name, color=FRAME, fontsize=11 * points, va="center")
    for arrow in made.arrows:
        for a, b, c, d in _curves(arrow, turned):
            axes.add_patch(PathPatch(Line([a, b, c, d], [1, 4, 4, 4]), fill=False, edgecolor=INK, linewidth=points))
        axes.add_patch(Polygon(_head(arrow, turned), color=INK, linewidth=0))
    for box in filter(lambda b: b.lines, made.boxes):
        corner = (box.x - box.width / 2, box.y - box.height / 2)
        shape = FancyBboxPatch(corner, box.width, box.height, "round,pad=0,rounding_size=5")
        shape.set(facecolor=FILL, edgecolor=INK, linewidth=points)
        axes.add_patch(shape)
        for text, x, y, heading in _written(box):
            weight = "bold" if heading else "normal"
            axes.text(x, y, text, color=INK, fontsize=13 * points, weight=weight, ha="center", va="center_baseline")
    figure.savefig(path, dpi=dpi, facecolor="white")
