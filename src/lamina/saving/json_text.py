"""Reads the JSON of model files within limits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from lamina.errors import ModelFileError

MAX_DEPTH = 200  # brackets in brackets; a model in a model takes about six
MAX_VALUES = 2_000_000
MAX_RECORDS = 20_000  # objects with a class_name; a layer takes about four


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
    _check(value)
    return value


def _check(value: dict[str, Any]) -> None:
    records = 0
    for count, (part, depth) in enumerate(_parts(value)):
        records += isinstance(part, dict) and "class_name" in part
        if depth > MAX_DEPTH:
            raise ModelFileError(f"the JSON is nested deeper than {MAX_DEPTH} brackets")
        if count > MAX_VALUES or records > MAX_RECORDS:
            raise ModelFileError(f"the JSON holds over {MAX_VALUES} values or {MAX_RECORDS} objects")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers may each see another one of two equal keys."""
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ModelFileError("the JSON has an object with the same key twice")
    return made


def _parts(value: Any) -> Iterator[tuple[Any, int]]:
    """Each part of a JSON value with its depth."""
    waiting = [(value, 1)]
    while waiting:
        part, depth = waiting.pop()
        yield part, depth
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        waiting.extend((x, depth + 1) for x in inner)
