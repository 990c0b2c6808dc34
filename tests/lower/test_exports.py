"""ONNX files and SavedModels: what ONNX Runtime and TensorFlow compute from them, their names, what is refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

import cases_layers
import cases_ops
import lamina
from cases import ACTIVATIONS, Brick
from cases import name_of as brick_name
from lamina import layers
from lamina.errors import GraphError, LaminaError
from lamina.graph import express as e
from lamina.graph.node import Graph
from lamina.lower.exported import Exported, Given, Weight
from lamina.lower.to_numpy import NumpyExecutable
from lamina.lower.to_onnx import COMPOSITES, to_onnx


def session(model: Any) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(model if isinstance(model, str) else model.SerializeToString())


def exported(tmp_path: Path, model: Any, **kwargs: Any) -> onnxruntime.InferenceSession:
    model.export(tmp_path / "model.onnx", format="onnx", verbose=False, **kwargs)
    return session(str(tmp_path / "model.onnx"))


def typed(array: np.ndarray, kind: str) -> np.ndarray:
    """As ONNX Runtime takes it."""
    return array.astype({"tensor(int64)": "int64", "tensor(string)": object}.get(kind, array.dtype))


def close(found: Any, expected: Any, what: str = "") -> None:
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype), what
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6, err_msg=what)


@pytest.mark.parametrize("case", cases_ops.CASES, ids=cases_ops.name_of)
def test_operation(case: cases_ops.Case):
    graph = Graph({"out": case.build(*cases_ops.inputs(case, "float32"))})
    data, state = cases_ops.bind(case, cases_ops.numbers(case, "float32"))
    rows = cases_ops.ROWS
    given = [Given(name, node.shape, node.dtype) for name, node in graph.inputs.items()]
    weights = {
        name: Weight(name, array.reshape(case.arguments[int(name[1:])].shape), True) for name, array in state.items()
    }
    model = to_onnx(Exported("case", graph, weights, given, "out"))
    (found,) = session(model).run(None, {x.name: data[x.name] for x in given})
    close(found, NumpyExecutable(graph).run(data, state, rows=rows, batch_size=rows)["out"])


@pytest.mark.parametrize("function", [e.expm1, e.log1p])
def test_digits_near_zero_are_kept(function: Callable[[Any], Any]):
    x = np.array([1e-6, -3e-5, 0.4999, -0.4999, 0.5, 4.0, 0.0], "float32")
    graph = Graph({"out": function(e.leaf("input", (None,), "float32", name="x"))})
    (found,) = session(to_onnx(Exported("f", graph, {}, [Given("x", (None,), "float32")], "out"))).run(None, {"x": x})
    np.testing.assert_allclose(found, getattr(np, function.__name__)(x), rtol=1e-6)


def layer_of(case: cases_layers.Case, number: int) -> tuple[list[Any], Any]:
    """A case's Inputs and what its layer makes of them, with weights that are all different."""
    kind = case.kind or "float32"
    inputs = [lamina.Input(shape, dtype=kind, name=f"x{number}_{i}") for i, shape in enumerate(case.shapes)]
    layer = case.make(name=f"layer{number}")
    outputs = layer(inputs if len(inputs) > 1 else inputs[0])
    rng = np.random.default_rng(number)
    layer.set_weights([rng.uniform(0.5, 1.5, w.shape).astype(w.dtype) for w in layer.get_weights()])
    return inputs, outputs


HASHES = (layers.Hashing, layers.HashedCrossing)  # not in ONNX


@pytest.mark.parametrize("case", [c for c in cases_layers.CASES if c.layer not in HASHES], ids=lambda c: c.name)
def test_every_layer_in_onnx(case: cases_layers.Case, tmp_path: Path):
    inputs, outputs = layer_of(case, 0)
    model = lamina.Model(inputs, outputs)
    arrays = case.inputs("float32")
    arrays = arrays if isinstance(arrays, list) else [arrays]
    run = exported(tmp_path, model)
    for rows in (len(arrays[0]), 1):
        given = {x.name: typed(a[:rows], x.type) for x, a in zip(run.get_inputs(), arrays, strict=True)}
        close(run.run(None, given)[0], model.predict([a[:rows] for a in arrays], verbose=0))


