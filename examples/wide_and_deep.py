"""Wide and deep: crossed words go straight to the answer, numbers and embedded words through a network.

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
numbers = np.array([[float(row[name]) for name in ("area", "rooms", "floor", "rent")] for row in table], "float32")
words = {name: sorted({row[name] for row in table}) for name in ("district", "heating")}
codes = {name: np.array([known.index(row[name]) for row in table], "int32") for name, known in words.items()}
crossed = codes["district"] * len(words["heating"]) + codes["heating"]
data = {"numbers": numbers, "crossed": crossed[:, None], **{name: code[:, None] for name, code in codes.items()}}
target = np.array([row["taken"] == "yes" for row in table], "float32")
train, test = slice(0, 480), slice(480, None)


def rows(part: slice) -> dict[str, np.ndarray]:
    return {name: values[part] for name, values in data.items()}


scaled = layers.Normalization()
scaled.adapt(numbers[train])

inputs = {name: keras.Input((1,), dtype="int32", name=name) for name in ("crossed", "district", "heating")}
inputs["numbers"] = keras.Input((4,), name="numbers")
places = len(words["district"]) * len(words["heating"])
wide = layers.CategoryEncoding(num_tokens=places, output_mode="one_hot", name="wide")(inputs["crossed"])
embedded = [layers.Flatten()(layers.Embedding(len(words[name]), 3)(inputs[name])) for name in words]
deep = layers.Concatenate()([scaled(inputs["numbers"]), *embedded])
deep = layers.Dense(16, activation="relu")(deep)
deep = layers.BatchNormalization(momentum=0.9)(layers.Dense(8, activation="tanh")(deep))
answer = layers.Dense(1, activation="sigmoid")(layers.Concatenate()([wide, deep]))
model = keras.Model(inputs, answer)

start = np.random.default_rng(1)
for variable in model.trainable_variables:  # both libraries begin alike
    variable.assign(start.normal(0, 0.3, variable.shape))
rate = keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=50, decay_rate=0.9)
model.compile(
    optimizer=keras.optimizers.SGD(rate, momentum=0.9),
    loss="binary_crossentropy",
    metrics=["accuracy", keras.metrics.AUC(name="auc")],
)
stopping = keras.callbacks.EarlyStopping(monitor="val_auc", mode="max", patience=5, restore_best_weights=True)
history = model.fit(
    rows(train), target[train], batch_size=32, epochs=30, shuffle=False, verbose=0,
    validation_data=(rows(test), target[test]), class_weight={0: 1.0, 1: 1.2}, callbacks=[stopping],
)  # fmt: skip
loss, accuracy, auc = model.evaluate(rows(test), target[test], verbose=0)
print(f"{len(history.epoch)} epochs: loss {loss:.3f}, accuracy {accuracy:.3f}, area under the curve {auc:.3f}")
