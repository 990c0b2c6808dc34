"""Nodes: shapes, dtypes, operators and the errors that name what went wrong where."""

from __future__ import annotations

import numpy as np
import pytest

from lamina.errors import DtypeError, GraphError, ShapeError
from lamina.graph import express as e
from lamina.graph.check import check
from lamina.graph.node import Graph, Node, constant, label, leaf, walk
from lamina.graph.show import show
from lamina.lower.to_numpy import NumpyExecutable


def x(*shape, dtype="float32", name="x") -> Node:
    return leaf("input", shape, dtype, name=name)


@pytest.mark.parametrize(
    ("build", "shape"),
    [
        (lambda: x(None, 3) + x(3), (None, 3)),
        (lambda: x(None, 1) * x(4), (None, 4)),
        (lambda: e.matmul(x(None, 2, 3), x(3, 5)), (None, 2, 5)),
        (lambda: e.sum(x(None, 2, 3), (0, 2)), (2,)),
        (lambda: e.sum(x(None, 2, 3), 1, keepdims=True), (None, 1, 3)),
        (lambda: e.reshape(x(None, 2, 3), (-1, 6)), (None, 6)),
        (lambda: e.reshape(x(None, 6), (None, 2, -1)), (None, 2, 3)),
        (lambda: e.concatenate([x(None, 2), x(None, 3)]), (None, 5)),
        (lambda: e.transpose(x(2, 3)), (3, 2)),
        (lambda: e.take(x(10, 4), x(None, 3, dtype="int32")), (None, 3, 4)),
        (lambda: e.expand_dims(x(None, 3), 1), (None, 1, 3)),
        (lambda: e.argmax(x(None, 3)), (None,)),
        (lambda: e.mean(x(None, 3)), ()),
    ],
)
def test_shapes(build, shape):
    assert build().shape == shape


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: x(None, 3) + x(4), r"\(None, 3\) and \(4,\) cannot be combined"),
        (lambda: e.matmul(x(None, 3), x(4, 2)), r"axes \(1,\) of \(None, 3\) and \(0,\) of \(4, 2\)"),
        (lambda: e.reshape(x(None, 6), (None, 4)), r"cannot reshape \(None, 6\) to \(None, 4\)"),
        (lambda: e.reshape(x(None, 6), (None, -1, 4)), r"the sizes do not divide"),
        (lambda: e.concatenate([x(None, 2), x(None, 2, 1)]), "different ranks"),
        (lambda: e.concatenate([x(None, 2), x(3)], 0), "different ranks"),
        (lambda: e.concatenate([x(2, 2), x(2, 3)], 0), "all other axes must agree"),
        (lambda: e.sum(x(None, 3), 2), "axis 2 is out of range for an array of rank 2"),
        (lambda: e.squeeze(x(None, 3)), "cannot squeeze axis -1"),
        (lambda: e.slice_axis(x(None, 3), 1, 2, 5), "does not fit"),
    ],
)
def test_shape_errors(build, message):
    with pytest.raises(ShapeError, match=message):
        build()


def test_an_error_names_the_layer():
    with (
        pytest.raises(ShapeError, match=r"^layer 'dense_1' \(tensordot\): a product sums over"),
        label("layer 'dense_1'"),
    ):
        e.matmul(x(None, 3), x(4, 2))


def test_numbers_take_the_type_they_meet():
    assert (x(None, dtype="float64") * 2).dtype == "float64"
    assert (2.0 - x(None, dtype="int32")).dtype == "float32"
    assert (x(None, dtype="int32") + 1).dtype == "int32"
    assert (x(None) + np.arange(3.0)[:1]).dtype == "float32"


def test_integers_meet_floats_by_a_visible_cast():
    node = x(None) + x(None, dtype="int32", name="i")
    assert node.inputs[1].op == "cast"


def test_floats_of_two_widths_are_never_mixed_in_silence():
    with pytest.raises(DtypeError, match="float32 meets float64"):
        x(None) + x(None, dtype="float64", name="y")


def test_a_node_is_immutable_and_has_no_numbers_yet():
    node = x(None, 3)
    with pytest.raises(AttributeError, match="immutable"):
        node.shape = (1,)
    with pytest.raises(GraphError, match=r"ops\.where"):
        bool(node > 0)
    with pytest.raises(GraphError, match=r"lamina\.ops"):
        np.asarray(node)
    with pytest.raises(GraphError, match="cannot be iterated"):
        list(node)