def test_every_layer_in_a_saved_model(tmp_path: Path):
    """All of them in one model: tracing and writing is what takes time."""
    import tensorflow as tf

    every = [layer_of(case, number) for number, case in enumerate(cases_layers.CASES)]
    names = [f"{number:02}-{case.name}" for number, case in enumerate(cases_layers.CASES)]
    model = lamina.Model(
        [x for inputs, _ in every for x in inputs], dict(zip(names, (out for _, out in every), strict=True))
    )
    given = [case.inputs("float32") for case in cases_layers.CASES]
    arrays = [a for x in given for a in (x if isinstance(x, list) else [x])]
    model.export(tmp_path / "model", verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / "model"))
    for rows in (5, 1):
        found = loaded.serve([a[:rows] for a in arrays])
        for name, expected in model.predict([a[:rows] for a in arrays], verbose=0).items():
            close(found[name].numpy(), expected, name)


IDS = np.array([[3, 10**12], [-5, 0], [2**33, 7]])
WORDS = np.array([["b", "zz"], ["", "a"], ["mask", "Zürich"]], object)
LOOKUPS = {
    "words": (layers.StringLookup(vocabulary=["a", "b"]), WORDS),
    "words masked": (layers.StringLookup(vocabulary=["a", "b"], mask_token="mask", output_mode="count"), WORDS),
    "words hashed": (layers.StringLookup(vocabulary=["a", "b"], num_oov_indices=3), WORDS),
    "words salted": (layers.StringLookup(vocabulary=["b"], num_oov_indices=3, salt=[7, 9]), WORDS),
    "ids": (layers.IntegerLookup(vocabulary=[10**12, 0], mask_token=7), IDS),
    "ids by remainder": (layers.IntegerLookup(vocabulary=[10**12, 0], num_oov_indices=3), IDS),
    "words of places": (layers.StringLookup(vocabulary=["a", "b"], invert=True), np.array([[1, 2], [0, 5], [2, 2]])),
    "ids of places": (layers.IntegerLookup(vocabulary=[9, 8], invert=True), np.array([[1, 2], [0, 5], [2, 2]])),
    "hashed": (layers.Hashing(7), WORDS),
    "hashed ids": (layers.Hashing(7, mask_value=0, salt=3), IDS),
}  # fmt: skip


HASHED = {"words hashed", "words salted", "hashed", "hashed ids"}


def looked_up(name: str) -> tuple[Any, Any, np.ndarray, np.ndarray]:
    """An Input, what the layer makes of its columns, an array for it, and what the layer makes of that at once."""
    layer, x = LOOKUPS[name]
    inputs = lamina.Input((2,), dtype="string" if x.dtype == object else "int32", name=name.replace(" ", "_"))
    return inputs, layer(layers.Reshape((2, 1))(inputs)), x, layer(x[:, :, None])


@pytest.mark.parametrize("name", sorted(LOOKUPS.keys() - HASHED))
def test_lookups_in_onnx(name: str, tmp_path: Path):
    inputs, outputs, x, expected = looked_up(name)
    (found,) = exported(tmp_path, lamina.Model(inputs, outputs)).run(None, {inputs.name: x})
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", sorted(HASHED))
def test_hashes_are_refused_by_onnx(name: str, tmp_path: Path):
    inputs, outputs, *_ = looked_up(name)
    with pytest.raises(GraphError, match=rf"layer '{LOOKUPS[name][0].name}' hashes, and ONNX has no operator for that"):
        exported(tmp_path, lamina.Model(inputs, outputs))


def test_lookups_in_a_saved_model(tmp_path: Path):
    import tensorflow as tf

    made = {name: looked_up(name) for name in LOOKUPS}
    model = lamina.Model({n: inputs for n, (inputs, *_) in made.items()}, {n: out for n, (_, out, *_) in made.items()})
    model.export(tmp_path / "model", verbose=False)
    found = tf.saved_model.load(str(tmp_path / "model")).serve({n: tf.constant(x) for n, (_, _, x, _) in made.items()})
    for name, (*_, expected) in made.items():
        values = found[name].numpy()
        values = np.vectorize(bytes.decode, otypes=[object])(values) if values.dtype == object else values
        np.testing.assert_array_equal(values, expected, err_msg=name)


