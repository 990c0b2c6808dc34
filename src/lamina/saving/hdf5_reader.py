"""Reads the HDF5 of weight files: groups and plain arrays of numbers in memory; all else is refused.

The C library's parser reads far more than a weight file needs, and that is where its weaknesses are. What
h5py writes for weights is a small corner of the format (HDF5 File Format Specification, version 3): groups,
hard links, arrays of IEEE floats or integers stored in one piece. Links to other places, external or virtual
data, chunks, filters, objects and references are refused by name. Each structure of the file is read at most
once and together they are no longer than the file, so the time to read is linear in its size.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from lamina.errors import ModelFileError

SIGNATURE = b"\x89HDF\r\n\x1a\n"
NOWHERE = 0xFFFF_FFFF_FFFF_FFFF  # the address of what was never stored
MAX_DEPTH = 64  # groups in groups
MAX_RANK = 32
REFUSED = {0x07: "data in an external file", 0x0B: "compressed data (a filter)"}
LAYOUTS = {2: "chunked data", 3: "a virtual data set"}
CLASSES = {
    2: "time", 3: "text", 4: "bit fields", 5: "opaque bytes", 6: "records", 7: "references",
    8: "an enumeration", 9: "variable-length objects", 10: "arrays",
}  # fmt: skip
# size in bytes: (sign bit, (offset, precision, exponent at, exponent bits, mantissa at, mantissa bits, bias))
IEEE = {
    2: (15, (0, 16, 10, 5, 0, 10, 15)),
    4: (31, (0, 32, 23, 8, 0, 23, 127)),
    8: (63, (0, 64, 52, 11, 0, 52, 1023)),
}


@dataclass(frozen=True)
class StoredArray:
    """An array of numbers in the buffer; nothing is copied until it is asked for."""

    path: str
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    _bytes: memoryview

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)

    def read(self) -> np.ndarray:
        """The numbers, as a read-only view of the buffer."""
        return np.frombuffer(self._bytes, self.dtype).reshape(self.shape)


@dataclass(frozen=True)
class _Message:
    kind: int
    data: memoryview


def read_arrays(content: bytes) -> dict[str, StoredArray]:
    """Every array in an HDF5 file, by path (``"layers/dense/vars/0"``), in the order of the file's index.

    Args:
        content: the whole file.

    Raises:
        ModelFileError: the bytes are no HDF5 file, are damaged, or hold anything but groups of plain arrays.
    """
    try:
        return dict(_Reader(memoryview(content)).arrays())
    except (struct.error, IndexError, UnicodeDecodeError, RecursionError) as error:
        raise ModelFileError(f"the HDF5 data is damaged: {error}") from error


class _Reader:
    def __init__(self, view: memoryview):
        self.view = view
        self.seen: set[int] = set()
        self.left = len(view)  # bytes that descriptions may still take

    def arrays(self) -> Iterator[tuple[str, StoredArray]]:
        yield from self._walk(self._root(), "", 0)

    def _walk(self, address: int, path: str, depth: int) -> Iterator[tuple[str, StoredArray]]:
        if depth > MAX_DEPTH:
            _refuse(path, f"groups more than {MAX_DEPTH} deep")
        messages = list(self._messages(address, path))
        for message in messages:
            if message.kind in REFUSED:
                _refuse(path, REFUSED[message.kind])
        if any(message.kind == 0x08 for message in messages):
            yield path, self._array(messages, path)
            return
        names: set[str] = set()
        for name, target in self._links(messages, path):
            below = f"{path}/{name}" if path else name
            if name in names or name in ("", ".", "..") or "/" in name:
                _refuse(below, "a name that is empty, a path or given twice")
            names.add(name)
            yield from self._walk(target, below, depth + 1)

    # -- bytes

    def _unpack(self, layout: str, at: int) -> tuple[int, ...]:
        return struct.unpack_from("<" + layout, self.view, _inside(at))

    def _piece(self, at: int, length: int) -> memoryview:
        if at + length > len(self.view):
            raise ModelFileError(f"the HDF5 data is damaged: {length} bytes at {at} reach beyond its end")
        return self.view[at : at + length]

    def _spend(self, length: int) -> int:
        self.left -= length
        if self.left < 0:
            raise ModelFileError("the HDF5 data is damaged: its descriptions overlap")
        return length

    def _enter(self, address: int, signature: bytes = b"") -> int:
        """Read a structure once only; gives where its content begins."""
        if address in self.seen:
            raise ModelFileError(f"the HDF5 data refers twice to what is stored at {address}")
        self.seen.add(address)
        if bytes(self._piece(address, len(signature))) != signature:
            raise ModelFileError(f"the HDF5 data is damaged: no {signature.decode()} at {address}")
        return address + len(signature)

    def _root(self) -> int:
        if bytes(self.view[:8]) != SIGNATURE:
            raise ModelFileError("it is not an HDF5 file")
        version = self._unpack("B", 8)[0]
        if version in (0, 1):
            sizes, base, root = self._unpack("BB", 13), 24 + 4 * version, 64 + 4 * version
        elif version in (2, 3):
            sizes, base, root = self._unpack("BB", 9), 12, 36
        else:
            raise ModelFileError(f"HDF5 superblock version {version} is not known")
        if sizes != (8, 8) or self._unpack("Q", base)[0] != 0:
            raise ModelFileError("the HDF5 file has unusual offsets or a user block; save it with Keras or Lamina")
        return self._unpack("Q", root)[0]

    # -- object headers

    def _messages(self, address: int, path: str) -> Iterator[_Message]:
        """The messages of an object header, in version 1 or 2."""
        if bytes(self._piece(address, 4)) == b"OHDR":
            at = self._enter(address, b"OHDR")
            flags = self._header(at, 2, path)[1]
            at += 2 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
            width = 1 << (flags & 3)
            length = int.from_bytes(self._piece(at, width), "little")
            yield from self._block(at + width, length, path, 6 if flags & 4 else 4)
        else:
            at = self._enter(address)
            self._header(at, 1, path)
            yield from self._block(at + 16, self._unpack("I", at + 8)[0], path, 8)

    def _header(self, at: int, version: int, path: str) -> tuple[int, ...]:
        found = self._unpack("BB", at)
        if found[0] != version:
            raise ModelFileError(f"the HDF5 data is damaged: no object where {path or 'the root'!r} should be")
        return found

    def _block(self, at: int, length: int, path: str, header: int) -> Iterator[_Message]:
        """Messages in one piece of an object header; ``header`` is the length of each one's own header."""
        end = at + self._spend(len(self._piece(at, length)))
        while at + header <= end:
            kind, size, flags = self._unpack("HHB" if header == 8 else "BHB", at)
            data = self._piece(at + header, size)
            at += header + size
            if flags & 2 and kind in (0x01, 0x03, 0x08):
                _refuse(path, "a description shared with another object")
            if kind == 0x10:
                yield from self._continued(data, path, header)
            else:
                yield _Message(kind, data)

    def _continued(self, data: memoryview, path: str, header: int) -> Iterator[_Message]:
        address, length = struct.unpack_from("<QQ", data)
        if header == 8:
            yield from self._block(self._enter(address), length, path, header)
        else:
            yield from self._block(self._enter(address, b"OCHK"), max(length - 8, 0), path, header)

    # -- groups

    def _links(self, messages: list[_Message], path: str) -> Iterator[tuple[str, int]]:
        """Name and address of all that a group holds."""
        for message in messages:
            if message.kind == 0x11:
                tree, heap = struct.unpack_from("<QQ", message.data)
                yield from self._symbols(tree, None, self._heap(heap), path)
            elif message.kind == 0x06:
                yield _link(message.data, path)
            elif message.kind == 0x02:
                after = 10 if message.data[1] & 1 else 2
                if struct.unpack_from("<Q", message.data, after)[0] != NOWHERE:
                    _refuse(path, "a dense group index; save the file with Keras or Lamina")

    def _heap(self, address: int) -> memoryview:
        size, _, start = self._unpack("QQQ", self._enter(address, b"HEAP") + 4)
        return self._piece(start, size)

    def _symbols(self, address: int, above: int | None, names: memoryview, path: str) -> Iterator[tuple[str, int]]:
        """Name and address of all below a node of a group's index; ``above`` is its parent's level."""
        at = self._enter(address, b"TREE")
        kind, level, count = self._unpack("BBH", at)
        if kind != 0 or level != (level if above is None else above - 1):
            raise ModelFileError(f"the HDF5 data is damaged: wrong index at {address}")
        for i in range(self._spend(count)):
            child = self._unpack("Q", at + 28 + 16 * i)[0]
            yield from self._symbols(child, level, names, path) if level else self._leaf(child, names, path)

    def _leaf(self, address: int, names: memoryview, path: str) -> Iterator[tuple[str, int]]:
        at = self._enter(address, b"SNOD")
        count = self._unpack("H", at + 2)[0]
        for i in range(self._spend(count)):
            name, target, cache = self._unpack("QQI", at + 4 + 40 * i)
            if cache == 2:
                _refuse(path, "a soft link")
            yield _text(names[_inside(name) :]), target

    # -- arrays

    def _array(self, messages: list[_Message], path: str) -> StoredArray:
        space, kind, layout = (_only(messages, code, path) for code in (0x01, 0x03, 0x08))
        shape, dtype = _shape(space, path), _dtype(kind, path)
        size = math.prod(shape) * dtype.itemsize
        data = self._data(layout, size, path)
        if len(data) != size:
            _refuse(path, f"an array of shape {shape} that declares {size} bytes and stores {len(data)}")
        return StoredArray(path, shape, dtype, data)

    def _data(self, layout: memoryview, size: int, path: str) -> memoryview:
        version, kind = layout[0], layout[1]
        if version not in (3, 4):
            _refuse(path, f"a data layout of version {version}")
        if kind in LAYOUTS:
            _refuse(path, LAYOUTS[kind])
        if kind == 0:
            return layout[4 : 4 + struct.unpack_from("<H", layout, 2)[0]]
        address, stored = struct.unpack_from("<QQ", layout, 2)
        if address == NOWHERE:
            return layout[:0]
        if stored != size:
            _refuse(path, f"an array that declares {size} bytes and stores {stored}")
        return self._piece(address, stored)


