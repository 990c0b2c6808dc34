"""The language's dual nature: arrays at once, nodes in a graph, the same numbers from both."""

from __future__ import annotations

import numpy as np
import pytest

from cases import ARRAY_FUNCTIONS, FUNCTIONS, A, Function
from lamina import Input, ops
from lamina.engine import compile
from lamina.errors import DtypeError, GraphError, ShapeError
from lamina.graph.node import Graph, Node, constant, leaf
from lamina.ops.dispatch import evaluate
from lamina.trace import Trace
from lamina.variables import Variable


@pytest.mark.parametrize("case", FUNCTIONS, ids=lambda f: f.name)
def test_arrays_and_nodes_give_the_same(case: Function, target: str):
    """In float64, so that targets agree to the last digits."""
    function = getattr(ops, case.name)
    plain = _list(function(*case.inputs, **case.arguments))
    state: dict[str, np.ndarray] = {}

    def node_of(x):
        if isinstance(x, list) and x and isinstance(x[0], np.ndarray):
            return [node_of(part) for part in x]
        if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
            return x
        name = str(len(state))
        state[name] = x.astype("float64").reshape(-1)
        return leaf("variable", x.shape, "float64", buffer=name, offset=0)

    with Trace().active():
        nodes = _list(function(*map(node_of, case.inputs), **case.arguments))
    if any(isinstance(n, Node) and n.dtype == "float32" for n in nodes) and state:
        nodes = [ops.cast(n, "float64") if n.dtype == "float32" else n for n in nodes]
    run = compile(Graph({str(i): n for i, n in enumerate(nodes)}), target)
    results = run.run({}, state, rows=1, batch_size=1)
    for i, expected in enumerate(plain):
        assert results[str(i)].shape == expected.shape
        np.testing.assert_allclose(results[str(i)], expected, rtol=1e-6 if expected.dtype == "float32" else 1e-12)


def _list(x):
    return list(x) if isinstance(x, list | tuple) else [x]


@pytest.mark.parametrize("name", ops.__all__)
def test_every_name_is_there_and_says_what_it_is(name: str):
    function = getattr(ops, name)
    assert callable(function)
    assert function.__doc__


def test_every_function_has_a_case():
    elsewhere = {"convert_to_numpy", "convert_to_tensor", "dtype", "is_tensor", "ndim", "shape", "size"}
    by_other_laws = {"argpartition", "eig", "eigh", "qr"}  # their results are unique up to signs or order
    taking_functions = {"associative_scan", "cond", "custom_gradient", "fori_loop", "map", "scan", "switch",
                        "vectorize", "vectorized_map", "while_loop"}  # fmt: skip
    cases = {case.name for case in (*FUNCTIONS, *ARRAY_FUNCTIONS)}
    assert set(ops.__all__) - elsewhere - by_other_laws - taking_functions == cases


def test_dtypes():
    assert ops.exp([1.0, 2.0]).dtype == np.float32  # Python's numbers take the session's float type
    assert ops.exp(np.array([1.0, 2.0])).dtype == np.float64
    assert ops.sum(np.array([1, 2], "int32")).dtype == np.int32
    assert ops.sum(np.array([2**30] * 8)) == 2**33  # int64, as in Keras
    assert (ops.multiply(np.array([2**30]), np.array([8]))).dtype == np.int64
    assert ops.argmax(np.array([1, 2])).dtype == ops.count_nonzero(np.array([1, 2])).dtype == np.int32
    assert ops.concatenate([np.array([1]), np.array([2])]).dtype == np.int64
    assert ops.mean(np.array([1, 2])).dtype == np.float32
    assert ops.sqrt(np.float64(2.0)).dtype == np.float64
    assert ops.multiply(np.ones(2, "float32"), np.float64(2.0)).dtype == np.float32
    assert ops.add(np.ones(2, "float32"), np.ones(2)).dtype == np.float64
    narrow, wide = (leaf("input", (None, 2), dtype, name=dtype) for dtype in ("float32", "float64"))
    assert ops.add(narrow, np.ones(2)).dtype == "float32"  # a model's numbers are not widened by an array beside them
    with pytest.raises(DtypeError, match="float32 meets float64"):
        ops.add(narrow, wide)


def test_tensors():
    v = Variable([1.0, 2.0], dtype="float32")
    node = leaf("input", (None, 3), "float32", name="x")
    assert ops.convert_to_tensor([1.0]).dtype == np.float32
    assert ops.convert_to_tensor([1, 2], "float64").dtype == np.float64
    np.testing.assert_array_equal(ops.convert_to_tensor(v), v.value)
    assert ops.convert_to_numpy(v).tolist() == [1, 2]
    assert ops.is_tensor(v)
    assert not ops.is_tensor([1])
    rows, columns = ops.shape(node)
    assert (rows.op, columns) == ("rows", 3)
    assert ops.reshape(node, (rows, 3, 1)).shape == ops.zeros((rows, 3, 1)).shape == (None, 3, 1)
    assert ops.size(node).shape == ()
    assert ops.ndim([[1]]) == 2
    assert (ops.dtype(node), ops.dtype(v), ops.dtype(1.0)) == ("float32", "float32", "float32")
    assert ops.convert_to_tensor(node, "float64").op == "cast"


def test_variables_are_read():
    v = Variable([[1.0, 2.0]], dtype="float32")
    assert ops.square(v).tolist() == [[1, 4]]
    assert ops.concatenate([v, v]).shape == (2, 2)
    with Trace().active():
        assert isinstance(ops.square(v), Node)


