"""Models in pickles: the bytes of their ``.keras`` file, and the classes and functions of the user's that it names."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lamina.models.model import Model
from lamina.saving import load_model, save_model
from lamina.tree import flatten


def reduced(model: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """What ``pickle`` and ``copy`` ask a model for; weights and the optimizer's state go with it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        save_model(model, path)
        return _made, (path.read_bytes(), {x.__name__: x for x in _of_the_user(model)})


def _made(content: bytes, custom_objects: Mapping[str, Any]) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        path.write_bytes(content)
        return load_model(path, custom_objects)


def _of_the_user(model: Any) -> Iterator[Any]:
    """Classes and functions that are not Lamina's: pickle keeps where they stand, not what they are."""
    for part in _held([*model._flatten_layers(), *model.compile_arguments.values()]):
        named = part if hasattr(part, "__name__") else type(part)
        if not named.__module__.startswith(("lamina.", "builtins")):
            yield named


def _held(things: Any) -> Iterator[Any]:
    """Functions, and objects that have a config, with those that it holds; the layers of models are there already."""
    for thing in flatten(things):
        has_config = hasattr(thing, "get_config")
        if callable(thing) or has_config:
            yield thing
        if has_config and not isinstance(thing, Model):
            yield from _held(list(thing.get_config().values()))
