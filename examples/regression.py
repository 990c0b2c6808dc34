"""A regression: how far diabetes goes in a year. Columns and target are standardised inside the model."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

import lamina
from lamina import layers

lamina.utils.set_random_seed(0)

with open(Path(__file__).parent / "diabetes.csv", encoding="utf-8") as file:
    table = list(csv.DictReader(file))
names = [name for name in table[0] if name != "progression"]
x = np.array([[float(row[name]) for name in names] for row in table], "float32")
y = np.array([[float(row["progression"])] for row in table], "float32")

order = np.random.default_rng(0).permutation(len(x))
train, test = order[:-88], order[-88:]

columns, units = layers.Normalization(), layers.Normalization(invert=True)
columns.adapt(x[train])
units.adapt(y[train])
mean, deviation = y[train].mean(), y[train].std()

# Trained in standard units, where a usual learning rate fits; used with one more layer, which undoes them.
trained = lamina.Sequential(
    [
        lamina.Input((len(names),)),
        columns,
        layers.Dense(32, activation="relu", kernel_regularizer=lamina.regularizers.L2(0.01)),
        layers.Dense(1),
    ]
)
model = lamina.Sequential([*trained.layers, units])

trained.compile(optimizer=lamina.optimizers.Adam(0.003), loss="mse")
stopping = lamina.callbacks.EarlyStopping(patience=15, restore_best_weights=True)
standard = (y[train] - mean) / deviation
history = trained.fit(
    x[train], standard, batch_size=32, epochs=200, validation_split=0.2, verbose=0, callbacks=[stopping]
)

model.compile(loss="mse", metrics=["mae", lamina.metrics.RootMeanSquaredError(), lamina.metrics.R2Score()])
_, absolute, root, r2 = model.evaluate(x[test], y[test], verbose=0)
simplest = float(np.abs(y[test] - mean).mean())

print(f"{len(history.history['loss'])} epochs; held-out rows, in the target's own units:")
print(f"mean absolute error {absolute:.1f} (always answering the mean: {simplest:.1f})")
print(f"root mean squared error {root:.1f}, R² {r2:.2f}")
assert absolute < simplest, "the network should beat the mean"
