"""What `lamina train examples/breast_cancer.csv` does, as a script of Keras on TensorFlow: the same parts of the rows,
standardised columns, the same network, batches and epochs, the best epoch's weights, the test's figures, one file.

`breast_cancer_keras.py TABLE EPOCHS OUT`
"""

from __future__ import annotations

import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"

import keras
import numpy as np
from keras import layers

TARGET, BATCH, HELD = "diagnosis", 32, 0.2


def read(path: str) -> tuple[np.ndarray, np.ndarray]:
    """Numbers (rows, columns), and the classes (rows, 1) as 0 and 1."""
    cells = np.genfromtxt(path, delimiter=",", dtype=str)
    target = list(cells[0]).index(TARGET)
    classes = cells[1:, target]
    x = np.delete(cells[1:], target, axis=1).astype(np.float32)
    return x, (classes == np.unique(classes)[1]).astype(np.float32)[:, None]


def network(x: np.ndarray) -> keras.Sequential:
    columns = layers.Normalization()
    columns.adapt(x)
    hidden = [layers.Dense(units, activation="relu") for units in (64, 32)]
    return keras.Sequential([keras.Input((x.shape[1],)), columns, *hidden, layers.Dense(1, activation="sigmoid")])


def main(path: str, epochs: int, out: str) -> None:
    x, y = read(path)
    order = np.random.default_rng(0).permutation(len(x))
    held = round(HELD * len(x))
    test, validation, train = order[:held], order[held : 2 * held], order[2 * held :]
    model = network(x[train])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"], steps_per_execution=16, jit_compile=False)
    stopping = keras.callbacks.EarlyStopping(patience=epochs, restore_best_weights=True)
    model.fit(
        x[train], y[train], batch_size=BATCH, epochs=epochs, verbose=0, callbacks=[stopping],
        validation_data=(x[validation], y[validation]),
    )  # fmt: skip
    loss, accuracy = model.evaluate(x[test], y[test], verbose=0)
    print(f"{len(train)} rows, {epochs} epochs, test: loss {loss:.3f}, accuracy {accuracy:.1%}")
    model.save(out)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
