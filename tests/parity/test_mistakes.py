"""Mistakes that users make: where Keras raises an error, so does Lamina, at the same moment or earlier, and says more.

A mistake is a function of the library; one of several steps yields between them, so that the moment is known.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import partialmethod
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest

import lamina

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
Y = X[:, :1].copy()
CLASSES = np.arange(12) % 3
Steps = Iterator[None]


class Mistake(NamedTuple):
    """What is done, and words that Lamina's message must have: where, the argument, what was got and expected."""

    name: str
    make: Callable[[Any], Any]
    words: tuple[str, ...]


def network(k: Any, *layers: Any, inputs: int = 3) -> Any:
    return k.Sequential([k.Input((inputs,)), *(layers or [k.layers.Dense(4, name="hidden"), k.layers.Dense(1)])])


def compiled(k: Any, *layers: Any, **given: Any) -> Any:
    model = network(k, *layers)
    model.compile(**{"optimizer": "sgd", "loss": "mse", **given})
    return model


def fitted(k: Any, *layers: Any, x: Any = X, y: Any = Y, fit: Any = None, **given: Any) -> Steps:
    """A model is made, compiled and trained."""
    model = network(k, *layers)
    yield
    model.compile(**{"optimizer": "sgd", "loss": "mse", **given})
    yield
    model.fit(x, y, **{"verbose": 0, **(fit or {})})


def classifier(k: Any, units: int = 3) -> Any:
    return k.layers.Dense(units, activation="softmax", name="answer")


def two_inputs(k: Any) -> Any:
    a, b = k.Input((3,), name="a"), k.Input((3,), name="b")
    model = k.Model({"a": a, "b": b}, k.layers.Dense(1)(k.layers.Add()([a, b])))
    model.compile("sgd", "mse")
    return model


def two_outputs(k: Any, **given: Any) -> Any:
    x = k.Input((3,))
    model = k.Model(x, [k.layers.Dense(1, name="left")(x), k.layers.Dense(1, name="right")(x)])
    model.compile(**{"optimizer": "sgd", "loss": "mse", **given})
    return model


def disconnected(k: Any) -> Any:
    x, other = k.Input((3,), name="x"), k.Input((3,), name="other")
    return k.Model(x, k.layers.Add(name="sum")([x, other]))


def repeated_names(k: Any) -> Any:
    x = k.Input((3,))
    return k.Model(x, k.layers.Dense(1, name="twin")(k.layers.Dense(1, name="twin")(x)))


def another_optimizer_s_model(k: Any) -> Steps:
    optimizer = k.optimizers.SGD(0.1, momentum=0.9)
    compiled(k, optimizer=optimizer).fit(X, Y, verbose=0)
    other = compiled(k, optimizer=optimizer)
    yield
    other.fit(X, Y, verbose=0)


def an_unbuilt_model_s_weights(k: Any) -> Any:
    model = k.Sequential([k.layers.Dense(1)])
    return model.load_weights("weights.weights.h5")


def own_class(k: Any, **members: Any) -> Any:
    return type("Own", (k.layers.Layer,), members)


def no_super(k: Any) -> Any:
    def init(self: Any) -> None:
        self.units = 3

    return own_class(k, __init__=init, call=lambda self, x: x)()(X)


def own_without_call(k: Any) -> Any:
    return own_class(k)()(X)


def file_of(k: Any, name: str) -> Any:
    """Keras says that it is not found; so does Lamina."""
    return k.saving.load_model(name)


def other_shapes(k: Any) -> Steps:
    path = f"{FOLDER[0]}/{k.__name__}.weights.h5"
    network(k).save_weights(path)
    other = network(k, k.layers.Dense(5, name="wide"), k.layers.Dense(1))
    yield
    other.load_weights(path)


