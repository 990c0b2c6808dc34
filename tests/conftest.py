"""What all tests share: the targets that a run covers, and the numbers' types."""

from __future__ import annotations

import os
import signal

import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

# A run that was started in the background ignores Ctrl-C, and so would the programs that the tests send it to.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--targets", default="numpy,core", help="targets to test, separated by commas")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "target" in metafunc.fixturenames:
        metafunc.parametrize("target", metafunc.config.getoption("--targets").split(","))
    if "dtype" in metafunc.fixturenames:
        metafunc.parametrize("dtype", ["float32", "float64"])
