"""The network for a table: raw columns in, probabilities or a number in the table's own units out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lamina.layers.dense import Dense
from lamina.layers.input_layer import Input
from lamina.layers.preprocessing import Normalization
from lamina.models.sequential import Sequential
from lamina.optimizers import Adam
from lamina.tables.schema import BINARY, MULTICLASS, REGRESSION, Schema

# The last layer's activation, the loss and the metrics of each task.
_TASKS: dict[str, tuple[str, str, list[str]]] = {
    BINARY: ("sigmoid", "binary_crossentropy", ["accuracy"]),
    MULTICLASS: ("softmax", "sparse_categorical_crossentropy", ["accuracy"]),
    REGRESSION: ("linear", "mean_squared_error", []),
}


@dataclass(frozen=True)
class Network:
    """What is trained, and what is used.

    Attributes:
        trained: learns; for a regression it answers in standard units, (y − mean) / deviation.
        model: the same layers, and for a regression one more that turns standard units into the target's own. It
            is what is saved: whoever loads it gives it raw columns and gets answers in the table's units.
        mean, deviation: of the target in the rows trained on; 0 and 1 for classes.
    """

    trained: Sequential
    model: Sequential
    mean: float = 0.0
    deviation: float = 1.0

    def standard(self, y: np.ndarray) -> np.ndarray:
        """The target as ``trained`` answers it."""
        if y.dtype.kind != "f":
            return y
        return ((y.astype(np.float64) - self.mean) / self.deviation).astype(np.float32)

    def shown(self, logs: Mapping[str, float]) -> dict[str, float]:
        """Keras's logs of ``trained`` in the target's units: a regression's loss as the error that it stands for."""
        if self.trained is self.model:
            return dict(logs)
        errors = {key.replace("loss", "error"): logs[key] for key in logs if key.endswith("loss")}
        return {key: float(np.sqrt(loss)) * self.deviation for key, loss in errors.items()}

    def compile(self, schema: Schema, learning_rate: float, threads: int | None) -> None:
        """Compile both models for the task, each with an Adam of its own since their losses differ in scale."""
        _, loss, metrics = _TASKS[schema.task]
        for model in dict.fromkeys((self.model, self.trained)):
            model.compile(Adam(learning_rate, name="adam"), loss=loss, metrics=metrics, threads=threads)


def build_network(schema: Schema, x: np.ndarray, y: np.ndarray, hidden: Sequence[int], activation: str) -> Network:
    """A network with a Normalization of the columns as its first layer.

    Args:
        schema: the columns and the target.
        x, y: inputs and target of the rows trained on, from which the normalisations are taken.
        hidden: units of the hidden layers.
        activation: of the hidden layers.
    """
    columns = Normalization(name="columns")
    columns.adapt(x)
    last, _, _ = _TASKS[schema.task]
    layers = [
        Input((x.shape[1],)),
        columns,
        *(Dense(units, activation=activation, name=f"hidden_{i}") for i, units in enumerate(hidden, 1)),
        Dense(schema.outputs, activation=last, name="answer"),
    ]
    trained = Sequential(layers, name="network")
    if schema.task != REGRESSION:
        return Network(trained, trained)
    units = Normalization(invert=True, name="units")
    units.adapt(y[:, None])
    wide = y.astype(np.float64)
    return Network(
        trained, Sequential([*layers, units], name="network_in_units"), float(wide.mean()), float(wide.std())
    )
