"""Graph → a SavedModel: TensorFlow loads and serves it, without Lamina."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lamina.graph.node import Graph
from lamina.lower.exported import Exported, Weight, is_moved
from lamina.lower.tensorflow_host import Recipes
from lamina.lower.to_numpy import compile_source
from lamina.lower.to_tensorflow import TensorFlow

if TYPE_CHECKING:
    from lamina.host.stage import HostCall


def to_saved_model(
    endpoints: Mapping[str, Exported], path: Path, weights: Mapping[str, Weight] = MappingProxyType({}),
    collections: Mapping[str, Sequence[str]] = MappingProxyType({}), options: Any = None,
) -> None:  # fmt: skip
    """Write a folder in which each endpoint is a method and a signature, the first also as ``serving_default``.

    Args:
        endpoints: what is computed, by name; any batch size.
        path: the folder.
        weights: variables to keep beside those of the endpoints.
        collections: more lists of variables by name, each of their keys.
        options: TensorFlow's ``SaveOptions``.

    Raises:
        MissingLibraryError: TensorFlow is not installed.
    """
    library = TensorFlow()
    tf, recipes = library.tf, Recipes(library.tf)
    kept = ChainMap(*(dict(exported.weights) for exported in endpoints.values()), dict(weights))
    variables = {key: tf.Variable(w.value, name=plain(w.path), trainable=w.trainable) for key, w in kept.items()}
    served = {name: _served(exported, library, recipes, variables) for name, exported in endpoints.items()}
    archive = tf.train.Checkpoint(
        **served,
        **{name: [variables[key] for key in keys] for name, keys in collections.items()},
        variables=list(variables.values()),
        trainable_variables=[v for v in variables.values() if v.trainable],
        non_trainable_variables=[v for v in variables.values() if not v.trainable],
        tables=recipes.tables,
    )
    signatures = {"serving_default": next(iter(served.values())), **served}
    tf.saved_model.save(archive, str(path), signatures=signatures, options=options)


def plain(name: str) -> str:
    """A name as TensorFlow takes it: a letter or digit without accents, then those and few signs."""
    return re.sub(r"[^A-Za-z0-9_.\-/]", "_", name).lstrip("_-/") or "unnamed"


def _served(exported: Exported, library: TensorFlow, recipes: Recipes, variables: Mapping[str, Any]) -> Any:
    """One endpoint as a TensorFlow function."""
    tf, graph = library.tf, exported.graph
    function = compile_source(graph, library.names)
    hosted = [(call.name, recipes.made(call.layer.recipe), _reading(call, library)) for call in exported.hosted]
    specs = tf.nest.map_structure(lambda x: tf.TensorSpec(x.shape, x.dtype, plain(x.name)), exported.inputs)
    names = [given.name for given in tf.nest.flatten(exported.inputs)]

    def serve(*inputs: Any) -> Any:
        arrays = dict(zip(names, tf.nest.flatten(inputs), strict=True))
        rows = tf.shape(tf.nest.flatten(inputs)[0])[0]
        for name, recipe, read in hosted:
            arrays[name] = recipe(*read(arrays, rows))
        data = {name: tf.cast(arrays[name], node.dtype) for name, node in graph.inputs.items()}
        state = {key: tf.reshape(variables[key], (-1,)) for key in exported.weights}
        made, _ = function(data, state, rows, 0)
        return tf.nest.map_structure(lambda name: made[name], exported.outputs)

    return tf.function(serve, input_signature=specs, autograph=False)


def _reading(call: HostCall, library: TensorFlow) -> Callable[[Any, Any], list[Any]]:
    """What a recipe is called with, from the arrays that callers gave; whole numbers keep their width."""
    graph = Graph({str(i): node for i, node in enumerate(call.reads)})
    function = compile_source(graph, library.names)
    moved = all(map(is_moved, call.reads))

    def read(arrays: Any, rows: Any) -> list[Any]:
        given = {n: arrays[n] if moved else library.tf.cast(arrays[n], x.dtype) for n, x in graph.inputs.items()}
        return list(function(given, {}, rows, 0)[0].values())

    return read
