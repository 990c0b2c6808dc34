"""Weights in several files, as Keras writes them: shards of a largest size, and an index of what is where.

``m.weights.json`` is the index of ``m_00000.weights.h5``, ``m_00001.weights.h5`` … Source: Keras 3, saving_lib.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from lamina.errors import ModelFileError
from lamina.saving.archive import replacing
from lamina.saving.hdf5_reader import StoredArray
from lamina.saving.hdf5_writer import Group, hdf5_bytes
from lamina.saving.json_text import read_json
from lamina.saving.places import about, arrays, existing

INDEX_SUFFIX, SHARD_SUFFIX = ".weights.json", ".weights.h5"
Shard = dict[str, Group]


def write_shards(index: Path, groups: Mapping[str, Group], max_bytes: float, overwrite: bool) -> None:
    """Write the arrays of a model to as many files as their sizes ask for, and the index of them.

    Args:
        index: the path of the index; the shards stand beside it.
        groups: what each object of the model owns, by path.
        max_bytes: how many bytes of numbers one shard may hold.
        overwrite: whether files that are there may be replaced.

    Raises:
        ModelFileError: a single array has more bytes.
        FileExistsError: a shard's place is taken and ``overwrite`` is false.
    """
    shards = {_shard_name(index, i): shard for i, shard in enumerate(_filled(groups, max_bytes))}
    contents = {name: hdf5_bytes(shard) for name, shard in shards.items()}
    contents = {index.name: _index(shards, contents), **contents}
    taken = [name for name in contents if index.with_name(name).exists()]
    if taken and not overwrite:
        raise FileExistsError(f"{index.with_name(taken[0])} exists already: give overwrite=True to replace it")
    with ExitStack() as places:  # which takes the new files to their places last to first: the index closes
        files = [places.enter_context(replacing(index.with_name(name))) for name in contents]
        for file, content in zip(files, contents.values(), strict=True):
            file.write(content)


def _shard_name(index: Path, number: int) -> str:
    return f"{_base(index)}_{number:05}{SHARD_SUFFIX}"


def _base(index: Path) -> str:
    return index.name.removesuffix(INDEX_SUFFIX)


def _filled(groups: Mapping[str, Group], max_bytes: float) -> Iterator[Shard]:
    """The arrays in their order, as many in each shard as it may hold."""
    shard: Shard = {}
    used = 0
    for path, group in groups.items():
        shard[path] = Group(group.name)
        for key, array in group.arrays.items():
            if array.nbytes > max_bytes:
                raise ModelFileError(
                    f"array {key!r} of {path or 'the model'!r} has {array.nbytes} bytes, more than a shard may have "
                    f"({max_bytes:.0f}): give a larger max_shard_size (in GiB)"
                )
            if used + array.nbytes > max_bytes:
                yield shard
                shard, used = {path: Group(None)}, 0
            shard[path].arrays[key] = array
            used += array.nbytes
    yield shard


def _index(shards: Mapping[str, Shard], contents: Mapping[str, bytes]) -> bytes:
    """The shards of each object by path, and a hash of each shard: Keras takes no notice, ``read_shards`` does."""
    places: dict[str, list[str]] = {}
    for name, shard in shards.items():
        for path, group in shard.items():
            if group.arrays:
                places.setdefault(f"/{path}/vars" if path else "/vars", []).append(name)
    held = [array.nbytes for shard in shards.values() for group in shard.values() for array in group.arrays.values()]
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    record = {"metadata": {"total_size": float(sum(held)), "sha256": hashes}, "weight_map": places}
    return json.dumps(record, indent=4).encode()


def read_shards(index: Path) -> dict[str, StoredArray]:
    """All arrays of the shards that an index names, by path; no other file is opened.

    Args:
        index: the path of the index.

    Raises:
        ModelFileError: a file is missing or damaged, or is not of this index.
    """
    with about(index):
        record = read_json(existing(index).read_bytes())
        names = _names(record, index)
        hashes = _object(record.get("metadata", {}), "metadata").get("sha256", {})
    found: dict[str, StoredArray] = {}
    for name in names:
        path = index.with_name(name)
        if name in hashes:
            _check_hash(path, hashes[name])
        shard = arrays(path)
        if twice := found.keys() & shard:
            raise ModelFileError(f"{path}: it has {min(twice)!r}, as another shard of {index.name} has")
        found |= shard
    return found


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ModelFileError(f"{name!r} must be an object, it is {value!r}")
    return value


def _names(record: Mapping[str, Any], index: Path) -> list[str]:
    """The shards in an index; they are called after it, so it can name no other file."""
    places = _object(record.get("weight_map"), "weight_map").values()
    named = [name for place in places for name in (place if isinstance(place, list) else [place])]
    pattern = re.compile(re.escape(_base(index)) + r"_\d{5,}" + re.escape(SHARD_SUFFIX))
    for name in named:
        if not isinstance(name, str) or not pattern.fullmatch(name):
            raise ModelFileError(f"it names {name!r}; its shards must be called {_shard_name(index, 0)!r} and so on")
    return sorted(set(named))


def _check_hash(path: Path, expected: str) -> None:
    with about(path):
        if hashlib.sha256(existing(path).read_bytes()).hexdigest() != expected:
            raise ModelFileError("it is not the shard that its index was written for (their SHA-256 differ)")
