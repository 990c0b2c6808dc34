"""One network in Keras's words: what Lamina and Keras on each of its backends are given is the same code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from peer import Mark
from rungs import (
    BINARY,
    CLASSES,
    CODES,
    DROPPED,
    EMBEDDED,
    EPSILON,
    LEARNING_RATE,
    MOMENTUM,
    NUMBER,
    Rows,
    Rung,
    Table,
    weights,
)

OPTIMIZERS = {"adam": "Adam", "rmsprop": "RMSprop"}
NEVER = 10**6  # epochs of patience


def network(api: Any, rung: Rung) -> Any:
    """With `api`, the module keras or lamina."""
    layers = dense_layers(api, rung)
    if not rung.code_columns:
        return api.Sequential([api.Input(shape=(rung.numbers,)), *layers])
    numbers = api.Input(shape=(rung.numbers,))
    codes = [api.Input(shape=(), dtype="int32", name=f"code_{i}") for i in range(rung.code_columns)]
    z = api.layers.Concatenate()([numbers, *(api.layers.Embedding(CODES, EMBEDDED)(code) for code in codes)])
    for layer in layers:
        z = layer(z)
    return api.Model([numbers, *codes], z)


def dense_layers(api: Any, rung: Rung) -> list[Any]:
    layers: list[Any] = []
    for units in rung.sizes[1:-1]:
        layers.append(api.layers.Dense(units, activation=rung.activation))
        if rung.dressed:
            layers += [api.layers.BatchNormalization(momentum=MOMENTUM, epsilon=EPSILON), api.layers.Dropout(DROPPED)]
    return [*layers, api.layers.Dense(rung.sizes[-1])]


def loss(api: Any, rung: Rung) -> Any:
    losses = api.losses
    classes = losses.CategoricalCrossentropy if rung.dressed else losses.SparseCategoricalCrossentropy
    made: dict[str, Callable[[], Any]] = {
        BINARY: lambda: losses.BinaryCrossentropy(from_logits=True),
        CLASSES: lambda: classes(from_logits=True),
        NUMBER: losses.MeanSquaredError,
    }
    return made[rung.answer]()


def metrics(api: Any, rung: Rung) -> list[Any]:
    if not rung.dressed:
        return []
    of = api.metrics
    accuracy = of.BinaryAccuracy("accuracy", threshold=0.0) if rung.answer == BINARY else "accuracy"
    return [accuracy, of.AUC(from_logits=True, name="auc")]


def inputs(rows: Rows) -> Any:
    """What the network takes: the numbers, or a list of them and of each column of codes."""
    numbers, *codes = rows.x
    return [numbers, *(np.ascontiguousarray(c) for c in codes[0].T)] if codes else numbers


def train(api: Any, rung: Rung, table: Table, epochs: int, mark: Mark, **compile_options: Any) -> Any:
    """Fits for `epochs` epochs, calling `mark(logs)` as each ends; returns the model."""
    model = network(api, rung)
    optimizer = getattr(api.optimizers, OPTIMIZERS[rung.optimizer])(LEARNING_RATE)
    model.compile(optimizer, loss=loss(api, rung), metrics=metrics(api, rung), **compile_options)
    stopping = [api.callbacks.EarlyStopping(patience=NEVER)] if rung.dressed else []
    each = api.callbacks.LambdaCallback(on_epoch_end=lambda _, logs: mark(logs))
    data, held = table
    model.fit(
        inputs(data), data.y, sample_weight=data.weight, batch_size=rung.batch, epochs=epochs, shuffle=True, verbose=0,
        validation_data=held and (inputs(held), held.y, held.weight), callbacks=[*stopping, each],
    )  # fmt: skip
    return model


def predictor(api: Any, rung: Rung, **compile_options: Any) -> Callable[[np.ndarray, int | None], np.ndarray]:
    """A function of rows and batch size that gives the outputs of the rung's network with the common weights."""
    model = network(api, rung)
    model.compile(loss=loss(api, rung), **compile_options)
    model.set_weights([array for pair in weights(rung) for array in pair])
    return lambda x, batch: model.predict(x, batch_size=batch, verbose=0)
