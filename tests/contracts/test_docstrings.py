"""The examples in docstrings run, and give what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from pathlib import Path

import numpy as np
import pytest

import lamina
from lamina import config, ops
from lamina.variables import Variable

ROOT = Path(__file__).parents[2]
MODULES = [m.name for m in pkgutil.walk_packages(lamina.__path__, "lamina.") if m.name != "lamina._core"]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    config.clear_session()
    module = importlib.import_module(name)
    names = {"lamina": lamina, "np": np, "ops": ops, "Variable": Variable, **vars(module)}
    failed, _ = doctest.testmod(module, extraglobs=names)
    assert not failed
