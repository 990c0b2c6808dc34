"""TensorBoard's event files, read by TensorFlow."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import Input, Sequential, layers
from lamina.callbacks.event_files import EventFile, buckets, crc32c, png, record

X = np.random.default_rng(0).normal(size=(20, 3)).astype("float32")
Y = X[:, :1]


def model() -> Sequential:
    lamina.utils.set_random_seed(1)
    model = Sequential([Input((3,)), layers.Dense(2, name="first"), layers.Dense(1, name="second")], name="net")
    model.compile(lamina.optimizers.SGD(0.1), "mse", metrics=["mae"])
    return model


def events(folder: Path) -> list[Any]:
    import tensorflow as tf

    (path,) = folder.glob("events.out.tfevents.*.v2")
    return list(tf.compat.v1.train.summary_iterator(str(path)))


def values(folder: Path) -> dict[str, list[tuple[int, Any]]]:
    """(step, value) of everything in a folder's file, by tag."""
    import tensorflow as tf

    found: dict[str, list[tuple[int, Any]]] = {}
    for event in events(folder):
        for value in event.summary.value:
            found.setdefault(value.tag, []).append((event.step, tf.make_ndarray(value.tensor)))
    return found


def fitted(tmp_path: Path, **arguments: Any) -> Any:
    callback = lamina.callbacks.TensorBoard(tmp_path, **arguments)
    return model().fit(X, Y, epochs=2, batch_size=8, verbose=0, validation_split=0.2, callbacks=[callback])


def test_epochs(tmp_path: Path) -> None:
    history = fitted(tmp_path, write_steps_per_second=True).history
    train, validation = values(tmp_path / "train"), values(tmp_path / "validation")
    for name in ("loss", "mae"):
        assert [float(v) for _, v in train[f"epoch_{name}"]] == pytest.approx(history[name])
        assert [float(v) for _, v in validation[f"epoch_{name}"]] == pytest.approx(history[f"val_{name}"])
        assert [step for step, _ in train[f"epoch_{name}"]] == [0, 1]
        assert [step for step, _ in validation[f"evaluation_{name}_vs_iterations"]] == [2, 4]
    assert [float(v) for _, v in train["epoch_learning_rate"]] == pytest.approx([0.1, 0.1])
    assert all(v > 0 for _, v in train["epoch_steps_per_second"])
    assert "batch_loss" not in train


def test_what_a_file_says_of_its_values(tmp_path: Path) -> None:
    fitted(tmp_path, histogram_freq=1)
    first, *rest = events(tmp_path / "train")
    assert first.file_version == "brain.Event:2"
    about = {v.tag: v.metadata for event in rest for v in event.summary.value}
    assert about["epoch_loss"].plugin_data.plugin_name == "scalars"
    assert about["epoch_loss"].data_class == 1
    assert about["net/first/kernel/histogram"].plugin_data.plugin_name == "histograms"
    assert about["keras"].plugin_data.plugin_name == "graph_keras_model"


@pytest.mark.parametrize(("update_freq", "steps"), [("batch", [1, 2, 3, 4]), (2, [2, 4]), (3, [3])])
def test_batches(tmp_path: Path, update_freq: Any, steps: list[int]) -> None:
    fitted(tmp_path, update_freq=update_freq)
    assert [step for step, _ in values(tmp_path / "train")["batch_loss"]] == steps


def test_weights(tmp_path: Path) -> None:
    import tensorflow as tf

    fitted(tmp_path, histogram_freq=1, write_images=True)
    train = values(tmp_path / "train")
    tables = [table for _, table in train["net/first/kernel/histogram"]]
    assert len(tables) == 2
    assert all(table.shape == (30, 3) for table in tables)
    assert all(table[:, 2].sum() == 6 for table in tables)
    width, height, picture = train["net/first/kernel/image"][0][1]
    assert (int(width), int(height)) == (3, 2)
    assert tf.io.decode_png(picture).shape == (2, 3, 1)


def test_the_model_is_there_as_text(tmp_path: Path) -> None:
    fitted(tmp_path)
    ((step, text),) = values(tmp_path / "train")["keras"]
    assert step == 0
    assert lamina.models.model_from_json(text.item().decode()).count_params() == 11


def test_evaluate_alone(tmp_path: Path) -> None:
    callback = lamina.callbacks.TensorBoard(tmp_path, write_graph=False)
    loss, _ = model().evaluate(X, Y, verbose=0, callbacks=[callback])
    assert float(values(tmp_path / "validation")["evaluation_loss_vs_iterations"][0][1]) == pytest.approx(loss)
    assert not (tmp_path / "train").exists()


def test_embeddings(tmp_path: Path) -> None:
    table = layers.Embedding(5, 2, name="table")
    net = Sequential([Input((1,), dtype="int32"), table, layers.Flatten(), layers.Dense(1)])
    net.compile("sgd", "mse")
    board = lamina.callbacks.TensorBoard(tmp_path, embeddings_freq=1, embeddings_metadata={"table": "names.tsv"})
    net.fit(np.array([[1], [2]]), np.ones((2, 1)), verbose=0, callbacks=[board])
    assert 'metadata_path: "names.tsv"' in (tmp_path / "projector_config.pbtxt").read_text(encoding="utf-8")
    assert (tmp_path / "train" / "keras_embedding.ckpt-0.weights.h5").exists()
    wrong = {"embeddings_metadata": {"tabel": "names.tsv"}, "write_graph": False}
    other = lamina.callbacks.TensorBoard(tmp_path, embeddings_freq=1, **wrong)
    with pytest.raises(ValueError, match="tabel.*table"):
        other.set_model(net)


def test_nothing_is_profiled() -> None:
    with pytest.raises(ValueError, match="profile_batch must be 0"):
        lamina.callbacks.TensorBoard(profile_batch=2)


def test_checksums() -> None:
    """The vectors of RFC 3720, appendix B.4."""
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E
    assert record(b"")[:8] == bytes(8)


def test_buckets_of_odd_numbers() -> None:
    assert buckets(np.array([np.nan, np.inf])).shape == (0, 3)
    np.testing.assert_array_equal(buckets(np.array([2.0, 2.0, np.nan])), [[1.5, 2.5, 2]])


def test_a_picture() -> None:
    picture = png(np.array([[0, 255]], np.uint8))
    begin = picture.index(b"IDAT") + 4
    assert zlib.decompress(picture[begin:-16]) == b"\x00\x00\xff"


def test_a_file_that_gets_nothing_is_not_made(tmp_path: Path) -> None:
    EventFile(tmp_path / "none").close()
    assert not (tmp_path / "none").exists()
