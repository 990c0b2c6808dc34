"""Variables: what they start with, their operators at once and in a graph, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import Variable, config, initializers


def test_a_part_is_what_it_was() -> None:
    v = Variable(np.zeros((2, 2)))
    row, column, whole = v[0], v[:, 1], lamina.ops.convert_to_tensor(v)
    v.assign(np.ones((2, 2)))
    assert not row.any()
    assert not column.any()
    assert not whole.any()


def test_a_variable_holds_numbers() -> None:
    with pytest.raises(ValueError, match="holds numbers. Received: None"):
        Variable(None)


def test_where_the_first_numbers_come_from() -> None:
    config.clear_session()
    given = Variable([1, 2])
    assert (given.name, given.path, given.dtype, given.shape) == ("variable", "variable", "int32", (2,))
    assert Variable(3.0).dtype == "float32"
    assert Variable(np.ones(2)).dtype == "float64"
    assert Variable("ones", (2,), "float64").numpy().tolist() == [1.0, 1.0]
    assert Variable(initializers.Constant(2.0), shape=(1,), trainable=False, name="two").numpy().tolist() == [2.0]
    assert Variable(lambda shape, dtype: np.full(shape, 5, dtype), (1,)).numpy().tolist() == [5.0]
    assert [Variable(0.0).name, Variable(0.0).name] == ["variable_5", "variable_6"]


def test_assigning_gives_the_new_value() -> None:
    v = Variable([1.0, 2.0])
    assert v.assign_add([1.0, 1.0]).tolist() == [2.0, 3.0]
    assert v.assign_sub(1.0).tolist() == [1.0, 2.0]
    kept = v.assign([5.0, 6.0])
    v.assign([0.0, 0.0])
    assert kept.tolist() == [5.0, 6.0]


def test_arrays_of_it_are_copies() -> None:
    v = Variable([1.0, 2.0])
    kept = [np.asarray(v), lamina.ops.convert_to_numpy(v), v.numpy()]
    v.value[:] = 7.0  # as training does
    assert [array.tolist() for array in kept] == [[1.0, 2.0]] * 3


OPERATORS: dict[str, Callable[[Any], Any]] = {
    "+": lambda v: 1.0 + v + 2.0,
    "-": lambda v: 1.0 - v - 2.0,
    "*": lambda v: 2.0 * v * 3.0,
    "/": lambda v: 1.0 / v / 2.0,
    "//": lambda v: (7.0 // v) + (v // 2.0),
    "%": lambda v: (7.0 % v) + (v % 2.0),
    "**": lambda v: 2.0**v + v**2.0,
    "@": lambda v: v @ v,
    "[]": lambda v: v[1],
    "-v": lambda v: abs(-v),
    "<": lambda v: (v < 2.0) | (v >= 3.0),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_operators(name: str) -> None:
    numbers = np.array([1.0, 2.0, 3.0], "float32")
    np.testing.assert_allclose(OPERATORS[name](Variable(numbers)), OPERATORS[name](numbers))


class Scaled(lamina.layers.Layer):
    """x times a number of its own, read in one of several ways."""

    def __init__(self, read: Callable[[Variable], Any]):
        super().__init__(name="scaled")
        self.read = read

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight((), initializer="ones", name="scale")

    def call(self, x: Any) -> Any:
        return x * self.read(self.scale)


def test_the_value_in_an_equation_is_that_of_each_run() -> None:
    model = lamina.Sequential([lamina.Input((2,)), Scaled(lambda v: v.value)])
    rows = np.ones((1, 2), "float32")
    assert model.predict(rows, verbose=0).tolist() == [[1, 1]]
    model.layers[0].scale.assign(3.0)
    assert model.predict(rows, verbose=0).tolist() == [[3, 3]]


@pytest.mark.parametrize("read", [float, int, np.sqrt, np.asarray])
def test_an_equation_does_not_take_the_numbers_of_a_moment(read: Callable[[Variable], Any]) -> None:
    with pytest.raises(lamina.errors.GraphError, match="variable '.*scale' has no numbers while a graph is built"):
        lamina.Sequential([lamina.Input((2,)), Scaled(read)])


WRONG: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "no shape": (lambda: Variable("ones"), ValueError, "the `shape` argument should be specified"),
    "a path as a name": (lambda: Variable(1.0, name="a/b"), ValueError, "cannot contain character `/`"),
    "another shape": (lambda: Variable([1.0]).assign([1.0, 2.0]), lamina.errors.ShapeError, r"shape \(1,\)"),
    "truth": (lambda: bool(Variable([1.0])), TypeError, "cannot be used as a boolean"),
    "an initializer misspelt": (lambda: Variable("onse", (2,)), ValueError, "did you mean .*'ones'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_mistakes_are_named(name: str) -> None:
    act, error, message = WRONG[name]
    with pytest.raises(error, match=message):
        act()
