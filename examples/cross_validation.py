"""Five folds of a cross-validation, trained at the same time: how good is the classifier on rows it never saw?"""

import csv
from pathlib import Path

import numpy as np

import lamina
from lamina import callbacks, layers

lamina.utils.set_random_seed(1)

with open(Path(__file__).parent / "breast_cancer.csv", encoding="utf-8") as file:
    table = list(csv.DictReader(file))
names = [name for name in table[0] if name != "diagnosis"]
x = np.array([[float(row[name]) for name in names] for row in table], "float32")
y = np.array([row["diagnosis"] == "malignant" for row in table], "float32")


def network(rows):
    """Its first layer standardises the columns with what it sees in the rows that train, and in no others."""
    columns = layers.Normalization()
    columns.adapt(rows)
    model = lamina.Sequential([columns, layers.Dense(32, "relu"), layers.Dropout(0.2), layers.Dense(1, "sigmoid")])
    model.compile(lamina.optimizers.Adam(0.003), "binary_crossentropy", metrics=["accuracy"])
    return model


folds = np.array_split(np.random.default_rng(1).permutation(len(x)), 5)
models, each = [], []
for held in folds:
    train = np.setdiff1d(np.arange(len(x)), held)
    models.append(network(x[train]))
    stop = callbacks.EarlyStopping("loss", min_delta=0.001, patience=5)
    each.append({"x": x[train], "y": y[train], "validation_data": (x[held], y[held]), "callbacks": [stop]})

histories = lamina.fit_many(models, each=each, epochs=60, batch_size=32)

right = [history.history["val_accuracy"][-1] for history in histories]
for number, (history, share) in enumerate(zip(histories, right, strict=True), 1):
    print(f"fold {number}: {len(history.epoch)} epochs, accuracy {share:.3f}")
print(f"Accuracy on rows held out: {np.mean(right):.3f} ± {np.std(right):.3f}")
