"""Every function of ops, activation and loss: its derived gradient against central differences in float64."""

from __future__ import annotations

import numpy as np
import pytest

from cases import ACTIVATIONS, DATA, FUNCTIONS, LOSSES, WEIGHTS, Brick, Function, name_of
from lamina import activations, losses, ops, regularizers
from lamina.graph.node import constant
from numerical import check_gradients


@pytest.mark.parametrize("case", ACTIVATIONS, ids=name_of)
def test_activation(case: Brick):
    x = np.random.default_rng(2).uniform(-2.5, 2.5, (4, 4))
    check_gradients(lambda z: getattr(activations, case.name)(z, **case.arguments), x)


@pytest.mark.parametrize("case", LOSSES, ids=name_of)
@pytest.mark.parametrize("reduction", ["mean", "sum", "mean_with_sample_weight"])
def test_loss(case: Brick, reduction: str):
    loss = getattr(losses, case.name)(**case.arguments, reduction=reduction)
    y, p = DATA[case.data]
    weight = constant(WEIGHTS, "float64")
    check_gradients(lambda node: loss(constant(y), node, weight), p)


@pytest.mark.parametrize("case", [f for f in FUNCTIONS if f.smooth], ids=lambda f: f.name)
def test_function(case: Function):
    def is_float(x: object) -> bool:
        return isinstance(x, np.ndarray) and x.dtype.kind == "f"

    def value(*nodes):
        given = iter(nodes)
        return getattr(ops, case.name)(*(next(given) if is_float(x) else x for x in case.inputs), **case.arguments)

    check_gradients(value, *filter(is_float, case.inputs))


@pytest.mark.parametrize("name", ["l1", "l2", "l1l2"])
def test_regularizer(name: str):
    penalty = regularizers.get({"class_name": name, "config": {name[:2]: 0.3}})
    check_gradients(penalty, np.random.default_rng(3).uniform(-2, 2, (3, 2)))