T = np.arange(24.0).reshape(2, 3, 4)
KEYS = [
    0, -1, (0, 1), (slice(None), 1), (slice(1, None), slice(None, -1)), (..., 2), (..., slice(1, 3)), (None, 0),
    (slice(None), None, 1), (slice(2, 1),), (), ..., slice(None), (0, ..., None), (..., slice(None, None, 2)),
    (slice(None, None, -1), slice(2, None, -2)), (0, slice(None, None, -1), None), (slice(3, 1, 2),),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_index_as_in_numpy(key):
    node = constant(T, "float64")[key]
    run = NumpyExecutable(Graph({"v": node})).step({}, {}, 0, 0)["v"]
    assert node.shape == run.shape == T[key].shape
    assert (run == T[key]).all()


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ((slice(None), 4), "cannot be indexed with 4"),
        ((slice(None), [0, 1]), "use ops.take"),
        (0, "is the batch: take it whole"),
        ((slice(None), 0, 0, 0), "does not fit an array of shape"),
    ],
)
def test_an_index_that_does_not_fit(key, message: str):
    assert x(None, 4, 3)[:, 0].shape == (None, 3)
    with pytest.raises(ShapeError, match=message):
        x(None, 4, 3)[key]


def test_matrix_product_by_its_sign():
    assert (x(None, 3) @ x(3, 2, name="w")).shape == (None, 2)
    assert (np.ones((2, 3), "float32") @ x(3, 2, name="w")).shape == (2, 2)


def test_whole_numbers_beyond_int32_are_refused():
    with pytest.raises(DtypeError, match="kept as int32, got 0 to 4294967296"):
        constant(np.array([0, 2**32]))


def test_walk_gives_inputs_before_users_once_each():
    a = x(None, 3)
    b = a * a
    order = walk([b + a, b])
    assert order == sorted(order, key=order.index)
    assert len(order) == len(set(order)) == 3
    assert order.index(a) < order.index(b)


def test_a_deep_graph_needs_no_recursion():
    node = x(None)
    for _ in range(20_000):
        node = node + 1.0
    assert len(walk([node])) == 40_001


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (lambda: Graph({"y": e.exp(x(3)) + e.cast(x(3, dtype="float64", name="z"), "float32")}), "one float type"),
        (lambda: Graph({"y": e.sum(x(None, 3)) + e.sum(x(None, 4))}), "input 'x' is used as"),
        (lambda: Graph({}, ((x(3), constant(np.zeros(3), "float32")),)), "not a variable"),
        (lambda: Graph({}, ((window(2, 0), constant(np.zeros(3), "float32")),)), "new value of"),
        (
            lambda: Graph({}, tuple((window(2, at), constant(np.zeros(2), "float32")) for at in (0, 1))),
            "two updates write to the same numbers of buffer 'w' at 1",
        ),
        (lambda: Graph({"y": Node("fly", (), {}, (), "float32")}), "fly is not an operation"),
        (lambda: Graph({"y": Node("exp", (), {}, (), "float32")}), "exp takes 1 inputs, got 0"),
    ],
)
def test_illegal_graphs(graph, message):
    with pytest.raises(GraphError, match=message):
        check(graph())


def window(size: int, offset: int) -> Node:
    return leaf("variable", (size,), "float32", buffer="w", offset=offset)


def test_show_is_readable():
    w = window(3, 0)
    with label("layer 'dense'"):
        z = e.sum(x(None, 3) * w, -1)
    assert show(Graph({"z": z}, ((w, w * 0.5),))) == (
        "%0 = input(name=x)  float32[B, 3]  # layer 'dense'\n"
        "%1 = variable(buffer=w, offset=0)  float32[3]\n"
        "%2 = multiply(%0, %1)  float32[B, 3]  # layer 'dense'\n"
        "%3 = sum(%2, axes=(1,), keepdims=False)  float32[B]  # layer 'dense'\n"
        "%4 = constant(value=0.5)  float32[]\n"
        "%5 = multiply(%1, %4)  float32[3]\n"
        "return z = %3\n"
        "update %1 := %5"
    )