def test_what_is_not_in_a_vocabulary_without_room_for_it_is_an_error(tmp_path: Path):
    import tensorflow as tf

    x = lamina.Input((1,), dtype="string", name="x")
    lookup = layers.StringLookup(vocabulary=["a", "b"], num_oov_indices=0, mask_token="", output_mode="multi_hot")
    model = lamina.Model(x, lookup(x))
    known, unknown = np.array([["b"], [""]], object), np.array([["c"]], object)
    run = exported(tmp_path, model)
    close(run.run(None, {"x": known})[0], model.predict(known, verbose=0))
    with pytest.raises(Exception, match="out of (data )?bounds"):
        run.run(None, {"x": unknown})
    model.export(tmp_path / "model", verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / "model"))
    close(loaded.serve(tf.constant(known)).numpy(), model.predict(known, verbose=0))
    with pytest.raises(tf.errors.InvalidArgumentError, match="all inputs should be in vocabulary"):
        loaded.serve(tf.constant(unknown))


STANDARD = {
    "elu": "Elu", "gelu": "Gelu", "hard_sigmoid": "HardSigmoid", "leaky_relu": "LeakyRelu", "log_softmax": "LogSoftmax",
    "relu": "Relu", "selu": "Selu", "sigmoid": "Sigmoid", "softmax": "Softmax", "softplus": "Softplus",
    "softsign": "Softsign", "tanh": "Tanh",
}  # fmt: skip


@pytest.mark.parametrize("name", STANDARD)
def test_an_activation_is_one_operator(name: str, tmp_path: Path):
    model = lamina.Sequential([lamina.Input((4,)), layers.Dense(3, activation=name)])
    x = np.linspace(-3, 3, 20, dtype="float32").reshape(5, 4)
    close(exported(tmp_path, model).run(None, {model.inputs[0].name: x})[0], model.predict(x, verbose=0))
    kinds = [node.op_type for node in onnx.load(tmp_path / "model.onnx").graph.node]
    assert kinds == ["Gemm", STANDARD[name], "Identity"]


def test_every_standard_composite_is_met():
    assert {kind for kind, _, _ in COMPOSITES.values()} <= set(STANDARD.values())


def activation_of(case: Brick) -> Callable[[Any], Any]:
    return lambda z: getattr(lamina.activations, case.name)(z, **case.arguments)


@pytest.mark.parametrize("case", ACTIVATIONS, ids=brick_name)
def test_every_activation(case: Brick, tmp_path: Path):
    model = lamina.Sequential([lamina.Input((4,)), layers.Activation(activation_of(case))])
    x = np.linspace(-6, 6, 20, dtype="float32").reshape(5, 4)
    close(exported(tmp_path, model).run(None, {model.inputs[0].name: x})[0], model(x))


def two_inputs() -> Any:
    age, city = lamina.Input((3,), name="age"), lamina.Input((2,), name="city", dtype="int32")
    near = layers.Dense(2, name="first")(age)
    ids = layers.Flatten()(layers.Embedding(5, 3)(city))
    return lamina.Model({"age": age, "city": city}, [near, layers.Dense(1, name="second")(ids)], name="two")


AGE, CITY = np.ones((4, 3), "float32"), np.array([[0, 1], [2, 3], [4, 0], [1, 1]], "int32")


def test_names_and_types_of_onnx(tmp_path: Path):
    model = two_inputs()
    run = exported(tmp_path, model)
    assert [(x.name, x.type, x.shape) for x in run.get_inputs()] == [
        ("age", "tensor(float)", ["batch", 3]), ("city", "tensor(int32)", ["batch", 2])
    ]  # fmt: skip
    assert [x.name for x in run.get_outputs()] == ["output_0", "output_1"]
    for found, expected in zip(
        run.run(None, {"age": AGE, "city": CITY}), model.predict({"age": AGE, "city": CITY}, verbose=0), strict=True
    ):
        close(found, expected)
    loaded = onnx.load(tmp_path / "model.onnx")
    onnx.checker.check_model(loaded, full_check=True)
    assert [(x.domain, x.version) for x in loaded.opset_import] == [("", 20)]
    assert {v.path for v in model.trainable_weights} <= {x.name for x in loaded.graph.initializer}
    with pytest.raises(Exception, match="out of (data )?bounds"):
        run.run(None, {"age": AGE, "city": CITY + 9})


