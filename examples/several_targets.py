"""A regression with two answers: rent and running costs of an apartment, from one network with two heads.

Runs on Lamina, and with LIBRARY=keras on Keras, and prints the same figures.
"""

import csv
import importlib
import os
from pathlib import Path

import numpy as np

keras = importlib.import_module(os.environ.get("LIBRARY", "lamina"))
layers = keras.layers

with open(Path(__file__).parent / "apartments.csv", encoding="utf-8") as file:
    table = list(csv.DictReader(file))


def column(*names: str) -> np.ndarray:
    return np.array([[float(row[name]) for name in names] for row in table], "float32")


x = column("area", "rooms", "floor", "built")
y = {"rent": column("rent") / 1000, "costs": column("costs") / 100}
train, test = slice(0, 480), slice(480, None)

columns = layers.Normalization()
columns.adapt(x[train])

inputs = keras.Input((4,))
shared = layers.Dense(16, activation="relu")(columns(inputs))
rent = layers.Dense(1, name="rent")(layers.Dense(8, activation="relu")(shared))
costs = layers.Dense(1, name="costs")(shared)
model = keras.Model(inputs, {"rent": rent, "costs": costs})

start = np.random.default_rng(1)
for variable in model.trainable_variables:  # both libraries begin alike
    variable.assign(start.normal(0, 0.3, variable.shape))
model.compile(
    optimizer=keras.optimizers.RMSprop(0.005),
    loss={"rent": "mse", "costs": keras.losses.Huber()},
    loss_weights={"rent": 1.0, "costs": 0.5},
    metrics={"rent": ["mae"], "costs": ["mae", keras.metrics.R2Score()]},
)
history = model.fit(
    x[train],
    {name: values[train] for name, values in y.items()},
    batch_size=32,
    epochs=30,
    shuffle=False,
    validation_data=(x[test], {name: values[test] for name, values in y.items()}),
    callbacks=[keras.callbacks.ReduceLROnPlateau(patience=3, factor=0.5)],
    verbose=0,
)
figures = model.evaluate(x[test], {name: values[test] for name, values in y.items()}, verbose=0, return_dict=True)
for name, value in figures.items():
    print(f"{name}: {value:.3f}")
first = model.predict(x[test][:1], verbose=0)
print(f"The first: rent {1000 * first['rent'][0, 0]:.0f}, costs {100 * first['costs'][0, 0]:.0f}")
