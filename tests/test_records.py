"""Records: objects come back as they were, and what a record may name is closed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import activations, initializers, losses, regularizers
from lamina.errors import ModelFileError, RecordError
from lamina.optimizers import Adam
from lamina.optimizers.schedules import ExponentialDecay
from lamina.records import shared_objects, shared_records
from lamina.registry import all_published, published
from lamina.saving import (
    custom_object_scope,
    deserialize_keras_object,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
    serialize_keras_object,
)

GLOROT = {"module": "keras.initializers", "class_name": "GlorotUniform", "config": {"seed": 1}, "registered_name": None}


def dense(**changes: Any) -> dict[str, Any]:
    record = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 2}, "registered_name": None}
    return {**record, **changes}


# -- there and back


@pytest.mark.parametrize("value", [None, True, 3, 2.5, "text", [1, [2, None]], {"a": {"b": [1.5]}}])
def test_plain_values_stay(value: object) -> None:
    assert serialize_keras_object(value) == value
    assert deserialize_keras_object(value) == value


def test_tuples_stay_tuples_until_they_are_json() -> None:
    assert serialize_keras_object((1, [(2,)])) == (1, [(2,)])
    assert deserialize_keras_object((1, [(2,)])) == (1, [(2,)])
    layer = lamina.layers.Softmax((1, 2))
    assert lamina.layers.Softmax.from_config(layer.get_config()).get_config() == layer.get_config()


def test_a_config_holds_arrays_as_records() -> None:
    layer = lamina.layers.Rescaling(np.array([1.0, 2.0]), offset=np.float32(0.5))
    config = layer.get_config()
    assert config["scale"] == {"class_name": "__numpy__", "config": {"value": [1.0, 2.0], "dtype": "float64"}}
    assert type(config["offset"]) is float
    np.testing.assert_array_equal(lamina.layers.Rescaling.from_config(config)(np.ones((1, 2))), [[1.5, 2.5]])


def test_numpy_numbers_become_plain() -> None:
    assert serialize_keras_object(np.float32(0.5)) == 0.5
    assert type(serialize_keras_object(np.float64(0.5))) is float
    assert type(serialize_keras_object(np.int64(3))) is int


@pytest.mark.parametrize("kind", ["float32", "float64", "int64", "bool"])
def test_arrays(kind: str) -> None:
    array = np.array([[0, 1], [1, 0]], kind)
    record = serialize_keras_object(array)
    assert record == {"class_name": "__numpy__", "config": {"value": array.tolist(), "dtype": kind}}
    back = deserialize_keras_object(record)
    assert back.dtype == array.dtype
    assert np.array_equal(back, array)


def test_an_object_in_an_object() -> None:
    record = serialize_keras_object(Adam(ExponentialDecay(0.1, 10, 0.9), beta_1=0.8))
    assert record["module"] == "keras.optimizers"
    assert list(record) == ["module", "class_name", "config", "registered_name"]
    assert record["config"]["learning_rate"]["module"] == "keras.optimizers.schedules"
    back = deserialize_keras_object(record)
    assert isinstance(back, Adam)
    assert back.beta_1 == 0.8
    assert serialize_keras_object(back) == record


def test_activations_are_written_by_name_and_other_functions_as_records() -> None:
    assert serialize_keras_object(activations.relu) == "relu"
    record = serialize_keras_object(losses.mean_squared_error)
    assert record == {
        "module": "builtins", "class_name": "function", "config": "mean_squared_error", "registered_name": "function"
    }  # fmt: skip
    assert deserialize_keras_object(record) is losses.mean_squared_error


def test_what_is_the_same_object_stays_the_same() -> None:
    penalty = regularizers.L2(0.1)
    first, second, third = shared_records([penalty, penalty, regularizers.L2(0.1)])
    assert first["shared_object_id"] == second["shared_object_id"]
    assert "shared_object_id" not in third
    one, two, three = shared_objects([first, second, third])
    assert one is two
    assert one is not three


def test_a_shared_id_of_keras_that_occurs_once_is_no_matter() -> None:
    assert deserialize_keras_object({**GLOROT, "shared_object_id": 139694991254480}).seed == 1


@pytest.mark.parametrize("entry", all_published(), ids=lambda entry: f"{entry.module}.{entry.name}")
def test_the_table_holds_classes_and_functions_of_lamina_alone(entry: Any) -> None:
    assert entry.thing.__module__.startswith("lamina.")
    assert callable(entry.thing)


def test_every_layer_has_its_place_in_the_table() -> None:
    classes = {x for x in vars(lamina.layers).values() if isinstance(x, type) and issubclass(x, lamina.layers.Layer)}
    assert not [cls.__name__ for cls in classes - {lamina.layers.Layer} if published(cls) is None]


# -- your own


@register_keras_serializable("mine", name="Scaled")
class MyInitializer:
    def __init__(self, scale: float):
        self.scale = scale

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None) -> np.ndarray:
        return np.full(shape, self.scale, dtype)

    def get_config(self) -> dict[str, Any]:
        return {"scale": self.scale}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MyInitializer:
        return cls(**config)


@register_keras_serializable("mine")
def my_loss(y_true: Any, y_pred: Any) -> Any:
    return y_true - y_pred


def test_registered_things_are_found_by_their_names() -> None:
    assert get_registered_name(MyInitializer) == "mine>Scaled"
    assert get_registered_name(losses.Huber) == "Huber"
    assert get_registered_object("mine>Scaled") is MyInitializer
    assert get_registered_object("mine>Other") is None
    assert get_custom_objects()["mine>my_loss"] is my_loss


def test_registered_class_there_and_back() -> None:
    record = serialize_keras_object(MyInitializer(3.0))
    assert record == {
        "module": __name__, "class_name": "MyInitializer", "config": {"scale": 3.0}, "registered_name": "mine>Scaled"
    }  # fmt: skip
    assert deserialize_keras_object(record).scale == 3.0


def test_registered_function_there_and_back() -> None:
    record = serialize_keras_object(my_loss)
    assert record["config"] == "mine>my_loss"
    assert deserialize_keras_object(record) is my_loss


def test_custom_objects_for_what_is_not_registered() -> None:
    def other(y_true: Any, y_pred: Any) -> Any:
        return y_true

    record = serialize_keras_object(other)
    assert deserialize_keras_object(record, custom_objects={"other": other}) is other
    with custom_object_scope({"other": other}):
        assert deserialize_keras_object(record) is other
    with pytest.raises(RecordError, match=r"Could not locate function 'other'.*custom_objects"):
        deserialize_keras_object(record)


def test_a_class_needs_get_config_to_be_registered() -> None:
    with pytest.raises(ValueError, match="get_config"):
        register_keras_serializable()(type("Bare", (), {}))


# -- what cannot be written


@pytest.mark.parametrize("thing", [lambda x: x, object(), {1, 2}, open])
def test_what_cannot_be_written_is_refused(thing: object) -> None:
    with pytest.raises(RecordError):
        serialize_keras_object(thing)


# -- what a file may not do

FUNCTION = {"class_name": "function", "registered_name": "function"}
HOSTILE = [
    ({"class_name": "__lambda__", "config": {"value": "4wEAAAAAAAAAAAAAAAEAAAABAAAAAwAA"}}, "never runs code"),
    (dense(class_name="Lambda", config={"function": {"class_name": "__lambda__", "config": {}}}), "never runs code"),
    (dense(class_name="Lambda", config={"function": "relu"}), "needs a function, got 'relu'"),
    (dense(class_name="Lambda", config={"function": {**FUNCTION, "config": "eval"}}), "Could not locate function"),
    (dense(module="keras.src.layers.core.lambda_layer", class_name="Lambda"), "no class keras.src"),
    (
        {"class_name": "__typespec__", "spec_name": "TensorSpec", "module": "tensorflow", "config": []},
        "TensorFlow type",
    ),
    ({**FUNCTION, "module": "os", "config": "system"}, "Could not locate function 'system'"),
    ({**FUNCTION, "module": "builtins", "config": "eval"}, "Could not locate function 'eval'"),
    ({**FUNCTION, "module": "builtins", "config": "Dense"}, "Could not locate function 'Dense'"),
    ({**FUNCTION, "module": "keras.utils", "config": "get_file"}, "no function keras.utils.get_file"),
    ({**FUNCTION, "module": "keras.config", "config": "enable_unsafe_deserialization"}, "no function"),
    ({**FUNCTION, "module": None, "config": "relu"}, "Could not locate"),
    ({**FUNCTION, "module": "builtins", "config": {"a": 1}}, "not a name"),
    (dense(module="subprocess", class_name="Popen", config={"args": ["true"]}), "Could not locate class 'Popen'"),
    (dense(module="lamina.layers", class_name="Dense"), "Could not locate class 'Dense'"),
    (dense(module="keras.layers", class_name="Conv2D"), r"Lamina has no class keras\.layers\.Conv2D"),
    (dense(module="keras.layers", class_name="TFSMLayer", config={"filepath": "/etc"}), "has no class"),
    (dense(module="keras.layers", class_name="TorchModuleWrapper"), "has no class"),
    (dense(module="keras.layers", class_name="StringLookup", config={"vocabulary": "/etc/passwd"}), "never opened"),
    (dense(module="keras.activations", class_name="relu"), "class"),
    (dense(module=["keras"], class_name="Dense"), "class"),
    (dense(class_name=["Dense"]), "not a name"),
    ({"class_name": "Dense", "config": {"units": 2}}, "does not say its module"),
    (dense(registered_name="mine>Scaled"), "not replaced by a file"),
    (dense(module=None, class_name="Dense", registered_name="Dense"), "Could not locate class 'Dense'"),
    (dense(module=None, registered_name=["a"]), "Could not locate"),
    (dense(config=[1]), "must be an object"),
    (dense(config={"units": 2, "no_such_argument": 1}), "Dense: .*no_such_argument"),
    (dense(config={"units": -1, "name": "d"}), "Dense 'd': "),
    (dense(config={"units": 2, "kernel_initializer": {**GLOROT, "module": "os"}}), "Dense: .*GlorotUniform"),
    (
        dense(
            config={
                "units": 2,
                "dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "mixed_float31"}},
            }
        ),
        "mixed_float31",
    ),
    ({"class_name": "__numpy__", "config": {"value": [1], "dtype": "object"}}, "dtype 'object'"),
    ({"class_name": "__numpy__", "config": {"value": [1], "dtype": "O,f4"}}, "dtype"),
    ({"class_name": "__numpy__", "config": {"value": ["x"], "dtype": "float32"}}, "no array"),
    ({"class_name": "__numpy__", "config": {"value": [[1], [1, 2]], "dtype": "float32"}}, "no array"),
    ({"class_name": "__tensor__", "config": []}, "must be an object"),
    (
        {
            "module": "keras.metrics",
            "class_name": "AUC",
            "config": {"num_thresholds": 1 << 40},
            "registered_name": None,
        },
        "num_thresholds",
    ),
]


@pytest.mark.parametrize(("record", "message"), HOSTILE, ids=range(len(HOSTILE)))
def test_refuses(record: dict[str, Any], message: str) -> None:
    with pytest.raises(RecordError, match=message) as caught:
        deserialize_keras_object(record)
    assert isinstance(caught.value, ModelFileError)
    assert isinstance(caught.value, TypeError)  # as Keras raises


@pytest.mark.parametrize("safe_mode", [True, False])
def test_a_lambda_is_refused_in_any_mode(safe_mode: bool) -> None:
    with pytest.raises(RecordError, match="never runs code"):
        deserialize_keras_object(HOSTILE[0][0], safe_mode=safe_mode)


def test_a_name_in_custom_objects_does_not_replace_a_built_in_class() -> None:
    made = deserialize_keras_object(GLOROT, custom_objects={"GlorotUniform": MyInitializer})
    assert isinstance(made, initializers.GlorotUniform)


def test_dense_is_made() -> None:
    made = deserialize_keras_object(dense(config={"units": 2, "kernel_initializer": GLOROT, "activation": "relu"}))
    assert isinstance(made, lamina.layers.Dense)
    assert made.kernel_initializer.seed == 1