def test_an_output_called_like_an_input(tmp_path: Path):
    x = lamina.Input((3,), name="age")
    run = exported(tmp_path, lamina.Model({"age": x}, {"age": layers.ReLU()(x)}))
    assert [x.name for x in run.get_outputs()] == ["age_output"]
    close(run.run(None, {"age": -AGE})[0], 0 * AGE)


def test_a_signature_of_ones_own(tmp_path: Path):
    signature = [lamina.InputSpec(shape=(1, 3), dtype="float64", name="years")]
    model = lamina.Sequential([lamina.Input((3,)), layers.Dense(2)])
    run = exported(tmp_path, model, input_signature=signature)
    close(run.run(None, {"years": AGE.astype("float64")})[0], model.predict(AGE, verbose=0))
    assert [(x.name, x.type, x.shape) for x in run.get_inputs()] == [("years", "tensor(double)", ["batch", 3])]
    with pytest.raises(ValueError, match=r"`input_signature` has 1 input\(s\), the model takes 2: \['age', 'city'\]"):
        exported(tmp_path, two_inputs(), input_signature=signature)
    with pytest.raises(ValueError, match="does not say the shape of input 'x'"):
        exported(tmp_path, model, input_signature=[lamina.InputSpec(ndim=2, name="x")])


def test_a_saved_model_is_served_without_lamina(tmp_path: Path):
    """As Keras's: the same names, an answer from plain TensorFlow in a process of its own."""
    model = two_inputs()
    model.export(tmp_path / "model", verbose=False)
    np.savez(tmp_path / "given.npz", age=AGE, city=CITY)
    code = f"""
import sys, numpy as np, tensorflow as tf
given = dict(np.load({str(tmp_path / "given.npz")!r}))
loaded = tf.saved_model.load({str(tmp_path / "model")!r})
answer = loaded.signatures["serving_default"](**given)
assert not any(name.split(".")[0] == "lamina" for name in sys.modules)
first, second = loaded.serve(given)
assert (first.numpy() == answer["output_0"].numpy()).all()
np.savez({str(tmp_path / "found.npz")!r}, **{{k: v.numpy() for k, v in answer.items()}})
print(sorted(loaded.signatures), len(loaded.variables), len(loaded.trainable_variables))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['serve', 'serving_default'] 5 5"
    found = np.load(tmp_path / "found.npz")
    for i, expected in enumerate(model.predict({"age": AGE, "city": CITY}, verbose=0)):
        close(found[f"output_{i}"], expected)


def test_names_that_tensorflow_does_not_take(tmp_path: Path):
    """Columns of tables are called like this; a dictionary keeps its keys."""
    import tensorflow as tf

    inputs = {name: lamina.Input((1,), name=name) for name in ("mean radius", "_größe")}
    answer = layers.Dense(1, name="the answer")(layers.Concatenate()(list(inputs.values())))
    model, x = lamina.Model(inputs, {"how large": answer}), dict.fromkeys(inputs, AGE[:, :1])
    model.export(tmp_path / "model", verbose=False)
    loaded = tf.saved_model.load(str(tmp_path / "model"))
    close(loaded.serve(x)["how large"].numpy(), model.predict(x, verbose=0)["how large"])
    signature = loaded.signatures["serving_default"]
    assert sorted(signature.structured_input_signature[1]) == ["gr__e", "mean_radius"]


class Doubled(lamina.Model):
    """A class of one's own."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(2)

    def call(self, x: Any) -> Any:
        return 2.0 * self.dense(x)


