"""Files of Lamina in Keras and files of Keras in Lamina: the same configs, the same trees, predictions and training."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras.src.api_export import get_name_from_symbol, get_symbol_from_name

import lamina
from lamina.registry import all_published

Build = Callable[[Any], Any]


def sequential(k: Any) -> Any:
    first = k.layers.Normalization()
    first.build((None, 3))
    first.adapt(features(3))
    return k.Sequential(
        [
            k.Input((3,)),
            first,
            k.layers.Dense(8, activation="relu", kernel_regularizer=k.regularizers.L2(0.01)),
            k.layers.BatchNormalization(),
            k.layers.Dropout(0.2, seed=7),
            k.layers.Dense(6, use_bias=False, kernel_constraint="max_norm", bias_initializer="ones"),
            k.layers.LayerNormalization(),
            k.layers.LeakyReLU(0.1),
            k.layers.Dense(5, kernel_initializer=k.initializers.HeNormal(seed=3)),
            k.layers.ELU(),
            k.layers.ReLU(max_value=4.0),
            k.layers.Identity(),
            k.layers.Activation("tanh"),
            k.layers.Softmax(),
            k.layers.Dense(1, activation="sigmoid"),
        ],
        name="tab",
    )


def embedding(k: Any) -> Any:
    return k.Sequential(
        [
            k.Input((4,), dtype="int32"),
            k.layers.Embedding(7, 3),
            k.layers.Reshape((3, 4)),
            k.layers.Flatten(),
            k.layers.Dense(2, activation="softmax"),
        ]
    )


def two_inputs(k: Any) -> Any:
    number, word = k.Input((5,), name="number"), k.Input((1,), name="word", dtype="int32")
    flat = k.layers.Flatten()(k.layers.Embedding(7, 3)(word))
    inner = k.Sequential([k.Input((5,)), k.layers.Dense(5, activation="tanh")], name="inner")
    shared = k.layers.Dense(5, name="shared")
    once = shared(number)
    twice = shared(inner(once))
    both = k.layers.Concatenate()([k.layers.Add()([once, twice]), k.layers.Multiply()([once, twice]), flat])
    return k.Model(
        {"number": number, "word": word},
        [k.layers.Dense(1, name="amount")(both), k.layers.Dense(2, name="kind")(both)],
        name="two",
    )


def nested(k: Any) -> Any:
    a, b = k.Input((3,)), k.Input((3,))
    half = k.Model([a, b], [k.layers.Dense(4)(k.layers.Concatenate()([a, b])), k.layers.Dense(2)(a)], name="half")
    x = k.Input((3,))
    left, right = half([x, k.layers.Dense(3, activation="gelu")(x)])
    return k.Model(x, k.layers.Dense(1)(k.layers.Concatenate()([left, right])), name="whole")


def inverted(k: Any) -> Any:
    return k.Sequential(
        [
            k.Input((3,)),
            k.layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 5.0, 6.0]),
            k.layers.Dense(1),
            k.layers.Normalization(mean=3.5, variance=4.0, invert=True, axis=None),
        ]
    )


CASES = [sequential, embedding, two_inputs, nested, inverted]
both_libraries = pytest.mark.parametrize(
    ("writer", "reader"), [(lamina, keras), (keras, lamina)], ids=["to_keras", "to_lamina"]
)
each_case = pytest.mark.parametrize("build", CASES, ids=lambda build: build.__name__)


def features(columns: int, rows: int = 32) -> np.ndarray:
    return np.random.default_rng(columns).normal(2.0, 3.0, (rows, columns)).astype("float32")


def words(columns: int, rows: int = 32) -> np.ndarray:
    return np.random.default_rng(columns).integers(0, 7, (rows, columns)).astype("int32")


INPUTS = {"sequential": features(3), "embedding": words(4), "nested": features(3), "inverted": features(3)}
INPUTS["two_inputs"] = {"number": features(5), "word": words(1)}  # type: ignore[assignment]


@pytest.fixture(autouse=True)
def fresh_names() -> None:
    keras.utils.clear_session(free_memory=False)
    lamina.utils.clear_session()


def made(k: ModuleType, build: Build) -> Any:
    """A model with other weights than fresh ones, moving statistics and variances among them."""
    model = build(k)
    source = np.random.default_rng(0)
    for layer in flat_layers(model):
        if type(layer).__name__ != "Normalization":
            layer.set_weights([source.uniform(0.1, 1.0, w.shape).astype(w.dtype) for w in layer.get_weights()])
    return model


def flat_layers(model: Any) -> list[Any]:
    inner = [flat_layers(layer) if hasattr(layer, "layers") else [layer] for layer in model.layers]
    return [layer for part in inner for layer in part]


def predicted(model: Any, build: Build) -> list[np.ndarray]:
    found = model.predict(INPUTS[build.__name__], verbose=0)
    return found if isinstance(found, list) else [found]


def config(path: Path) -> Any:
    return plain(json.loads(zipfile.ZipFile(path).read("config.json")))


def plain(record: Any) -> Any:
    """A record without the numbers that mark shared objects, and without the masks that are not there."""
    if isinstance(record, dict):
        return {key: plain(value) for key, value in record.items() if key not in ("shared_object_id", "mask")}
    return [plain(part) for part in record] if isinstance(record, list) else record


def tree(path: Path) -> dict[str, Any]:
    content = path.read_bytes() if path.suffix == ".h5" else zipfile.ZipFile(path).read("model.weights.h5")
    found: dict[str, Any] = {}

    def note(name: str, thing: Any) -> None:
        found[name] = (thing.shape, thing.dtype) if isinstance(thing, h5py.Dataset) else dict(thing.attrs)

    with h5py.File(io.BytesIO(content)) as file:
        file.visititems(note)
    return found


@each_case
@both_libraries
def test_predictions(build: Build, writer: Any, reader: Any, tmp_path: Path) -> None:
    model = made(writer, build)
    model.save(tmp_path / "m.keras")
    again = reader.saving.load_model(tmp_path / "m.keras")
    for one, other in zip(predicted(model, build), predicted(again, build), strict=True):
        assert np.allclose(one, other, rtol=1e-6, atol=1e-6)


@each_case
def test_configs_are_the_same(build: Build, tmp_path: Path) -> None:
    for k in (keras, lamina):
        made(k, build).save(tmp_path / f"{k.__name__}.keras")
    assert config(tmp_path / "lamina.keras") == config(tmp_path / "keras.keras")


@each_case
def test_a_config_of_keras_stays_the_same(build: Build, tmp_path: Path) -> None:
    made(keras, build).save(tmp_path / "keras.keras")
    lamina.saving.load_model(tmp_path / "keras.keras").save(tmp_path / "again.keras")
    assert config(tmp_path / "again.keras") == config(tmp_path / "keras.keras")


@each_case
def test_trees_are_the_same(build: Build, tmp_path: Path) -> None:
    for k in (keras, lamina):
        model = made(k, build)
        compiled(k, model)
        model.save(tmp_path / f"{k.__name__}.keras")
        model.save_weights(tmp_path / f"{k.__name__}.weights.h5")
    assert tree(tmp_path / "lamina.keras") == tree(tmp_path / "keras.keras")
    assert tree(tmp_path / "lamina.weights.h5") == tree(tmp_path / "keras.weights.h5")


@each_case
@both_libraries
def test_weights_files(build: Build, writer: Any, reader: Any, tmp_path: Path) -> None:
    model = made(writer, build)
    model.save_weights(tmp_path / "m.weights.h5")
    other = build(reader)
    other.load_weights(tmp_path / "m.weights.h5")
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        assert np.array_equal(one, two)


SHARD = 400 / (1 << 30)  # GiB; the kernel of 16 × 6 numbers has 384 bytes
# Keras names a lone array's shard without a list; the layers below have two arrays or more.


@both_libraries
def test_weights_in_shards(writer: Any, reader: Any, tmp_path: Path) -> None:
    model = made(writer, sharded)
    model.save_weights(tmp_path / "m.weights.json", max_shard_size=SHARD)
    other = sharded(reader)
    other.load_weights(tmp_path / "m.weights.json")
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        assert np.array_equal(one, two)


def test_shards_are_the_same(tmp_path: Path) -> None:
    indices = []
    for k in (keras, lamina):
        made(k, sharded).save_weights(tmp_path / f"{k.__name__}.weights.json", max_shard_size=SHARD)
        text = (tmp_path / f"{k.__name__}.weights.json").read_text().replace(k.__name__, "m")
        indices.append(json.loads(text))
        indices[-1]["metadata"].pop("sha256", None)
    assert indices[0] == indices[1]
    for i in range(3):
        names = [tmp_path / f"{k.__name__}_{i:05}.weights.h5" for k in (keras, lamina)]
        assert tree(names[0]) == tree(names[1])


def sharded(k: Any) -> Any:
    units = (16, 6, 5)
    return k.Sequential([k.Input((3,)), *(k.layers.Dense(n) for n in units), k.layers.BatchNormalization()])


@each_case
@both_libraries
def test_json(build: Build, writer: Any, reader: Any) -> None:
    model = made(writer, build)
    compiled(writer, model)
    again = reader.models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    for layer in flat_layers(again):
        getattr(layer, "finalize_state", int)()  # Keras's Normalization copies its weights only then
    for one, other in zip(predicted(model, build), predicted(again, build), strict=True):
        assert np.allclose(one, other, rtol=1e-6, atol=1e-6)
    assert plain(json.loads(again.to_json())) == plain(json.loads(model.to_json()))


# -- training goes on


def compiled(k: Any, model: Any) -> None:
    model.compile(k.optimizers.Adam(0.01), "mse" if len(model.outputs) == 1 else ["mse", "mse"])
    model.optimizer.build(model.trainable_variables)


def network(k: Any) -> Any:
    return k.Sequential(
        [
            k.Input((3,)),
            k.layers.Dense(8, activation="tanh", kernel_regularizer="l2"),
            k.layers.BatchNormalization(),
            k.layers.Dense(1, activation="sigmoid"),
        ]
    )


def decay(k: Any) -> Any:
    return k.optimizers.schedules.ExponentialDecay(0.05, 4, 0.8)


OPTIMIZERS: list[Callable[[Any], Any]] = [
    lambda k: k.optimizers.SGD(0.05),
    lambda k: k.optimizers.SGD(decay(k), momentum=0.9, nesterov=True),
    lambda k: k.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    lambda k: k.optimizers.Adam(0.01, weight_decay=0.01, clipnorm=1.0),
    lambda k: k.optimizers.Adam(decay(k), amsgrad=True),
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=["sgd", "nesterov", "rmsprop", "adam", "amsgrad"])
@both_libraries
def test_training_goes_on(optimizer: Callable[[Any], Any], writer: Any, reader: Any, tmp_path: Path) -> None:
    x = features(3)
    y = (x.sum(axis=1, keepdims=True) > 6).astype("float32")
    options = {"batch_size": 8, "shuffle": False, "verbose": 0}
    model = made(writer, network)
    model.compile(
        optimizer(writer), writer.losses.BinaryCrossentropy(label_smoothing=0.1),
        metrics=["accuracy", writer.metrics.AUC(num_thresholds=50)], weighted_metrics=["mae"],
    )  # fmt: skip
    model.fit(x, y, epochs=2, **options)
    model.save(tmp_path / "m.keras")
    again = reader.saving.load_model(tmp_path / "m.keras")
    assert int(np.asarray(again.optimizer.iterations)) == 8
    for one, other in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        assert np.array_equal(np.asarray(one), np.asarray(other))
    first, second = (m.fit(x, y, epochs=3, **options).history for m in (model, again))
    assert list(first) == list(second)
    for key, values in first.items():
        assert np.allclose(values, second[key], rtol=1e-4, atol=1e-5), key
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        assert np.allclose(one, other, rtol=1e-4, atol=1e-5)


def branch(k: Any) -> Any:
    x = k.Input((3,))
    return k.Model(x, k.layers.Dense(1)(network(k)(x)))


@pytest.mark.parametrize("build", [network, branch])
@both_libraries
def test_a_frozen_layer_stays_frozen(build: Callable[[Any], Any], writer: Any, reader: Any, tmp_path: Path) -> None:
    model = build(writer)
    inner = model if build is network else model.layers[1]
    inner.layers[0].trainable = False
    compiled(writer, model)
    model.save(tmp_path / "m.keras")
    again = reader.saving.load_model(tmp_path / "m.keras")
    assert again.trainable
    assert [v.name for v in again.trainable_weights] == [v.name for v in model.trainable_weights]
    assert len(again.optimizer.variables) == len(model.optimizer.variables)


@both_libraries
def test_compile_configs(writer: Any, reader: Any, tmp_path: Path) -> None:
    model = two_inputs(writer)
    model.compile(
        writer.optimizers.SGD(0.5, momentum=0.9), loss={"amount": writer.losses.Huber(), "kind": "mse"},
        loss_weights={"amount": 2.0, "kind": 1.0},
        metrics={"amount": ["mae"], "kind": [writer.metrics.RootMeanSquaredError()]},
    )  # fmt: skip
    model.optimizer.build(model.trainable_variables)
    model.save(tmp_path / "one.keras")
    reader.saving.load_model(tmp_path / "one.keras").save(tmp_path / "two.keras")
    one, two = (config(tmp_path / f"{n}.keras")["compile_config"] for n in ("one", "two"))
    for part in ("optimizer", "loss_weights", "metrics", "weighted_metrics", "steps_per_execution"):
        assert one[part] == two[part]
    assert one["loss"]["kind"] == two["loss"]["kind"] == "mse"
    assert one["loss"]["amount"]["class_name"] == two["loss"]["amount"]["class_name"] == "Huber"


def test_uncompiled_on_demand(tmp_path: Path) -> None:
    model = made(keras, network)
    model.compile("adam", "mse")
    model.save(tmp_path / "m.keras")
    assert not lamina.saving.load_model(tmp_path / "m.keras", compile=False).compiled


# -- classes of one's own


def layer_class(k: Any) -> type:
    """The same layer for either library, under the same name in files."""

    @k.saving.register_keras_serializable("parity")
    class Scale(k.layers.Layer):  # type: ignore[misc]
        def __init__(self, power: float = 1.0, **kwargs: Any):
            super().__init__(**kwargs)
            self.power = power
            self.inner = k.layers.Dense(3)
            self.others = [k.layers.Dense(3), k.layers.Dense(3)]

        def build(self, input_shape: Any) -> None:
            self.factor = self.add_weight(shape=(3,), initializer="ones", name="factor")
            for layer in (self.inner, *self.others):
                layer.build(input_shape)

        def call(self, inputs: Any) -> Any:
            for layer in (self.inner, *self.others):
                inputs = layer(inputs)
            return inputs * self.factor * self.power

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "power": self.power}

    return Scale


@both_libraries
def test_a_layer_of_one_s_own(writer: Any, reader: Any, tmp_path: Path) -> None:
    scales = {k: layer_class(k) for k in (writer, reader)}
    model = writer.Sequential([writer.Input((3,)), scales[writer](power=2.0), writer.layers.Dense(1)])
    model.save(tmp_path / "m.keras")
    again = reader.saving.load_model(tmp_path / "m.keras")
    assert isinstance(again.layers[0], scales[reader])
    assert np.allclose(
        model.predict(features(3), verbose=0), again.predict(features(3), verbose=0), rtol=1e-6, atol=1e-6
    )
    assert tree(tmp_path / "m.keras").keys() >= {"layers/scale/inner/vars/0", "layers/scale/others/dense_1/vars/1"}


def model_class(k: Any) -> type:
    """The same subclass of Model for either library: attributes in lists and dictionaries, private ones, a metric."""

    @k.saving.register_keras_serializable("parity")
    class Own(k.Model):  # type: ignore[misc]
        def __init__(self, width: int = 4, **kwargs: Any):
            super().__init__(**kwargs)
            self.width = width
            self.enter = k.layers.Dense(width, activation="tanh")
            self.out = k.layers.Dense(1)
            self.blocks = [k.layers.Dense(width), k.layers.Dense(width)]
            self.table = {"z": k.layers.Dense(width), "a": [k.layers.Dense(width)]}
            self._norm = k.layers.BatchNormalization()
            self.drop = k.layers.Dropout(0.1)

        def call(self, inputs: Any) -> Any:
            x = self.enter(inputs)
            for layer in (*self.blocks, self.table["z"], *self.table["a"], self._norm, self.drop):
                x = layer(x)
            return self.out(x)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "width": self.width}

    return Own


@both_libraries
def test_a_model_of_one_s_own(writer: Any, reader: Any, tmp_path: Path) -> None:
    classes = {k: model_class(k) for k in (writer, reader)}
    models = {k: classes[k](width=5) for k in (writer, reader)}
    for k, model in models.items():
        model.compile(k.optimizers.SGD(0.1), "mse")
        model.fit(features(3), features(1), verbose=0)
        model.save(tmp_path / f"{k.__name__}.keras")
    assert tree(tmp_path / "lamina.keras") == tree(tmp_path / "keras.keras")
    again = reader.saving.load_model(tmp_path / f"{writer.__name__}.keras")
    one, other = (m.predict(features(3), verbose=0) for m in (models[writer], again))
    assert np.allclose(one, other, rtol=1e-6, atol=1e-6)
    again.save(tmp_path / "again.keras")
    assert config(tmp_path / "again.keras") == config(tmp_path / f"{writer.__name__}.keras")


# -- the table

ARGUMENTS: dict[str, Any] = {
    "Activation": ("relu",),
    "AlphaDropout": (0.5,),
    "CategoryEncoding": (4,),
    "CosineDecay": (1.0, 10),
    "CosineDecayRestarts": (1.0, 10),
    "Dense": (3,),
    "Discretization": ([0.0, 1.0],),
    "Dot": (1,),
    "Dropout": (0.5,),
    "EinsumDense": ("ab,bc->ac", 3),
    "Embedding": (3, 4),
    "ExponentialDecay": (1.0, 10, 0.5),
    "GaussianDropout": (0.5,),
    "GaussianNoise": (0.5,),
    "HashedCrossing": (4,),
    "Hashing": (4,),
    "InputLayer": ((3,),),
    "InverseTimeDecay": (1.0, 10, 0.5),
    "IoU": (3, [0, 2]),
    "Lambda": lambda k: (k.activations.relu, (3,)),
    "MeanIoU": (3,),
    "OneHotIoU": (3, [0, 2]),
    "OneHotMeanIoU": (3,),
    "Permute": ((2, 1),),
    "PiecewiseConstantDecay": ([1, 2], [0.1, 0.2, 0.3]),
    "PolynomialDecay": (1.0, 10),
    "PrecisionAtRecall": (0.5,),
    "RecallAtPrecision": (0.5,),
    "RepeatVector": (3,),
    "Rescaling": (0.5,),
    "Reshape": ((2, 3),),
    "SensitivityAtSpecificity": (0.5,),
    "SpatialDropout1D": (0.5,),
    "SpecificityAtSensitivity": (0.5,),
    "SpectralNormalization": lambda k: (k.layers.Dense(2, name="inner"),),
    "TimeDistributed": lambda k: (k.layers.Dense(2, name="inner"),),
    "Wrapper": lambda k: (k.layers.Dense(2, name="inner"),),
}
# What Keras forgets to write, so that its own files lose it.
FORGOTTEN = {"gain", "delta", "axis", "from_sorted_ids"}
WRAPPERS = {
    "MeanMetricWrapper", "Functional", "Sequential", "Model", "LossScaleOptimizer", "MultiOptimizer", "OptimizerMap",
    "Pipeline", "FeatureSpace",
}  # fmt: skip
CLASSES = [
    e for e in all_published()
    if isinstance(e.thing, type) and e.name not in WRAPPERS and not e.module.startswith("keras.src.")
]  # fmt: skip


def keras_class(entry: Any) -> Any:
    return get_symbol_from_name(f"{entry.module}.{entry.name}")


@pytest.mark.parametrize("entry", CLASSES, ids=lambda entry: f"{entry.module}.{entry.name}")
def test_records_are_those_of_keras(entry: Any) -> None:
    assert get_name_from_symbol(keras_class(entry)) == f"{entry.module}.{entry.name}"
    given = ARGUMENTS.get(entry.name, ())
    arguments = {k: given(k) if callable(given) else given for k in (keras, lamina)}
    theirs = json.loads(json.dumps(keras.saving.serialize_keras_object(keras_class(entry)(*arguments[keras]))))
    ours = lamina.saving.serialize_keras_object(entry.thing(*arguments[lamina]))
    assert ours.keys() == theirs.keys()
    assert {k: v for k, v in ours.items() if k != "config"} == {k: v for k, v in theirs.items() if k != "config"}
    assert ours["config"].keys() - theirs["config"].keys() <= FORGOTTEN
    for name, value in theirs["config"].items():
        mine = json.loads(json.dumps(ours["config"][name]))
        assert mine == (pytest.approx(value) if isinstance(value, float) else value), name
    assert isinstance(keras.saving.deserialize_keras_object(ours), keras_class(entry))
    assert isinstance(lamina.saving.deserialize_keras_object(theirs), entry.thing)


# Keras keeps its function `accuracy` to itself.
FUNCTIONS = [e for e in all_published() if not isinstance(e.thing, type) and e.name != "accuracy"]


@pytest.mark.parametrize("entry", FUNCTIONS, ids=lambda entry: f"{entry.module}.{entry.name}")
def test_functions_are_named_as_in_keras(entry: Any) -> None:
    theirs = {"keras.activations": keras.activations, "keras.losses": keras.losses, "keras.metrics": keras.metrics}
    function = getattr(theirs[entry.module], entry.name)
    record = lamina.saving.serialize_keras_object(entry.thing)
    if entry.module == "keras.activations":
        assert record == keras.activations.serialize(function)
    else:
        assert record == keras.saving.serialize_keras_object(function)
        assert lamina.saving.deserialize_keras_object(record) is entry.thing
