"""Models ⇄ files: ``.keras`` and JSON, as Keras 3 writes and reads them; loading runs no code."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from lamina import config
from lamina.errors import ModelFileError
from lamina.records import shared_objects, shared_records
from lamina.saving import archive
from lamina.saving.budget import budget
from lamina.saving.hdf5_reader import StoredArray, read_arrays
from lamina.saving.hdf5_writer import hdf5_bytes
from lamina.saving.json_text import read_json
from lamina.saving.places import FilePath, about, members, target
from lamina.saving.state import OPTIMIZER, assets_of, load_assets, load_state, state_of

KERAS_VERSION = "3.15.1"  # whose format this is
LAMINA_FORMAT = 1  # of lamina.json; raised when a reader of the old one would go wrong


def save_model(
    model: Any,
    filepath: FilePath,
    overwrite: bool = True,
    zipped: bool | None = None,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Write a model, its weights and its optimizer's state to one ``.keras`` file, which real Keras opens too.

    At any instant the disk holds the whole old file or the whole new one.

    Args:
        model: what to save.
        filepath: ends in ``.keras``.
        overwrite: whether a file that is there may be replaced.
        zipped: taken for Keras's sake; a ``.keras`` file is always one archive.
        extra: more about the model, as plain JSON values, for ``read_extra``.

    Raises:
        ModelFileError: the path has another ending, or an object in the model cannot be written.
        FileExistsError: there is a file and ``overwrite`` is false.

    Source: keras.saving.save_model.
    """
    path = target(filepath, (".keras",), overwrite)
    if zipped is False:
        raise ModelFileError(f"{path}: a model is saved as one .keras file, not as a folder: leave zipped out")
    weights = hdf5_bytes(state_of(model))
    notes = {
        "format": LAMINA_FORMAT,
        "versions": {"lamina": config.VERSION, "keras": KERAS_VERSION, "numpy": np.__version__},
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
        "extra": dict(extra or {}),
    }
    metadata = {"keras_version": KERAS_VERSION, "date_saved": time.strftime("%Y-%m-%d@%H:%M:%S")}
    parts = {
        archive.METADATA: json.dumps(metadata).encode(),
        archive.CONFIG: to_json(model).encode(),
        archive.WEIGHTS: weights,
        archive.LAMINA: json.dumps(notes).encode(),
        **assets_of(model),
    }
    archive.write_members(path, parts)


def load_model(
    filepath: FilePath,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Read a model from a ``.keras`` file of Lamina or Keras.

    Nothing in the file is executed or imported: classes and functions come from Lamina's closed table, from
    ``custom_objects`` or from what was registered. The model takes no more memory than the file holds.

    Args:
        filepath: the file.
        custom_objects: your own classes and functions by the names that the file gives them.
        compile: whether to compile the model as it was when it was saved.
        safe_mode: taken for Keras's sake; code in a file is refused whatever it is.

    Returns:
        The model, with its weights and its optimizer's state.

    Raises:
        ModelFileError: there is no such file, it is damaged, unsafe, or holds what Lamina does not know.

    Source: keras.saving.load_model.
    """
    parts = members(filepath)
    with about(filepath, archive.WEIGHTS):
        arrays = read_arrays(parts[archive.WEIGHTS])
    if archive.LAMINA in parts:
        _check_hash(filepath, parts)
    with about(filepath, archive.CONFIG):
        record = read_json(parts[archive.CONFIG])
        if not compile:
            record["compile_config"] = None
        with budget(_model_numbers(arrays)):
            model = _model(record, custom_objects)
    with about(filepath, archive.WEIGHTS):
        load_state(model, arrays)
    with about(filepath, archive.ASSETS):
        load_assets(model, parts)
    return model


def _model(record: Mapping[str, Any], custom_objects: Mapping[str, Any] | None) -> Any:
    model = shared_objects(dict(record), custom_objects)
    if not hasattr(model, "save"):
        raise ModelFileError(f"the config describes a {type(model).__name__}, not a model")
    return model


def _model_numbers(arrays: Mapping[str, StoredArray]) -> int:
    """How many numbers the file holds for the model itself."""
    return sum(array.size for path, array in arrays.items() if not path.startswith(f"{OPTIMIZER}/"))


def _check_hash(filepath: FilePath, parts: Mapping[str, bytes]) -> None:
    expected = _notes(filepath, parts[archive.LAMINA]).get("weights_sha256")
    if expected != hashlib.sha256(parts[archive.WEIGHTS]).hexdigest():
        raise ModelFileError(
            f"{filepath}: {archive.WEIGHTS}: the weights are not the ones that were saved (their SHA-256 differs)"
        )


def _notes(filepath: FilePath, content: bytes) -> dict[str, Any]:
    with about(filepath, archive.LAMINA):
        notes = read_json(content)
        if notes.get("format") != LAMINA_FORMAT:
            raise ModelFileError(f"its format is {notes.get('format')!r}, this Lamina reads {LAMINA_FORMAT}: update it")
        if not isinstance(notes.get("extra"), dict):
            raise ModelFileError("'extra' must be an object")
    return notes


def read_extra(filepath: FilePath) -> dict[str, Any]:
    """What ``save_model`` was given as ``extra``; empty for a file that Keras wrote.

    Args:
        filepath: a ``.keras`` file.

    Raises:
        ModelFileError: there is no such file, or it is damaged.
    """
    parts = members(filepath, (archive.LAMINA,))
    return dict(_notes(filepath, parts[archive.LAMINA])["extra"]) if parts else {}


def to_json(model: Any, **kwargs: Any) -> str:
    """The model's layers, without its weights, as JSON.

    Args:
        model: what to describe.
        **kwargs: passed on to ``json.dumps``.
    """
    return json.dumps(shared_records(model), **kwargs)


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A model, with fresh weights, from what ``to_json`` (Lamina's or Keras's) gave.

    Args:
        json_string: the text.
        custom_objects: your own classes and functions by the names that the text gives them.

    Raises:
        ModelFileError: the text is damaged, or holds what Lamina does not know.

    Source: keras.models.model_from_json.
    """
    return _model(read_json(json_string), custom_objects)
