"""What all tests share: the targets and instruction sets that a run covers, the numbers' types, the core under test."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from collections.abc import Iterator

import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

# A run that was started in the background ignores Ctrl-C, and so would the programs that the tests send it to.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--targets", default="numpy,core", help="targets to test, separated by commas")
    parser.addoption("--isas", default="", help="instruction sets to test the core on, all usable ones by default")
    parser.addoption("--core", default="", help="the file of a compiled core to test instead of the installed one")


def pytest_configure(config: pytest.Config) -> None:
    """Another core takes the installed one's place before anybody imports it."""
    if path := config.getoption("--core"):
        spec = importlib.util.spec_from_file_location("lamina._core", path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[spec.name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        os.environ.pop("LD_PRELOAD", None)  # programs that tests start run the installed core, which nothing watches


def isas(config: pytest.Config) -> list[str]:
    from isas import ISAS

    return list(filter(None, config.getoption("--isas").split(","))) or ISAS


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The core is tested on each instruction set, the other targets once."""
    if "target" in metafunc.fixturenames:
        names = metafunc.config.getoption("--targets").split(",")
        builds = [f"core-{isa}" for isa in isas(metafunc.config)]
        runs = [run for name in names for run in (builds if name == "core" else [name])]
        metafunc.parametrize("target", runs, indirect=True)
    elif "isa" in metafunc.fixturenames:
        metafunc.parametrize("isa", isas(metafunc.config), indirect=True)
    if "dtype" in metafunc.fixturenames:
        metafunc.parametrize("dtype", ["float32", "float64"])


@pytest.fixture
def target(request: pytest.FixtureRequest) -> Iterator[str]:
    """A target's name; while a test of the core runs, so does one instruction set."""
    from isas import on

    name, _, isa = request.param.partition("-")
    with on(isa):
        yield name


@pytest.fixture
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    """An instruction set, which the core uses while the test runs."""
    from isas import on

    with on(request.param):
        yield request.param
