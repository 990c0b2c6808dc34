"""Paths of variables: the names of the layers around them when they are made, as ``model/dense/kernel``."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

_around: ContextVar[tuple[Any, ...]] = ContextVar("around", default=())


class inside:
    """What is built inside the block belongs to this layer."""

    __slots__ = ("_layer", "_token")  # no generator: it is entered for each call of a layer

    def __init__(self, layer: Any):
        self._layer = layer

    def __enter__(self) -> None:
        self._token = _around.set(_with(self._layer))

    def __exit__(self, *_: object) -> None:
        _around.reset(self._token)


def path_of(layer: Any) -> str:
    """The path of a layer that is built now."""
    return "/".join(outer.name for outer in _with(layer))


def _with(layer: Any) -> tuple[Any, ...]:
    around = _around.get()
    return around if around and around[-1] is layer else (*around, layer)
