"""Pictures of models: what stands in them, that nothing overlaps, and that each kind of file is one."""

from __future__ import annotations

import re
import xml.dom.minidom
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import layers
from lamina.utils.diagram import DIRECTIONS, Shown, diagram_of


def graph() -> Any:
    lamina.utils.clear_session()
    number, word = lamina.Input((5,), name="number"), lamina.Input((1,), dtype="int32", name="word")
    tower = lamina.Sequential([lamina.Input((5,)), layers.Dense(8, activation="relu"), layers.Dense(8)], name="tower")
    both = layers.Concatenate()([tower(number), layers.Flatten()(layers.Embedding(9, 4)(word))])
    hidden = layers.Dense(8)(both)
    outputs = [layers.Dense(1, name="price")(layers.Concatenate()([hidden, number])), layers.Dense(3)(hidden)]
    return lamina.Model([number, word], outputs)


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_places(direction: str, nested: bool) -> None:
    made = diagram_of(graph(), Shown(shapes=True, names=True, nested=nested), direction)
    boxes = [b for b in made.boxes if b.lines]
    assert len(boxes) == 10 + nested
    assert len(made.arrows) == 10 + nested
    for a, b in combinations(boxes, 2):
        assert abs(a.x - b.x) >= (a.width + b.width) / 2 or abs(a.y - b.y) >= (a.height + b.height) / 2
    axis, sign = {"TB": ("y", 1), "BT": ("y", -1), "LR": ("x", 1), "RL": ("x", -1)}[direction]
    assert all(sign * getattr(b, axis) > sign * getattr(a, axis) for a, *_, b in made.arrows)
    width, height = made.size
    assert all(b.x > 0 < b.y and b.x < width and b.y < height for b in boxes)


def texts(path: Path) -> list[str]:
    return [x.firstChild.data for x in xml.dom.minidom.parse(str(path)).getElementsByTagName("text")]


def test_what_an_svg_says(tmp_path: Path) -> None:
    path = tmp_path / "model.svg"
    lamina.utils.plot_model(
        graph(), path, show_shapes=True, show_dtype=True, show_layer_names=True, expand_nested=True,
        show_layer_activations=True, show_trainable=True,
    )  # fmt: skip
    found = texts(path)
    for line in ("tower", "price (Dense)", "activation: relu", "dtype: int32", "input: (None, 12)", "trainable",
                 "output: (None, 1, 4)", "input: (None, 8), (None, 5)"):  # fmt: skip
        assert line in found
    lamina.utils.plot_model(graph(), path)
    assert sorted(set(texts(path))) == ["Concatenate", "Dense", "Embedding", "Flatten", "InputLayer", "Sequential"]


@pytest.mark.parametrize(("suffix", "begin"), [("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_other_files(suffix: str, begin: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"model.{suffix}"
    lamina.utils.plot_model(graph(), path, expand_nested=True, rankdir="LR", dpi=50)
    assert path.read_bytes().startswith(begin)


def test_dots_an_inch(tmp_path: Path) -> None:
    from matplotlib.image import imread

    sizes = []
    for dpi in (48, 96):
        lamina.utils.plot_model(graph(), tmp_path / "m.png", dpi=dpi)
        sizes.append(np.array(imread(tmp_path / "m.png").shape[:2]))
    assert np.allclose(sizes[1], 2 * sizes[0], atol=2)


def test_the_language_of_graphviz() -> None:
    text = lamina.utils.model_to_dot(graph())
    assert text.startswith("digraph G {")
    assert len(re.findall(r"^  \d+ \[label=", text, re.M)) == 10
    assert len(re.findall(r"^  \d+ -> \d+;$", text, re.M)) == 10


def test_equal_layers_have_arrows_of_their_own() -> None:
    model = lamina.Sequential([lamina.Input((3,)), *(layers.Dense(3) for _ in range(4))])
    assert len(diagram_of(model, Shown(), "TB").arrows) == 3


def test_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"model 'sequential.*' has not yet been built"):
        lamina.utils.plot_model(lamina.Sequential([layers.Dense(1)]), tmp_path / "m.svg")
    with pytest.raises(ValueError, match="`rankdir` must be one of TB, BT, LR, RL, got 'up'"):
        lamina.utils.plot_model(graph(), tmp_path / "m.svg", rankdir="up")
    with pytest.raises(ValueError, match="`to_file` must end in"):
        lamina.utils.plot_model(graph(), tmp_path / "m.doc")
