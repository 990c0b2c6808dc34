"""A model file with the schema of the table that it learned from."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from lamina.errors import ModelFileError, ShapeError
from lamina.saving import load_model, read_extra
from lamina.tables.schema import Schema
from lamina.tables.train import answers


def load(path: str, compile: bool) -> Any:
    """A model from its file.

    Raises:
        ModelFileError: there is no such file, or it is no model.
    """
    if not os.path.isfile(path):
        raise ModelFileError(f"{path} is a folder, not a file." if os.path.isdir(path) else f"{path}: no such file.")
    return load_model(path, compile=compile)


def load_with_schema(path: str) -> tuple[Any, Schema]:
    """A model of ``lamina train`` and its schema.

    Raises:
        ModelFileError: the file knows no table.
    """
    model = load(path, compile=False)
    extra = read_extra(path)
    if "schema" not in extra:
        raise ModelFileError(f"{path} says nothing about a table: a model made by lamina train is needed here.")
    return model, Schema.from_json(extra["schema"])


def answer(path: str, model: Any, schema: Schema, x: np.ndarray) -> np.ndarray:
    """The model's answers (rows, outputs), checked against its schema.

    Raises:
        ModelFileError: the network takes other columns or gives other answers than the schema says.
    """
    try:
        said = answers(model, x)
    except ShapeError as error:
        raise ModelFileError(f"{path}: the network does not take the schema's {x.shape[1]} columns: {error}") from error
    if said.shape != (len(x), schema.outputs):
        raise ModelFileError(f"{path}: the network answers {said.shape[1:]} numbers, the schema says {schema.outputs}.")
    return said