def _refuse(path: str, what: str) -> NoReturn:
    raise ModelFileError(f"the weights hold {what} at {path or 'the root'!r}, which Lamina does not read")


def _inside(at: int) -> int:
    if at > 1 << 48:
        raise ModelFileError("the HDF5 data is damaged: an address beyond its end")
    return at


def _text(raw: memoryview) -> str:
    return bytes(raw[:1024]).split(b"\0", 1)[0].decode("utf-8")


def _only(messages: list[_Message], kind: int, path: str) -> memoryview:
    found = [message.data for message in messages if message.kind == kind]
    if len(found) != 1:
        _refuse(path, "an array that is not fully described")
    return found[0]


def _link(data: memoryview, path: str) -> tuple[str, int]:
    """Name and address in a link message."""
    flags = data[1]
    at = 2
    if flags & 8:
        if data[at] != 0:
            _refuse(path, {1: "a soft link", 64: "an external link"}.get(data[at], "an unknown link"))
        at += 1
    at += (8 if flags & 4 else 0) + (1 if flags & 16 else 0)
    width = 1 << (flags & 3)
    length = int.from_bytes(data[at : at + width], "little")
    name = bytes(data[at + width : at + width + length]).decode("utf-8")
    return name, struct.unpack_from("<Q", data, at + width + length)[0]


