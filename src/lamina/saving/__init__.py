"""Stage 6, files: objects ⇄ records, models ⇄ ``.keras`` files; nothing executes when a file is loaded."""

from __future__ import annotations

from lamina.records import deserialize_keras_object, serialize_keras_object
from lamina.registry import (
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from lamina.saving.files import (
    load_model,
    model_from_json,
    read_extra,
    save_model,
    to_json,
)
from lamina.saving.weights import load_weights, save_weights

CustomObjectScope = custom_object_scope

__all__ = [
    "save_model",
    "load_model",
    "read_extra",
    "save_weights",
    "load_weights",
    "to_json",
    "model_from_json",
    "serialize_keras_object",
    "deserialize_keras_object",
    "register_keras_serializable",
    "custom_object_scope",
    "CustomObjectScope",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
]
