"""The instruction sets that this machine can run, best last, and what runs on one of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lamina import _core

ISAS: list[str] = _core.isas()
FUSED = [isa for isa in ISAS if isa != "portable"]  # with a fused multiply-add: the same bits on each


@contextmanager
def on(isa: str) -> Iterator[None]:
    """What is compiled inside runs on this instruction set."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAMINA_ISA", isa)
        yield
