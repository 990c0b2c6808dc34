"""Dtype policies beside real Keras's, and what layers make of them."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest

import lamina
from lamina import backend, config, dtype_policies, layers, mixed_precision

NAMES = ["float32", "float64", "float16", "bfloat16", "mixed_float16", "mixed_bfloat16", "int32", "bool"]


@pytest.fixture(autouse=True)
def _fresh():
    config.clear_session()
    yield
    config._session.policy = None
    config.clear_session()


@pytest.mark.parametrize("name", NAMES)
def test_policies(name: str):
    ours, theirs = (library.DTypePolicy(name) for library in (lamina, keras))
    for part in ("name", "compute_dtype", "variable_dtype", "quantization_mode"):
        assert getattr(ours, part) == getattr(theirs, part)
    assert repr(ours) == repr(theirs)
    record = dtype_policies.serialize(ours)
    assert record == keras.dtype_policies.serialize(theirs)
    assert dtype_policies.deserialize(record) == dtype_policies.get(name) == dtype_policies.get(record) == ours
    assert dtype_policies.get(ours) is ours
    assert ours == dtype_policies.FloatDTypePolicy(name)


def test_maps():
    made = []
    for library in (dtype_policies, keras.dtype_policies):
        policies = library.DTypePolicyMap("float64", {"encoder/.*": library.DTypePolicy("bfloat16")})
        policies["head"] = library.DTypePolicy("float32")
        made.append(json.loads(json.dumps(library.serialize(policies))))
        assert [policies[path].name for path in ("encoder/a", "head", "x")] == ["bfloat16", "float32", "float64"]
        assert (len(policies), list(policies), "head" in policies) == (2, ["encoder/.*", "head"], True)
        with pytest.raises(ValueError, match="already exist"):
            policies["head"] = library.DTypePolicy("float64")
        policies["enc.*"] = library.DTypePolicy("float64")
        with pytest.raises(ValueError, match="matches multiple"):
            policies["encoder/a"]
    assert made[0] == made[1]
    assert dtype_policies.deserialize(made[0]).get_config().keys() == {"default_policy", "policy_map"}


@pytest.mark.parametrize("name", ["mixed_float16", "float16", "bfloat16"])
def test_a_layer_keeps_the_policy_and_computes_in_float32(name: str, tmp_path):
    with pytest.warns(UserWarning, match="computes in float32"):
        layer = layers.Dense(2, dtype=name)
    theirs = keras.layers.Dense(2, dtype=name)
    assert (layer.dtype_policy.name, layer.compute_dtype, layer.variable_dtype) == (
        theirs.dtype_policy.name, theirs.compute_dtype, theirs.variable_dtype)  # fmt: skip
    assert layer.get_config()["dtype"] == theirs.get_config()["dtype"]
    assert layer(np.ones((1, 3))).dtype == np.float32
    assert layer.dtype == layer.kernel.dtype == "float32"
    model = lamina.Sequential([lamina.Input((3,)), layer])  # the warning is said once
    model.save(tmp_path / "m.keras")
    assert lamina.load_model(tmp_path / "m.keras").layers[0].dtype_policy.name == name
    assert keras.saving.load_model(tmp_path / "m.keras").layers[0].dtype_policy.name == name


def test_the_policy_of_a_session():
    assert mixed_precision.global_policy().name == "float32"
    with pytest.warns(UserWarning, match="mixed_bfloat16"):
        mixed_precision.set_global_policy("mixed_bfloat16")
    assert layers.Dense(1).dtype_policy is config.dtype_policy()
    assert (layers.Dense(1).dtype, lamina.Input((2,)).dtype) == ("float32", "float32")
    config.set_dtype_policy(lamina.DTypePolicy("float64"))
    assert layers.Dense(1).dtype == "float64"


@pytest.mark.parametrize(
    ("mistake", "error", "message"),
    [
        (lambda: dtype_policies.get("float31"), ValueError, "Cannot convert 'float31'"),
        (lambda: dtype_policies.get(7), ValueError, "Cannot interpret `dtype` argument"),
        (lambda: config.set_dtype_policy(4), ValueError, "Invalid `policy` argument"),
        (lambda: layers.Dense(1, dtype="mixed_float32"), ValueError, "mixed_float32"),
        (lambda: backend.standardize_dtype("float31"), TypeError, "Invalid dtype: float31"),
    ],
)
def test_mistakes(mistake, error, message):
    with pytest.raises(error, match=message):
        mistake()


TYPES = ["bool", "int8", "uint8", "int32", "int64", "float16", "bfloat16", "float32", "float64", int, float]


@pytest.mark.parametrize("first", TYPES)
def test_result_types(first):
    for second in TYPES:
        assert backend.result_type(first, second) == keras.backend.result_type(first, second), (first, second)
    assert backend.result_type(first) == keras.backend.result_type(first)


def test_backend():
    assert not [name for name in dir(keras.backend) if not name.startswith("_") and not hasattr(backend, name)]
    for dtype in ("float32", "bfloat16", "int32", "uint8", "bool", int, float, None, np.float64):
        assert backend.standardize_dtype(dtype) == keras.backend.standardize_dtype(dtype)
        assert backend.is_float_dtype(dtype) == keras.backend.is_float_dtype(dtype)
        assert backend.is_int_dtype(dtype) == keras.backend.is_int_dtype(dtype)
    assert [backend.get_uid("dense") for _ in range(2)] == [1, 2]
    assert backend.is_keras_tensor(lamina.Input((1,)))
    assert not backend.is_keras_tensor(np.ones(1))


def test_mixed_precision_has_keras_names():
    missing = [n for n in dir(keras.mixed_precision) if not n.startswith("_") and not hasattr(mixed_precision, n)]
    assert not missing
