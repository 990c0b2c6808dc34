"""accelerate: a Keras model whose `fit`, `evaluate` and `predict` run on Lamina's core."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from lamina.bridge.callbacks import Watched, adapted
from lamina.bridge.convert import Twins, from_keras
from lamina.models import Model


class Accelerated:
    """What ``accelerate`` gives: all attributes are the Keras model's, but for the methods below.

    Attributes:
        keras_model: the Keras model, which holds the weights.
        custom_objects: what ``accelerate`` was given.
    """

    def __init__(self, keras_model: Any, custom_objects: Mapping[str, Any] | None = None):
        object.__setattr__(self, "keras_model", keras_model)
        object.__setattr__(self, "custom_objects", custom_objects)
        object.__setattr__(self, "_twins", Twins(keras_model, from_keras(keras_model, custom_objects)))
        object.__setattr__(self, "_made_for", _made_of(keras_model))

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """Train on Lamina's core; see ``lamina.Model.fit``. The Keras model gets the weights and the optimizer's state.

        Callbacks of Keras hear what they would hear from Keras; one that asks for the model's weights or optimizer
        gets the present ones, and what it changes counts.
        """
        self.keras_model.stop_training = False
        history = self._run(Model.fit, args, kwargs)
        self.keras_model.history = history
        return history

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """Loss and metrics, computed on Lamina's core; see ``lamina.Model.evaluate``."""
        return self._run(Model.evaluate, args, kwargs)

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        """The outputs, computed on Lamina's core; see ``lamina.Model.predict``."""
        return self._run(Model.predict, args, kwargs)

    def _run(self, method: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        twins = self._present()
        given = inspect.signature(method).bind(twins.ours, *args, **kwargs)
        if given.arguments.get("callbacks") is not None:
            given.arguments["callbacks"] = adapted(given.arguments["callbacks"], Watched(twins))
        try:
            return method(*given.args, **given.kwargs)
        finally:
            if method is Model.fit:
                twins.to_theirs()

    def _present(self) -> Twins:
        """The Lamina model with what the Keras model holds now; another one if that was compiled or frozen anew."""
        now, twins = _made_of(self.keras_model), self._twins
        if now == self._made_for:
            twins.to_ours()
        else:
            twins = Twins(self.keras_model, from_keras(self.keras_model, self.custom_objects))
            object.__setattr__(self, "_twins", twins)
            object.__setattr__(self, "_made_for", now)
        return twins

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.keras_model(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.keras_model, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.keras_model, name, value)

    def __reduce__(self) -> Any:
        return accelerate, (self.keras_model, self.custom_objects)

    def __repr__(self) -> str:
        return f"<Accelerated {self.keras_model!r}>"


def _made_of(model: Any) -> list[Any]:
    """What the Lamina model was made of: it serves as long as these are the same objects."""
    layers = model._flatten_layers()
    compiled = [getattr(model, name, None) for name in ("_compile_config", "optimizer")]
    return [*compiled, *layers, *(layer.trainable for layer in layers)]


def accelerate(keras_model: Any, custom_objects: Mapping[str, Any] | None = None) -> Accelerated:
    """A built Keras model whose ``fit``, ``evaluate`` and ``predict`` run on Lamina's core.

    They take Keras's arguments, callbacks of either library among them, and leave the trained weights and the
    optimizer's state in the Keras model, which can be compiled, saved and used as before. Rows are shuffled, and
    dropout drawn, by Lamina's generator: ``lamina.utils.set_random_seed`` fixes them.

    Args:
        keras_model: a Sequential or functional model of real Keras.
        custom_objects: Lamina's classes and functions for what the Keras model has of your own, by name.

    Raises:
        TypeError: it is no Keras model.
        ModelFileError: it has parts without a counterpart in Lamina; each is named with its layer.

    Example:
        >>> model = lamina.accelerate(model)  # doctest: +SKIP
        >>> history = model.fit(x, y, epochs=10)  # doctest: +SKIP
    """
    return keras_model if isinstance(keras_model, Accelerated) else Accelerated(keras_model, custom_objects)
