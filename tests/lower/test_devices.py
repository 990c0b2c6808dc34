"""The jax and tensorflow targets against the readable reference: operations, trainings, masks to the bit, errors.

What every target must do is tested elsewhere, by whatever takes ``target``: ``--targets=jax,tensorflow`` runs that.
"""

from __future__ import annotations

import sys

import numpy as np
import pytest
from networks import network, trained

from cases_ops import CASES, ROWS, Case, Graph, bind, inputs, name_of, numbers
from lamina import engine, layers, models, optimizers, utils
from lamina.errors import MissingLibraryError
from lamina.graph import express as e
from lamina.graph import functions as f
from lamina.graph.node import Node, leaf
from lamina.lower.device import DeviceExecutable, parts
from lamina.lower.to_numpy import NumpyExecutable

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
RUN = {"float32": 1e-4, "float64": 1e-11}  # after two epochs
LIBRARIES = ["jax", "tensorflow"]
pytestmark = pytest.mark.parametrize("library", LIBRARIES)


def renamed(case: Case, number: int, dtype: str) -> list[Node]:
    """A case's inputs with names of their own."""
    attribute = {"input": "name", "variable": "buffer"}
    return [
        Node(x.op, (), {**x.attrs, attribute[x.op]: f"{number}-{x.attrs[attribute[x.op]]}"}, x.shape, x.dtype)
        for x in inputs(case, dtype)
    ]


def test_every_operation_is_the_reference(library: str):
    """All cases in one graph: compiling is what takes time."""
    dtype = "float32"
    outputs, data, state = {}, {}, {}
    for i, case in enumerate(CASES):
        outputs[f"{i}-{name_of(case)}"] = case.build(*renamed(case, i, dtype))
        for all_of_them, arrays in zip((data, state), bind(case, numbers(case, dtype)), strict=True):
            all_of_them |= {f"{i}-{name}": array for name, array in arrays.items()}
    graph = Graph(outputs)
    expected, found = (
        target.run(data, state, rows=ROWS, batch_size=ROWS)
        for target in (NumpyExecutable(graph), engine.TARGETS[library](graph, 1))
    )
    for name, values in expected.items():
        assert (found[name].shape, found[name].dtype) == (values.shape, values.dtype), name
        scale = TOLERANCE[dtype] * float(np.max(np.abs(values), initial=1e-30))
        np.testing.assert_allclose(found[name], values, rtol=TOLERANCE[dtype], atol=scale, err_msg=name)


def test_training_is_the_reference(library: str):
    """Adam, dropout, batch statistics, a short last batch, an order of the rows."""
    dtype = "float64"
    graph, state = network(dtype)
    expected, out = trained(NumpyExecutable(graph), state, dtype)
    found, device_out = trained(engine.TARGETS[library](graph, 1), state, dtype)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=RUN[dtype], atol=RUN[dtype])
    np.testing.assert_allclose(device_out["p"], out["p"], rtol=RUN[dtype])


def test_masks_are_the_same_bits(library: str):
    x, drawn = leaf("input", (None, 5), "float32", name="x"), leaf("random", (None, 3), "float32", stream=1)
    graph = Graph({"kept": f.dropout(x, 0.5, stream=2**40 + 7), "drawn": drawn})
    how = {"rows": 100, "batch_size": 32, "step": 2**33}
    expected, found = (
        engine.compile(graph, target).run({"x": np.ones((100, 5), "float32")}, {}, **how)
        for target in ("numpy", library)
    )
    assert {name: array.tobytes() for name, array in found.items()} == {
        name: array.tobytes() for name, array in expected.items()
    }


def lookup(rows: int | None = 4) -> Graph:
    table = leaf("variable", (rows, 2), "float32", buffer="table", offset=0)
    ids = leaf("input", (None,), "int32", name="ids")
    return Graph({"y": e.take(table, ids)}, ((table, table + 1.0),))


def test_an_index_outside_its_table_is_named_and_nothing_changes(library: str):
    state, ids = {"table": np.zeros(8, "float32")}, np.array([0, -4, 3, 4], "int32")
    with pytest.raises(IndexError, match=r"row 1: index is 4, expected -4\.\.3"):
        engine.compile(lookup(), library).run({"ids": ids}, state, rows=4, batch_size=2)
    assert not state["table"].any()
    engine.compile(lookup(), library).run({"ids": ids[:3]}, state, rows=3, batch_size=2)
    assert (state["table"] == 2).all()


def model(library: str, dtype: str) -> models.Sequential:
    utils.set_random_seed(4)
    built = models.Sequential(
        [
            layers.Dense(7, activation="gelu", dtype=dtype),
            layers.BatchNormalization(dtype=dtype),
            layers.Dropout(0.3, dtype=dtype),
            layers.Dense(3, activation="softmax", dtype=dtype),
        ]
    )
    built.compile(optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"], target=library)
    return built


def test_a_fit_with_everything_around_it(library: str):
    dtype = "float32"
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 4)).astype(dtype), rng.integers(0, 3, 50)
    results = []
    for target in ("numpy", library):
        made = model(target, dtype)
        history = made.fit(x, y, batch_size=16, epochs=3, validation_split=0.2, verbose=0).history
        answers = made.predict(x, verbose=0), made.evaluate(x, y, verbose=0)
        results.append([*history.values(), *made.get_weights(), *answers])
    for expected, found in zip(*results, strict=True):
        np.testing.assert_allclose(found, expected, rtol=RUN[dtype] * 10, atol=RUN[dtype] * 10)


def test_a_library_that_is_not_there_is_named_with_its_extra(library: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingLibraryError, match=rf"pip install 'lamina\[{library}\]'"):
        engine.compile(lookup(), library)


def test_one_program_serves_any_number_of_batches(library: str):
    """Progress lines cut an epoch into pieces of any length; that must not compile anew."""
    executable = engine.compile(lookup(), library)
    assert isinstance(executable, DeviceExecutable)
    state = {"table": np.zeros(8, "float32")}
    for stop in (4, 8, 6):
        executable.run({"ids": np.zeros(8, "int32")}, state, rows=8, batch_size=2, stop=stop)
    assert len(executable._loops) == 1
    assert (state["table"] == 2 + 4 + 3).all()


def test_parts(library: str):
    assert parts(3, 10, 3) == [(3, 2, 3), (9, 1, 1)]
    assert parts(0, 2, 5) == [(0, 1, 2)]
    assert parts(0, 4, 2) == [(0, 2, 2)]
    assert parts(4, 4, 2) == []


def test_the_users_settings_stay(library: str):
    state, ids = {"table": np.zeros(8, "float32")}, {"ids": np.zeros(2, "int32")}
    engine.compile(lookup(), library).run(ids, state, rows=2, batch_size=2)
    if library == "jax":
        import jax

        assert not jax.config.jax_enable_x64
        assert jax.numpy.ones(2).dtype == "float32"
