"""Every layer between Inputs and a Dense, saved by Keras or Lamina and loaded by both: the same answers."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import lamina
from cases_layers import CASES, Case

# Flatten ends the masks of layers that make some, and says so.
pytestmark = pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask")


def model_of(api: ModuleType, case: Case) -> Any:
    inputs = [api.Input(shape, dtype=case.kind or "float32") for shape in case.shapes]
    joined = inputs if len(inputs) > 1 else inputs[0]
    x = case.make(api)(joined)
    return api.Model(joined, api.layers.Dense(1)(api.layers.Flatten()(x)))


def tensors(case: Case) -> Any:
    """The inputs; text as TensorFlow's, since Keras takes no other here."""
    x = case.inputs("float32")
    return tf.nest.map_structure(tf.constant, x) if case.words else x


def plain(record: Any) -> Any:
    """A record as it comes back from JSON, without the numbers that mark shared objects; Keras rounds some factors."""
    if isinstance(record, dict):
        return {key: plain(value) for key, value in record.items() if key != "shared_object_id"}
    if isinstance(record, list | tuple):
        return [plain(part) for part in record]
    record = "int32" if record == "int64" else record  # here whole numbers have 32 bits
    return pytest.approx(record) if isinstance(record, float) else record


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_the_same_records_and_paths(case: Case) -> None:
    models = []
    for k in (keras, lamina):
        k.utils.clear_session()
        models.append(model_of(k, case))
    theirs, ours = (plain(k.saving.serialize_keras_object(m)) for k, m in zip((keras, lamina), models, strict=True))
    assert ours["config"]["layers"] == theirs["config"]["layers"]
    assert [v.path for v in models[1].weights] == [v.path for v in models[0].weights]
    theirs, ours = ([plain(layer.get_config()) for layer in m.layers] for m in models)
    assert ours == theirs


@pytest.mark.parametrize(("writer", "reader"), [(keras, lamina), (lamina, keras)], ids=["from Keras", "to Keras"])
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_the_same_answers(case: Case, writer: ModuleType, reader: ModuleType, tmp_path: Path) -> None:
    written, path, x = model_of(writer, case), tmp_path / "model.keras", tensors(case)
    rng = np.random.default_rng(5)
    written.set_weights([rng.uniform(0.5, 1.5, w.shape).astype(w.dtype) for w in written.get_weights()])
    written.save(path)
    expected, found = (api.saving.load_model(path).predict(x, verbose=0) for api in (writer, reader))
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-6)
