"""Event files, which TensorBoard reads: records of protocol buffers, written by hand.

A file is a row of records: length, its checksum, an Event, its checksum. Of the messages Event, Summary and TensorProto
(tensorflow/core/util/event.proto, framework/summary.proto, framework/tensor.proto) only what is written here is known.
"""

from __future__ import annotations

import os
import socket
import struct
import time
import zlib
from functools import cache
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

FLOAT, DOUBLE, STRING = 1, 2, 7  # tensorflow.DataType
# tensorboard.DataClass of each plugin's values
CLASSES = MappingProxyType({"scalars": 1, "histograms": 2, "graph_keras_model": 2, "images": 3})
BUCKETS = 30  # of a histogram, as in TensorBoard's own writer
_files = count()


class EventFile:
    """A new file of events.

    Args:
        folder: where; made with the first event.
    """

    def __init__(self, folder: str | os.PathLike[str]):
        self.folder = Path(folder)
        self._file: Any = None

    def scalar(self, tag: str, value: float, step: int) -> None:
        """One number."""
        self._write(tag, step, "scalars", _tensor(FLOAT, (), struct.pack("<f", value)))

    def text(self, tag: str, value: str, step: int, plugin: str) -> None:
        """A text for one of TensorBoard's plugins."""
        self._write(tag, step, plugin, _strings([value.encode()], ()), b"1")

    def histogram(self, tag: str, values: np.ndarray, step: int) -> None:
        """How numbers are spread: rows (left edge, right edge, count)."""
        table = buckets(np.asarray(values, np.float64).reshape(-1))
        self._write(tag, step, "histograms", _tensor(DOUBLE, table.shape, table.tobytes()))

    def image(self, tag: str, values: np.ndarray, step: int) -> None:
        """Gray pixels (height, width) in [0, 1]."""
        height, width = values.shape
        pixels = (np.clip(np.nan_to_num(values), 0, 1) * 255 + 0.5).astype(np.uint8)
        parts = [str(width).encode(), str(height).encode(), png(pixels)]
        self._write(tag, step, "images", _strings(parts, (3,)), b"\x08\x03")  # at most three pictures a step

    def flush(self) -> None:
        """What was written is in the file."""
        if self._file is not None:
            self._file.flush()

    def close(self) -> None:
        """No more is written for now."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, tag: str, step: int, plugin: str, tensor: bytes, content: bytes = b"") -> None:
        about = _field(1, _field(1, plugin.encode()) + _field(2, content)) + _field(4, CLASSES[plugin])
        value = _field(1, tag.encode()) + _field(9, about) + _field(8, tensor)
        self._add(_field(2, step) + _field(5, _field(1, value)))

    def _add(self, event: bytes) -> None:
        if self._file is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}.{next(_files)}.v2"
            self._file = open(self.folder / name, "wb")  # noqa: SIM115 - it is open as long as training goes on
            self._file.write(record(_now() + _field(3, b"brain.Event:2")))
        self._file.write(record(_now() + event))


def buckets(values: np.ndarray) -> np.ndarray:
    """(left edge, right edge, count) of equal parts between the least and the greatest of the finite numbers."""
    values = values[np.isfinite(values)]
    if not values.size:
        return np.zeros((0, 3))
    if values.min() == values.max():
        return np.array([[values[0] - 0.5, values[0] + 0.5, values.size]])
    counts, edges = np.histogram(values, BUCKETS)
    return np.column_stack([edges[:-1], edges[1:], counts]).astype(np.float64)


def png(pixels: np.ndarray) -> bytes:
    """A picture of gray pixels (height, width), uint8."""
    height, width = pixels.shape
    lines = np.column_stack([np.zeros(height, np.uint8), pixels]).tobytes()
    size = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", size) + _chunk(b"IDAT", zlib.compress(lines)) + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def record(data: bytes) -> bytes:
    """The data with their length and both checksums."""
    length = struct.pack("<Q", len(data))
    return length + _masked(length) + data + _masked(data)


def _masked(data: bytes) -> bytes:
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def crc32c(data: bytes) -> int:
    """The checksum of Castagnoli's polynomial (RFC 3720)."""
    table, crc = _table(), 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


@cache
def _table() -> list[int]:
    def entry(n: int) -> int:
        for _ in range(8):
            n = (n >> 1) ^ (0x82F63B78 if n & 1 else 0)
        return n

    return [entry(n) for n in range(256)]


def _now() -> bytes:
    return _key(1, 1) + struct.pack("<d", time.time())


def _tensor(dtype: int, shape: tuple[int, ...], content: bytes) -> bytes:
    return _field(1, dtype) + _shape(shape) + _field(4, content)


def _strings(parts: list[bytes], shape: tuple[int, ...]) -> bytes:
    return _field(1, STRING) + _shape(shape) + b"".join(_field(8, part) for part in parts)


def _shape(shape: tuple[int, ...]) -> bytes:
    return _field(2, b"".join(_field(2, _field(1, size)) for size in shape))


def _field(number: int, value: int | bytes) -> bytes:
    """A field of a message: a whole number, or bytes (text, a message inside)."""
    if isinstance(value, int):
        return _key(number, 0) + _varint(value)
    return _key(number, 2) + _varint(len(value)) + value


def _key(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*made, value])