def test_arrays_of_one_number_or_row():
    assert ops.zeros(3).shape == ops.ones((3,)).shape == ops.empty(3).shape == (3,)
    assert ops.full((2, 3), [1.0, 2.0, 3.0]).tolist() == [[1, 2, 3], [1, 2, 3]]
    assert ops.full(2, 0.1, "float64").tolist() == [0.1, 0.1]
    assert ops.full((2, 2), np.arange(2)).tolist() == [[0, 1], [0, 1]]


def test_results_are_the_callers_own():
    x = ops.zeros((3,))
    x[0] = 1.0
    assert ops.broadcast_to(np.ones(1), (3,)).flags.writeable


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ops.split(A, 3, axis=1), "cannot be cut into 3 equal parts"),
        (lambda: ops.unstack(leaf("input", (None, 3), "float32", name="x")), "is the batch, whose size is not fixed"),
        (lambda: ops.cumsum(leaf("input", (None, 3), "float32", name="x"), 0), "whose size is not fixed"),
        (lambda: ops.squeeze(A, 1), "its size is not 1"),
        (lambda: ops.matmul(A, A), "must have equal sizes"),
        (lambda: ops.sparse_categorical_crossentropy(A, A), "one axis less than outputs"),
        (lambda: ops.one_hot(constant(1), 3) + ops.zeros((2, 2)), "cannot be combined"),
    ],
)
def test_shape_mistakes(make, message: str):
    with pytest.raises(ShapeError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ops.normalize(A, order=0), "a whole number from 1, got 0"),
        (lambda: ops.clip(Input((3,)), Input((3,)), 1.0), "x_min of clip is fixed with the model"),
        (lambda: ops.pad(A, 1, "reflect", 2.0), "belong to mode='constant', got mode='reflect'"),
    ],
)
def test_wrong_arguments(make, message: str):
    with pytest.raises((ValueError, GraphError), match=message):
        make()


def test_an_unfinished_graph_has_no_truth_value():
    x = leaf("input", (None,), "float32", name="x")
    with pytest.raises(ValueError, match=r"ops\.where"):
        bool(ops.any(x > 0))


IN_A_LAYER = {
    "%": lambda x: x % 0.5,
    "reflected %": lambda x: 3.0 % x,
    "//": lambda x: x // 0.5,
    "reflected //": lambda x: 3.0 // x,
    "&": lambda x: (x > 0.5) & (x < 1.5),
    "|": lambda x: (x < 0.5) | (x > 1.5),
    "^": lambda x: (x > 0.5) ^ (x > 1.5),
    "~": lambda x: ~(x > 1.0),
    "flip": lambda x: ops.flip(x, 1),
    "roll": lambda x: ops.roll(x, 1, axis=-1),
    "repeat": lambda x: ops.repeat(x, 2, axis=1),
    "take": lambda x: ops.take(x, [3, 0, 1, -1], axis=1),
    "take a table": lambda x: ops.take(x, [[3, 0], [1, 2]], axis=-1),
    "take a computed place": lambda x: ops.take(x, ops.cast(ops.sum(ops.zeros((2, 3)), -1), "int32"), axis=1),
    "sort": lambda x: ops.sort(x),
    "top_k": lambda x: ops.top_k(x, 2)[0],
    "median": lambda x: ops.median(x, axis=-1),
    "take_along_axis": lambda x: ops.take_along_axis(x, ops.argsort(x), axis=-1),
    "einsum": lambda x: ops.einsum("bi,bj->bij", x, x),
    "triu": lambda x: ops.triu(ops.einsum("bi,bj->bij", x, x)),
    "slice_update": lambda x: ops.slice_update(x, [0, 1], x[:, :2] * 0.0),
    "prod": lambda x: ops.prod(x, axis=-1),
    "cumprod": lambda x: ops.cumprod(x, axis=-1),
    "pad": lambda x: ops.pad(x, ((0, 0), (1, 2)), mode="reflect"),
}


@pytest.mark.parametrize("function", IN_A_LAYER.values(), ids=IN_A_LAYER)
def test_functions_of_a_batch(function, target: str):
    x = np.random.default_rng(3).uniform(0.1, 2, (5, 4)).astype("float32")
    with Trace().active():
        made = function(leaf("input", (None, 4), "float32", name="x"))
        one_row = function(constant(x[:1]))
    assert made.shape == (None, *one_row.shape[1:])
    got = compile(Graph({"y": made}), target).run({"x": x}, {}, rows=5, batch_size=5)["y"]
    with Trace().active():
        fixed = function(constant(x))
    np.testing.assert_allclose(got, ops.convert_to_numpy(evaluate(fixed)), rtol=1e-5)


def test_operators_of_bits_are_refused():
    x = leaf("input", (None, 4), "float32", name="x")
    with pytest.raises(DtypeError, match="& in a graph joins truth values"):
        ops.cast(x, "int32") & 1
    with pytest.raises(ShapeError, match="index 4 reaches beyond axis 1"):
        ops.take(x, [4], axis=1)


def test_operators_and_indices_of_variables():
    v = Variable([[1.0, -2.0], [3.0, 4.0]], dtype="float32")
    assert v[:, 0].tolist() == [1, 3]
    assert (v @ np.ones(2, "float32")).tolist() == [-1, 7]
    assert (np.ones(2, "float32") @ v).tolist() == [4, 2]
    assert abs(v)[0].tolist() == [1, 2]
    assert [op.tolist() for op in (v > 1, v >= 1, v < 1, v <= 1)] == [
        [[False, False], [True, True]],
        [[True, False], [True, True]],
        [[False, True], [False, False]],
        [[True, True], [False, False]],
    ]
    assert (float(Variable(2.5)), int(Variable(2))) == (2.5, 2)
    with Trace().active():
        assert v[:, 0].shape == (2,)
        assert (v @ v).op == "tensordot"
