"""Model: layers that compute outputs from inputs, and how to train them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, Self

from lamina import saving
from lamina.errors import LaminaError
from lamina.layers.arguments import map_shapes
from lamina.layers.layer import Layer
from lamina.layers.tensor import KerasTensor
from lamina.models.trainer import Trainer
from lamina.records import config_value
from lamina.trace import outside
from lamina.tree import map_leaves

COMPILE_CONFIG = (
    "loss", "loss_weights", "metrics", "weighted_metrics", "run_eagerly", "steps_per_execution", "jit_compile",
)  # fmt: skip


# Keys of the config of a graph of layers.
FUNCTIONAL_CONFIG = {"layers", "input_layers", "output_layers"}


def made_functional(cls: Any) -> Any:
    """A class of the user's own that is given inputs and outputs becomes a kind of Functional, as in Keras.

    Functional takes the place of Model among its bases, so that ``type(model)`` is still the user's class.
    """
    from lamina.models.functional import Functional  # a subclass: imported once both exist

    if cls is Model:
        return Functional
    if issubclass(cls, Model) and not issubclass(cls, Functional):
        cls.__bases__ = tuple(made_functional(base) for base in cls.__bases__)
    return cls


class Model(Trainer):
    """A functional model from KerasTensors, or the base of a class with a ``call`` of its own.

    Args:
        inputs: a KerasTensor, or a list or dictionary of them.
        outputs: what layers made of them, likewise.
        name: made from the class's name by default.
        trainable: whether training may change its weights.

    Example:
        >>> from lamina import Input, layers
        >>> x = Input((8,))
        >>> model = Model(x, layers.Dense(1)(layers.Dense(16, activation="relu")(x)))
        >>> model.compile(optimizer="adam", loss="mse")
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        functional = cls is Model and (args or "inputs" in kwargs)
        return super().__new__(made_functional(cls) if functional else cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any):
        if args or {"inputs", "outputs"} & set(kwargs):
            made_functional(type(self))
            made_functional(Model).__init__(self, *args, **kwargs)
            return
        super().__init__(**kwargs)

    # -- what a model is made of

    @property
    def layers(self) -> list[Layer]:
        """The layers directly inside."""
        return self._sublayers()

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by name or by position.

        Raises:
            ValueError: there is none.
        """
        if (name is None) == (index is None):
            raise ValueError("Provide either a layer name or layer index at `get_layer`.")
        if index is not None:
            if index >= len(self.layers):
                raise ValueError(
                    f"Was asked to retrieve layer at index {index} but model only has {len(self.layers)} layers."
                )
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ValueError(f"No such layer: {name}. Existing layers are: {[layer.name for layer in self.layers]}.")

    def build(self, input_shape: Any) -> None:
        """Create all variables for inputs of a shape, None standing for the batch.

        Args:
            input_shape: a shape, or a list or dictionary of shapes for several inputs.
        """
        if not self.built:
            with outside():
                self(map_shapes(lambda shape: KerasTensor(shape, self.dtype), input_shape))
            self._inbound_nodes.pop()

    def _build(self, shape: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        if type(self).build is not Model.build:
            return super()._build(shape, args, kwargs)
        self._build_shapes = {"input_shape": shape}  # layers inside are built as they are called
        self.built = True
        return None

    def summary(
        self,
        line_length: int | None = None,
        positions: list[float] | None = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: list[str] | None = None,
    ) -> None:
        """Print the layers, their output shapes and how many numbers they hold.

        Args:
            line_length: width of the table.
            positions: where its columns end, as shares of the width.
            print_fn: takes the text instead of the standard output.
            expand_nested: whether layers of models inside are listed.
            show_trainable: whether a column says which layers train.
            layer_range: names of the first and last layer to show.
        """
        from lamina.models.summary import print_summary

        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    # -- files

    def save(self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any) -> None:
        """Write the model to a ``.keras`` file; see ``lamina.saving.save_model``."""
        saving.save_model(self, filepath, overwrite, zipped, **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None) -> None:
        """Write the weights to a ``.weights.h5`` file, or to several; see ``lamina.saving.save_weights``."""
        saving.save_weights(self, filepath, overwrite, max_shard_size)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Read the weights from a file; see ``lamina.saving.load_weights``."""
        saving.load_weights(self, filepath, skip_mismatch, **kwargs)

    def to_json(self, **kwargs: Any) -> str:
        """How the model is made, as text; see ``lamina.saving.to_json``."""
        return saving.to_json(self, **kwargs)

    def export(
        self, filepath: Any, format: str = "tf_saved_model", verbose: Any = None, input_signature: Any = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        """Write the model's predictions for other programs, which need no Lamina; the batch size stays free.

        Args:
            filepath: the folder (SavedModel) or file (ONNX) to write.
            format: ``"tf_saved_model"`` for TensorFlow, with the endpoint ``serve``, or ``"onnx"``.
            verbose: whether to say where it was saved, yes by default.
            input_signature: an InputSpec (or TensorSpec, KerasTensor, array) for each input, where the model's own
                names, shapes and dtypes are not those that callers have.
            kwargs: ``opset_version`` for ONNX.

        Raises:
            LaminaError: the model does what the format cannot.
            MissingLibraryError: TensorFlow or onnx is not installed.
        """
        from lamina.models.exporting import export

        export(self, filepath, format, verbose, input_signature, **kwargs)

    def _input_tensors(self) -> Any:
        """The inputs in their structure; a class of one's own knows the shapes that it was built for."""
        if not self._build_shapes:
            raise ValueError("The model provided has never called. It must be called at least once before export.")
        shapes, number = [*self._build_shapes.values()], count()
        given = shapes[0] if len(shapes) == 1 else shapes
        return map_shapes(lambda shape: KerasTensor(shape, self.dtype, f"args_{next(number)}"), given)

    # -- all numbers as dictionaries

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, Any]:
        """Weights, the optimizer's and the metrics' states as dictionaries, nested by their paths.

        Args:
            value_format: ``"backend_tensor"`` or ``"numpy_array"``, which are the same here.
        """
        from lamina.models import states

        return states.state_tree(self, value_format)

    def set_state_tree(self, state_tree: Mapping[str, Any]) -> None:
        """Give variables the values of what ``get_state_tree`` returned, or of a part of it.

        Raises:
            ValueError: a path that the model does not have.
            ShapeError: an array of another shape.
        """
        from lamina.models import states

        states.set_state_tree(self, state_tree)

    def __reduce__(self) -> Any:
        from lamina.models.pickling import reduced  # few models are pickled

        return reduced(self)

    def get_compile_config(self) -> dict[str, Any]:
        """The arguments of ``compile`` that belong into a file, as plain values and records; empty before it."""
        if not self.compiled:
            return {}
        return {name: map_leaves(config_value, self.compile_arguments[name]) for name in ("optimizer", *COMPILE_CONFIG)}

    def compile_from_config(self, config: Mapping[str, Any]) -> None:
        """Compile with what ``get_compile_config`` returned; the optimizer gets its slots if the model is built."""
        given = {k: saving.deserialize_keras_object(v) for k, v in config.items()}
        if not given:
            return
        if unknown := given.keys() - {"optimizer", *COMPILE_CONFIG}:
            raise ValueError(f"a model's compile_config has no {min(unknown)!r}")
        self.compile(**given)
        if self.built:
            self.optimizer.build(self.trainable_weights)

    # -- config

    def get_config(self) -> dict[str, Any]:
        """See ``Layer.get_config``.

        Raises:
            LaminaError: a class with arguments of its own must say how it is made.
        """
        try:
            return super().get_config()
        except TypeError as error:
            raise LaminaError(f"{type(self).__name__} cannot be saved as a whole: {error}") from None

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> Self:
        """A model from what ``get_config`` returned."""
        if set(config) >= FUNCTIONAL_CONFIG:
            return made_functional(cls).from_config(config, custom_objects)
        with saving.custom_object_scope(custom_objects):
            return cls(**{k: saving.deserialize_keras_object(v) for k, v in config.items()})
