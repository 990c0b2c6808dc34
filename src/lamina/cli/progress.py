"""What a training shows while it runs: one live line in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from lamina.tables.names import short
from lamina.tables.schema import Schema
from lamina.tables.train import Progress

_EVERY = 10  # epochs between two plain lines
_PAUSE = 0.05  # seconds between two changes of the live line
_NAMES = {
    "loss": "loss",
    "accuracy": "accuracy",
    "val_loss": "validation loss",
    "val_accuracy": "validation accuracy",
    "error": "error",
    "val_error": "validation error",
}


def line(epoch: int, logs: Mapping[str, float]) -> str:
    """``epoch 12  loss 0.0812  accuracy 0.9765  validation loss …``."""
    shown = [
        f"{name} {short(logs[key]) if 'error' in key else f'{logs[key]:.4f}'}"
        for key, name in _NAMES.items()
        if key in logs
    ]
    return "  ".join([f"epoch {epoch:>3}", *shown])


@contextmanager
def progress(schema: Schema, quiet: bool) -> Iterator[Progress]:
    """A function that shows an epoch's logs."""
    if quiet:
        yield lambda epoch, logs: None
    elif sys.stdout.isatty():
        with _live() as show:
            yield show
    else:
        with _plain() as show:
            yield show


@contextmanager
def _live() -> Iterator[Progress]:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    shown = 0.0
    with Live(Text("compiling …"), console=Console(), auto_refresh=False) as live:
        latest = Text()

        def show(epoch: int, logs: Mapping[str, float]) -> None:
            nonlocal shown, latest
            latest = Text(line(epoch, logs), no_wrap=True, overflow="ellipsis")
            if time.monotonic() - shown > _PAUSE:
                live.update(latest, refresh=True)
                shown = time.monotonic()

        yield show
        live.update(latest, refresh=True)


@contextmanager
def _plain() -> Iterator[Progress]:
    latest = ""

    def show(epoch: int, logs: Mapping[str, float]) -> None:
        nonlocal latest
        latest = line(epoch, logs)
        if epoch % _EVERY == 0 or epoch == 1:
            print(latest, flush=True)
            latest = ""

    yield show
    if latest:
        print(latest, flush=True)
