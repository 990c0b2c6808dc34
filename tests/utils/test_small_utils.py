"""The small functions of utils beside real Keras's, and what is left out of utils and of the top level."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

import lamina
from lamina import config, utils
from lamina.errors import DataError

CALLS = {
    "classes": lambda u: u.to_categorical([0, 2, 1]),
    "a column of classes": lambda u: u.to_categorical(np.array([[0], [3]]), 5),
    "classes as floats": lambda u: u.to_categorical([0.9, 1.2]),
    "classes from the end": lambda u: u.to_categorical([-1, 0], 3),
    "a table of classes": lambda u: u.to_categorical([[0, 1], [1, 2]]),
    "lengths": lambda u: u.normalize(np.array([[3.0, 4.0], [0.0, 0.0]])),
    "lengths along rows": lambda u: u.normalize(np.array([[3.0, 4.0], [1.0, 2.0]]), axis=1, order=1),
    "padded": lambda u: u.pad_sequences([[1], [2, 3], [4, 5, 6], []]),
    "padded after": lambda u: u.pad_sequences([[1], [2, 3, 4]], maxlen=2, padding="post", truncating="post", value=9),
    "padded vectors": lambda u: u.pad_sequences([[[1.5, 2.0]], []], dtype="float32", maxlen=2),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_arrays(call):
    ours, theirs = call(utils), call(keras.utils)
    np.testing.assert_array_equal(ours, theirs)
    assert ours.dtype == theirs.dtype


def test_batches_are_packed_and_unpacked():
    for args in ((1,), (1, 2), (1, 2, 3), ([1],)):
        packed = utils.pack_x_y_sample_weight(*args)
        assert packed == keras.utils.pack_x_y_sample_weight(*args)
        assert tuple(utils.unpack_x_y_sample_weight(packed)) == tuple(keras.utils.unpack_x_y_sample_weight(packed))


@pytest.mark.parametrize("arguments", [
    {"left_size": 0.7}, {"right_size": 3}, {"left_size": 2, "right_size": 0.5},
    {"left_size": 4, "shuffle": True, "seed": 3},
])  # fmt: skip
def test_split_dataset(arguments):
    data = (np.arange(20).reshape(10, 2), np.arange(10))
    expected = [list(part.as_numpy_iterator()) for part in keras.utils.split_dataset(data, **arguments)]
    of_arrays = utils.split_dataset(data, **arguments)
    of_streams = utils.split_dataset(tf.data.Dataset.from_tensor_slices(data), **arguments)
    in_tensorflow = utils.split_dataset(data, **arguments, preferred_backend="tensorflow")
    for half, x, stream, dataset in zip(expected, of_arrays, of_streams, in_tensorflow, strict=True):
        for got in (list(zip(*x, strict=True)), list(stream.as_numpy_iterator()), list(dataset.as_numpy_iterator())):
            np.testing.assert_array_equal([row[0] for row in got], [row[0] for row in half])
            np.testing.assert_array_equal([row[1] for row in got], [row[1] for row in half])


@pytest.mark.parametrize("arguments", [
    {}, {"sequence_stride": 2, "sampling_rate": 2}, {"start_index": 2, "end_index": 9}, {"batch_size": None},
])  # fmt: skip
def test_windows_of_a_series(arguments):
    series, targets = np.arange(12), np.arange(12) * 10
    given = {"sequence_length": 3, "batch_size": 4, **arguments}
    for wanted in (targets, None):
        ours = list(utils.timeseries_dataset_from_array(series, wanted, **given))
        theirs = list(keras.utils.timeseries_dataset_from_array(series, wanted, **given).as_numpy_iterator())
        for a, b in zip(ours, theirs, strict=True):
            for x, y in zip(a if wanted is not None else [a], b if wanted is not None else [b], strict=True):
                np.testing.assert_array_equal(x, y)


def test_windows_train_a_model():
    batches = utils.timeseries_dataset_from_array(
        np.linspace(0, 1, 20, dtype="float32"), np.ones(20), 4, shuffle=True, seed=1, batch_size=5
    )
    model = lamina.Sequential([lamina.Input((4,)), lamina.layers.Dense(1)])
    model.compile("sgd", "mse")
    assert len(model.fit(batches, epochs=2, verbose=0).history["loss"]) == 2


def test_source_inputs():
    a, b = lamina.Input((2,), name="a"), lamina.Input((2,), name="b")
    found = utils.get_source_inputs(lamina.layers.Dense(1)(a * b + a))
    assert [x.name for x in found] == ["a", "b"]
    assert utils.get_source_inputs(a) == [a]


def test_progbar_says_where_a_loop_is(capsys):
    bar = utils.Progbar(3, verbose=2)
    for step in range(3):
        bar.update(step + 1, [("loss", step)])
    line = capsys.readouterr().out
    assert line.startswith("3/3 ━━━━━━━━━━━━━━━━━━━━ 0s ")
    assert line.endswith("/step - loss: 1.0000\n")
    live = utils.Progbar(None, interval=0.0, stateful_metrics=["lr"], unit_name="row")
    live.add(2, [("lr", 0.5), ("loss", 1.0)])
    live.add(1, [("lr", 0.1), ("loss", 4.0)])
    assert capsys.readouterr().out.splitlines()[-1].endswith("ms/row - lr: 0.1000 - loss: 2.0000")
    with pytest.raises(ValueError, match="Only one of"):
        utils.Progbar(1, stateful_metrics=[], stateless_metrics=[])


def test_config_of_values():
    for library in (utils, keras.utils):
        values = library.Config(rate=0.1)
        values.epochs = 3
        values["seed"] = 1
        values.update(seed=2)
        assert (values.rate, values["epochs"], values.get("no", 7)) == (0.1, 3, 7)
        assert ("seed" in values, len(values)) == (True, 3)
        assert values.as_dict() == {"rate": 0.1, "epochs": 3, "seed": 2}
        assert values.to_json() == '{"rate": 0.1, "epochs": 3, "seed": 2}'
        assert (list(values.keys()), list(values.values())) == (["rate", "epochs", "seed"], [0.1, 3, 2])
        assert values.pop("seed") == 2
        values.freeze()
        with pytest.raises(ValueError, match="frozen"):
            values.rate = 1
        with pytest.raises(AttributeError, match="Unknown attribute"):
            _ = values.nothing
        values.unfreeze()
        del values["rate"]
        assert list(values.items()) == [("epochs", 3)]


def test_bounds_of_training():
    x, y = np.ones((40, 2), "float32"), np.ones(40, "float32")
    model = lamina.Sequential([lamina.Input((2,)), lamina.layers.Dense(1)])
    model.compile(lamina.optimizers.SGD(), "mse")
    config.set_max_epochs(2)
    config.set_max_steps_per_epoch(3)
    try:
        with pytest.warns(UserWarning, match="Limiting epochs to 2"):
            history = model.fit(x, y, batch_size=4, epochs=5, verbose=0)
        assert len(history.history["loss"]) == 2
        assert int(model.optimizer.iterations) == 6
        assert model.predict(x, batch_size=4, verbose=0).shape == (12, 1)
        model.evaluate(x, y, batch_size=32, verbose=0)
    finally:
        config.set_max_epochs(None)
        config.set_max_steps_per_epoch(None)
    assert model.predict(x, verbose=0).shape == (40, 1)


@pytest.mark.parametrize(
    ("mistake", "error", "message"),
    [
        (lambda: utils.to_categorical([0, 5], 3), ValueError, r"class 5 at \[1\] is not one of 0..2"),
        (lambda: utils.pad_sequences([1, 2]), ValueError, "non-iterable: 1"),
        (lambda: utils.pad_sequences([[1]], padding="left"), ValueError, "Padding type 'left'"),
        (lambda: utils.pad_sequences([[[1]], [[1, 2]]]), ValueError, "sequence at position 1"),
        (lambda: utils.unpack_x_y_sample_weight((1, 2, 3, 4)), ValueError, "sample_weight"),
        (lambda: utils.split_dataset(np.arange(4)), ValueError, "At least one of"),
        (lambda: utils.split_dataset(np.arange(4), left_size=9), ValueError, "smaller than 4"),
        (lambda: utils.split_dataset(np.arange(4), left_size="a"), TypeError, "left_size"),
        (lambda: utils.split_dataset(np.arange(4), 0.9, 0.9), ValueError, "both sides need rows"),
        (lambda: utils.split_dataset((np.arange(4), np.arange(3)), 0.5), DataError, "one number of rows"),
        (lambda: utils.timeseries_dataset_from_array(np.arange(4), None, 0), ValueError, "sequence_length"),
        (lambda: utils.timeseries_dataset_from_array(np.arange(4), None, 2, end_index=9), ValueError, "end_index"),
        (lambda: config.set_backend("jax"), ValueError, r"compile\(target='jax'\)"),
        (config.enable_unsafe_deserialization, ValueError, "never runs code"),
        (lambda: config.set_image_data_format("last"), ValueError, "channels_last"),
        (lambda: lamina.device("gpu:0"), ValueError, "target"),
    ],
)  # fmt: skip
def test_mistakes(mistake, error, message):
    with pytest.raises(error, match=message):
        mistake()


def test_preprocessing_is_another_place():
    assert lamina.preprocessing.sequence.pad_sequences is utils.pad_sequences
    assert lamina.preprocessing.timeseries_dataset_from_array is utils.timeseries_dataset_from_array


def test_settings_are_kept():
    config.set_image_data_format("channels_first")
    assert config.image_data_format() == "channels_first"
    config.set_image_data_format("channels_last")
    for setting in ("interactive_logging", "traceback_filtering"):
        for enabled, verb in ((False, "disable"), (True, "enable")):
            getattr(config, f"{verb}_{setting}")()
            assert getattr(config, f"is_{setting}_enabled")() is enabled
    with lamina.device("cpu:0"), lamina.name_scope("a"), lamina.RematScope():
        assert lamina.remat(len)([1]) == 1
    assert lamina.version() == lamina.__version__


IMAGES = "works on images, sounds, texts or files of them"
NOT_IN_UTILS = {
    **dict.fromkeys("array_to_img img_to_array load_img save_img bounding_boxes image_dataset_from_directory "
                    "audio_dataset_from_directory text_dataset_from_directory".split(), IMAGES),
    "get_file": "downloads and unpacks files; Python's own libraries do, and say from where",
    "legacy": "objects of old formats of files",
}  # fmt: skip
NOT_AT_THE_TOP = {
    **dict.fromkeys("Quantizer quantizers".split(), "numbers of fewer bits"),
    **dict.fromkeys("applications datasets visualization".split(), IMAGES),
    **dict.fromkeys("StatelessScope SymbolicScope".split(), "how Keras's own backends trace; here a Trace does"),
    "Function": "a part of a model is a Model from its inputs to its outputs",
    "distribution": "many machines",
    "distillation": "a training procedure of its own",
    "export": "TensorFlow's archives; `Model.export` writes SavedModels and ONNX",
    "legacy": "objects of old formats of files", "src": "Keras's own files",
}  # fmt: skip
LATER = {"utils": {"plot_model", "model_to_dot"}, "top": {"wrappers"}}
NOT_IN_CONFIG = dict.fromkeys("enable_flash_attention disable_flash_attention is_flash_attention_enabled "
                              "is_nnx_enabled".split(), "attention, and another library's modules")  # fmt: skip


@pytest.mark.parametrize(
    ("ours", "theirs", "left_out"),
    [
        (utils, keras.utils, {*NOT_IN_UTILS, *LATER["utils"]}),
        (lamina, keras, {*NOT_AT_THE_TOP, *LATER["top"]}),
        (config, keras.config, {*NOT_IN_CONFIG}),
        (lamina.random, keras.random, set()),
    ],
)
def test_every_name_is_here_or_left_out_for_a_reason(ours, theirs, left_out):
    missing = {name for name in dir(theirs) if not name.startswith("_") and not hasattr(ours, name)}
    assert missing <= left_out
