"""Names: what a string, a record, a class or a thing stands for, and what is said where there is nothing."""

from __future__ import annotations

import pytest

from lamina import constraints, initializers, losses, naming, regularizers
from lamina.registry import custom_object_scope, register_keras_serializable

TABLE = naming.names_of(regularizers.L1L2, regularizers.Regularizer)


def test_lookup_takes_names_classes_records_and_things():
    kind = regularizers.L1L2
    assert naming.lookup("part", TABLE, None) is None
    assert isinstance(naming.lookup("part", TABLE, "l1l2"), kind)
    assert isinstance(naming.lookup("part", TABLE, kind), kind)
    assert naming.lookup("part", TABLE, {"class_name": "L1L2", "config": {"l2": 5.0}}).l2 == 5.0
    assert naming.lookup("part", {"f": len}, {"class_name": "function", "config": "f"}) is len
    assert naming.lookup("part", {"part": len}, "part") is len
    assert naming.lookup("part", TABLE, len) is len


@pytest.mark.parametrize("wrong", ["l1l", 7, {"class_name": "L1l", "config": {}}, {"config": {"a": 1}}])
def test_what_cannot_be_found_is_named(wrong: object):
    with pytest.raises(ValueError, match="Could not interpret part identifier"):
        naming.lookup("part", TABLE, wrong)


def test_a_near_name_is_suggested():
    with pytest.raises(ValueError, match=r"did you mean '[Rr]egularizer' or '[Rr]egularizer'"):
        naming.lookup("part", TABLE, "Regularizers")


def ramp(shape, dtype=None): ...


def test_what_the_user_registered_is_found_by_name():
    register_keras_serializable("naming")(ramp)
    assert initializers.get("naming>ramp") is ramp
    assert initializers.get(initializers.serialize(ramp)) is ramp
    with custom_object_scope({"Ramp": ramp, "l2": ramp}):
        assert initializers.get("Ramp") is ramp
        assert isinstance(regularizers.get("l2"), regularizers.L2)  # Lamina's own names stay


def test_a_record_with_a_module_is_read_in_full():
    record = regularizers.serialize(regularizers.L2(0.5))
    assert regularizers.get(record).l2 == 0.5
    with pytest.raises(ValueError, match="Could not locate class 'L2'"):
        regularizers.get(record | {"module": "mine", "registered_name": "mine>L2"})


def test_deserialize_takes_names_records_and_custom_objects():
    assert regularizers.deserialize(None) is None
    assert regularizers.deserialize({"class_name": "L1", "config": {"l1": 0.2}}).l1 == 0.2
    assert isinstance(constraints.deserialize("non_neg"), constraints.NonNeg)
    assert losses.deserialize(losses.serialize(losses.huber)) is losses.huber
    assert losses.deserialize(losses.serialize(ramp), {"naming>ramp": test_what_the_user_registered_is_found_by_name})


@pytest.mark.parametrize("name", ["ctc", "CTC"])
def test_what_keras_has_and_lamina_has_not_is_refused_with_the_reason(name: str):
    with pytest.raises(ValueError, match="identifier: '(ctc|CTC)'; it aligns sequences"):
        losses.get(name)
    with pytest.raises(AttributeError, match="it aligns sequences"):
        getattr(losses, name)
    with pytest.raises(AttributeError, match="no attribute 'stft': it makes the kernels of a Fourier"):
        initializers.stft  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'nothing'$"):
        losses.nothing  # noqa: B018
