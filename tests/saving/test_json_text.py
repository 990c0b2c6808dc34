"""JSON within limits."""

from __future__ import annotations

import json

import pytest

from lamina.errors import ModelFileError
from lamina.saving.json_text import MAX_DEPTH, read_json


def test_reads_what_json_writes() -> None:
    value = {"name": "tab", "layers": [{"units": 4}, None, True, 0.1, "é"]}
    assert read_json(json.dumps(value)) == value
    assert read_json(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "damaged"),
        (b'{"a": 1', "damaged"),
        (b"\xff\xfe{}", "damaged"),
        (b"[1]", "must be an object"),
        (b"3", "must be an object"),
        (b'{"a": 1, "a": 2}', "same key twice"),
        (b'{"a": ' + b"9" * 5000 + b"}", "damaged"),
        (b'{"a": ' + b"[" * 200 + b"]" * 200 + b"}", "nested deeper"),
        (b'{"a": ' * 100_000, "nested too deep"),
        (b'{"a": [' + b'{"class_name": 1},' * 20_000 + b'{"class_name": 1}]}', "20000 objects"),
        (b'{"a": [' + b"1," * 2_000_000 + b"1]}", "2000000 values"),
        (b'{"a":' + b"[" * 1_000_000, "nested too deep"),
    ],
)
def test_refuses(text: bytes, message: str) -> None:
    with pytest.raises(ModelFileError, match=message):
        read_json(text)


def test_depth_just_below_the_limit() -> None:
    inner = MAX_DEPTH - 2
    assert read_json('{"a": ' + "[" * inner + "]" * inner + "}")
