"""A layer and a loss of your own: each is one equation, written with lamina.ops; the gradient follows from it."""

from __future__ import annotations

import numpy as np

import lamina
from lamina import layers, losses, ops


class Bumps(layers.Layer):
    """exp(−w² ⊙ (x − c)²) summed over the inputs: each unit answers near its own centre c."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.centre = self.add_weight((input_shape[-1], self.units), "random_normal", name="centre")
        self.width = self.add_weight((input_shape[-1], self.units), "ones", name="width")

    def call(self, inputs):
        distance = ops.expand_dims(inputs, -1) - self.centre  # (rows, inputs, units)
        return ops.sum(ops.exp(-ops.square(self.width * distance)), axis=1)


class LogCosh(losses.Loss):
    """mean log cosh(ŷ − y): like a square near 0 and like the absolute value far from it."""

    def call(self, y_true, y_pred):
        error = y_pred - y_true
        return ops.mean(error + ops.softplus(-2.0 * error) - np.log(2.0), axis=-1)


lamina.utils.set_random_seed(3)
random = np.random.default_rng(3)
x = random.uniform(-2, 2, (2000, 2)).astype("float32")
y = (np.sin(2 * x[:, :1]) * np.cos(x[:, 1:]) + random.normal(0, 0.05, (2000, 1))).astype("float32")

model = lamina.Sequential([lamina.Input((2,)), Bumps(32), layers.Dense(16, activation="tanh"), layers.Dense(1)])
model.compile(optimizer=lamina.optimizers.Adam(0.01), loss=LogCosh(), metrics=["mae"])
model.fit(x[:1600], y[:1600], batch_size=32, epochs=40, verbose=0)
loss, error = model.evaluate(x[1600:], y[1600:], verbose=0)
simplest = np.abs(y[1600:] - y[:1600].mean()).mean()

print(f"held-out loss {loss:.4f}, mean absolute error {error:.3f}; always answering the mean: {simplest:.3f}")
assert error < simplest / 2, "the network should have learned the surface"
