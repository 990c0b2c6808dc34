"""Random models: what the core trains is what the NumPy reference trains, and threads change no bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import Input, Model, layers, optimizers
from lamina.errors import NonFiniteError

TOLERANCE = {"float32": 3e-3, "float64": 1e-8}  # two epochs of training let rounding grow
ACTIVATIONS = ("relu", "tanh", "sigmoid", "gelu", "elu", "selu", "silu", "softplus", "softsign", "log_softmax")
HEADS = {  # loss → (units, activation, metrics)
    "mse": (1, None, ["mae", "root_mean_squared_error"]),
    "huber": (2, None, ["mae"]),
    "binary_crossentropy": (1, "sigmoid", ["mse", "auc"]),
    "sparse_categorical_crossentropy": (4, "softmax", ["sparse_categorical_crossentropy"]),
    "categorical_crossentropy": (4, "softmax", ["mse"]),
}
OPTIMIZERS = (
    lambda: optimizers.SGD(0.01, momentum=0.9, nesterov=True),
    lambda: optimizers.Adam(0.01, clipnorm=1.0),
    lambda: optimizers.Adam(0.01, global_clipnorm=1.0, weight_decay=0.01, amsgrad=True),
    lambda: optimizers.RMSprop(0.001, centered=True),
    lambda: optimizers.SGD(optimizers.schedules.CosineDecay(0.02, 5)),
)


def grown(rng: np.random.Generator, dtype: str, loss: str) -> Model:
    """Inputs, up to eight layers each on something made before, and a head for the loss."""

    def one(things: Any) -> Any:
        return things[rng.integers(len(things))]

    def dense(x: Any) -> Any:
        penalty, limit = one(("l2", None, None)), one(("max_norm", None, None))
        layer = layers.Dense(
            int(rng.integers(1, 40)), one(ACTIVATIONS), kernel_regularizer=penalty, kernel_constraint=limit, dtype=dtype
        )
        return layer(x)

    def pairs(x: Any) -> Any:
        if x.shape[-1] % 2:
            return x
        folded = layers.Reshape((-1, 2), dtype=dtype)(x)
        return layers.Flatten(dtype=dtype)(layers.Dense(3, dtype=dtype)(folded))

    def merged(x: Any) -> Any:
        fitting = [other for other in made if other.shape[-1] in (1, x.shape[-1])]
        return one((layers.Add, layers.Multiply))(dtype=dtype)([x, one(fitting)])

    steps = (
        dense, dense, dense, pairs, merged,
        lambda x: layers.BatchNormalization(dtype=dtype)(x),
        lambda x: layers.LayerNormalization(dtype=dtype)(x),
        lambda x: layers.Dropout(0.3, seed=3, dtype=dtype)(x),
        lambda x: layers.Activation(one(ACTIVATIONS), dtype=dtype)(x),
        lambda x: layers.ReLU(max_value=2.0, negative_slope=0.1, threshold=0.1, dtype=dtype)(x),
        lambda x: layers.Softmax(dtype=dtype)(x),
        lambda x: layers.Concatenate(dtype=dtype)([one(made), x]),
    )  # fmt: skip
    inputs = [Input((int(rng.integers(1, 9)),), dtype=dtype) for _ in range(rng.integers(1, 3))]
    made: list[Any] = list(inputs)
    for _ in range(rng.integers(1, 9)):
        made.append(one(steps)(one(made)))
    units, activation, _ = HEADS[loss]
    return Model(inputs, layers.Dense(units, activation, dtype=dtype)(made[-1]))


def targets(rng: np.random.Generator, loss: str, rows: int) -> np.ndarray:
    labels = rng.integers(0, 4, rows)
    kinds = {"sparse_categorical_crossentropy": labels, "categorical_crossentropy": np.eye(4)[labels]}
    return kinds.get(loss, rng.integers(0, 2, (rows, HEADS[loss][0])))


@pytest.mark.parametrize("seed", range(40))
def test_the_core_trains_what_numpy_trains(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lamina.utils.set_random_seed(seed)
    dtype, loss = ("float32", "float64")[seed % 2], list(HEADS)[seed % len(HEADS)]
    model, optimizer = grown(rng, dtype, loss), OPTIMIZERS[seed % 4 if seed % 3 else 4]
    rows, batch = int(rng.integers(5, 90)), int(rng.integers(1, 40))
    x, y = [rng.normal(size=(rows, t.shape[-1])) for t in model.inputs], targets(rng, loss, rows)
    weight = rng.uniform(size=rows) if seed % 2 else None
    start, results = model.get_weights(), []
    for target, threads in (("numpy", 1), ("core", 1), ("core", 2)):
        model.set_weights(start)
        model.compile(optimizer(), loss, metrics=HEADS[loss][2], target=target, threads=threads)
        lamina.utils.set_random_seed(seed)
        try:
            history = model.fit(x, y, batch_size=batch, epochs=2, sample_weight=weight, verbose=0).history
        except NonFiniteError:
            history = {}
        results.append([*model.get_weights(), model.predict(x, verbose=0), *map(np.array, history.values())])
    for reference, one_thread, two in zip(*results, strict=True):
        close = TOLERANCE[dtype]
        np.testing.assert_allclose(one_thread, reference, rtol=close, atol=close)
        np.testing.assert_array_equal(one_thread, two)
