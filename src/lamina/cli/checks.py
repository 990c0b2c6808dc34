"""Arguments that are wrong are refused before any work is done."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

from lamina.errors import LaminaError
from lamina.tables.names import unknown
from lamina.tables.schema import TASKS as _TASKS

TASKS = ("auto", *_TASKS)
_BYTES_A_WEIGHT = 24  # itself, its gradient, Adam's two means, the best so far and the last good, in 32 bits


class ArgumentError(LaminaError, ValueError):
    """An argument of the command line that cannot be used."""


def one_of(option: str, value: str, known: Sequence[str]) -> None:
    """Refuse a word that is none of the known ones; the nearest is named."""
    if value not in known:
        raise ArgumentError(f"{option}: {unknown('choice', value, known)}")


def activations() -> list[str]:
    """The names of all activations."""
    from lamina.activations import TABLE

    return list(TABLE)


def positive(option: str, value: float) -> None:
    """Refuse a number that is not above 0 and finite."""
    if not (value > 0 and math.isfinite(value)):
        raise ArgumentError(f"{option}: a number above 0 is needed, got {value}.")


def units(text: str) -> tuple[int, ...]:
    """``64,32`` as (64, 32); an empty text means no hidden layer."""
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise ArgumentError(
            f"--hidden: units of layers with commas between them are needed, such as 64,32; got {text!r}."
        )
    return tuple(map(int, parts))


def fits_memory(weights: int) -> None:
    """Refuse a network whose training takes more than half of this computer's memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else math.inf
    needed = weights * _BYTES_A_WEIGHT
    if needed > memory / 2:
        raise ArgumentError(
            f"--hidden: the network would have {weights:,} weights and take {needed / 1e9:,.0f} GB to train, "
            "too much for this computer. Choose fewer units."
        )


def model_path(path: str) -> None:
    """Refuse a place where no model can be saved."""
    if not path.endswith(".keras"):
        raise ArgumentError(f"--out: a model's file ends in .keras, got {path!r}.")
    writable(path)


def writable(path: str) -> None:
    """Refuse a path in a folder that is not there or cannot be written, or that is a folder itself."""
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise ArgumentError(f"--out: there is no folder {folder!r}.")
    if os.path.isdir(path):
        raise ArgumentError(f"--out: {path!r} is a folder.")
    if not os.access(folder, os.W_OK):
        raise ArgumentError(f"--out: the folder {folder!r} cannot be written to.")


def csv_path(path: str) -> None:
    """Refuse a place where no CSV file can be saved."""
    if path.lower().endswith((".parquet", ".pq", ".xlsx", ".keras")):
        raise ArgumentError(f"--out: predictions are written as CSV, got {path!r}.")
    writable(path)
