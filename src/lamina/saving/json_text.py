"""Reads the JSON of model files within limits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from lamina.errors import ModelFileError

MAX_DEPTH = 200  # brackets in brackets; a model in a model takes about six
MAX_VALUES = 5_000_000


def read_json(content: bytes | str) -> dict[str, Any]:
    """The object that a JSON text describes.

    Args:
        content: the text, as UTF-8 where it is bytes.

    Raises:
        ModelFileError: it is not JSON, not an object, nested too deep, too large, or has a key twice.
    """
    try:
        value = json.loads(content, object_pairs_hook=_unique_keys)
    except RecursionError as error:
        raise ModelFileError("the JSON is nested too deep") from error
    except ValueError as error:
        raise ModelFileError(f"the JSON is damaged: {error}") from error
    if not isinstance(value, dict):
        raise ModelFileError(f"the JSON must be an object {{…}}, it is a {type(value).__name__}")
    for count, depth in enumerate(_depths(value)):
        if depth > MAX_DEPTH or count > MAX_VALUES:
            raise ModelFileError(f"the JSON is nested deeper than {MAX_DEPTH} or holds over {MAX_VALUES} values")
    return value


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers may each see another one of two equal keys."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ModelFileError("the JSON has an object with the same key twice")
    return made


def _depths(value: Any) -> Iterator[int]:
    waiting = [(value, 1)]
    while waiting:
        part, depth = waiting.pop()
        yield depth
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        waiting.extend((x, depth + 1) for x in inner)
