"""The zip container: what is written is whole or not there, and what breaks a rule is refused."""

from __future__ import annotations

import io
import os
import signal
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lamina.errors import ModelFileError
from lamina.saving import archive
from lamina.saving.archive import CONFIG, LAMINA, METADATA, WEIGHTS, read_members, replacing, write_members

MEMBERS = {METADATA: b"{}", CONFIG: b'{"a": 1}', WEIGHTS: bytes(range(256)) * 8, LAMINA: b"{}"}


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        for name, content in members.items():
            file.writestr(zipfile.ZipInfo(name), content, compression)
    return buffer.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.keras"


def test_written_members_are_stored_in_order(path: Path) -> None:
    write_members(path, MEMBERS)
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        assert [(m.filename, m.compress_type) for m in file.infolist()] == [(n, zipfile.ZIP_STORED) for n in MEMBERS]
    assert read_members(path) == MEMBERS


def test_the_same_members_give_the_same_bytes(tmp_path: Path) -> None:
    write_members(tmp_path / "a", MEMBERS)
    write_members(tmp_path / "b", MEMBERS)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_packed_members_are_read_too(path: Path) -> None:
    path.write_bytes(zipped(MEMBERS, zipfile.ZIP_DEFLATED))
    assert read_members(path) == MEMBERS


def test_reads_only_what_is_wanted(path: Path) -> None:
    write_members(path, MEMBERS)
    assert read_members(path, (CONFIG,)) == {CONFIG: MEMBERS[CONFIG]}


# -- writing


@pytest.mark.parametrize("fails", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file(path: Path, fails: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_members(path, MEMBERS)
    before = path.read_bytes()

    def disk_full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, fails, disk_full)
    with pytest.raises(OSError, match="No space"):
        write_members(path, {**MEMBERS, WEIGHTS: b"new"})
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_an_error_while_writing_leaves_nothing(path: Path) -> None:
    def interrupted() -> None:
        with replacing(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(path.parent.iterdir()) == []


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with (
        pytest.raises(FileNotFoundError, match=r"no/m\.keras: there is no folder '.*no'"),
        replacing(tmp_path / "no/m.keras"),
    ):
        raise AssertionError("no file can be open")


def test_a_killed_writer_leaves_a_whole_file(path: Path) -> None:
    code = (
        "import sys; from lamina.saving.archive import write_members\n"
        "while True:\n"
        f"    write_members(sys.argv[1], {{{CONFIG!r}: b'{{}}', {WEIGHTS!r}: bytes(5_000_000)}}); print(flush=True)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        for _ in range(3):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
    assert len(read_members(path)[WEIGHTS]) == 5_000_000


@pytest.mark.skipif(os.name != "posix", reason="permissions and links of POSIX")
def test_permissions_and_links_stay(tmp_path: Path) -> None:
    real, link = tmp_path / "real.keras", tmp_path / "link.keras"
    write_members(real, MEMBERS)
    assert stat.S_IMODE(real.stat().st_mode) == 0o666 & ~umask()
    real.chmod(0o640)
    link.symlink_to(real)
    write_members(link, {**MEMBERS, LAMINA: b"[]"})
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert read_members(real)[LAMINA] == b"[]"


def umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


# -- reading


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a zip archive"),
        (b"hello, this is text", "not a zip archive"),
        (b"#!/bin/sh\n" + zipped(MEMBERS), "not a zip archive"),  # a program with an archive behind it
        (b"PK\x03\x04" + bytes(100), "damaged or cut short"),
        (zipped({}) or b"", "not a zip archive"),
        (zipped({CONFIG: b"{}"}), "no member 'model.weights.h5'"),
        (zipped({WEIGHTS: b"x"}), "no member 'config.json'"),
        (zipped(MEMBERS | {"../evil.txt": b"x"}), r"member '\.\./evil\.txt'"),
        (zipped(MEMBERS | {"/etc/passwd": b"x"}), "member '/etc/passwd'"),
        (zipped(MEMBERS | {"assets/layers/../vocabulary.txt": b"x"}), "vocabularies are called"),
        (zipped(MEMBERS | {"assets/layers/lookup/other.txt": b"x"}), "vocabularies are called"),
        (zipped(MEMBERS | {"assets/": b"x"}), "vocabularies are called"),
        (
            zipped(MEMBERS | {"assets/layers/lookup/vocabulary.txt": bytes(10_000_000)}, zipfile.ZIP_DEFLATED),
            "declares 10000000 bytes but stores",
        ),
        (zipped(MEMBERS | {"model.weights.npz": b"x"}), "npz"),
        (zipped(MEMBERS, zipfile.ZIP_BZIP2), "packed in an unusual way"),
        (zipped(MEMBERS | {WEIGHTS: bytes(10_000_000)}, zipfile.ZIP_DEFLATED), "declares 10000000 bytes but stores"),
    ],
)
def test_refuses(path: Path, content: bytes, message: str) -> None:
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=message):
        read_members(path)


def test_refuses_two_members_of_one_name(path: Path) -> None:
    content = zipped(MEMBERS | {"config.jsox": b"{}"})
    path.write_bytes(content.replace(b"config.jsox", b"config.json"))
    with pytest.raises(ModelFileError, match="two members"):
        read_members(path)


def test_refuses_a_size_that_is_not_the_content_s(path: Path) -> None:
    content = bytearray(zipped(MEMBERS))
    entry = content.rindex(b"PK\x01\x02", 0, content.rindex(b"PK\x01\x02"))  # the weights' line in the directory
    content[entry + 20 : entry + 28] = (100).to_bytes(4, "little") * 2
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="damaged"):
        read_members(path)


def test_refuses_a_member_beyond_its_limit(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(archive.LIMITS, CONFIG, 4)
    path.write_bytes(zipped(MEMBERS))
    with pytest.raises(ModelFileError, match="declares 8 bytes, more than 4"):
        read_members(path)


def test_refuses_encrypted_members(path: Path) -> None:
    content = bytearray(zipped(MEMBERS))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match="encrypted"):
        read_members(path)


def test_every_truncation_is_refused(path: Path) -> None:
    content = zipped(MEMBERS)
    for end in range(0, len(content), 41):
        path.write_bytes(content[:end])
        with pytest.raises(ModelFileError):
            read_members(path)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_no_changed_byte_gives_other_content(path: Path, compression: int) -> None:
    content = zipped(MEMBERS, compression)
    for place in range(0, len(content), 3):
        damaged = bytearray(content)
        damaged[place] ^= 0x55
        path.write_bytes(damaged)
        try:
            found = read_members(path)
        except ModelFileError:
            continue
        assert {n: found[n] for n in (CONFIG, WEIGHTS)} == {n: MEMBERS[n] for n in (CONFIG, WEIGHTS)}


def test_nothing_is_unpacked(path: Path) -> None:
    path.write_bytes(zipped(MEMBERS))
    read_members(path)
    assert list(path.parent.iterdir()) == [path]
