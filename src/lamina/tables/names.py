"""How messages speak of names and values: the nearest name to a wrong one, a value between quotes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from difflib import get_close_matches

_LISTED = 12  # names that a message lists at most
_LONGEST = 40  # characters of a value that a message shows


def nearest(name: str, names: Sequence[str]) -> str | None:
    """The most similar of some names, whatever their case; None when none is similar."""
    lower = {known.lower(): known for known in reversed(names)}
    found = get_close_matches(name.lower(), lower, n=1)
    return lower[found[0]] if found else None


def unknown(what: str, name: str, names: Sequence[str]) -> str:
    """``there is no column 'x'. Did you mean 'X'?``, or the list of all names where none is near."""
    near = nearest(name, names)
    hint = f"Did you mean {near!r}?" if near else f"There are: {listed(names)}."
    return f"there is no {what} {name!r}. {hint}"


def listed(names: Sequence[str], most: int = _LISTED) -> str:
    """Names with commas between them, the first few of many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def quoted(value: object) -> str:
    """A value of a field between quotes, cut where it is long."""
    text = str(value)
    return repr(text if len(text) <= _LONGEST else text[:_LONGEST] + "…")


def word(label: str | float) -> str:
    """A class as a table writes it: true, not True."""
    return str(label).lower() if isinstance(label, bool) else str(label)


def counted(count: int, what: str) -> str:
    """``1 row``, ``12,000 rows``."""
    return f"{count:,} {what}" + ("" if count == 1 else "es" if what.endswith("s") else "s")


def short(value: float) -> str:
    """A figure with four digits: ``0.9825``, ``57.10``, ``690,687``, ``1.665e+12``."""
    if value == 0 or not 1e-3 <= abs(value) < 1e9:
        return f"{value:.4g}"
    decimals = max(0, 3 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"
