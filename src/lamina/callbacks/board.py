"""TensorBoard: how training goes, as files that TensorBoard shows."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from lamina.callbacks.base import Callback, Logs
from lamina.callbacks.event_files import EventFile
from lamina.layers import Embedding


class TensorBoard(Callback):
    """Write event files, in ``train`` and ``validation``, with Keras's tags; ``tensorboard --logdir=logs`` shows them.

    Args:
        log_dir: the folder.
        histogram_freq: after so many epochs the weights' histograms are written; never by default.
        write_graph: whether the model's config is.
        write_images: whether the weights are written as pictures, together with the histograms.
        write_steps_per_second: whether the speed is.
        update_freq: ``"epoch"``, ``"batch"``, or after so many batches: when losses and metrics are written.
        profile_batch: must be 0: nothing is profiled here.
        embeddings_freq: after so many epochs the weights are saved for the projector; never by default.
        embeddings_metadata: file with a line for each category; for several Embeddings a dictionary by layer.

    Raises:
        ValueError: a ``profile_batch``, or names of layers that are no Embeddings.

    Source: Keras's class of the same name.
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ):
        super().__init__()
        if profile_batch:
            raise ValueError(f"profile_batch must be 0, got {profile_batch!r}: Lamina writes no profiles")
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self.embeddings_freq = embeddings_freq
        self.embeddings_metadata = embeddings_metadata
        self._train = EventFile(Path(self.log_dir, "train"))
        self._validation = EventFile(Path(self.log_dir, "validation"))
        self._batches = 0  # trained in this fit
        self._tested = 0

    def wants_batches(self, kind: str) -> bool:
        """Only where something is written for single batches."""
        by_batch = self.update_freq != "epoch"
        return {"train": by_batch or self.write_steps_per_second, "test": by_batch}.get(kind, False)

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        if self.write_graph and hasattr(model, "output_shape"):
            self._train.text("keras", model.to_json(), 0, "graph_keras_model")
        if self.embeddings_freq:
            self._describe_embeddings()

    def release(self) -> None:
        """Close the files."""
        self._train.close()
        self._validation.close()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._batches = 0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._began, self._steps = time.perf_counter(), int(self.model.optimizer.iterations.value)

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._batches += 1
        self._batch_began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if not self._due(self._batches):
            return
        if self.write_steps_per_second:
            speed = 1.0 / (time.perf_counter() - self._batch_began)
            self._train.scalar("batch_steps_per_second", speed, self._batches)
        for name, value in (logs or {}).items():
            self._train.scalar(f"batch_{name}", value, self._batches)

    def _due(self, batch: int) -> bool:
        return isinstance(self.update_freq, int) and batch % self.update_freq == 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._write_epoch(epoch, logs or {})
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            path = Path(self.log_dir, "train", f"keras_embedding.ckpt-{epoch}.weights.h5")
            path.parent.mkdir(parents=True, exist_ok=True)
            self.model.save_weights(path)
        self._train.flush()
        self._validation.flush()

    def _write_epoch(self, epoch: int, logs: Logs) -> None:
        held = {name.removeprefix("val_"): value for name, value in logs.items() if name.startswith("val_")}
        own = {name: value for name, value in logs.items() if not name.startswith("val_")}
        own["learning_rate"] = float(np.asarray(self.model.optimizer.learning_rate))
        if self.write_steps_per_second:
            steps = int(self.model.optimizer.iterations.value) - self._steps
            own["steps_per_second"] = steps / (time.perf_counter() - self._began)
        for file, numbers in ((self._train, own), (self._validation, held)) if logs else ():
            for name, value in numbers.items():
                file.scalar(f"epoch_{name}", value, epoch)

    def _write_weights(self, epoch: int) -> None:
        for weight in (w for layer in self.model.layers for w in layer.weights):
            self._train.histogram(f"{weight.path}/histogram", weight.numpy(), epoch)
            if self.write_images and weight.ndim in (1, 2):
                self._train.image(f"{weight.path}/image", _lying(np.atleast_2d(weight.numpy())), epoch)

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        self._tested += 1

    def on_test_end(self, logs: Logs | None = None) -> None:
        if self.update_freq != "epoch" and not self._due(self._tested):
            return
        step = int(self.model.optimizer.iterations.value)
        for name, value in (logs or {}).items():
            self._validation.scalar(f"evaluation_{name}_vs_iterations", value, step)
        self._validation.flush()

    def _describe_embeddings(self) -> None:
        """What TensorBoard's projector reads: which weights, and which file names their rows."""
        layers = [layer.name for layer in self.model.layers if isinstance(layer, Embedding)]
        files = self.embeddings_metadata
        if isinstance(files, dict) and (unknown := sorted(set(files) - set(layers))):
            raise ValueError(f"embeddings_metadata names {unknown}, the model's Embeddings are {layers}")
        text = ""
        for name in layers:
            file = files.get(name) if isinstance(files, dict) else files
            about = f'  metadata_path: "{file}"\n' if file else ""
            tensor = "layer_with_weights-0/embeddings/.ATTRIBUTES/VARIABLE_VALUE"
            text += f'embeddings {{\n  tensor_name: "{tensor}"\n{about}}}\n'
        Path(self.log_dir).mkdir(parents=True, exist_ok=True)
        Path(self.log_dir, "projector_config.pbtxt").write_text(text, encoding="utf-8")


def _lying(values: np.ndarray) -> np.ndarray:
    return values.T if values.shape[0] > values.shape[1] else values