def unknown_class(k: Any) -> Any:
    @k.saving.register_keras_serializable("mistakes", name="Gone")
    class Gone(k.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            return inputs

    path = f"{FOLDER[0]}/{k.__name__}.keras"
    network(k, Gone()).save(path)
    del k.saving.get_custom_objects()["mistakes>Gone"]
    return k.saving.load_model(path)


def twice(layer: Any, *shapes: tuple[int, ...]) -> Any:
    return [layer(np.zeros(shape, "float32")) for shape in shapes]


COMPILE = keras.Model.compile
FOLDER: list[Path] = [Path()]

MISTAKES = [
    # -- arguments of layers
    Mistake("units are negative", lambda k: k.layers.Dense(-1), ("units", "-1")),
    Mistake("units are no number", lambda k: k.layers.Dense("four"), ("units", "four")),
    Mistake("an unknown argument", lambda k: k.layers.Dense(3, size=2), ("Dense", "size")),
    Mistake("an unknown activation", lambda k: k.layers.Dense(3, "rellu"), ("rellu",)),
    Mistake("an unknown initializer", lambda k: k.layers.Dense(3, kernel_initializer="glorot"), ("glorot",)),
    Mistake("an unknown regularizer", lambda k: k.layers.Dense(3, kernel_regularizer="l3"), ("l3",)),
    Mistake("an unknown constraint", lambda k: k.layers.Dense(3, kernel_constraint="positive"), ("positive",)),
    Mistake("a rate above 1", lambda k: k.layers.Dropout(1.5), ("rate", "1.5")),
    Mistake("a rate that is no number", lambda k: k.layers.Dropout("half"), ("rate", "half")),
    Mistake("a slope of None", lambda k: k.layers.LeakyReLU(negative_slope=None), ("negative_slope", "None")),
    Mistake("a negative maximum", lambda k: k.layers.ReLU(max_value=-1.0), ("max_value", "-1.0")),
    Mistake("a permutation with a gap", lambda k: k.layers.Permute((1, 3)), ("dims", "(1, 3)")),
    Mistake("times that are no number", lambda k: k.layers.RepeatVector("two"), ("n", "str")),
    Mistake("a slash in a name", lambda k: k.layers.Dense(1, name="a/b"), ("name", "a/b")),
    Mistake("a dtype that is none", lambda k: k.layers.Dense(1, dtype="float31"), ("float31",)),
    Mistake("a shape that is a number", lambda k: k.Input(3), ("3", "shape")),
    Mistake("no shape at all", lambda k: k.Input(), ("shape",)),
    Mistake("mean without variance", lambda k: k.layers.Normalization(mean=1.0), ("mean", "variance")),
    Mistake("no tokens", lambda k: k.layers.CategoryEncoding(output_mode="one_hot"), ("num_tokens",)),
    Mistake("an unknown mode", lambda k: k.layers.CategoryEncoding(3, output_mode="hot"), ("output_mode", "hot")),
    Mistake("no bins", lambda k: k.layers.Hashing(0), ("num_bins", "0")),
    Mistake("bins and boundaries", lambda k: k.layers.Discretization([0.0], num_bins=3),
            ("num_bins", "bin_boundaries")),
    # -- shapes
    Mistake(
        "rows of another width", lambda k: network(k)(np.zeros((2, 4), "float32")), ("axis -1", "3", "(2, 4)"),
    ),
    Mistake("too few axes", lambda k: k.layers.Dense(2, name="d")(np.zeros(3, "float32")), ("'d'", "ndim")),
    Mistake(
        "a built layer gets another width",
        lambda k: twice(k.layers.Dense(2, name="d"), (2, 3), (2, 4)), ("'d'", "axis -1", "3", "4"),
    ),
    Mistake(
        "a sum of what does not fit", lambda k: k.layers.Add(name="sum")([k.Input((3,)), k.Input((4,))]), ("3", "4"),
    ),
    Mistake("a difference of three", lambda k: k.layers.Subtract(name="m")([k.Input((3,))] * 3), ("2", "3")),
    Mistake("a merge of one array", lambda k: k.layers.Concatenate(name="c")(k.Input((3,))), ("'c'", "list")),
    Mistake(
        "parts of other heights",
        lambda k: k.layers.Concatenate(name="c")([k.Input((3, 2)), k.Input((4, 2))]), ("(None, 3, 2)", "(None, 4, 2)"),
    ),
    Mistake("numbers left over", lambda k: k.layers.Reshape((2, 2), name="r")(k.Input((3,))), ("(2, 2)", "3")),
    Mistake("weights of another number", lambda k: network(k).set_weights([X]), ("4", "1", "set_weights")),
    Mistake(
        "a weight of another shape",
        lambda k: network(k).set_weights([X, np.zeros(4), np.zeros((4, 1)), np.zeros(1)]), ("(3, 4)", "(12, 3)"),
    ),
    # -- data
    Mistake("lists of numbers", lambda k: fitted(k, x=X.tolist()), ("x",)),
    Mistake("words as numbers", lambda k: fitted(k, x=np.array([["a", "b", "c"]] * 12)), ("x",)),
    Mistake("objects as numbers", lambda k: fitted(k, x=X.astype(object)), ("x", "object")),
    Mistake("fewer targets than rows", lambda k: fitted(k, y=Y[:5]), ("12", "5")),
    Mistake("fewer weights than rows", lambda k: fitted(k, fit={"sample_weight": np.ones(5)}), ("12", "5")),
    Mistake("rows of another width in fit", lambda k: fitted(k, x=X[:, :2]), ("axis -1", "3", "(12, 2)")),
    Mistake("nothing to train on", lambda k: fitted(k, x=None, y=None), ("x",)),
    Mistake("an input is missing", lambda k: two_inputs(k).fit({"a": X}, Y, verbose=0), ("b",)),
    Mistake("one input too few", lambda k: two_inputs(k).fit([X], Y, verbose=0), ("a", "b")),
    Mistake("a target too few", lambda k: two_outputs(k).fit(X, [Y], verbose=0), ("2", "1")),
    # -- compile
    Mistake("never compiled", lambda k: network(k).fit(X, Y, verbose=0), ("compile()",)),
    Mistake("never compiled, but evaluated", lambda k: network(k).evaluate(X, Y, verbose=0), ("compile()",)),
    Mistake("an unknown loss", lambda k: fitted(k, loss="msee"), ("msee",)),
    Mistake("an unknown optimizer", lambda k: fitted(k, optimizer="adamm"), ("adamm",)),
    Mistake("an unknown metric", lambda k: fitted(k, metrics=["acuracy"]), ("acuracy",)),
    Mistake("a metric that is no list", lambda k: fitted(k, metrics="mae"), ("metrics", "mae")),
    Mistake("no loss", lambda k: fitted(k, loss=None), ("loss",)),
    Mistake("losses for other outputs", lambda k: two_outputs(k, loss={"up": "mse"}).fit(X, [Y, Y], verbose=0),
            ("up",)),
    Mistake("a loss too many", lambda k: two_outputs(k, loss=["mse"] * 3).fit(X, [Y, Y], verbose=0), ("3", "2")),
    Mistake("weights for other losses", lambda k: two_outputs(k, loss_weights={"up": 1.0, "left": 1.0}).fit(
        X, [Y, Y], verbose=0), ("loss_weights", "2")),
    Mistake("a weight too few", lambda k: two_outputs(
        k, loss={"left": "mse", "right": "mse"}, loss_weights={"left": 1.0}).fit(X, [Y, Y], verbose=0),
            ("loss_weights", "1", "2")),
    Mistake("one weight for several losses", lambda k: two_outputs(k, loss=["mse", "mae"], loss_weights=0.5).fit(
        X, [Y, Y], verbose=0), ("loss_weights", "1", "2")),
    Mistake("a metric of values alone", lambda k: fitted(k, metrics=[k.metrics.Mean()]), ("sample_weight",)),
    Mistake("validations that are no list", lambda k: fitted(k, fit={
        "validation_data": (X, Y), "validation_freq": (1, 2), "epochs": 2}), ("validation_freq", "(1, 2)")),
    Mistake("an optimizer's old name", lambda k: k.optimizers.SGD(lr=0.1), ("lr", "learning_rate")),
    Mistake("two ways of clipping", lambda k: k.optimizers.SGD(clipnorm=1.0, clipvalue=1.0), ("clipnorm", "clipvalue")),
    Mistake("momentum above 1", lambda k: k.optimizers.SGD(momentum=2.0), ("momentum", "2.0")),
    Mistake("boundaries without values", lambda k: k.optimizers.schedules.PiecewiseConstantDecay([1, 2], [0.1]),
            ("boundaries", "values")),
    Mistake("no steps of a decay", lambda k: k.optimizers.schedules.CosineDecay(0.1, 0)(0), ("decay_steps",)),
    Mistake("an optimizer in two models", another_optimizer_s_model, ("optimizer", "hidden")),
    # -- losses and metrics
    Mistake(
        "class numbers for a loss of one-hot rows",
        lambda k: fitted(k, classifier(k), y=CLASSES, loss="categorical_crossentropy"), ("(None, 3)",),
    ),
    Mistake(
        "a class that the output does not have",
        lambda k: fitted(k, classifier(k, 2), y=CLASSES, loss="sparse_categorical_crossentropy"), ("2",),
    ),
    Mistake(
        "targets of another width",
        lambda k: fitted(k, k.layers.Dense(2, name="answer"), y=X), ("2", "3"),
    ),
    Mistake("an unknown reduction", lambda k: k.losses.MeanSquaredError(reduction="average"), ("reduction", "average")),
    Mistake("thresholds outside", lambda k: k.metrics.Precision(thresholds=[0.5, 1.5]), ("Threshold", "[0, 1]", "1.5")),
    Mistake("an unknown curve", lambda k: k.metrics.AUC(curve="POC"), ("curve", "POC")),
    Mistake("a threshold too few", lambda k: k.metrics.AUC(num_thresholds=1), ("num_thresholds", "1")),
    Mistake("a negative beta", lambda k: k.metrics.FBetaScore(beta=-1.0), ("beta", "-1.0")),
    Mistake("an unknown average", lambda k: k.metrics.F1Score(average="mean"), ("average", "mean")),
    # -- fit
    Mistake("a split that is too small", lambda k: fitted(k, x=X[:1], y=Y[:1], fit={"validation_split": 0.5}),
            ("validation_split", "0.5")),
    Mistake("weights twice", lambda k: fitted(k, fit={"sample_weight": np.ones(12), "class_weight": {0: 1.0}}),
            ("class_weight", "sample_weight")),
    Mistake("an unknown argument of fit", lambda k: fitted(k, fit={"epoch": 3}), ("epoch",)),
    Mistake("epochs are no number", lambda k: fitted(k, fit={"epochs": "ten"}), ("epochs", "ten")),
    Mistake("a negative batch", lambda k: fitted(k, fit={"batch_size": -4}), ("batch_size", "-4")),
    Mistake("validation rows without targets", lambda k: fitted(k, fit={"validation_data": (X, Y[:3])}), ("12", "3")),
    # -- callbacks
    Mistake("a callback that is none", lambda k: fitted(k, fit={"callbacks": [3]}), ("callback", "3")),
    Mistake("a callback's class", lambda k: fitted(k, fit={"callbacks": [k.callbacks.EarlyStopping]}),
            ("EarlyStopping",)),
    Mistake(
        "a number of unknown direction",
        lambda k: fitted(k, fit={"callbacks": [k.callbacks.EarlyStopping(monitor="nothing")]}), ("nothing", "mode"),
    ),
    Mistake("a factor above 1", lambda k: k.callbacks.ReduceLROnPlateau(factor=2.0), ("factor", "2.0")),
    Mistake("a checkpoint without ending", lambda k: k.callbacks.ModelCheckpoint("best"), ("best", ".keras")),
    Mistake("weights without their ending", lambda k: k.callbacks.ModelCheckpoint("best.keras", save_weights_only=True),
            ("best.keras", ".weights.h5")),
    # -- models
    Mistake("a number as a layer", lambda k: k.Sequential([3]), ("Layer", "3")),
    Mistake("a layer's class", lambda k: k.Sequential([k.layers.Dense]), ("Dense",)),
    Mistake("two layers of one name", lambda k: network(k, *[k.layers.Dense(1, name="twin") for _ in "ab"]), ("twin",)),
    Mistake("two layers of one name in a graph", repeated_names, ("twin",)),
    Mistake("an input that is not among the inputs", disconnected, ("other",)),
    Mistake("an array as an input", lambda k: k.Model(X, X), ("inputs",)),
    Mistake("a layer that there is not", lambda k: network(k).get_layer("nobody"), ("nobody", "hidden")),
    Mistake("a layer beyond the last", lambda k: network(k).get_layer(index=7), ("7", "2")),
    Mistake("no inputs yet", lambda k: k.Sequential().outputs, ("input",)),
    Mistake("weights that are not made", lambda k: k.Sequential([k.layers.Dense(1)]).count_params(), ("built",)),
    Mistake("no super().__init__", no_super, ("Own", "super().__init__()")),
    Mistake("a layer without call", own_without_call, ("Own", "call")),
    # -- saving
    Mistake("a file without an ending", lambda k: network(k).save("model"), (".keras",)),
    Mistake("weights in a file of models", lambda k: network(k).save_weights("model.keras"), (".weights.h5",)),
    Mistake("a file that is not there", lambda k: file_of(k, "gone.keras"), ("gone.keras", "not found")),
    Mistake("weights before the model", an_unbuilt_model_s_weights, ("sequential",)),
    Mistake("weights of another network", other_shapes, ("wide", "(3, 4)", "(3, 5)")),
    Mistake("a class that is not registered", unknown_class, ("Gone", "register_keras_serializable")),
    Mistake("a class without a config", lambda k: k.saving.register_keras_serializable()(type("Bare", (), {})),
            ("Bare",)),
    Mistake("a record of nothing", lambda k: k.saving.deserialize_keras_object({"class_name": "Nothing", "config": {}}),
            ("Nothing",)),
    # -- adapt
    Mistake("a lookup without words", lambda k: k.layers.StringLookup()(np.array(["a"])), ("adapt", "vocabulary")),
    Mistake("words twice", lambda k: k.layers.StringLookup(vocabulary=["a", "a"]), ("a",)),
    Mistake("lists to adapt to", lambda k: k.layers.Normalization().adapt([[1.0], [2.0]]), ("normalization", "adapt")),
]  # fmt: skip


def moment(make: Callable[[Any], Any], k: Any) -> tuple[float, BaseException | None]:
    """At which step the mistake is an error, and the error."""
    steps = 0
    try:
        made = make(k)
        if inspect.isgenerator(made):
            for _ in made:
                steps += 1
    except Exception as error:
        return steps, error
    return float("inf"), None


@pytest.fixture(autouse=True)
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FOLDER[0] = tmp_path
    monkeypatch.chdir(tmp_path)
    keras.utils.clear_session(free_memory=False)
    lamina.utils.clear_session()
    monkeypatch.setattr(keras.Model, "compile", partialmethod(COMPILE, run_eagerly=True))  # no graphs are traced


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_mistake(mistake: Mistake) -> None:
    theirs, their_error = moment(mistake.make, keras)
    ours, error = moment(mistake.make, lamina)
    assert their_error is not None, "Keras takes it"
    assert error is not None, f"Keras says: {their_error}"
    assert ours <= theirs
    assert [word for word in mistake.words if word not in str(error)] == [], str(error)


def test_there_are_many() -> None:
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES) >= 60
