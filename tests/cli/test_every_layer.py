"""Every layer of a model has its line among the equations, in the textbook's terms."""

from __future__ import annotations

import pytest

from lamina import Input, Model, layers
from lamina.cli.equations import graph_of
from lamina.lower.equations import equations

LAYERS = {
    "Dense": (lambda: layers.Dense(4), ["Z[1] = W[1] A[0] + b[1]", "A[1] = Z[1]"]),
    "Dense without bias": (lambda: layers.Dense(4, "tanh", use_bias=False), ["Z[1] = W[1] A[0]", "A[1] = tanh(Z[1])"]),
    "Activation": (lambda: layers.Activation("softplus"), ["A[1] = softplus(A[0])"]),
    "ReLU": (lambda: layers.ReLU(), ["A[1] = relu(A[0])"]),
    "ReLU with a ceiling": (lambda: layers.ReLU(max_value=6.0), ["A[1] = min(A[0], 6) if A[0] > 0 else 0"]),
    "LeakyReLU": (lambda: layers.LeakyReLU(0.1), ["A[1] = leaky_relu(A[0], 0.1)"]),
    "ELU": (lambda: layers.ELU(), ["A[1] = elu(A[0], 1)"]),
    "Softmax": (lambda: layers.Softmax(), ["A[1] = softmax(A[0])"]),
    "Dropout": (lambda: layers.Dropout(0.5), []),
    "Identity": (lambda: layers.Identity(), []),
    "BatchNormalization": (
        lambda: layers.BatchNormalization(),
        ["A[1] = (A[0] − μ[1]) ⊙ γ[1] / √(v[1] + 0.001) + β[1]"],
    ),
    "LayerNormalization": (
        lambda: layers.LayerNormalization(),
        ["A[1] = (A[0] − mean(A[0])) ⊙ γ[1] / √(var(A[0]) + 0.001) + β[1]"],
    ),
    "Normalization": (lambda: layers.Normalization(), ["A[1] = (A[0] − μ[1]) / max(√(v[1]), 1e-07)"]),
    "its inverse": (lambda: layers.Normalization(invert=True), ["A[1] = A[0] ⊙ max(√(v[1]), 1e-07) + μ[1]"]),
    "given numbers": (
        lambda: layers.Normalization(mean=1.5, variance=4.0),
        ["A[1] = (A[0] − (1.5, 1.5, 1.5, 1.5)) / max(√((4, 4, 4, 4)), 1e-07)"],
    ),
    "Flatten": (lambda: layers.Flatten(), []),
    "Reshape": (lambda: layers.Reshape((2, 2)), ["A[1] = reshape(A[0])"]),
}


def page(inputs, outputs) -> list[str]:
    graph, names = graph_of(Model(inputs, outputs))
    return [f"{line.left} = {line.right}" for line in equations(graph, "text", names)]


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer(name):
    make, expected = LAYERS[name]
    x = Input((4,))
    found = page(x, make()(x))
    assert found[0] == "A[0] = X"
    assert found[1 : 1 + len(expected)] == expected
    assert f"Ŷ = A[{1 if expected else 0}]" in found


def test_layers_of_several_inputs():
    a, b, c = Input((4,), name="a"), Input((4,), name="b"), Input((), dtype="int32", name="city")
    x = layers.Multiply()([layers.Add()([a, b]), layers.Embedding(9, 4)(c)])
    assert page([a, b, c], layers.Concatenate()([x, b])) == [
        "A[1] = a + b",
        "A[2] = E[2][city]",
        "A[3] = A[1] ⊙ A[2]",
        "A[4] = [A[3]; b]",
        "Ŷ = A[4]",
    ]


ACTIVATIONS = """elu exponential gelu hard_sigmoid leaky_relu linear log_softmax relu
selu sigmoid silu softmax softplus softsign tanh"""
SPOKEN = {"exponential": "exp(Z[1])", "linear": "Z[1]", "sigmoid": "σ(Z[1])", "elu": "elu(Z[1], 1)",
          "leaky_relu": "leaky_relu(Z[1], 0.2)"}  # fmt: skip


@pytest.mark.parametrize("name", ACTIVATIONS.split())
def test_an_activation(name):
    x = Input((4,))
    assert page(x, layers.Dense(3, name)(x))[2] == f"A[1] = {SPOKEN.get(name, f'{name}(Z[1])')}"


LOSSES = {
    "mean_squared_error": "J = 1/m Σᵢ 1/3 Σⱼ (y(i)ⱼ − a[1](i)ⱼ)²",
    "mean_absolute_error": "J = 1/m Σᵢ 1/3 Σⱼ |y(i)ⱼ − a[1](i)ⱼ|",
    "binary_crossentropy": "J = 1/m Σᵢ 1/3 Σⱼ L(a[1](i)ⱼ, y(i)ⱼ)",
    "categorical_crossentropy": "J = 1/m Σᵢ L(a[1](i), y(i))",
    "sparse_categorical_crossentropy": "J = 1/m Σᵢ L(a[1](i), y(i))",
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss(name):
    x = Input((4,))
    activation = "sigmoid" if name == "binary_crossentropy" else "softmax"  # with another it is one of logits
    model = Model(x, layers.Dense(3, activation)(x))
    model.compile(loss=name)
    graph, names = graph_of(model)
    assert LOSSES[name] in [f"{line.left} = {line.right}" for line in equations(graph, "text", names)]
