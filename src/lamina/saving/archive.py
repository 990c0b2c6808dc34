"""The ``.keras`` container: a zip archive of a few known members, replaced only by a whole new one."""

from __future__ import annotations

import os
import re
import secrets
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from lamina.errors import ModelFileError

METADATA, CONFIG, WEIGHTS, LAMINA = "metadata.json", "config.json", "model.weights.h5", "lamina.json"
MEBIBYTE = 1 << 20
ASSETS = "assets/"  # the folder of the text files that layers keep, at the layers' paths
# The members that a file may have, each with the most bytes that it may hold.
LIMITS = {METADATA: MEBIBYTE, CONFIG: 16 * MEBIBYTE, LAMINA: 16 * MEBIBYTE, WEIGHTS: 1 << 40, ASSETS: 256 * MEBIBYTE}
_ASSET = re.compile(r"assets/([a-z0-9_]+/)+vocabulary\.txt")
REQUIRED = (CONFIG, WEIGHTS)
MAX_RATIO = 100  # how much a member may grow when it is unpacked; Keras stores members as they are
FIRST_BYTES = b"PK\x03\x04"
_ENCRYPTED = 0x1
# What zipfile raises for archives that break its format in one way or another.
DAMAGE = (zipfile.BadZipFile, EOFError, OSError, RuntimeError, ValueError, IndexError, struct.error, zlib.error)


def write_members(path: str | os.PathLike[str], members: Mapping[str, bytes]) -> None:
    """Write an archive of stored members, replacing what is at the path only when all of it is on the disk.

    Args:
        path: where the file goes.
        members: content by name, in order.
    """
    with replacing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A new file that takes the place of ``path`` when the block ends well, and leaves no trace when not.

    At any instant the path holds the whole old file or the whole new one, also after a power cut.
    """
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{path}: there is no folder '{target.parent}'")
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    descriptor = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            beside.chmod(stat.S_IMODE(target.stat().st_mode))
        os.replace(beside, target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Put the new name itself on the disk, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_members(path: str | os.PathLike[str], wanted: tuple[str, ...] = tuple(LIMITS)) -> dict[str, bytes]:
    """The content of the wanted members that a ``.keras`` file has; nothing is unpacked to the disk.

    Args:
        path: the file.
        wanted: names of members; ``ASSETS`` stands for all text files of layers.

    Raises:
        FileNotFoundError: there is no such file.
        ModelFileError: it is not a ``.keras`` file, is damaged, or breaks one of the rules above.
    """
    with open(path, "rb") as file:
        if file.read(len(FIRST_BYTES)) != FIRST_BYTES:
            raise ModelFileError(
                "it is not a zip archive, as a .keras file is: give a file saved with model.save('name.keras'); "
                "what Keras saved as .h5, Keras can open and save anew"
            )
        try:
            with zipfile.ZipFile(file) as archive:
                present = _checked(archive)
                return {name: _read(archive, member) for name, member in present.items() if _kind(name) in wanted}
        except ModelFileError:
            raise
        except DAMAGE as error:
            raise ModelFileError(
                f"the zip archive is damaged or cut short ({error}): copy or save the file again"
            ) from error


def _kind(name: str) -> str:
    """The name in the table of limits that a member comes under."""
    return ASSETS if _ASSET.fullmatch(name) else name


def _checked(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The members by name, after all rules were checked without unpacking any."""
    present: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        name = member.filename
        if name in present:
            raise ModelFileError(f"it has two members named {name!r}")
        _check_member(member)
        present[name] = member
    missing = [name for name in REQUIRED if name not in present]
    if missing:
        raise ModelFileError(f"it has no member {missing[0]!r}: it is not a whole .keras file")
    return present


def _check_member(member: zipfile.ZipInfo) -> None:
    name, kind = member.filename, _kind(member.filename)
    if kind not in LIMITS or name == ASSETS:
        raise ModelFileError(
            f"it has the member {name!r}; Lamina reads .keras files with {', '.join(LIMITS)} alone "
            "(vocabularies are called assets/…/vocabulary.txt; weights in .npz are not supported)"
        )
    if member.flag_bits & _ENCRYPTED or member.compress_type not in (
        zipfile.ZIP_STORED,
        zipfile.ZIP_DEFLATED,
    ):
        raise ModelFileError(f"its member {name!r} is encrypted or packed in an unusual way")
    if member.file_size > LIMITS[kind]:
        raise ModelFileError(f"its member {name!r} declares {member.file_size} bytes, more than {LIMITS[kind]}")
    if member.file_size > MAX_RATIO * max(member.compress_size, 1):
        raise ModelFileError(f"its member {name!r} declares {member.file_size} bytes but stores {member.compress_size}")


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    with archive.open(member) as file:
        content = file.read(member.file_size + 1)
    if len(content) != member.file_size:
        raise ModelFileError(f"its member {member.filename!r} is not as long as it declares")
    return content
