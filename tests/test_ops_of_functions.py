"""Functions of ops that take functions, those whose results are known by a law, and what is left out."""

from __future__ import annotations

import inspect

import keras
import numpy as np
import pytest

from lamina import ops
from lamina.engine import compile
from lamina.errors import GraphError, ShapeError
from lamina.graph.node import Graph, Node, leaf
from lamina.trace import Trace
from lamina.variables import Variable

X = np.random.default_rng(5).uniform(-2, 2, (4, 3)).astype("float32")
SPD = (X.T @ X + np.eye(3, dtype="float32")).astype("float32")

# name → a use of a function that takes functions; it works on arrays and on nodes, here and in Keras
USES = {
    "cond": lambda o, x: o.cond(o.sum(x) > 0, lambda: x * 2.0, lambda: x - 1.0),
    "cond of a structure": lambda o, x: o.cond(x[0, 0] > 9, lambda: [x, x * 2.0], lambda: [x * 3.0, x])[0],
    "switch": lambda o, x: o.switch(1, [lambda v: v, lambda v: v * 2.0, lambda v: v * 3.0], x),
    "fori_loop": lambda o, x: o.fori_loop(0, 3, lambda i, v: v * 2.0 + x, x),
    "while_loop": lambda o, x: o.while_loop(lambda v: o.max(v) < 30.0, lambda v: v * 2.0, x, maximum_iterations=10),
    "map": lambda o, x: o.map(lambda row: row / o.sum(o.abs(row)), x),
    "vectorized_map": lambda o, x: o.vectorized_map(lambda row: row * 2.0, x),
    "scan": lambda o, x: o.scan(lambda c, row: (c + row, c * row), x[0], x)[1],
    "scan backwards": lambda o, x: o.scan(lambda c, row: (c + row, c + row), x[0], x, reverse=True)[1],
    "associative_scan": lambda o, x: o.associative_scan(lambda a, b: a + b, x, axis=1),
    "associative_scan back": lambda o, x: o.associative_scan(lambda a, b: a * b, x, reverse=True),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_functions_of_functions(use, target: str):
    expected = np.asarray(use(keras.ops, keras.ops.convert_to_tensor(X)))
    np.testing.assert_allclose(use(ops, X), expected, rtol=1e-5)
    with Trace().active():
        made = use(ops, leaf("variable", X.shape, "float32", buffer="x", offset=0))
    got = compile(Graph({"y": made}), target).run({}, {"x": X.reshape(-1)}, rows=1, batch_size=1)["y"]
    np.testing.assert_allclose(got, expected, rtol=1e-5)


@pytest.mark.parametrize("at", [-3, 0, 1, 9])
def test_switch_on_a_node_takes_the_nearest_branch(at: int, target: str):
    branches = [lambda v, n=n: v + n for n in range(3)]
    x = leaf("variable", (), "float32", buffer="x", offset=0)
    with Trace().active():
        made = ops.switch(ops.cast(x, "int32"), branches, x)
    got = compile(Graph({"y": made}), target).run({}, {"x": np.array([at], "float32")}, rows=1, batch_size=1)["y"]
    assert got == ops.switch(at, branches, at) == at + min(max(at, 0), 2)


def test_loops_over_structures():
    total, rows = ops.scan(lambda c, x: (c + x["a"], {"b": c}), 0.0, {"a": np.arange(3.0)})
    assert (float(total), rows["b"].tolist()) == (3.0, [0.0, 0.0, 1.0])
    assert ops.map(lambda pair: pair[0] + pair[1], (np.arange(3), np.ones(3, int))).tolist() == [1, 2, 3]
    assert ops.scan(lambda c, _: (c + 1, None), 0, length=5) == (5, None)
    assert ops.while_loop(lambda i: i < 5, lambda i: i + 2, 0) == 6
    assert ops.vectorize(lambda a, b: a if a > b else b)(np.arange(3), 1).tolist() == [1, 1, 2]


def test_a_custom_gradient_has_a_value_and_no_place_in_a_graph():
    @ops.custom_gradient
    def clipped(x):
        return ops.square(x), lambda upstream: upstream

    np.testing.assert_allclose(clipped(X), X**2, rtol=1e-6)
    with Trace().active(), pytest.raises(GraphError, match="stop_gradient"):
        clipped(leaf("variable", (3,), "float32", buffer="x", offset=0))


def test_laws_of_linear_algebra():
    values, vectors = ops.eigh(SPD)
    np.testing.assert_allclose(vectors @ np.diag(values) @ vectors.T, SPD, atol=1e-4)
    values, vectors = ops.eig(SPD)
    np.testing.assert_allclose((vectors * values) @ np.linalg.inv(vectors), SPD, atol=1e-4)
    q, r = ops.qr(X)
    np.testing.assert_allclose(q @ r, X, atol=1e-5)
    np.testing.assert_allclose(q.T @ q, np.eye(3), atol=1e-5)
    u, s, v = ops.svd(X, full_matrices=False)
    np.testing.assert_allclose(u @ np.diag(s) @ v, X, atol=1e-5)
    assert {a.dtype.name for a in (q, r, u, s, v)} == {"float32"}
    parted = X.ravel()[ops.argpartition(X.ravel(), 5)]
    assert parted[5] == np.sort(X.ravel())[5]
    assert (ops.rot90(X, 2) == np.rot90(X, 2)).all()
    assert ops.saturate_cast(np.array([1e12, -1e12, 3.7], "float32"), "int32").tolist() == [2**31 - 1, -(2**31), 3]
    assert ops.size(X) == 12
    assert ops.hstack([X[0], X[1]]).tolist() == np.hstack([X[0], X[1]]).tolist()
    assert ops.vstack([X[0], X[1]]).tolist() == np.vstack([X[0], X[1]]).tolist()
    assert ops.cast(np.array([1.5]), "int64").dtype == np.int64
    assert ops.bitwise_and(np.array([6]), np.array([2**40 + 2])).dtype == np.int64
    assert ops.nn.relu is ops.relu


def test_variables_are_read_by_functions_of_arrays():
    assert ops.inv(Variable(np.eye(2) * 2.0)).tolist() == [[0.5, 0], [0, 0.5]]
    assert ops.sort(Variable([2.0, 1.0])).tolist() == [1, 2]


def _node(*shape):
    return leaf("input", shape, "float32", name="x")


@pytest.mark.parametrize(
    ("mistake", "error", "message"),
    [
        (lambda: ops.inv(_node(3, 3)), GraphError, r"ops\.inv works on arrays alone"),
        (lambda: ops.inv(Variable(np.eye(2))), GraphError, r"ops\.inv works on arrays alone"),
        (lambda: ops.unique(_node(3)), GraphError, r"ops\.unique works on arrays alone"),
        (lambda: ops.sort(_node(None, 3), axis=0), ShapeError, r"axis 0 of \(None, 3\) is the batch"),
        (lambda: ops.prod(_node(None, 3)), ShapeError, "is the batch"),
        (lambda: ops.segment_sum(_node(None, 3), _node(None)), ShapeError, "num_segments must be given"),
        (lambda: ops.einsum("ij,jk->ik", X), ShapeError, "has 2 terms, got 1"),
        (lambda: ops.einsum("ii->i", SPD), ShapeError, "stands twice"),
        (lambda: ops.einsum("ij,jk->ik", X, X), ShapeError, "equal sizes"),
        (lambda: ops.norm(X, ord=7, axis=(0, 1)), ValueError, "norm over 2 axes of order 7"),
        (lambda: ops.map(lambda x: x, _node(None, 3)), ShapeError, "is the batch"),
        (lambda: ops.while_loop(lambda v: v < 3, lambda v: v * 2, _node()), GraphError, "needs maximum_iterations"),
        (lambda: ops.fori_loop(0, _node(), lambda i, v: v, 0), GraphError, "bounds that are known"),
        (lambda: ops.scatter_update(_node(3), [[0]], [1.0], reduction="mul"), ValueError, "puts or adds"),
        (lambda: ops.one_hot([1], 3, sparse=True), ValueError, "sparse must be false"),
        (lambda: ops.where(X > 0), ValueError, r"ops\.nonzero"),
        (lambda: ops.linspace(0.0, _node(), 3), GraphError, "known while the graph is built"),
    ],
)  # fmt: skip
def test_mistakes(mistake, error, message):
    with Trace().active(), pytest.raises(error, match=message):
        mistake()


KEPT_APART = {"einsum", "layer_normalization", "multi_hot"}  # Keras takes further arguments by **kwargs


@pytest.mark.parametrize("name", [n for n in dir(keras.ops) if not n.startswith("_")])
def test_every_function_of_keras_is_here_with_its_arguments_or_left_out_for_a_reason(name: str):
    assert hasattr(ops, name) != (name in ops.ABSENT)
    if callable(getattr(keras.ops, name)) and name not in {*ops.ABSENT, *KEPT_APART}:
        ours, theirs = ([(p.name, p.default) for p in inspect.signature(getattr(library, name)).parameters.values()]
                        for library in (ops, keras.ops))  # fmt: skip
        assert ours == theirs


def test_nothing_is_here_that_keras_has_not():
    assert not [name for name in ops.__all__ if not hasattr(keras.ops, name)]


def test_a_graph_of_a_loop_holds_nodes():
    with Trace().active():
        assert isinstance(ops.cond(_node() > 0, lambda: 1.0, lambda: 2.0), Node)
