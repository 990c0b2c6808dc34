"""Each example runs as it stands, with warnings as errors, and says what its first lines promise."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
ENDS = {
    "by_hand.py": r"The same numbers, by hand and by Lamina\.$",
    "classifier.py": r"accuracy 0\.9\d+\nThe first five: .*$",
    "cross_validation.py": r"Accuracy on rows held out: 0\.9\d+ ± 0\.0\d+$",
    "own_layer_and_loss.py": r"mean absolute error 0\.0\d+; always answering the mean: 0\.\d+$",
    "several_targets.py": r"costs_r2_score: 0\.7\d+\n(.*\n)*The first: rent \d+, costs \d+$",
    "structured_data.py": r"loss 0\.5\d+, accuracy 0\.7\d+\nThe first .* probability 0\.\d+$",
    "wide_and_deep.py": r"area under the curve 0\.7\d+$",
    "regression.py": r"root mean squared error [45]\d\.\d, R² 0\.[3-6]\d$",
}


def run(path: Path, *options: str) -> str:
    if "tensorflow" in path.read_text(encoding="utf-8"):  # which warns about itself
        options = (*options, "-W", "ignore::DeprecationWarning", "-W", "ignore::FutureWarning")
    done = subprocess.run([sys.executable, *options, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip()


@cache
def ours(name: str) -> str:
    return run(EXAMPLES / name, "-W", "error")


def test_all_examples_are_run():
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(ENDS)


@pytest.mark.parametrize("name", ENDS)
def test_example(name):
    assert re.search(ENDS[name], ours(name))


@pytest.mark.parametrize("name", ["several_targets.py", "structured_data.py", "wide_and_deep.py"])
def test_the_same_figures_on_keras(name, monkeypatch):
    expected = ours(name)
    monkeypatch.setenv("LIBRARY", "keras")
    assert run(EXAMPLES / name) == expected


def test_the_classifier_runs_on_keras_with_one_line_changed(tmp_path):
    text = (EXAMPLES / "classifier.py").read_text(encoding="utf-8")
    assert text.count("import lamina as keras") == 1
    (tmp_path / "classifier.py").write_text(text.replace("import lamina as keras", "import keras"), encoding="utf-8")
    (tmp_path / "breast_cancer.csv").write_bytes((EXAMPLES / "breast_cancer.csv").read_bytes())
    assert re.search(ENDS["classifier.py"], run(tmp_path / "classifier.py"))
