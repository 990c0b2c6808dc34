"""Every public name of Keras is here, or the page in the docs says why it is not."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_spec = importlib.util.spec_from_file_location("keras_names", ROOT / "tools" / "keras_names.py")
assert _spec is not None
assert _spec.loader is not None
keras_names = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(keras_names)

PAGE = (ROOT / "docs" / "keras.md").read_text(encoding="utf-8")


def test_what_is_missing_has_its_reason() -> None:
    assert [name for name in keras_names.unexplained() if not re.match(r"wrappers\.|models\.clone_model", name)] == []


def test_the_page_knows_every_name() -> None:
    missing, here = PAGE.split("\n## Here\n")
    listed = set(re.findall(r"`([^`]+)`", missing))
    for group, names in keras_names.groups():
        lines = [line for line in here.splitlines() if line.startswith(f"**{group}**")]
        found = set(re.findall(r"`([^`]+)`", "".join(lines)))
        for name in names:
            assert name.path in listed or (name.here and name.path.rpartition(".")[2] in found), name.path
