"""Where files go and come from; an error about a file says which it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lamina.errors import ModelFileError
from lamina.saving import archive
from lamina.saving.hdf5_reader import SIGNATURE, StoredArray, read_arrays

FilePath = str | os.PathLike[str]


def target(filepath: FilePath, suffixes: tuple[str, ...], overwrite: bool) -> Path:
    """Where a file is to be written.

    Args:
        filepath: the path.
        suffixes: how its name may end.
        overwrite: whether a file that is there may be replaced.

    Raises:
        ModelFileError: the path has another ending.
        FileExistsError: there is a file and ``overwrite`` is false.
    """
    path = Path(filepath)
    if not path.name.endswith(suffixes):
        raise ModelFileError(f"{path}: the name must end in {' or '.join(suffixes)}")
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path} exists already: give overwrite=True to replace it, or another name")
    return path


def members(filepath: FilePath, wanted: tuple[str, ...] = tuple(archive.LIMITS)) -> dict[str, bytes]:
    """The content of members of a ``.keras`` file; see ``archive.read_members``."""
    with about(filepath):
        return archive.read_members(existing(filepath), wanted)


def arrays(filepath: FilePath) -> dict[str, StoredArray]:
    """The arrays in an HDF5 file, by path."""
    with about(filepath), open(existing(filepath), "rb") as file:
        if file.read(len(SIGNATURE)) != SIGNATURE:
            raise ModelFileError("it is not an HDF5 file: give a .weights.h5 or .keras file")
        file.seek(0)
        return read_arrays(file.read())


def existing(filepath: FilePath) -> Path:
    """The path of a file that is there.

    Raises:
        ModelFileError: there is no file at the path.
    """
    path = Path(filepath)
    if not path.is_file():
        raise ModelFileError("File not found" if not path.exists() else "it is not a file")
    return path


@contextmanager
def about(filepath: FilePath, member: str | None = None) -> Iterator[None]:
    """Say in an error which file, and which of its members, it is about."""
    try:
        yield
    except ModelFileError as error:
        place = f"{filepath}: {member}" if member else str(filepath)
        raise type(error)(f"{place}: {error}") from error
