"""Libraries that only some users have: what needs one says which, and how to install it."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lamina
from lamina import Input, Sequential, layers
from lamina.errors import MissingLibraryError

EXTRAS = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def compiled(target: str) -> Callable[[Any, Path], object]:
    def fit(model: Any, folder: Path) -> None:
        model.compile("sgd", "mse", target=target)
        model.fit(lamina.ops.ones((2, 3)), lamina.ops.ones((2, 1)), verbose=0)

    return fit


# what is done with a model and a folder → the library that is missing, the extra that has it
NEEDED: dict[str, tuple[Callable[[Any, Path], object], str, str]] = {
    "from_keras": (lambda model, folder: lamina.from_keras(model), "keras", "tensorflow"),
    "to_keras": (lambda model, folder: lamina.to_keras(model), "keras", "tensorflow"),
    "accelerate": (lambda model, folder: lamina.accelerate(model), "keras", "tensorflow"),
    "jax": (compiled("jax"), "jax", "jax"),
    "tensorflow": (compiled("tensorflow"), "tensorflow", "tensorflow"),
    "onnx": (lambda model, folder: model.export(folder / "m.onnx", format="onnx"), "onnx", "onnx"),
    "SavedModel": (lambda model, folder: model.export(folder / "m"), "tensorflow", "tensorflow"),
    "a PNG": (lambda model, folder: lamina.utils.plot_model(model, folder / "m.png"), "matplotlib", "plot"),
    "scikit-learn": (lambda model, folder: lamina.wrappers.SKLearnRegressor, "sklearn", "sklearn"),
}


@pytest.mark.parametrize("case", NEEDED)
def test_a_missing_library_is_named(case: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run, library, extra = NEEDED[case]
    monkeypatch.setitem(sys.modules, library, None)
    assert extra in EXTRAS
    with pytest.raises(MissingLibraryError, match=rf"needs {library}, .*pip install 'lamina\[{extra}\]'"):
        run(Sequential([Input((3,)), layers.Dense(1)]), tmp_path)
    assert not list(tmp_path.iterdir())
