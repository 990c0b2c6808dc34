"""Saved: the half of a Model that goes into files and comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lamina import saving

if TYPE_CHECKING:
    from lamina.models.model import Model
    from lamina.saving.files import FilePath

# What `compile` was told that Keras's files keep, in their order; where and on how many threads is not in them.
COMPILED = ("loss", "loss_weights", "metrics", "weighted_metrics", "run_eagerly", "steps_per_execution", "jit_compile")


class Saved:
    """The file methods of a Model."""

    def save(
        self: Model,
        filepath: FilePath,
        overwrite: bool = True,
        zipped: bool | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        """Write the model, its weights and its optimizer's state to one file, which real Keras opens too.

        Args:
            filepath: ends in ``.keras``.
            overwrite: whether a file that is there may be replaced.
            zipped: taken for Keras's sake.
            extra: more about the model, as plain JSON values, for ``lamina.saving.read_extra``.

        Raises:
            ModelFileError: the path has another ending, or an object in the model cannot be written.
            FileExistsError: there is a file and ``overwrite`` is false.
        """
        saving.save_model(self, filepath, overwrite, zipped, extra)

    def save_weights(self: Model, filepath: FilePath, overwrite: bool = True) -> None:
        """Write the weights, and the optimizer's state, to a ``.weights.h5`` file.

        Args:
            filepath: ends in ``.weights.h5``.
            overwrite: whether a file that is there may be replaced.
        """
        saving.save_weights(self, filepath, overwrite)

    def load_weights(self: Model, filepath: FilePath, skip_mismatch: bool = False) -> None:
        """Read the weights, and the optimizer's state, from a ``.weights.h5`` or ``.keras`` file.

        Args:
            filepath: a file of Lamina or Keras for a model of the same layers in the same order.
            skip_mismatch: warn about layers whose weights do not fit and leave them as they are.

        Raises:
            ModelFileError: no such file, damaged or unsafe, or weights that do not fit.
        """
        saving.load_weights(self, filepath, skip_mismatch)

    def to_json(self: Model, **kwargs: Any) -> str:
        """The layers, without weights, as JSON for ``model_from_json``.

        Args:
            **kwargs: passed on to ``json.dumps``.
        """
        return saving.to_json(self, **kwargs)

    def get_compile_config(self: Model) -> dict[str, Any]:
        """The records of what ``compile`` was given; empty before."""
        if not self.compiled:
            return {}
        given = {name: self.compile_arguments.get(name) for name in COMPILED}
        record: dict[str, Any] = saving.serialize_keras_object({"optimizer": self.optimizer, **given})
        return record

    def compile_from_config(self: Model, config: Mapping[str, Any]) -> None:
        """Compile as ``get_compile_config`` says, and make the optimizer's variables.

        Args:
            config: Lamina's or Keras's.
        """
        self.compile(**saving.deserialize_keras_object(dict(config)))
        if self.built:
            self.optimizer.build(self.trainable_variables)
