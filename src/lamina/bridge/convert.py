"""Keras models ⇄ Lamina models in memory: configs become records, weights and optimizer state are copied as arrays."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from lamina.errors import LaminaError, ModelFileError, required
from lamina.models import Model
from lamina.records import shared_objects, shared_records, without_counterpart
from lamina.saving import custom_object_scope
from lamina.saving.budget import budget


def from_keras(model: Any, custom_objects: Mapping[str, Any] | None = None) -> Model:
    """A Lamina model like a built Keras model: layers, weights, what it was compiled with, the optimizer's state.

    Training goes on as it would have in Keras; the two models share nothing afterwards.

    Args:
        model: a Sequential or functional model of real Keras, models inside it and shared layers included.
        custom_objects: Lamina's classes and functions for what the Keras model has of your own, by name.

    Raises:
        TypeError: it is no Keras model.
        ModelFileError: it has parts without a counterpart in Lamina; each is named with its layer.

    Example:
        >>> import keras  # doctest: +SKIP
        >>> lamina.from_keras(keras.models.load_model("model.keras"))  # doctest: +SKIP
    """
    require_built(model)
    record = keras_record(model)
    with custom_object_scope(custom_objects):
        if missing := without_counterpart(record):
            raise ModelFileError(
                f"model {model.name!r} has parts without a counterpart in Lamina: {'; '.join(missing)}. "
                "For classes and functions of your own give Lamina's in custom_objects"
            )
        with budget(model.count_params()):  # the first values are replaced anyway
            made: Model = shared_objects(record)
    transfer(model, made)
    return made


def to_keras(model: Model, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """A Keras model like a built Lamina model: layers, weights, what it was compiled with, the optimizer's state.

    Args:
        model: a model of Lamina.
        custom_objects: Keras's classes and functions for what the model has of your own, by name.

    Raises:
        LaminaError: the model is not built, or Keras has no counterpart of a part.

    Example:
        >>> model = lamina.Sequential([lamina.Input((3,)), lamina.layers.Dense(1)])
        >>> lamina.to_keras(model).summary()  # doctest: +SKIP
    """
    if not isinstance(model, Model):
        raise TypeError(f"`model` must be a model of Lamina, got {type(model).__module__}.{type(model).__name__}")
    if not model.built:
        raise LaminaError(f"model {model.name!r} has no weights yet: give it an Input, or call it on data")
    required("keras", "tensorflow")
    made = keras_object(shared_records(model), custom_objects)
    transfer(model, made)
    for layer in made._flatten_layers():
        if hasattr(layer, "adapt_mean"):
            layer.finalize_state()  # Normalization computes with copies of its weights
    return made


def require_built(model: Any) -> None:
    """Refuse what is no Keras model with weights."""
    keras = required("keras", "tensorflow")
    if not isinstance(model, keras.Model):
        raise TypeError(f"`model` must be a keras.Model, got {type(model).__module__}.{type(model).__name__}")
    if not model.built:
        raise LaminaError(
            f"Keras model {model.name!r} has no weights yet: give it an Input, or call it on data, then convert it"
        )


def keras_record(model: Any) -> dict[str, Any]:
    """What Keras would write as the model's ``config.json``, with a number on each layer that occurs twice.

    Keras numbers an object when it meets it again, when a container has copied its first record: so all is read twice.
    """
    from keras.src.saving.serialization_lib import ObjectSharingScope, serialize_keras_object

    with ObjectSharingScope():
        serialize_keras_object(model)
        record = serialize_keras_object(model)
        if record.get("compile_config"):  # which loses its optimizer when Keras writes an .h5 file
            record["compile_config"].setdefault("optimizer", serialize_keras_object(model.optimizer))
    return dict(_layers_shared(json.loads(json.dumps(record))))


def _layers_shared(record: Any) -> Any:
    """The record with the numbers of layers only: other objects may have been made for the reading alone."""
    if isinstance(record, list):
        return [_layers_shared(part) for part in record]
    if not isinstance(record, dict):
        return record
    of_layer = isinstance(record.get("config"), dict) and "trainable" in record["config"]
    return {k: _layers_shared(v) for k, v in record.items() if of_layer or k != "shared_object_id"}


def keras_object(record: Mapping[str, Any], custom_objects: Mapping[str, Any] | None) -> Any:
    """The Keras object of a record."""
    from keras.src.saving.serialization_lib import ObjectSharingScope, deserialize_keras_object

    name = record["config"]["name"]  # which Keras may take out
    try:
        with ObjectSharingScope():
            return deserialize_keras_object(record, custom_objects)
    except (TypeError, ValueError) as error:
        raise LaminaError(f"Keras has no counterpart of a part of model {name!r}: {error}") from error


def transfer(source: Any, target: Any) -> None:
    """Give a model the weights, the vocabularies and the optimizer's state of its twin in the other library.

    Raises:
        LaminaError: they are no twins.
    """
    _transfer_vocabularies(source, target)
    _assign(source.weights, target.weights, f"weights of model {source.name!r}")
    ours, theirs = (getattr(model, "optimizer", None) for model in (source, target))
    if ours is None or theirs is None:
        return
    if ours.built and not theirs.built:  # Keras's LossScaleOptimizer would have its variables twice
        theirs.build(target.trainable_variables)
    state = theirs.variables if ours.built else theirs.variables[: len(ours.variables)]
    _assign(ours.variables, state, f"variables of optimizer {ours.name!r}")


class Twins:
    """A Keras model and the Lamina model like it, whose numbers are copied either way.

    Attributes:
        theirs, ours: the Keras model and the Lamina model.
    """

    def __init__(self, theirs: Any, ours: Model):
        self.theirs = theirs
        self.ours = ours
        self._pairs: list[tuple[_Held, Any]] = []  # found once the optimizers have all their variables

    def to_ours(self) -> None:
        """The Lamina model gets the Keras model's numbers."""
        if not self._pairs:
            transfer(self.theirs, self.ours)
        for theirs, ours in self._pairs:
            ours.assign(theirs.read())

    def to_theirs(self) -> None:
        """The Keras model gets the Lamina model's numbers."""
        if not self._pairs:
            transfer(self.ours, self.theirs)
            self._pairs = self._found()
        for theirs, ours in self._pairs:
            theirs.write(ours.value)

    def _found(self) -> list[tuple[_Held, Any]]:
        optimizers = [model.optimizer for model in (self.theirs, self.ours)]
        if _lookups(self.ours) or not all(optimizer.built for optimizer in optimizers):
            return []
        theirs, ours = ([*m.weights, *m.optimizer.variables] for m in (self.theirs, self.ours))
        held = _held_by_tensorflow if required("keras", "tensorflow").backend.backend() == "tensorflow" else _held
        return list(zip(map(held, theirs), ours, strict=True))


