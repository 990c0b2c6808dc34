"""Sequential: layers one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self

from lamina import saving
from lamina.errors import LaminaError
from lamina.layers.arguments import dtype_record
from lamina.layers.input_layer import InputLayer
from lamina.layers.layer import Layer
from lamina.layers.paths import inside
from lamina.layers.tensor import KerasTensor
from lamina.models.inputs import standard_arrays, standard_nodes
from lamina.models.model import Model
from lamina.trace import outside
from lamina.tree import is_nested

SEQUENTIAL_CONFIG = {"name", "trainable", "dtype", "layers", "build_input_shape"}


class Sequential(Model):
    """A stack of layers, each fed with what the one before puts out.

    Args:
        layers: the layers; the first may be an ``Input``. Without one the model is built when it first sees data.
        trainable: whether training may change its weights.
        name: made from the class's name by default.

    Example:
        >>> from lamina import Input, layers
        >>> model = Sequential([Input((8,)), layers.Dense(16, activation="relu"), layers.Dense(1)])
        >>> model.output_shape
        (None, 1)
    """

    def __init__(
        self, layers: Iterable[Any] | None = None, trainable: bool = True, name: str | None = None, **kwargs: Any
    ):
        super().__init__(trainable=trainable, name=name, **kwargs)
        self._layers: list[Layer] = []
        self._tensors: list[Any] = []  # what enters the first layer and what leaves each, once it is known
        for layer in layers or ():
            self.add(layer)

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer at the end.

        Args:
            layer: a layer, or an ``Input`` as the first one.
            rebuild: taken for Keras's sake.

        Raises:
            ValueError: not a layer, or one of this name is there already.
        """
        layer = _layer_of(layer)
        if any(other.name == layer.name for other in self._layers):
            raise ValueError(
                f"All layers added to a Sequential model should have unique names. Name '{layer.name}' is already the "
                "name of a layer in this model. Update the `name` argument to pass a unique name."
            )
        if isinstance(layer, InputLayer) and self._layers:
            raise ValueError(f"Sequential model '{self.name}' already has layers; an Input must be the first.")
        hint = layer._input_hint
        if not self._layers and hint is not None:
            self.add(InputLayer(hint, dtype=self._input_dtype()))
        self._layers.append(layer)
        self._steps.clear()
        if isinstance(layer, InputLayer):
            self._begin(layer)
        elif self._tensors:
            self._tensors.append(self._called(layer, self._tensors[-1]))

    def pop(self, rebuild: bool = True) -> Layer:
        """Take the last layer away.

        Args:
            rebuild: taken for Keras's sake.
        """
        if not self.layers:
            raise LaminaError(f"Sequential model '{self.name}' has no layer to pop")
        self._steps.clear()
        if self._tensors:
            self._tensors.pop()
        return self._layers.pop()

    def _input_dtype(self) -> str:
        return (self.layers[0].input_dtype if self.layers else None) or self.dtype

    def _begin(self, layer: InputLayer) -> None:
        self._tensors = [layer.output]
        self._build_shapes = {"input_shape": layer.batch_shape}
        self.built = True

    def _called(self, layer: Layer, tensor: Any) -> Any:
        with outside(), inside(self):
            return layer(tensor)

    def build(self, input_shape: Any = None) -> None:
        """Create all variables for inputs of a shape, None standing for the batch."""
        if self.built or input_shape is None:
            return
        first = InputLayer(batch_shape=input_shape, dtype=self._input_dtype())
        self._layers.insert(0, first)
        self._begin(first)
        for layer in self._layers[1:]:
            self._tensors.append(self._called(layer, self._tensors[-1]))

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the Input."""
        return [layer for layer in self._layers if not isinstance(layer, InputLayer)]

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Each layer on what the one before puts out."""
        x = standard_nodes(inputs, self._tensors[0], mask)[0]
        for layer in self.layers:
            x = layer(x)
        return x

    @property
    def inputs(self) -> list[KerasTensor]:
        """The input, in a list."""
        return [self._known()[0]]

    @property
    def outputs(self) -> list[KerasTensor]:
        """The output, in a list."""
        return [self._known()[-1]]

    @property
    def input(self) -> KerasTensor:
        """What enters the first layer."""
        return self._known()[0]

    @property
    def output(self) -> Any:
        """What leaves the last layer."""
        return self._known()[-1]

    @property
    def input_shape(self) -> Any:
        """Shape of the input."""
        return self.input.shape

    @property
    def output_shape(self) -> Any:
        """Shape of the output."""
        return self.output.shape

    def _known(self) -> list[Any]:
        if not self._tensors:
            raise AttributeError(
                f"Sequential model '{self.name}' has no defined inputs yet: give it an Input or call it"
            )
        return self._tensors

    def _output_names(self) -> list[str] | None:
        return [self.layers[-1].name] if self.layers and not is_nested(self.output) else None

    def _input_tensors(self) -> Any:
        return self.input

    def _standard_inputs(self, x: Any, dtype: str) -> tuple[Any, list[str]]:
        if not self._tensors:
            return super()._standard_inputs(x, dtype)
        return standard_arrays(x, self._tensors[0], dtype)

    def get_config(self) -> dict[str, Any]:
        """How the model is made: its layers as records."""
        records = [saving.serialize_keras_object(layer) for layer in self._layers]
        policy = dtype_record(self.dtype_policy)
        config = {"name": self.name, "trainable": self.trainable, "dtype": policy, "layers": records}
        return config | ({"build_input_shape": self._tensors[0].shape} if self._tensors else {})

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> Self:
        """A model from what ``get_config`` returned."""
        if cls is Sequential and (unknown := config.keys() - SEQUENTIAL_CONFIG):
            raise ValueError(f"the config of a Sequential has no {min(unknown)!r}")
        model = cls(name=config.get("name"), trainable=config.get("trainable", True), dtype=config.get("dtype"))
        for record in config["layers"]:
            model.add(saving.deserialize_keras_object(record, custom_objects))
        if config.get("build_input_shape") is not None:
            model.build(config["build_input_shape"])
        return model


def _layer_of(x: Any) -> Layer:
    if isinstance(x, KerasTensor) and x._keras_history is not None:
        x = x._keras_history.operation
    if not isinstance(x, Layer):
        raise ValueError(
            f"Only instances of `Layer` can be added to a Sequential model. Received: {x} (of type {type(x)})"
        )
    x._require_init()
    return x
