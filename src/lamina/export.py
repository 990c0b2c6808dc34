"""`lamina.export`: several functions of a model in one SavedModel; `model.export` writes one alone."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from lamina import config
from lamina.layers.layer import Layer
from lamina.lower.exported import Exported
from lamina.models.exporting import given_of, read, read_function, say_saved, weight_of
from lamina.tree import map_leaves
from lamina.variables import Variable


class ExportArchive:
    """A SavedModel in the making: endpoints that TensorFlow calls, and the variables beside them.

    Args:
        format: ``"saved_model"``, the only one.

    Example:
        >>> from lamina import InputSpec, Sequential, Input, layers
        >>> model = Sequential([Input((3,)), layers.Dense(2)])
        >>> archive = ExportArchive()
        >>> archive.track(model)
        >>> _ = archive.add_endpoint("serve", model)
        >>> _ = archive.add_endpoint("twice", lambda x: 2.0 * model(x), [InputSpec(shape=(None, 3), name="x")])
        >>> archive.write_out("folder")  # doctest: +SKIP

    Source: Keras's class of the same name; here functions are written with ``lamina.ops`` and what is traced is known.
    """

    def __init__(self, format: str = "saved_model"):
        if format != "saved_model":
            raise ValueError(f"Unsupported format: {format}")
        self._endpoints: dict[str, Callable[[], Exported]] = {}
        self._tracked: list[Variable] = []
        self._collections: dict[str, list[Variable]] = {}

    def track(self, resource: Any) -> None:
        """Keep the variables of a built layer or model, whether an endpoint reads them or not.

        Raises:
            ValueError: it is no layer, or not built yet.
        """
        if not isinstance(resource, Layer):
            raise ValueError(
                f"Invalid resource type. Expected a `Layer` or `Model`. Received object {resource} of type "
                f"'{type(resource)}'."
            )
        if not resource.built:
            raise ValueError("The layer provided has not yet been built. It must be built before export.")
        self._tracked += resource.weights

    def add_endpoint(self, name: str, fn: Callable[..., Any], input_signature: Any = None) -> Callable[..., Any]:
        """One more method and signature of the SavedModel.

        Args:
            name: of the endpoint; the first one is ``serving_default``, too.
            fn: a model, a layer, or a function that is written with ``lamina.ops``.
            input_signature: for each argument a structure of InputSpecs; a built model has its own.

        Returns:
            ``fn``.

        Raises:
            ValueError: the name is taken, or there is no signature.
        """
        if name in self._endpoints:
            raise ValueError(f"Endpoint name '{name}' is already taken.")
        self._endpoints[name] = made = partial(_endpoint, name, fn, input_signature)
        made()  # what is wrong is said at once; the numbers are those of ``write_out``
        return fn

    def track_and_add_endpoint(self, name: str, resource: Any, input_signature: Any = None) -> None:
        """See ``track`` and ``add_endpoint``."""
        self.track(resource)
        self.add_endpoint(name, resource, input_signature)

    def add_variable_collection(self, name: str, variables: Any) -> None:
        """A list of variables, which the loaded object has as an attribute.

        Raises:
            ValueError: they are no list of variables.
        """
        if not isinstance(variables, list | tuple | set):
            raise ValueError(
                f"Expected `variables` to be a list/tuple/set. Received instead object of type '{type(variables)}'."
            )
        if kinds := {type(v) for v in variables if not isinstance(v, Variable)}:
            raise ValueError(
                "Expected all elements in `variables` to be `Variable` instances. Found instead the following types: "
                f"{list(kinds)}"
            )
        self._collections[name] = list(variables)

    def write_out(self, filepath: Any, options: Any = None, verbose: bool = True) -> None:
        """Write the folder.

        Args:
            filepath: the folder.
            options: TensorFlow's ``SaveOptions``.
            verbose: whether to say where it was saved.

        Raises:
            ValueError: there are no endpoints.
            MissingLibraryError: TensorFlow is not installed.
        """
        from lamina.lower.to_saved_model import to_saved_model

        if not self._endpoints:
            raise ValueError("No endpoints have been set yet. Call add_endpoint().")
        endpoints = {name: made() for name, made in self._endpoints.items()}
        kept = [*self._tracked, *(v for variables in self._collections.values() for v in variables)]
        weights = {v.key: weight_of(v, v.dtype) for v in kept}
        collections = {name: [v.key for v in variables] for name, variables in self._collections.items()}
        to_saved_model(endpoints, Path(filepath), weights, collections, options)
        say_saved(filepath, verbose)


def _endpoint(name: str, fn: Callable[..., Any], signature: Any) -> Exported:
    if hasattr(fn, "_input_tensors"):
        return read(fn, signature)
    if signature is None:
        raise ValueError(
            "If the `fn` argument provided is not a model, you must provide an `input_signature` argument to specify "
            "the shape and dtype of the function arguments."
        )
    inputs = [map_leaves(partial(given_of, name=of), part) for of, part in zip(_names(fn), signature, strict=False)]
    return read_function(fn, inputs, name, getattr(fn, "dtype", config.floatx()))


def _names(fn: Callable[..., Any]) -> list[str]:
    """The names of a function's arguments."""
    return list(inspect.signature(fn.call if isinstance(fn, Layer) else fn).parameters)
