"""Functions of ops as steps of functional models: recorded, written and read as real Keras does."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest

import lamina
from cases import FUNCTIONS, Function
from lamina.layers.operation import FUNCTIONS as STEPS

# Keras cannot take multi_hot in a functional model, and writes the session's float type into one_hot's config.
OTHERWISE = {"multi_hot", "one_hot"}
STEP_CASES = [case for case in FUNCTIONS if case.name in {*STEPS} - OTHERWISE and any(isinstance(x, np.ndarray) for x in
              (case.inputs[0] if isinstance(case.inputs[0], list) else case.inputs))]  # fmt: skip


def _symbols(library, x):
    """The arrays of a case as KerasTensors."""
    if isinstance(x, list) and x and isinstance(x[0], np.ndarray):
        return [_symbols(library, part) for part in x]
    kinds = {"f": "float32", "i": "int32", "b": "bool"}
    return library.KerasTensor(x.shape, kinds[x.dtype.kind]) if isinstance(x, np.ndarray) else x


def _recorded(library, case: Function):
    """(what came out, the operation's record)."""
    function = getattr(library.ops, case.name)
    made = function(*(_symbols(library, x) for x in case.inputs), **case.arguments)
    made = list(made) if isinstance(made, list | tuple) else [made]
    step = made[0]._keras_history.operation
    record = json.loads(json.dumps(library.saving.serialize_keras_object(step)))
    call = step._inbound_nodes[0]
    call = call.arguments if library is keras else call
    given = [x for x in [*call.args, *call.kwargs.values()] if x is not None]
    return made, record, [x for x in given if not isinstance(x, library.KerasTensor | list)]


@pytest.mark.parametrize("case", STEP_CASES, ids=lambda c: c.name)
def test_a_step_is_recorded_as_in_keras(case: Function):
    keras.utils.clear_session(free_memory=False)
    lamina.config.clear_session()
    theirs, ours = _recorded(keras, case), _recorded(lamina, case)
    assert [tuple(x.shape) for x in ours[0]] == [tuple(x.shape) for x in theirs[0]]
    assert [x.dtype for x in ours[0]] == [x.dtype.replace("int64", "int32") for x in theirs[0]]
    assert ours[1] == theirs[1]
    assert ours[2] == theirs[2]


WHOLE, WIDE, TRUTH = np.array([3, -1, 2], "int32"), np.array([3, -1, 2]), np.array([True, False, True])
HALVES = np.array([2.5, -1.0, 0.1])

# the element types of results hang on those of what is given
TYPED = [
    *((name, (x,)) for name in "i0 cbrt deg2rad rad2deg median nanmedian sort relu relu6".split()
      for x in (WHOLE, WIDE, [3, 1, 2])),
    *((name, pair) for name in "hypot heaviside arctan2 logaddexp logaddexp2 fmax fmin isclose divide_no_nan".split()
      for pair in ((WHOLE, WHOLE), (HALVES, WHOLE), (WHOLE, HALVES), (HALVES, 0.1), (2, HALVES))),
    *((name, (WHOLE, TRUTH)) for name in ("fmax", "fmin")),
    *((name, (WIDE, TRUTH)) for name in ("hypot", "heaviside")),
    *((name, (TRUTH,)) for name in ("min", "amin", "max")),
    *((name, (WHOLE, WHOLE)) for name in "dot inner matmul vdot".split()),
    ("matmul", (np.array([[2**24 + 1]], "int32"), np.array([[1]], "int32"))),
    *(("norm", (np.arange(12.0).reshape(3, 4), order)) for order in (2, -2, "nuc")),
    ("round", (WHOLE * 13, -1)),
    *(("pad", (HALVES, ((1, 2),), "constant", value)) for value in (np.inf, -1e30, 3.5)),
    ("pad", (WHOLE, ((1, 2),), "constant", 3)),
    ("clip", (HALVES, HALVES * 0.5, np.array([2.0, 3.0, 1.0]))),
    ("bincount", (np.array([[1, 3, 1], [0, 0, 2]], "int32"),)),
    ("bincount", (np.array([[1, 3, 1], [0, 0, 2]], "int32"), None, 6)),
    ("sparse_categorical_crossentropy", (np.array([[1], [0]]), np.array([[0.2, 0.8], [0.4, 0.6]], "float32"))),
    ("rms_normalization", (np.array([[0.2, 0.8]], "float32"), 2.0)),
    ("min", (np.array([-(2**31), 5], "int32"),)),
    ("argmin", (np.array([-(2**31), 5], "int32"),)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "inputs"), TYPED)
def test_numbers_have_the_types_of_keras(name: str, inputs):
    theirs = np.asarray(getattr(keras.ops, name)(*inputs))
    ours = getattr(lamina.ops, name)(*inputs)
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", ["relu", "relu6"])
def test_whole_numbers_stay_whole_in_a_model(name: str):
    x = lamina.Input((3,), dtype="int32")
    made = lamina.Model(x, getattr(lamina.ops, name)(x))(WHOLE[None])
    assert (made.dtype, made.tolist()) == ("int32", [[3, 0, 2]])


@pytest.mark.parametrize("name", ["convert_to_numpy", "convert_to_tensor", "view", "copy"])
def test_what_was_read_of_a_variable_does_not_change_later(name: str):
    variable = lamina.Variable([1.0, 2.0])
    read = getattr(lamina.ops, name)(variable)
    variable.assign([5.0, 6.0])
    assert read.tolist() == [1.0, 2.0]


def test_a_model_with_steps_goes_to_keras_and_back(tmp_path):
    x = lamina.Input((6,), name="x")
    dense = lamina.layers.Dense(4)(x)
    left, right = lamina.ops.split(x, 2, axis=1)
    rest = lamina.activations.relu(dense[:, :2])
    joined = lamina.ops.concatenate([dense * 2, 1.0 - dense[:, 1:3], left / right, rest], -1)
    joined = joined @ np.eye(11, 5, dtype="float32")
    model = lamina.Model(x, [joined[..., None, 2:], lamina.ops.where(x > 0.5, lamina.activations.mish(x), 0.0)])
    path, data = tmp_path / "m.keras", np.random.default_rng(1).uniform(0.1, 1, (3, 6)).astype("float32")
    model.save(path)
    theirs = keras.saving.load_model(path)
    theirs.save(path)
    back = lamina.load_model(path)
    for ours, other, again in zip(model(data), theirs(data), back(data), strict=True):
        np.testing.assert_allclose(np.asarray(other), ours, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(again, ours)
    assert [type(step).__name__ for step in back.operations] == [type(step).__name__ for step in theirs.operations]
    lines = ([], [])
    model.summary(print_fn=lines[0].append)
    theirs.summary(print_fn=lines[1].append)
    for each, printed in zip((model, theirs), lines, strict=True):
        each.summary(print_fn=printed.append, positions=[0.3, 0.5, 0.7, 0.9, 1.0], show_trainable=True)
    assert lines[0][1] == lines[1][1]
    assert lines[0][0] == lines[1][0]
