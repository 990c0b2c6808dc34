"""Checks the one wheel in a folder: its size, what it holds, and that it trains in an environment of its own.

`python tools/check_wheel.py dist`; the wheel is installed in a new environment with its dependencies.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

LIMIT_MEGABYTES = 5
NEEDED = ("lamina/__init__.py", "lamina/py.typed", "lamina/_core.pyi", "lamina/_core.")
FORBIDDEN = ("tests/", "benchmarks/", "core/", ".hpp", ".cpp")

SMOKE = """
import numpy as np
import lamina
from lamina import layers
import lamina._core as core

x = np.random.default_rng(0).standard_normal((256, 3)).astype("float32")
y = (x[:, :1] > 0).astype("float32")
model = lamina.Sequential([lamina.Input((3,)), layers.Dense(8, "relu"), layers.Dense(1, "sigmoid")])
model.compile("adam", "binary_crossentropy")
losses = model.fit(x, y, epochs=5, verbose=0).history["loss"]
assert losses[-1] < losses[0], losses
for module in (lamina, core):
    assert "site-packages" in module.__file__, module.__file__
print(f"lamina {lamina.__version__} with {core.isa()} trains from {lamina.__file__}")
"""


def fail_if(wrong: bool, message: str) -> None:
    if wrong:
        sys.exit(f"the wheel is not right: {message}")


def check_contents(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    megabytes = wheel.stat().st_size / 1e6
    fail_if(megabytes >= LIMIT_MEGABYTES, f"{megabytes:.1f} MB, at most {LIMIT_MEGABYTES} are allowed")
    for needed in NEEDED:
        fail_if(not any(name.startswith(needed) for name in names), f"{needed} is missing")
    for forbidden in FORBIDDEN:
        found = [name for name in names if forbidden in name]
        fail_if(bool(found), f"{found[:1]} does not belong in it")
    print(f"{wheel.name}: {megabytes:.2f} MB, {len(names)} files")


def check_use(wheel: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder) / "bin" / "python")
        quiet = ["-m", "pip", "--disable-pip-version-check", "--quiet"]
        subprocess.run([python, *quiet, "install", str(wheel.resolve())], check=True)
        subprocess.run([python, "-W", "error", "-c", SMOKE], check=True, cwd=folder)


def main() -> None:
    wheels = list(Path(sys.argv[1]).glob("*.whl"))
    fail_if(len(wheels) != 1, f"{len(wheels)} wheels in {sys.argv[1]}, expected one")
    check_contents(wheels[0])
    check_use(wheels[0])


if __name__ == "__main__":
    main()
