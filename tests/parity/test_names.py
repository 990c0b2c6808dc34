"""Every public name of Keras is here, or the page in the docs says why it is not."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]
_spec = importlib.util.spec_from_file_location("keras_names", ROOT / "tools" / "keras_names.py")
assert _spec is not None
assert _spec.loader is not None
keras_names = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(keras_names)


def test_what_is_missing_has_its_reason() -> None:
    assert keras_names.unexplained() == []


def test_each_reason_has_its_names() -> None:
    missing = [name for _, names in keras_names.groups() for name in names if not name.here]
    assert {name.reason for name in missing} == keras_names.reasons()


def test_the_page_is_what_the_tool_writes() -> None:
    assert keras_names.page() == (ROOT / "docs" / "keras.md").read_text(encoding="utf-8"), "run tools/keras_names.py"
