"""The examples in the docstrings of the Keras interface run, and give what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import numpy as np
import pytest

import lamina
from lamina import config, ops
from lamina.variables import Variable

STAGES = (
    "config", "variables", "random", "initializers", "regularizers", "constraints", "ops", "activations", "losses",
    "metrics", "optimizers", "saving", "layers", "models", "export",
)  # fmt: skip
MODULES = [m.name for m in pkgutil.walk_packages(lamina.__path__, "lamina.") if m.name.split(".")[1] in STAGES]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str):
    config.clear_session()
    module = importlib.import_module(name)
    names = {"np": np, "ops": ops, "Variable": Variable, **vars(module)}
    failed, _ = doctest.testmod(module, extraglobs=names)
    assert not failed
