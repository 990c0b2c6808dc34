"""Names that Keras's scripts use for what is decided elsewhere here: devices, scopes of names, memory of gradients."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from lamina import config

RematScope = nullcontext  # gradients are planned as a whole, with the memory that they need


def remat(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself: gradients are planned as a whole, with the memory that they need."""
    return f


def device(device_name: str) -> AbstractContextManager[None]:
    """A block whose work is done on the processor, as all work is.

    Args:
        device_name: ``"cpu"``, with a number or without.

    Raises:
        ValueError: another device, which is chosen in ``compile``.
    """
    if not device_name.lower().startswith("cpu"):
        raise ValueError(
            f"device {device_name!r}: Lamina's core computes on the processor; on another device train with "
            "model.compile(…, target='jax') or target='tensorflow'"
        )
    return nullcontext()


def name_scope(name: str, **kwargs: Any) -> AbstractContextManager[None]:
    """A block in which nothing changes: variables are named by their layers.

    Args:
        name: taken for Keras's sake, as is all else.
    """
    return nullcontext()


def version() -> str:
    """Lamina's version."""
    return config.VERSION
