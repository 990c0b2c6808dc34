"""Models that take text and ids: every kind of model and of data gives the answers of a model fed with the indices."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import tensorflow as tf

import lamina
from lamina import Input, Model, Sequential, layers
from lamina.errors import DataError, DtypeError, GraphError, LaminaError, ModelFileError

RNG = np.random.default_rng(9)
WORDS = ["a", "b", "c"]
ROWS = 50
TEXT = RNG.choice([*WORDS, "?"], (ROWS, 1))
IDS = RNG.integers(0, 5, (ROWS, 1)) * 10**12
NUMBERS = RNG.normal(size=(ROWS, 1)).astype("float32")
DATA = {"word": TEXT, "id": IDS, "x": NUMBERS}
PLACES = np.array([[0 if word == "?" else WORDS.index(word) + 1] for word in TEXT.ravel()])
Y = (PLACES + NUMBERS).astype("float32")


def classifier(target: str = "core") -> Model:
    """Text, ids and numbers; a cross of the text with an interval of the numbers."""
    lamina.utils.set_random_seed(3)
    kinds = {"word": "string", "id": "int64", "x": "float32"}
    word, key, x = (Input((1,), dtype=dtype, name=name) for name, dtype in kinds.items())
    found = layers.StringLookup(vocabulary=WORDS)(word)
    near = layers.Discretization([-0.5, 0.5])(x)
    parts = [
        layers.Flatten()(layers.Embedding(4, 2)(found)),
        layers.CategoryEncoding(6)(layers.IntegerLookup(vocabulary=[0, 10**12, 2 * 10**12, 4 * 10**12])(key)),
        layers.HashedCrossing(7, "one_hot")([found, near]),
        x,
    ]
    model = Model({"word": word, "id": key, "x": x}, layers.Dense(1)(layers.Concatenate()(parts)))
    model.compile("sgd", "mse", target=target)
    return model


def by_indices() -> tuple[Model, list[np.ndarray]]:
    """The same network on indices that NumPy found, and these."""
    lamina.utils.set_random_seed(3)
    found, key, crossed, x = Input((1,), dtype="int32"), Input((6,)), Input((7,)), Input((1,))
    parts = [layers.Flatten()(layers.Embedding(4, 2)(found)), key, crossed, x]
    model = Model([found, key, crossed, x], layers.Dense(1)(layers.Concatenate()(parts)))
    model.compile("sgd", "mse")
    order = {0: 1, 10**12: 2, 2 * 10**12: 3, 4 * 10**12: 4}
    keys = np.array([[order.get(int(i), 0)] for i in IDS.ravel()])
    bins = lamina.host.recipes.Cross(7)(PLACES, np.digitize(NUMBERS, [-0.5, 0.5]))
    return model, [PLACES, (keys == np.arange(6)).astype(float), (bins == np.arange(7)).astype(float), NUMBERS]


def test_the_numbers_of_a_model_of_indices(target: str) -> None:
    model, (twin, indices) = classifier(target), by_indices()
    histories = [
        m.fit(x, Y, epochs=3, batch_size=16, shuffle=False, validation_split=0.2, verbose=0).history
        for m, x in ((model, DATA), (twin, indices))
    ]
    for name, values in histories[1].items():
        np.testing.assert_allclose(histories[0][name], values, rtol=1e-5)
    np.testing.assert_allclose(model.predict(DATA, verbose=0), twin.predict(indices, verbose=0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model(DATA), model.predict(DATA, verbose=0), rtol=1e-4, atol=1e-6)
    assert model.evaluate(DATA, Y, verbose=0) == pytest.approx(twin.evaluate(indices, Y, verbose=0), rel=1e-5)


FORMS: dict[str, Callable[[], Any]] = {
    "objects": lambda: DATA | {"word": TEXT.astype(object)},
    "bytes": lambda: DATA | {"word": TEXT.astype("S")},
    "vectors": lambda: {name: values[:, 0] for name, values in DATA.items()},
    "series": lambda: {name: pd.Series(values[:, 0]) for name, values in DATA.items()},
    "polars": lambda: {name: pl.Series(values[:, 0].tolist()) for name, values in DATA.items()},
    "pandas frame": lambda: pd.DataFrame({name: values[:, 0] for name, values in DATA.items()}),
    "polars frame": lambda: pl.DataFrame({name: values[:, 0].tolist() for name, values in DATA.items()}),
    "tensors": lambda: {name: tf.constant(values) for name, values in DATA.items()},
    "categories": lambda: DATA | {"word": pd.Series(TEXT[:, 0], dtype="category")},
    "list": lambda: [DATA[name] for name in sorted(DATA)],
    "dataset": lambda: tf.data.Dataset.from_tensor_slices(DATA).batch(16),
    "generator": lambda: ({name: values[i : i + 16] for name, values in DATA.items()} for i in range(0, ROWS, 16)),
}


@pytest.mark.parametrize("form", FORMS)
def test_data_in_every_form(form: str) -> None:
    model = classifier()
    expected = model.predict(DATA, verbose=0)
    np.testing.assert_allclose(model.predict(FORMS[form](), verbose=0), expected, rtol=1e-6)


def test_training_on_batches_as_they_come() -> None:
    model, twin = classifier(), classifier()
    model.fit(tf.data.Dataset.from_tensor_slices((DATA, Y)).batch(16), epochs=2, verbose=0)
    twin.fit(DATA, Y, batch_size=16, shuffle=False, epochs=2, verbose=0)
    for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    loss = model.train_on_batch({name: values[:7] for name, values in DATA.items()}, Y[:7])
    assert np.isfinite(loss)
    assert model.predict_on_batch(DATA).shape == (ROWS, 1)


def stack(*more: Any) -> Sequential:
    model = Sequential([*more, layers.StringLookup(vocabulary=WORDS, output_mode="one_hot"), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


class Own(Model):
    def __init__(self) -> None:
        super().__init__()
        self.lookup = layers.StringLookup(vocabulary=WORDS, output_mode="one_hot")
        self.dense = layers.Dense(1)

    def call(self, inputs: Any) -> Any:
        return self.dense(self.lookup(inputs))


def own() -> Model:
    model = Own()
    model.compile("sgd", "mse")
    return model


def nested() -> Model:
    word = Input((1,), dtype="string")
    model = Model(word, layers.Dense(1)(stack(Input((1,), dtype="string"))(word)))
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("make", [stack, lambda: stack(Input((1,), dtype="string")), own, nested])
def test_every_kind_of_model(make: Callable[[], Model]) -> None:
    model = make()
    model.fit(TEXT, Y, epochs=2, verbose=0)
    found = model.predict(TEXT, verbose=0)
    np.testing.assert_allclose(model(TEXT), found, rtol=1e-5, atol=1e-6)
    for word in "abc?":
        assert len(set(found[word == TEXT].tolist())) == 1
    assert len(set(found.ravel().tolist())) == 4


def test_a_vocabulary_adapted_anew_counts_at_once() -> None:
    lookup = layers.StringLookup()
    lookup.adapt(np.array(["a", "a", "b"]))
    word = Input((1,), dtype="string")
    model = Model(word, layers.Flatten()(layers.Embedding(3, 1)(lookup(word))))
    x = np.array([["a"], ["b"]])
    before = model.predict(x, verbose=0)
    lookup.adapt(np.array(["b", "b", "a"]))
    np.testing.assert_array_equal(model.predict(x, verbose=0), before[::-1])
    fixed = layers.StringLookup(output_mode="one_hot")
    fixed.adapt(np.array(["a", "b"]))
    with pytest.raises(LaminaError, match="size cannot be changed"):
        fixed.adapt(np.array(["a"]))


# -- files


def adapted_model(**arguments: Any) -> Model:
    lookup = layers.StringLookup(name="words", **arguments)
    lookup.adapt(TEXT)
    word = Input((1,), dtype="string")
    return Model(word, layers.Dense(1)(layers.Flatten()(lookup(word))))


@pytest.mark.parametrize(
    "arguments",
    [{}, {"output_mode": "tf_idf"}, {"mask_token": "a", "num_oov_indices": 2},
     {"output_mode": "count", "oov_token": None}],
)  # fmt: skip
def test_vocabularies_in_files(arguments: dict[str, Any], tmp_path: Path) -> None:
    model = adapted_model(**arguments)
    model.save(tmp_path / "model.keras")
    loaded = lamina.load_model(tmp_path / "model.keras")
    assert loaded.get_layer("words").get_vocabulary() == model.get_layer("words").get_vocabulary()
    np.testing.assert_array_equal(loaded.predict(TEXT, verbose=0), model.predict(TEXT, verbose=0))
    model.save_weights(tmp_path / "w.weights.h5")
    model.load_weights(tmp_path / "w.weights.h5")


def test_tokens_that_files_find_hard(tmp_path: Path) -> None:
    tokens = ["", " ", "\u2028", "日本", "a\rb", "x" * 1000, ""]
    lookup = layers.StringLookup()
    lookup.adapt(np.array(tokens, object))
    word = Input((1,), dtype="string")
    model = Model(word, layers.Embedding(9, 1)(lookup(word)))
    model.save(tmp_path / "model.keras")
    loaded = lamina.load_model(tmp_path / "model.keras")
    assert loaded.layers[1].get_vocabulary() == lookup.get_vocabulary()
    lookup.adapt(np.array(["two\nlines"]))
    with pytest.raises(ModelFileError, match="line break"):
        model.save(tmp_path / "other.keras")


VOCABULARY = "assets/layers/string_lookup/vocabulary.txt"


def rewritten(path: Path, change: Callable[[dict[str, bytes]], Any]) -> Path:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def renamed(members: dict[str, bytes]) -> None:
    members["assets/layers/dense/vocabulary.txt"] = members.pop(VOCABULARY)


def with_path(members: dict[str, bytes]) -> None:
    config = json.loads(members["config.json"])
    config["config"]["layers"][1]["config"]["vocabulary"] = "/etc/passwd"
    members["config.json"] = json.dumps(config).encode()


HOSTILE: dict[str, tuple[Callable[[dict[str, bytes]], Any], str]] = {
    "no layer there": (renamed, "the model has no layer there"),
    "no text": (lambda m: m.update({VOCABULARY: b"\xff\xfe"}), "is no vocabulary for its layer"),
    "a token twice": (lambda m: m.update({VOCABULARY: b"[UNK]\na\na"}), "repeated term"),
    "a path": (with_path, "names the file '/etc/passwd' as its vocabulary.*never opened"),
    "many unknown": (
        lambda m: m.update({"config.json": m["config.json"].replace(b'oov_indices": 1', b'oov_indices": 10000000')}),
        "num_oov_indices is 10000000, more than",
    ),
    "too many tokens": (lambda m: m.update({VOCABULARY: b"[UNK]\na\nb\nc\nd\ne\nf"}), "`max_tokens` is 5"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_files_that_are_refused(case: str, tmp_path: Path) -> None:
    change, message = HOSTILE[case]
    adapted_model(max_tokens=5).save(tmp_path / "model.keras")
    with pytest.raises(ModelFileError, match=message):
        lamina.load_model(rewritten(tmp_path / "model.keras", change))


def test_a_vocabulary_file_of_the_user_is_read(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("b\na\n", encoding="utf-8")
    for given in (str(path), path):
        assert layers.StringLookup(vocabulary=given)(["a", "b", "c"]).tolist() == [2, 1, 0]
    path.write_text("12\n7\n", encoding="utf-8")
    assert layers.IntegerLookup(vocabulary=str(path))([7, 12]).tolist() == [2, 1]
    with pytest.raises(ValueError, match="does not exist"):
        layers.StringLookup(vocabulary="nowhere.txt")


# -- what is refused


def number(shape: tuple[int, ...] = (1,), dtype: Any = None) -> Any:
    return Input(shape, dtype=dtype)


def model_of(inputs: Any, outputs: Any) -> Model:
    return Model(inputs, outputs)


def computed() -> Any:
    x = number()
    return model_of(x, layers.Hashing(3)(layers.Dense(1)(x)))


def text_in_dense() -> Any:
    x = number(dtype="string")
    return model_of(x, layers.Dense(1)(x))


text, ids, bins, norm = layers.StringLookup, layers.IntegerLookup, layers.Discretization, layers.Normalization
hashed, cross, encoding = layers.Hashing, layers.HashedCrossing, layers.CategoryEncoding

REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "what is computed": (
        computed, GraphError, r"hashing.*must come from the data; these are computed from a variable \(dense",
    ),
    "text in arithmetic": (text_in_dense, DtypeError, "dense.*text cannot be computed with"),
    "numbers as text": (lambda: text(vocabulary=WORDS)(np.ones(2)), DtypeError, "it looks up text"),
    "text as numbers": (lambda: ids(vocabulary=[1])(TEXT), DtypeError, "it looks up numbers"),
    "text for no id": (lambda: ids(vocabulary=[1], mask_token="a"), TypeError, "whole numbers for `mask_token`"),
    "nothing learned": (lambda: text()(TEXT), LaminaError, "has no vocabulary yet: call `adapt`"),
    "no width": (lambda: text(output_mode="count")(TEXT), LaminaError, "must set the layer's vocabulary"),
    "unknown text": (lambda: text(vocabulary=WORDS, num_oov_indices=0)(TEXT), DataError, "OOV values '[?]'"),
    "a missing value": (
        lambda: stack().predict(np.array([["a"], [None]], object), verbose=0), DataError, "value 1 is None.*fill",
    ),
    "other bytes": (lambda: text(vocabulary=WORDS)(np.array([b"a", b"\xfc"])), DataError, "value 1 is.*no UTF-8"),
    "an id of 64 bits without a sign": (
        lambda: ids(vocabulary=[1])(np.array([1, 2**63], np.uint64)), DataError, "value 1 is 9223372036854775808, ",
    ),
    "a float too large": (lambda: ids(vocabulary=[1])(np.array([1e30])), DataError, "value 0 is 1e.30, beyond"),
    "nan as an id": (lambda: ids(vocabulary=[1])(np.array([1.0, np.nan])), DataError, "value 1 is nan"),
    "no boundaries": (lambda: bins(num_bins=3)(NUMBERS), LaminaError, "call `adapt"),
    "both bins": (lambda: bins([0.0], num_bins=3), ValueError, "and not both"),
    "no bins": (lambda: bins(), ValueError, "either `num_bins` or `bin_boundaries`"),
    "falling bins": (lambda: bins([1.0, 0.0]), ValueError, "sorted boundaries"),
    "bins of text": (lambda: bins(num_bins=3).adapt(TEXT), DataError, "array of dtype <U1"),
    "adapted bins": (lambda: bins([0.0]).adapt(NUMBERS), ValueError, "use `num_bins` instead"),
    "adapted words": (lambda: text(vocabulary=WORDS).adapt(TEXT), ValueError, "static vocabulary"),
    "words of numbers": (lambda: text().adapt(NUMBERS), DataError, "looks up text, got an array of dtype"),
    "no data": (lambda: norm().adapt(iter(())), DataError, "received no data"),
    "other widths": (lambda: norm().adapt([np.ones((2, 3)), np.ones((2, 2))]), DataError, "incompatible shape"),
    "one for all": (lambda: norm().adapt(3.0), DataError, "Unsupported data type: float"),
    "a mode": (lambda: encoding(3, "hot"), ValueError, "one of 'one_hot', 'multi_hot', 'count'"),
    "no tokens": (lambda: encoding(), ValueError, "num_tokens must be set"),
    "few tokens": (lambda: encoding(0), ValueError, ">= 1"),
    "weights of a mode": (
        lambda: encoding(3)(PLACES, count_weights=NUMBERS), ValueError, "`count_weights` is not used",
    ),
    "sparse": (lambda: text(output_mode="count", sparse=True), ValueError, "arrays are dense"),
    "sparse indices": (lambda: hashed(3, sparse=True), ValueError, "may only be used"),
    "no bins to hash": (lambda: hashed(0), ValueError, "non-positive"),
    "a salt": (lambda: hashed(3, salt="x"), ValueError, "tuple of size 2"),
    "float bins": (lambda: hashed(3, dtype="float32"), ValueError, "should be an integer type"),
    "one to cross": (lambda: cross(3)([IDS]), ValueError, "at least two"),
    "no list to cross": (lambda: cross(3)(IDS), ValueError, "list or tuple"),
    "floats to cross": (lambda: cross(3)([IDS, NUMBERS]), DtypeError, "integer or string"),
    "shapes to cross": (lambda: cross(3)([IDS, IDS[:3]]), ValueError, "equal shape"),
    "ranks to cross": (lambda: cross(3)([IDS.reshape(25, 2)] * 2), ValueError, "should have shape"),
    "max_tokens": (lambda: text(max_tokens=1), ValueError, "greater than 1"),
    "padding": (lambda: text(pad_to_max_tokens=True), ValueError, "must set `max_tokens`"),
    "oov": (lambda: text(num_oov_indices=-1), ValueError, "greater than or equal to 0"),
    "too many words": (lambda: text(2, vocabulary=WORDS), ValueError, "larger than the maximum"),
    "a word twice": (lambda: text(vocabulary=["a", "a"]), ValueError, r"repeated terms are: \['a'\]"),
    "no words": (lambda: text(vocabulary=[]), ValueError, "empty vocabulary"),
    "a mask inside": (
        lambda: text(vocabulary=["a", ""], mask_token=""), ValueError, "reserved mask token ''",
    ),
    "an oov inside": (
        lambda: text(vocabulary=["a", "[UNK]"], invert=True), ValueError, "reserved OOV token",
    ),
    "inverted counts": (lambda: text(invert=True, output_mode="count"), ValueError, "must be `'int'`"),
    "idf": (lambda: text(vocabulary=WORDS, idf_weights=[1, 2, 3]), ValueError, "`idf_weights` should only"),
    "no idf": (lambda: text(vocabulary=WORDS, output_mode="tf_idf"), ValueError, "must also be provided"),
    "idf of others": (
        lambda: text(vocabulary=WORDS, output_mode="tf_idf", idf_weights=[1.0]), ValueError, "same length",
    ),
    "salted ids": (lambda: ids(salt=1), ValueError, "oov_method='farmhash'"),
    "narrow ids": (lambda: ids(vocabulary_dtype="int32"), ValueError, "Only `vocabulary_dtype='int64'`"),
    "an encoding": (lambda: text(encoding="latin-1"), ValueError, "must be 'utf-8'"),
    "a misspelt argument": (lambda: text(max_token=3), ValueError, "max_tokens"),
    "text for numbers": (lambda: classifier().predict(DATA | {"x": TEXT}, verbose=0), DataError, "'x' takes float32"),
    "ids that are computed with": (
        lambda: Model(i := Input((1,), dtype="int64"), [hashed(3)(i), layers.Embedding(5, 1)(i)]).predict(
            IDS, verbose=0),
        DataError, "exact only up to",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    make, error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        make()


def test_layers_inside_a_pipeline_of_tensorflow() -> None:
    made = {
        "word": layers.StringLookup(vocabulary=WORDS, output_mode="one_hot"),
        "id": layers.Hashing(5),
        "x": layers.Normalization(mean=0.5, variance=4.0),
    }
    data = tf.data.Dataset.from_tensor_slices(DATA).batch(16).map(lambda row: {k: made[k](v) for k, v in row.items()})
    for name, layer in made.items():
        found = np.concatenate([np.asarray(row[name]) for row in data])
        assert found.dtype == layer(DATA[name]).dtype
        np.testing.assert_array_equal(found, layer(DATA[name]))
    crossed = tf.data.Dataset.from_tensor_slices((TEXT, IDS)).batch(16).map(lambda *x: layers.HashedCrossing(7)(x))
    assert crossed.element_spec.shape.as_list() == [None, 1]
    np.testing.assert_array_equal(np.concatenate(list(crossed)), layers.HashedCrossing(7)((TEXT, IDS)))


def test_single_rows_inside_a_pipeline_of_tensorflow(caplog: pytest.LogCaptureFixture) -> None:
    def encoded(row: Any) -> Any:
        return layers.StringLookup(vocabulary=WORDS, output_mode="multi_hot")(row)

    data = tf.data.Dataset.from_tensor_slices(TEXT[:4, 0]).map(encoded)
    expected = layers.StringLookup(vocabulary=WORDS, output_mode="one_hot")(TEXT[:4])
    np.testing.assert_array_equal(np.stack(list(data)), expected)
    assert not caplog.records  # TensorFlow does not try to rewrite Lamina's code


def test_inputs_of_single_values() -> None:
    word, x = Input((), dtype=tf.string, name="word"), Input((), name="x")
    found = layers.Embedding(4, 2, embeddings_initializer="ones")(layers.StringLookup(vocabulary=WORDS)(word))
    model = Model({"word": word, "x": x}, layers.Concatenate()([found, lamina.ops.expand_dims(x, -1)]))
    data = {"word": TEXT[:, 0], "x": NUMBERS[:, 0]}
    expected = np.hstack([np.ones((ROWS, 2)), NUMBERS])
    np.testing.assert_allclose(model.predict(data, verbose=0), expected)
    np.testing.assert_allclose(model(data), expected)