class _Held(NamedTuple):
    """The numbers of a variable of Keras."""

    read: Callable[[], np.ndarray]
    write: Callable[[np.ndarray], Any]


def _held(variable: Any) -> _Held:
    return _Held(partial(np.asarray, variable), variable.assign)


def _held_by_tensorflow(variable: Any) -> _Held:
    """By TensorFlow's own operations, in a fifth of the time that the variable's methods take."""
    raw_ops = required("tensorflow", "tensorflow").raw_ops

    resource, dtype = variable.value.handle, variable.value.dtype
    assign = partial(raw_ops.AssignVariableOp, resource=resource)
    return _Held(
        read=lambda: raw_ops.ReadVariableOp(resource=resource, dtype=dtype).numpy(),
        write=lambda x: assign(value=np.array(x, dtype.as_numpy_dtype)),  # which takes the array itself, not a copy
    )


def _transfer_vocabularies(source: Any, target: Any) -> None:
    """Lookups learn their vocabularies, which are neither weights nor parts of a config."""
    theirs, ours = _lookups(target), _lookups(source)
    for name, lookup in ours.items():
        vocabulary = list(map(_plain, lookup.get_vocabulary()))
        if lookup.get_vocabulary(False) and list(map(_plain, theirs[name].get_vocabulary())) != vocabulary:
            weights = lookup.idf_weights if lookup.output_mode == "tf_idf" else None
            theirs[name].set_vocabulary(vocabulary, None if weights is None else weights.numpy()[: len(vocabulary)])


def _lookups(model: Any) -> dict[str, Any]:
    return {layer.name: layer for layer in model._flatten_layers() if hasattr(layer, "get_vocabulary")}


def _plain(token: Any) -> Any:
    return token.item() if isinstance(token, np.generic) else token


def _assign(sources: Sequence[Any], targets: Sequence[Any], what: str) -> None:
    """Both libraries' variables become arrays and take arrays in the same way."""
    if [tuple(v.shape) for v in sources] != [tuple(v.shape) for v in targets]:
        raise LaminaError(
            f"the {what} are {_shapes(sources)}, but those of its counterpart are {_shapes(targets)}; "
            "compile the model anew after layers were frozen or released"
        )
    for source, target in zip(sources, targets, strict=True):
        target.assign(np.asarray(source))


def _shapes(variables: Sequence[Any]) -> str:
    return ", ".join(f"{v.path} {tuple(v.shape)}" for v in variables)
