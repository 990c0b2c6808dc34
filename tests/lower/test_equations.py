"""The equations as text and LaTeX: the textbook's network to the letter, and each printed definition computes right."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from cases_ops import CASES, inputs, name_of
from lamina.graph import activations, crossentropies
from lamina.graph import express as e
from lamina.graph import functions as f
from lamina.graph.node import Graph, Node, label, leaf, walk
from lamina.lower.equations import equations, latex, text
from lamina.lower.recognise import COMPOSITES, example
from lamina.lower.to_latex import UNSEEN
from lamina.lower.to_numpy import NumpyExecutable

NAMES = {"x": "X", "y": "Y", "y_pred": "Ŷ"}
X = leaf("input", (None, 3), "float32", name="x")


def variable(name: str, *shape: int) -> Node:
    return leaf("variable", shape, "float32", buffer=name, offset=0)


def dense(name: str, x: Node, units: int, activation=lambda z: z, bias: bool = True) -> Node:
    with label(name):
        z = e.matmul(x, variable(f"kernel:{name}", x.shape[-1], units))
        return activation(z + variable(f"bias:{name}", units) if bias else z)


def lines(format: str = "text", **outputs: Node) -> list[str]:
    return [f"{line.left} = {line.right}" for line in equations(Graph(outputs), format, NAMES)]


def cost(a: Node, units: int = 1) -> Node:
    y = leaf("input", (None, units), "float32", name="y")
    return e.mean(e.mean(crossentropies.binary_crossentropy(y, a), -1))


def network() -> Node:
    return dense("dense_1", dense("dense", X, 4, e.sigmoid), 1, e.sigmoid)


def test_the_textbook_network_as_text():
    a = network()
    assert lines(y_pred=a, J=cost(a)) == [
        "A[0] = X",
        "Z[1] = W[1] A[0] + b[1]",
        "A[1] = σ(Z[1])",
        "Z[2] = W[2] A[1] + b[2]",
        "A[2] = σ(Z[2])",
        "Ŷ = A[2]",
        "J = 1/m Σᵢ L(a[2](i), y(i))",
        "L(a, y) = −y ⊙ log(a) − (1 − y) ⊙ log(1 − a)",
        "σ(z) = 1 / (1 + exp(−z))",
    ]


def test_the_textbook_network_in_latex():
    a = network()
    assert latex(equations(Graph({"y_pred": a, "J": cost(a)}), "latex", NAMES)) == "\n".join(
        [
            r"\begin{aligned}",
            r"A^{[0]} &= X \\",
            r"Z^{[1]} &= W^{[1]} A^{[0]} + b^{[1]} \\",
            r"A^{[1]} &= \sigma\left(Z^{[1]}\right) \\",
            r"Z^{[2]} &= W^{[2]} A^{[1]} + b^{[2]} \\",
            r"A^{[2]} &= \sigma\left(Z^{[2]}\right) \\",
            r"\hat{Y} &= A^{[2]} \\",
            r"J &= \frac{1}{m} \sum_{i=1}^{m} \mathcal{L}\left(a^{[2](i)}, y^{(i)}\right) \\",
            r"\mathcal{L}\left(a, y\right) &= -y \odot \log{\left(a\right)} - "
            r"\left(1 - y\right) \odot \log{\left(1 - a\right)} \\",
            r"\sigma\left(z\right) &= \frac{1}{1 + e^{-z}}",
            r"\end{aligned}",
        ]
    )


def test_notes_name_the_layer_and_the_size():
    page = text(equations(Graph({"y_pred": network()}), "text", NAMES)).splitlines()
    assert page[1].split("  ")[-1].strip() == "dense, 4 × m"
    assert page[4].split("  ")[-1].strip() == "dense_1, 1 × m"


def test_sums_over_examples_and_elements():
    a = dense("out", X, 2)
    y = leaf("input", (None, 2), "float32", name="y")
    assert lines(J=e.mean(f.square(a - y)))[3:] == ["J = 1/(2 m) Σᵢ Σⱼ (a[1](i)ⱼ − y(i)ⱼ)²"]
    assert lines(J=e.sum(e.sum(f.square(a), -1) / 2.0))[3:] == ["J = Σᵢ 1/2 Σⱼ a[1](i)ⱼ²"]


def test_penalties_and_several_losses():
    a = dense("out", X, 2, f.softmax)
    labels = leaf("input", (None,), "float32", name="y")
    kernel = next(x for x in walk([a]) if x.op == "variable")
    found = lines(
        J=e.mean(crossentropies.sparse_categorical_crossentropy(labels, a)) + 0.01 * e.sum(f.square(kernel)),
        K=e.mean(e.mean(crossentropies.binary_crossentropy(X, dense("other", X, 3)), -1)),
    )
    assert "J = 1/m Σᵢ L(a[1](i), y(i)) + 0.01 Σ W[1]²" in found
    assert "K = 1/m Σᵢ 1/3 Σⱼ L2(a[2](i)ⱼ, a[0](i)ⱼ)" in found
    assert [line.split(" = ")[0] for line in found if line.startswith("L")] == ["L(a, y)", "L2(a, y)"]


def test_a_second_variable_of_one_name_gets_a_prime():
    with label("own"):
        z = e.matmul(X, variable("kernel:1", 3, 2)) + e.matmul(X, variable("kernel:2", 3, 2))
    assert lines(out=z)[1] == "A[1] = W[1] A[0] + W′[1] A[0]"


def test_a_linear_layer_has_both_z_and_a():
    assert lines(y_pred=dense("out", X, 2, bias=False))[1:] == ["Z[1] = W[1] A[0]", "A[1] = Z[1]", "Ŷ = A[1]"]


def test_normalising_layers():
    with label("layer_normalization"):
        mean, variance = f.moments(X, [1], keepdims=True)
        a = variable("gamma:0", 3) * ((X - mean) / e.sqrt(variance + 1e-3)) + variable("beta:0", 3)
    with label("normalization"):
        spread = e.maximum(e.sqrt(e.reshape(variable("variance:0", 3), (1, 3))), 1e-7)
        a = (a - e.reshape(variable("mean:0", 3), (1, 3))) / spread
    found = lines(y_pred=a)
    assert found[1] == "A[1] = γ[1] ⊙ (A[0] − mean(A[0])) / √(var(A[0]) + 0.001) + β[1]"
    assert found[2] == "A[2] = (A[1] − μ[2]) / max(√(v[2]), 1e-07)"
    assert found[-1] == "var(z) = mean((z − mean(z))²)"


def test_branches_stacks_and_embeddings():
    index = leaf("input", (None,), "int32", name="city")
    with label("embedding"):
        b = e.take(variable("embeddings:0", 10, 2), index)
    with label("concatenate"):
        a = e.concatenate([b, X], -1)
    with label("part"):
        a = e.slice_axis(a, -1, 1, 3)
    assert lines(y_pred=a)[:4] == ["A[1] = E[1][city]", "A[0] = X", "A[2] = [A[1]; A[0]]", "A[3] = A[2][2…3]"]
    assert r"E^{[1]}_{\text{city}}" in "".join(lines("latex", y_pred=a)).replace("{E^{[1]}}", "E^{[1]}")


ACTIVATIONS = [c for c in COMPOSITES if c.inputs == 1 and c.same_shape and c.name not in ("dropout",)]


@pytest.mark.parametrize("composite", ACTIVATIONS, ids=lambda c: c.name)
@pytest.mark.parametrize("format", ["text", "latex"])
def test_composites_are_recognised_by_name(composite, format):
    (z,), _ = example(composite)
    parameter = np.float32(0.25) if composite.parameters else None
    nodes = {"elu": lambda: activations.elu(z, 0.25), "leaky_relu": lambda: activations.leaky_relu(z, 0.25)}
    node = nodes[composite.name]() if parameter else composite.function(z)
    right = lines(format, out=node)[0]
    spoken = {"square": ("out = z²", r"\text{out} = {z}^2")}.get(composite.name)
    argument = f"z{', 0.25' if parameter else ''}"
    named = composite.name.replace("_", r"\_")
    default = (
        f"out = {composite.name}({argument})",
        rf"\text{{out}} = \operatorname{{{named}}}\left({argument}\right)",
    )
    assert right == (spoken or default)[0 if format == "text" else 1]


def evaluated(definition: str, functions: dict) -> float:
    """A printed definition as Python: the signs of the page in those of the language."""
    for sign, meaning in {"−": "-", "⊙": "*", "²": "**2", "≥": ">="}.items():
        definition = definition.replace(sign, meaning)
    definition = re.sub(r"(\d|\bs) (?=[\w(])(?!if|else)", r"\1 * ", definition)
    definition = re.sub(r"\|(\w+)\|", r"abs(\1)", definition)
    definition = re.sub(r"maxⱼ (\w+)", r"over(\1)", definition)
    definition = re.sub(r"Σⱼ (exp\(.*?\)\)?)(?=\)|$)", r"total(\1)", definition)
    return eval(definition, functions)


@pytest.mark.parametrize("composite", ACTIVATIONS, ids=lambda c: c.name)
def test_printed_definitions_compute_what_the_graph_computes(composite):
    (z,), _ = example(composite)
    node = {"elu": lambda: activations.elu(z, 0.25), "leaky_relu": lambda: activations.leaky_relu(z, 0.25)}.get(
        composite.name, lambda: composite.function(z)
    )()
    values = np.array([[-2.5, -0.1, 0.7], [0.0, 1.5, 4.0]], np.float32)
    expected = NumpyExecutable(Graph({"out": node})).step({"z": values}, {}, 2, 0)["out"]
    page = [line.split(" = ", 1) for line in lines(out=node)]
    if composite.name == "square":  # needs no definition: z²
        page = [("out = square(z)".split(" = ")), ("square(z)", page[0][1])]
    names = {"exp": np.exp, "log": np.log, "tanh": np.tanh, "max": np.maximum, "min": np.minimum, "abs": np.abs}
    names |= {"over": lambda z: z.max(-1, keepdims=True), "total": lambda z: z.sum(-1, keepdims=True)}
    for left, right in reversed(page[1:]):
        name, arguments = left.rstrip(")").split("(", 1)
        names[name] = _function(arguments, right, names)
    names["erf"] = np.vectorize(math.erf)
    given = [values] + [0.25] * composite.parameters
    np.testing.assert_allclose(names[composite.name](*given), expected, rtol=1e-5, atol=1e-6)


def _function(arguments: str, right: str, names: dict):
    def computed(*values):
        here = {**names, **dict(zip(arguments.split(", "), map(np.asarray, values), strict=True))}
        if " if " in right:
            above, condition, below = re.fullmatch(r"(.*) if (.*) else (.*)", right).groups()
            return np.where(*(evaluated(part, here) for part in (condition, above, below)))
        return evaluated(right, here)

    return computed


@pytest.mark.parametrize("case", CASES, ids=name_of)
@pytest.mark.parametrize("format", ["text", "latex"])
def test_every_operation_is_written(case, format):
    nodes = inputs(case, "float32")
    node = case.build(*nodes)
    page = " ".join(lines(format, out=node))
    assert not re.search(r"\{[a-z0-9_]*:\d\}|Node|Value|array\(", page)
    if case.op not in UNSEEN:
        assert "out" in page
    if format == "latex":
        assert page.count("{") == page.count("}")
        assert page.count(r"\left") == page.count(r"\right")
    else:
        assert page.count("(") == page.count(")")


def test_a_layer_called_on_its_own_output_is_two_steps_with_the_same_weights():
    with label("twice"):
        kernel, bias = variable("kernel:0", 3, 3), variable("bias:0", 3)
        a = e.matmul(X, kernel) + bias
        a = e.sigmoid(e.matmul(e.tanh(a), kernel) + bias)
    assert lines(out=a)[1:5] == [
        "Z[1] = W[1] A[0] + b[1]",
        "A[1] = tanh(Z[1])",
        "Z[2] = W[1] A[1] + b[1]",
        "A[2] = σ(Z[2])",
    ]


def test_a_reciprocal_is_a_division():
    with label("norm"):
        a = (X - variable("moving_mean:0", 3)) * (
            f.rsqrt(variable("moving_variance:0", 3) + 1e-3) * variable("gamma:0", 3)
        )
    assert lines(out=a)[1] == "A[1] = (A[0] − μ[1]) ⊙ γ[1] / √(v[1] + 0.001)"
