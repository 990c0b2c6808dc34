"""Graph → a SavedModel: TensorFlow loads and serves it, without Lamina."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lamina.lower.exported import Exported
from lamina.lower.to_numpy import compile_source
from lamina.lower.to_tensorflow import TensorFlow


def to_saved_model(exported: Exported, path: Path) -> None:
    """Write a folder with the endpoint ``serve``, which is the signature ``serving_default``, too; any batch size.

    Args:
        exported: the network.
        path: the folder.

    Raises:
        MissingLibraryError: TensorFlow is not installed.
    """
    library = TensorFlow()
    tf, graph = library.tf, exported.graph
    function = compile_source(graph, library.names)
    weights = {
        buffer: tf.Variable(weight.value, name=weight.path, trainable=weight.trainable)
        for buffer, weight in exported.weights.items()
    }
    specs = tf.nest.map_structure(lambda given: tf.TensorSpec(given.shape, given.dtype, given.name), exported.inputs)

    def serve(inputs: Any) -> Any:
        arrays = dict(zip((s.name for s in tf.nest.flatten(specs)), tf.nest.flatten(inputs), strict=True))
        data = {name: tf.cast(arrays[name], node.dtype) for name, node in graph.inputs.items()}
        state = {buffer: tf.reshape(variable, (-1,)) for buffer, variable in weights.items()}
        rows = tf.shape(tf.nest.flatten(inputs)[0])[0]
        made, _ = function(data, state, rows, 0)
        return tf.nest.map_structure(lambda name: made[name], exported.outputs)

    archive = tf.train.Checkpoint(
        serve=tf.function(serve, input_signature=[specs], autograph=False),
        variables=list(weights.values()),
        trainable_variables=[v for v in weights.values() if v.trainable],
        non_trainable_variables=[v for v in weights.values() if not v.trainable],
    )
    tf.saved_model.save(archive, str(path), signatures={"serving_default": archive.serve, "serve": archive.serve})