def _shape(data: memoryview, path: str) -> tuple[int, ...]:
    version, rank = data[0], data[1]
    if version not in (1, 2) or rank > MAX_RANK or (version == 2 and data[3] == 2):
        _refuse(path, "an array without a plain shape")
    return struct.unpack_from(f"<{rank}Q", data, 8 if version == 1 else 4)


def _dtype(data: memoryview, path: str) -> np.dtype[np.generic]:
    code, size = data[0] & 15, struct.unpack_from("<I", data, 4)[0]
    read = _DTYPES.get(code)
    if read is None:
        _refuse(path, CLASSES.get(code, "an unknown type"))
    return read(data, size, path)


def _integer(data: memoryview, size: int, path: str) -> np.dtype[np.generic]:
    if size not in (1, 2, 4, 8) or data[1] & 1 or struct.unpack_from("<HH", data, 8) != (0, 8 * size):
        _refuse(path, "integers of an unusual form")
    return np.dtype(f"<{'i' if data[1] & 8 else 'u'}{size}")


def _float(data: memoryview, size: int, path: str) -> np.dtype[np.generic]:
    found = data[2], struct.unpack_from("<HHBBBBI", data, 8)
    if IEEE.get(size) != found or data[1] & 0x41:
        _refuse(path, "floats of an unusual form")
    return np.dtype(f"<f{size}")


_DTYPES: dict[int, Callable[[memoryview, int, str], np.dtype[np.generic]]] = {0: _integer, 1: _float}