def test_a_class_of_ones_own_once_it_was_called(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    model = Doubled()
    with pytest.raises(ValueError, match="It must be built before export"):
        model.export(tmp_path / "model.onnx", format="onnx")
    expected = model(AGE)
    model.export(tmp_path / "model.onnx", format="onnx")
    assert capsys.readouterr().out == f"Saved artifact at '{tmp_path / 'model.onnx'}'.\n"
    close(session(str(tmp_path / "model.onnx")).run(None, {"args_0": AGE})[0], expected)


def test_several_endpoints(tmp_path: Path):
    """With the numbers of the moment of writing; functions of one's own share the model's variables."""
    import tensorflow as tf

    model = lamina.Sequential([lamina.Input((3,), name="x"), layers.Dense(2, name="dense")])
    other = layers.Dense(4)
    other.build((None, 2))
    archive = lamina.export.ExportArchive()
    with pytest.raises(ValueError, match="No endpoints have been set yet"):
        archive.write_out(tmp_path / "model")
    archive.track_and_add_endpoint("serve", model)
    archive.track(other)

    def mixed(a: Any, b: Any) -> Any:
        return {"sum": model(a) + b, "both": lamina.ops.concatenate([a, b], axis=1)}

    specs = [lamina.InputSpec(shape=(None, 3)), lamina.InputSpec(shape=(None, 2), dtype="int32", name="second")]
    assert archive.add_endpoint("mixed", mixed, specs) is mixed
    archive.add_endpoint("layer", model.layers[0], specs[:1])
    archive.add_variable_collection("biases", [model.layers[0].bias])
    model.layers[0].bias.assign([5.0, 6.0])
    archive.write_out(tmp_path / "model", verbose=False)
    loaded, b = tf.saved_model.load(str(tmp_path / "model")), np.array([[1, 2]] * 4, "int32")
    assert sorted(loaded.signatures) == ["layer", "mixed", "serve", "serving_default"]
    assert sorted(loaded.signatures["mixed"].structured_input_signature[1]) == ["a", "second"]
    assert len(loaded.variables) == 4
    np.testing.assert_array_equal(loaded.biases[0], [5.0, 6.0])
    expected = model.predict(AGE, verbose=0)
    for found in (loaded.serve(AGE), loaded.layer(AGE), loaded.signatures["serving_default"](x=AGE)["output_0"]):
        close(found.numpy(), expected)
    answer = loaded.mixed(AGE, b)
    close(answer["sum"].numpy(), expected + b.astype("float32"))
    close(answer["both"].numpy(), np.concatenate([AGE, b], 1, dtype="float32"))


def test_what_an_archive_does_not_take():
    archive, model = lamina.export.ExportArchive(), two_inputs()
    archive.add_endpoint("serve", model)
    cases = [
        (lambda: lamina.export.ExportArchive("onnx"), "Unsupported format: onnx"),
        (lambda: archive.track(3), "Invalid resource type. Expected a `Layer` or `Model`. Received object 3"),
        (lambda: archive.track(layers.Dense(2)), "The layer provided has not yet been built"),
        (lambda: archive.add_endpoint("serve", model), "Endpoint name 'serve' is already taken"),
        (lambda: archive.add_endpoint("f", lambda x: x), "you must provide an `input_signature` argument"),
        (lambda: archive.add_variable_collection("v", model), "Expected `variables` to be a list/tuple/set"),
        (lambda: archive.add_variable_collection("v", [1]), "Expected all elements in `variables` to be `Variable`"),
    ]
    for call, message in cases:
        with pytest.raises(ValueError, match=message):
            call()


class Restless(layers.Layer):
    """Noise in predictions, too."""

    def call(self, x: Any) -> Any:
        return x + lamina.random.uniform((3,), seed=lamina.random.SeedGenerator(1))


def test_what_a_file_cannot_do_is_refused(tmp_path: Path):
    model, path = two_inputs(), tmp_path / "x"
    for format in ("openvino", "litert", "torch"):
        with pytest.raises(LaminaError, match=rf"format='{format}' is written by Keras alone"):
            model.export(path, format=format)
    with pytest.raises(ValueError, match=r"Unrecognized format=pmml. Supported formats are: \['tf_saved_model', "):
        model.export(path, format="pmml")
    with pytest.raises(GraphError, match="need opset_version 20 or later, got 11"):
        model.export(path, format="onnx", opset_version=11)
    with pytest.raises(ValueError, match="`opset_version` is for format='onnx'"):
        model.export(path, opset_version=20)
    noisy = lamina.Sequential([lamina.Input((3,)), Restless(name="restless")])
    with pytest.raises(LaminaError, match="cannot be exported: restless draws random numbers in a prediction"):
        noisy.export(path, format="onnx")
    assert not path.exists()
