"""The tutorial classifier: is a tumour malignant? With the import line changed to `import keras` it runs on Keras."""

import csv
from pathlib import Path

import numpy as np

import lamina as keras

keras.utils.set_random_seed(1)

with open(Path(__file__).parent / "breast_cancer.csv", encoding="utf-8") as file:
    table = list(csv.DictReader(file))
names = [name for name in table[0] if name != "diagnosis"]
x = np.array([[float(row[name]) for name in names] for row in table], "float32")
y = np.array([row["diagnosis"] == "malignant" for row in table], "float32")

order = np.random.default_rng(1).permutation(len(x))
train, test = order[:-114], order[-114:]

columns = keras.layers.Normalization()
columns.adapt(x[train])

model = keras.Sequential(
    [
        keras.Input((30,)),
        columns,
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.summary()
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.001),
    loss="binary_crossentropy",
    metrics=["accuracy"],
)
history = model.fit(
    x[train],
    y[train],
    batch_size=32,
    epochs=50,
    validation_split=0.2,
    verbose=0,
    callbacks=[keras.callbacks.EarlyStopping(patience=10, restore_best_weights=True)],
)
loss, accuracy = model.evaluate(x[test], y[test], verbose=0)
probabilities = model.predict(x[test], verbose=0)[:, 0]

print(f"{len(history.history['loss'])} epochs, held-out loss {loss:.3f}, accuracy {accuracy:.3f}")
print("The first five:", np.round(probabilities[:5], 3), "in truth", y[test][:5])
