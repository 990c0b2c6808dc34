"""Structured data: numbers and words of a table become features, a classifier learns from them, with FeatureSpace.

Runs on Lamina, and with LIBRARY=keras on Keras, and prints the same figures.
"""

import csv
import importlib
import os
from pathlib import Path

import numpy as np

keras = importlib.import_module(os.environ.get("LIBRARY", "lamina"))
from tensorflow.data import Dataset  # noqa: E402 - Keras's feature spaces read data sets of TensorFlow

NUMBERS = ("area", "rooms", "floor", "built", "rent")

with open(Path(__file__).parent / "apartments.csv", encoding="utf-8") as file:
    table = list(csv.DictReader(file))
features = {name: np.array([float(row[name]) for row in table], "float32") for name in NUMBERS}
features |= {name: np.array([row[name] for row in table]) for name in ("district", "heating")}
target = np.array([row["taken"] == "yes" for row in table], "float32")


def data_set(rows: slice) -> Dataset:
    """(features, target) of these rows, in batches."""
    part = {name: values[rows] for name, values in features.items()}
    return Dataset.from_tensor_slices((part, target[rows])).batch(32)


train, test = data_set(slice(0, 480)), data_set(slice(480, None))

FeatureSpace = keras.utils.FeatureSpace
space = FeatureSpace(
    features={
        "area": FeatureSpace.float_normalized(),
        "rooms": FeatureSpace.float_normalized(),
        "floor": FeatureSpace.float_rescaled(scale=0.1),
        "built": FeatureSpace.float_discretized(num_bins=4),
        "rent": FeatureSpace.float_normalized(),
        "district": FeatureSpace.string_categorical(num_oov_indices=0),
        "heating": FeatureSpace.string_categorical(num_oov_indices=0),
    },
    crosses=[FeatureSpace.cross(("district", "heating"), crossing_dim=16)],
    output_mode="concat",
)
space.adapt(train.map(lambda x, _: x))

encoded = space.get_encoded_features()
hidden = keras.layers.Dense(16, activation="relu")(encoded)
model = keras.Model(encoded, keras.layers.Dense(1, activation="sigmoid")(hidden))
start = np.random.default_rng(1)
for variable in model.trainable_variables:  # both libraries begin alike
    variable.assign(start.normal(0, 0.2, variable.shape))
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])


def coded(rows: Dataset) -> Dataset:
    return rows.map(lambda x, y: (space(x), y))


model.fit(coded(train), epochs=15, verbose=0)
loss, accuracy = model.evaluate(coded(test), verbose=0)
print(f"Apartments of the test: loss {loss:.3f}, accuracy {accuracy:.3f}")

# From raw columns to an answer in one model.
whole = keras.Model(space.get_inputs(), model(space.get_encoded_features()))
(answer,) = whole.predict(test.map(lambda x, _: x).take(1), verbose=0)[:1, 0]
print(f"The first of them is taken within a week with probability {answer:.3f}")
