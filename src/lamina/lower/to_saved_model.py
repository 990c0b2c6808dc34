"""Graph → a SavedModel: TensorFlow loads and serves it, without Lamina."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamina.graph.node import Graph
from lamina.lower.exported import Exported, is_moved
from lamina.lower.tensorflow_host import Recipes
from lamina.lower.to_numpy import compile_source
from lamina.lower.to_tensorflow import TensorFlow

if TYPE_CHECKING:
    from lamina.host.stage import HostCall


def to_saved_model(exported: Exported, path: Path) -> None:
    """Write a folder with the endpoint ``serve``, which is the signature ``serving_default``, too; any batch size.

    Args:
        exported: the network.
        path: the folder.

    Raises:
        MissingLibraryError: TensorFlow is not installed.
    """
    library = TensorFlow()
    tf, graph, recipes = library.tf, exported.graph, Recipes(library.tf)
    function = compile_source(graph, library.names)
    hosted = [(call.name, recipes.made(call.layer.recipe), _reading(call, library)) for call in exported.hosted]
    weights = {
        buffer: tf.Variable(weight.value, name=weight.path, trainable=weight.trainable)
        for buffer, weight in exported.weights.items()
    }
    specs = tf.nest.map_structure(lambda given: tf.TensorSpec(given.shape, given.dtype, given.name), exported.inputs)

    def serve(inputs: Any) -> Any:
        arrays = dict(zip((s.name for s in tf.nest.flatten(specs)), tf.nest.flatten(inputs), strict=True))
        rows = tf.shape(tf.nest.flatten(inputs)[0])[0]
        for name, recipe, read in hosted:
            arrays[name] = recipe(*read(arrays, rows))
        data = {name: tf.cast(arrays[name], node.dtype) for name, node in graph.inputs.items()}
        state = {buffer: tf.reshape(variable, (-1,)) for buffer, variable in weights.items()}
        made, _ = function(data, state, rows, 0)
        return tf.nest.map_structure(lambda name: made[name], exported.outputs)

    archive = tf.train.Checkpoint(
        serve=tf.function(serve, input_signature=[specs], autograph=False),
        variables=list(weights.values()),
        trainable_variables=[v for v in weights.values() if v.trainable],
        non_trainable_variables=[v for v in weights.values() if not v.trainable],
        tables=recipes.tables,
    )
    tf.saved_model.save(archive, str(path), signatures={"serving_default": archive.serve, "serve": archive.serve})


def _reading(call: HostCall, library: TensorFlow) -> Callable[[Any, Any], list[Any]]:
    """What a recipe is called with, from the arrays that callers gave; whole numbers keep their width."""
    graph = Graph({str(i): node for i, node in enumerate(call.reads)})
    function = compile_source(graph, library.names)
    moved = all(map(is_moved, call.reads))

    def read(arrays: Any, rows: Any) -> list[Any]:
        given = {n: arrays[n] if moved else library.tf.cast(arrays[n], x.dtype) for n, x in graph.inputs.items()}
        return list(function(given, {}, rows, 0)[0].values())

    return read
