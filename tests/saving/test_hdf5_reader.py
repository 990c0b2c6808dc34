"""The HDF5 reader against h5py: it reads what weight files are made of, and refuses everything else by name."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Callable

import h5py
import numpy as np
import pytest

from lamina.errors import ModelFileError
from lamina.saving.hdf5_reader import NOWHERE, read_arrays

NUMBERS = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]


def written(fill: Callable[[h5py.File], object], **options: object) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", **options) as file:
        fill(file)
    return buffer.getvalue()


def weights(file: h5py.File) -> None:
    for layer in ("dense", "dense_1"):
        group = file.create_group(f"layers/{layer}/vars")
        group.attrs["name"] = layer
        group["0"] = np.arange(12, dtype="float32").reshape(3, 4)
        group["1"] = np.zeros(4, "float32")
    file["optimizer/vars/0"] = np.int64(7)


@pytest.mark.parametrize("libver", ["earliest", "latest", ("v108", "v110")], ids=str)
@pytest.mark.parametrize("kind", NUMBERS)
def test_reads_what_h5py_writes(kind: str, libver: str) -> None:
    arrays = {"a/0": np.arange(6, dtype=kind).reshape(2, 3), "a/1": np.array(5, kind), "b": np.zeros((0, 3), kind)}
    found = read_arrays(
        written(lambda file: [file.create_dataset(k, data=v) for k, v in arrays.items()], libver=libver)
    )
    assert found.keys() == arrays.keys()
    for path, array in arrays.items():
        assert found[path].shape == array.shape
        assert found[path].read().dtype == array.dtype
        assert np.array_equal(found[path].read(), array)


def test_reads_groups_of_many() -> None:
    def many(file: h5py.File) -> None:
        for index in range(700):  # three levels of index
            file[f"layers/dense_{index}/vars/0"] = np.float32(index)

    found = read_arrays(written(many))
    assert {path: float(array.read()) for path, array in found.items()} == {
        f"layers/dense_{index}/vars/0": float(index) for index in range(700)
    }


def test_reads_views_that_cannot_be_written() -> None:
    array = read_arrays(written(weights))["layers/dense/vars/0"].read()
    assert not array.flags.writeable
    assert array.tolist() == np.arange(12.0).reshape(3, 4).tolist()


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((4,), "float32")
    layout[:] = h5py.VirtualSource("/etc/hostname", "data", (4,))
    file.create_virtual_dataset("0", layout)


def soft(file: h5py.File) -> None:
    file["real"] = np.zeros(2)
    file["0"] = h5py.SoftLink("/real")


def twice(file: h5py.File) -> None:
    file["real"] = np.zeros(2)
    file["again"] = file["real"]


def cycle(file: h5py.File) -> None:
    group = file.create_group("layers")
    group["layers"] = group


def committed(file: h5py.File) -> None:
    file["kind"] = np.dtype("float32")
    file.create_dataset("0", (2,), dtype=file["kind"], data=np.zeros(2, "float32"))


def external_link(file: h5py.File) -> None:
    file["0"] = h5py.ExternalLink("/etc/hostname", "/data")


def external_data(file: h5py.File) -> None:
    file.create_dataset("0", (4,), "float32", external=[("/etc/hostname", 0, 16)])


def deep(file: h5py.File) -> None:
    file["/".join(["g"] * 80)] = np.zeros(2)


def dense_index(file: h5py.File) -> None:
    for index in range(40):
        file[f"g/{index}"] = np.zeros(1)


REFUSED = [
    (soft, "soft link"),
    (external_link, "soft link|external link"),
    (external_data, "external file"),
    (virtual, "virtual"),
    (twice, "twice"),
    (cycle, "twice"),
    (committed, "shared|not fully described|no object"),
    (deep, "64 deep"),
    (lambda file: file.create_dataset("0", (4,), "float32", chunks=(2,)), "chunked"),
    (lambda file: file.create_dataset("0", (1 << 40,), "float32", chunks=(1 << 20,), compression="gzip"), "compressed"),
    (lambda file: file.create_dataset("0", (1 << 30, 1 << 10), "float64"), "declares 8796093022208 bytes and stores 0"),
    (lambda file: file.create_dataset("0", data="text", dtype=h5py.string_dtype()), "variable-length"),
    (lambda file: file.create_dataset("0", data=np.bytes_("text")), "text"),
    (lambda file: file.create_dataset("0", data=np.zeros(2, "i4,f4")), "records"),
    (lambda file: file.create_dataset("0", data=np.array([file.ref], h5py.ref_dtype)), "references"),
    (lambda file: file.create_dataset("0", data=np.array([True])), "enumeration"),
    (lambda file: file.create_dataset("0", data=np.zeros(2, "V4")), "opaque"),
    (lambda file: file.create_dataset("0", data=np.zeros(2, ">f4")), "unusual form"),
    (lambda file: file.create_dataset("0", data=np.zeros(2, ">i4")), "unusual form"),
    (lambda file: file.create_dataset("0", data=h5py.Empty("f4")), "without a plain shape|declares"),
]


@pytest.mark.parametrize(("fill", "message"), REFUSED, ids=[m for _, m in REFUSED])
def test_refuses(fill: Callable[[h5py.File], object], message: str) -> None:
    with pytest.raises(ModelFileError, match=message):
        read_arrays(written(fill))


@pytest.mark.parametrize(
    ("fill", "message"), [(soft, "soft link"), (external_link, "external"), (dense_index, "dense")]
)
def test_refuses_in_the_newer_format_too(fill: Callable[[h5py.File], object], message: str) -> None:
    with pytest.raises(ModelFileError, match=message):
        read_arrays(written(fill, libver="latest"))


def test_refuses_a_user_block() -> None:
    with pytest.raises(ModelFileError, match="not an HDF5 file"):
        read_arrays(written(weights, userblock_size=512))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", b"\x89HDF\r\n\x1a\n" + bytes(200)])
def test_refuses_what_is_not_hdf5(content: bytes) -> None:
    with pytest.raises(ModelFileError):
        read_arrays(content)


def test_refuses_an_index_that_holds_itself() -> None:
    content = bytearray(written(weights))
    tree = content.index(b"TREE")
    content[tree + 5] = 1  # a level above the leaves …
    content[tree + 32 : tree + 40] = tree.to_bytes(8, "little")  # … whose child is itself
    with pytest.raises(ModelFileError, match="twice"):
        read_arrays(bytes(content))


def test_refuses_an_index_that_grows_without_end() -> None:
    """Five levels of nodes that each name the next one a thousand times: 10^15 entries in 80 kB."""
    content = bytearray(written(lambda file: file.create_dataset("0", data=np.zeros(2))))
    root, length = content.index(b"TREE"), 24 + 16 * 1000 + 8
    homes = [len(content) + level * length for level in range(5)]
    leaves = int.from_bytes(content[root + 32 : root + 40], "little")
    for level, child in zip(range(4, -1, -1), [*homes[1:], leaves], strict=True):
        content += b"TREE" + struct.pack("<BBHQQ", 0, level, 1000, NOWHERE, NOWHERE)
        content += struct.pack("<QQ", 0, child) * 1000 + struct.pack("<Q", 0)
    place = content.index(struct.pack("<Q", root), 96)  # in the root's symbol-table message
    content[place : place + 8] = struct.pack("<Q", homes[0])
    with pytest.raises(ModelFileError, match="twice"):
        read_arrays(bytes(content))


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_every_truncation_is_refused(libver: str) -> None:
    content = written(weights, libver=libver)
    whole = {path: array.read().tobytes() for path, array in read_arrays(content).items()}
    for end in range(0, len(content), 37):
        try:
            found = read_arrays(content[:end])
        except ModelFileError:
            continue
        # What was cut off can only be padding.
        assert {path: array.read().tobytes() for path, array in found.items()} == whole


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_no_damage_has_another_effect_than_an_error(libver: str) -> None:
    content = written(weights, libver=libver)
    used = [i for i in range(len(content)) if content[i] or i < 2000]
    chance = random.Random(0)
    for _ in range(1500):
        damaged = bytearray(content)
        for _ in range(chance.randint(1, 5)):
            damaged[chance.choice(used)] = chance.choice([0, 1, 127, 255, chance.randrange(256)])
        try:
            found = read_arrays(bytes(damaged))
        except ModelFileError:
            continue
        assert sum(array.read().nbytes for array in found.values()) <= len(content) * len(found)
