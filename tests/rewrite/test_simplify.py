"""Rules keep the values, and compute the losses of extreme predictions exactly where the plain equation cannot."""

from __future__ import annotations

import numpy as np
import pytest

from lamina.graph import crossentropies
from lamina.graph import express as e
from lamina.graph import functions as f
from lamina.graph.node import Graph, Node, constant, leaf, walk
from lamina.lower.to_numpy import NumpyExecutable
from lamina.rewrite.simplify import simplify, simplify_nodes


def x(*shape, dtype="float64", name="x") -> Node:
    return leaf("input", shape, dtype, name=name)


def ops(node: Node) -> list[str]:
    return [n.op for n in walk([node]) if n.inputs]


def value(node: Node, **data: np.ndarray) -> np.ndarray:
    rows = len(next(iter(data.values())))
    return NumpyExecutable(Graph({"v": node})).run(data, {}, rows=rows, batch_size=rows)["v"]


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (lambda a: a + 0.0, []),
        (lambda a: (a * 1.0) / 1.0 - 0.0, []),
        (lambda a: e.negative(-a), []),
        (lambda a: e.reshape(e.reshape(a, (None, 3, 1)), (None, 3)), []),
        (lambda a: e.transpose(e.transpose(e.reshape(a, (None, 3, 1)), (0, 2, 1)), (0, 2, 1)), ["reshape"]),
        (lambda a: a + (-a), ["subtract"]),
        (lambda a: (-a) * a, ["multiply", "negative"]),
        (lambda a: e.broadcast_to(constant(2.0, "float64"), (None, 3)) * a, ["multiply"]),
        (lambda a: e.exp(a) + e.exp(a), ["exp", "add"]),
        (lambda a: a * e.sin(a) + e.sin(a) * a, ["sin", "multiply", "add"]),
        (lambda a: e.sum(e.reshape(a, (None, 3, 1)), 2), []),
        (lambda a: e.sum(-a, 1), ["sum", "negative"]),
        (lambda a: e.sum(-a, 1, keepdims=True), ["sum", "negative"]),
        (lambda a: e.sum(a * 2.0, 0), ["multiply", "sum"]),
    ],
)
def test_rules(before, expected):
    a = x(None, 3)
    (after,) = simplify_nodes([before(a)])
    assert ops(after) == expected
    data = np.random.default_rng(0).normal(size=(4, 3))
    np.testing.assert_array_equal(value(after, x=data), value(before(a), x=data))


def test_a_whole_number_needs_no_cast_back():
    i, a = x(None, dtype="int32"), x(None)
    assert simplify_nodes([e.cast(e.cast(i, "float32"), "int32")]) == (i,)
    assert ops(simplify_nodes([e.cast(e.cast(a, "int32"), "float64")])[0]) == ["cast", "cast"]
    truth = e.less(a, 0.0)
    assert simplify_nodes([e.cast(e.cast(truth, "float32"), "bool")]) == simplify_nodes([truth])


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize(
    ("shape", "axes", "leaves"),
    [
        ((3,), (0,), True),
        ((1, 3), (0,), True),
        ((4, 1), (1,), True),
        ((4, 3), (0,), False),
        ((3,), (0, 1), False),
        ((), (0, 1), False),  # a single number costs nothing in the sum's loop
    ],
)
def test_what_is_the_same_for_all_terms_leaves_their_sum(shape: tuple, axes: tuple, leaves: bool, keepdims: bool):
    a, b = (leaf("variable", own, "float64", buffer=n, offset=0) for n, own in (("a", (4, 3)), ("b", shape)))
    before = e.sum(b * a, axes, keepdims)
    (after,) = simplify_nodes([before])
    assert (ops(after)[0] == "sum") == leaves
    state = {"a": np.random.default_rng(0).normal(size=12), "b": np.arange(1.0, 1.0 + np.prod(shape))}
    made = [NumpyExecutable(Graph({"v": n})).run({}, state, rows=1, batch_size=1)["v"] for n in (before, after)]
    np.testing.assert_allclose(made[1], made[0], rtol=1e-14)


def test_a_stopped_gradient_is_gone_once_none_will_be_taken():
    a = x(None)
    node = e.stop_gradient(a) * e.exp(a)
    assert "stop_gradient" in ops(simplify_nodes([node])[0])
    assert ops(simplify(Graph({"v": node})).outputs["v"]) == ["exp", "multiply"]


def test_a_tie_keeps_its_side():
    """maximum(a, b) and maximum(b, a) are equal, but their gradients at a tie are not: they stay apart."""
    a, b = x(None), x(None, name="b")
    (node,) = simplify_nodes([e.maximum(a, b) + e.maximum(b, a)])
    assert ops(node).count("maximum") == 2


def test_binary_crossentropy_of_a_sigmoid_is_computed_from_the_logits():
    """Keras, run: z = -100 with y = 1 costs exactly 100, where the clipped probability gives 16.118."""
    z, y = x(None), x(None, name="y")
    (loss,) = simplify_nodes([crossentropies.binary_crossentropy(y, e.sigmoid(z))])
    assert "clip" not in ops(loss)
    logits = np.array([-100.0, 100.0, 0.0, 30.0])
    labels = np.array([1.0, 0.0, 1.0, 1.0])
    np.testing.assert_allclose(
        value(loss, x=logits, y=labels), [100.0, 100.0, np.log(2), np.log1p(np.exp(-30.0))], rtol=1e-14
    )


@pytest.mark.parametrize("sparse", [True, False])
def test_crossentropy_of_a_softmax_is_computed_from_the_logits(sparse):
    z = x(None, 3)
    if sparse:
        y, labels = leaf("input", (None,), "int32", name="y"), np.array([1, 0], "int32")
        loss = crossentropies.sparse_categorical_crossentropy(y, f.softmax(z))
    else:
        y, labels = x(None, 3, name="y"), np.array([[0.0, 1, 0], [1, 0, 0]])
        loss = crossentropies.categorical_crossentropy(y, f.softmax(z))
    (loss,) = simplify_nodes([loss])
    assert "clip" not in ops(loss)
    assert ops(loss).count("exp") == 1
    found = value(loss, x=np.array([[200.0, 0.0, 0.0], [1.0, 2.0, 3.0]]), y=labels)
    np.testing.assert_allclose(found, [200.0, np.log(np.exp([1.0, 2, 3]).sum()) - 1.0], rtol=1e-14)


def test_probabilities_without_logits_stay_guarded():
    p, y = x(None), x(None, name="y")
    (loss,) = simplify_nodes([crossentropies.binary_crossentropy(y, p)])
    assert ops(loss).count("clip") == 1
    assert value(loss, x=np.array([0.0]), y=np.array([1.0])) == pytest.approx(-np.log(1e-7))


def test_a_clip_of_the_users_own_stays():
    z, y = x(None), x(None, name="y")
    (loss,) = simplify_nodes([-(y * e.log(e.clip(e.sigmoid(z), 1e-3, 1.0)))])
    assert "clip" in ops(loss)


def test_a_graph_keeps_its_names_and_updates():
    w = leaf("variable", (2,), "float64", buffer="w", offset=0)
    graph = simplify(Graph({"a": w + 0.0}, ((w, w * 1.0 + 1.0),)))
    assert list(graph.outputs) == ["a"]
    assert graph.updates[0][0] is w
