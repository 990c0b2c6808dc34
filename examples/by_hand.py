"""A 3-4-1 network by hand: forward propagation, cost and backward propagation in NumPy, beside Lamina's numbers.

The textbook's notation has examples as columns, X is (features, m):

    Z[1] = W[1] X + b[1]        A[1] = σ(Z[1])
    Z[2] = W[2] A[1] + b[2]     A[2] = σ(Z[2])
    L(a, y) = −y log a − (1 − y) log(1 − a)
    J = 1/m Σ L(a(i), y(i))

    dZ[2] = (A[2] − Y) / m      dW[2] = dZ[2] A[1]ᵀ     db[2] = Σ dZ[2]
    dZ[1] = W[2]ᵀ dZ[2] ⊙ σ′(Z[1])                      dW[1] = dZ[1] Xᵀ      db[1] = Σ dZ[1]

The sign of the cost: some notes write J = −1/m Σ L with the L above. L already has its minus signs, so that this J
would be negative and minimising it would make the error as large as it can be. Lamina minimises J = +1/m Σ L.

Lamina has examples as rows, as Keras has: its kernels and activations are the transposes of W and A.
"""

from __future__ import annotations

import numpy as np

import lamina
from lamina import layers, optimizers

RATE = 0.5  # of gradient descent


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


random = np.random.default_rng(1)
m = 6
X = random.normal(size=(3, m))
Y = (X.sum(axis=0, keepdims=True) > 0).astype(float)
W1, b1 = random.normal(size=(4, 3)), random.normal(size=(4, 1))
W2, b2 = random.normal(size=(1, 4)), random.normal(size=(1, 1))

# Forward propagation
Z1 = W1 @ X + b1
A1 = sigmoid(Z1)
Z2 = W2 @ A1 + b2
A2 = sigmoid(Z2)

# The cost
L = -Y * np.log(A2) - (1 - Y) * np.log(1 - A2)
J = L.sum() / m

# Backward propagation
dZ2 = (A2 - Y) / m
dW2 = dZ2 @ A1.T
db2 = dZ2.sum(axis=1, keepdims=True)
dZ1 = W2.T @ dZ2 * A1 * (1 - A1)
dW1 = dZ1 @ X.T
db1 = dZ1.sum(axis=1, keepdims=True)

# The same network in Lamina, with the same weights
model = lamina.Sequential(
    [
        lamina.Input((3,), dtype="float64"),
        layers.Dense(4, activation="sigmoid", dtype="float64"),
        layers.Dense(1, activation="sigmoid", dtype="float64"),
    ]
)
model.compile(optimizer=optimizers.SGD(RATE), loss="binary_crossentropy")
model.set_weights([W1.T, b1[:, 0], W2.T, b2[:, 0]])
hidden = lamina.Model(model.inputs, model.layers[0].output)

lamina_A1 = hidden.predict(X.T, verbose=0).T
lamina_A2 = model.predict(X.T, verbose=0).T
lamina_J = model.evaluate(X.T, Y.T, verbose=0)

# One step of gradient descent moves each weight by −RATE · gradient: the gradients that Lamina took are
before = model.get_weights()
model.train_on_batch(X.T, Y.T)
gradients = [(old - new).T / RATE for old, new in zip(before, model.get_weights(), strict=True)]

rows = {
    "A[1]": (A1, lamina_A1),
    "A[2]": (A2, lamina_A2),
    "J": (J, lamina_J),
    "dW[1]": (dW1, gradients[0]),
    "db[1]": (db1[:, 0], gradients[1]),
    "dW[2]": (dW2, gradients[2]),
    "db[2]": (db2[:, 0], gradients[3]),
}
np.set_printoptions(precision=6, suppress=True)
for name, (by_hand, by_lamina) in rows.items():
    print(f"{name} by hand\n{by_hand}\n{name} of Lamina\n{np.asarray(by_lamina)}\n")
    np.testing.assert_allclose(by_hand, by_lamina, rtol=1e-9, atol=1e-12)
print("The same numbers, by hand and by Lamina.")
