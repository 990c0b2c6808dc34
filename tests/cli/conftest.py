"""A way to run the commands, and models trained once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from lamina.cli.main import main
from made_tables import flowers, houses


class Result(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


@pytest.fixture
def lamina(capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Run a command in this process."""

    def run(*arguments: object) -> Result:
        capsys.readouterr()
        code = main([str(a) for a in arguments])
        return Result(code, *capsys.readouterr())

    return run


class Files(NamedTuple):
    """A table and a model trained on it."""

    table: Path
    model: Path


def trained(folder: Path, table: Path, target: str, *options: str) -> Files:
    """A model of a table, trained in silence."""
    model = folder / f"{table.stem}.keras"
    code = main(["train", str(table), "--target", target, "--out", str(model), "--quiet", *options])
    assert code == 0
    return Files(table, model)


@pytest.fixture(scope="session")
def flower_files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("flowers")
    return trained(
        folder, flowers(folder / "flowers.csv"), "kind", "--hidden", "16", "--epochs", "60", "--learning-rate", "0.02"
    )


@pytest.fixture(scope="session")
def house_files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("houses")
    return trained(
        folder, houses(folder / "houses.csv"), "price", "--hidden", "16", "--epochs", "200", "--learning-rate", "0.01"
    )
