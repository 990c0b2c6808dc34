"""Whole files: what was saved comes back, and a file that was damaged, forged or edited wrongly is refused by name."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import lamina
from lamina.errors import ModelFileError
from lamina.saving import load_model, model_from_json, read_extra, save_model
from lamina.saving.archive import CONFIG, LAMINA, WEIGHTS, read_members, write_members

X = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


def network(units: int = 4) -> Any:
    model = lamina.Sequential(
        [
            lamina.Input((3,)),
            lamina.layers.Dense(units, activation="relu", name="hidden"),
            lamina.layers.BatchNormalization(name="norm"),
            lamina.layers.Dropout(0.5, name="drop"),
            lamina.layers.Dense(1, name="out"),
        ],
        name="net",
    )
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(X, Y, epochs=1, verbose=0)
    return model


@pytest.fixture(scope="module")
def model() -> Any:
    return network()


@pytest.fixture
def path(tmp_path: Path, model: Any) -> Path:
    model.save(tmp_path / "m.keras")
    return tmp_path / "m.keras"


def edited(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """The file with its config changed by hand."""
    members = read_members(path)
    record = json.loads(members[CONFIG])
    change(record)
    write_members(path, members | {CONFIG: json.dumps(record).encode()})
    return path


def with_weights(path: Path, change: Callable[[h5py.File], object]) -> Path:
    """The file as Keras might have written it, with other weights."""
    members = read_members(path)
    buffer = io.BytesIO(members[WEIGHTS])
    with h5py.File(buffer, "a") as file:
        change(file)
    members.pop(LAMINA)
    write_members(path, members | {WEIGHTS: buffer.getvalue()})
    return path


def layer(record: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(x for x in record["config"]["layers"] if x["config"]["name"] == name)
    return found


# -- there and back


def test_a_model_comes_back(path: Path, model: Any) -> None:
    again = load_model(path)
    assert np.array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    assert [x.name for x in again.layers] == [x.name for x in model.layers]
    for one, other in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        assert np.array_equal(one.value, other.value)
    assert again.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)


def test_float64_comes_back_exactly(tmp_path: Path) -> None:
    model = lamina.Sequential([lamina.Input((3,), dtype="float64"), lamina.layers.Dense(2, dtype="float64")])
    model.save(tmp_path / "m.keras")
    again = load_model(tmp_path / "m.keras")
    assert [w.dtype.name for w in again.get_weights()] == ["float64", "float64"]
    assert all(np.array_equal(a, b) for a, b in zip(again.get_weights(), model.get_weights(), strict=True))


def test_members_are_those_of_keras_and_one_more(path: Path) -> None:
    with zipfile.ZipFile(path) as file:
        assert file.namelist() == ["metadata.json", "config.json", "model.weights.h5", "lamina.json"]
        notes = json.loads(file.read(LAMINA))
    assert notes["versions"]["lamina"] == lamina.__version__
    assert notes["format"] == 1


def test_extra_comes_back(model: Any, tmp_path: Path) -> None:
    extra = {"schema": {"columns": ["ä", "b"]}, "ranges": [[0.5, 1e300]]}
    save_model(model, tmp_path / "m.keras", extra=extra)
    assert read_extra(tmp_path / "m.keras") == extra
    with pytest.raises(ModelFileError, match="File not found"):
        read_extra(tmp_path / "other.keras")


def test_a_file_of_keras_has_no_extra(path: Path) -> None:
    assert read_extra(with_weights(path, lambda file: None)) == {}


def test_saving_again_replaces_the_file(path: Path, model: Any) -> None:
    model.save(path)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        model.save(path, overwrite=False)
    assert [p.name for p in path.parent.iterdir()] == ["m.keras"]


@pytest.mark.parametrize("name", ["m", "m.h5", "m.zip"])
def test_the_name_must_end_right(model: Any, tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelFileError, match=r"must end in \.keras"):
        model.save(tmp_path / name)
    with pytest.raises(ModelFileError, match=r"must end in \.weights\.h5"):
        model.save_weights(tmp_path / name)


def test_uncompiled_if_wanted(path: Path) -> None:
    assert not load_model(path, compile=False).compiled
    assert load_model(path).compiled


def test_json_there_and_back(model: Any) -> None:
    again = model_from_json(model.to_json(indent=2))
    assert [w.shape for w in again.get_weights()] == [w.shape for w in model.get_weights()]
    assert again.compiled


def test_a_layer_shared_by_two_models_is_saved_once(tmp_path: Path) -> None:
    shared, x = lamina.layers.Dense(3), lamina.Input((3,))
    inner = lamina.Sequential([lamina.Input((3,)), shared])
    model = lamina.Model(x, lamina.layers.Add()([inner(x), shared(x)]))
    model.save(tmp_path / "m.keras")
    again = load_model(tmp_path / "m.keras")
    assert len(again.get_weights()) == 2
    assert np.array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


# -- edited by hand


def test_a_config_may_be_edited(path: Path) -> None:
    again = load_model(edited(path, lambda record: layer(record, "drop")["config"].update(rate=0.25, name="less")))
    assert again.get_layer("less").rate == 0.25


EDITS: list[tuple[Callable[[dict[str, Any]], object], str]] = [
    (lambda r: layer(r, "hidden")["config"].update(units=5), "norm"),
    (lambda r: layer(r, "hidden")["config"].update(units=10**12), "more than the 37 numbers in the file"),
    (lambda r: layer(r, "hidden")["config"].update(units=10**30), "hidden"),
    (lambda r: layer(r, "hidden")["config"].update(units="4"), "Dense 'hidden'"),
    (lambda r: layer(r, "hidden")["config"].update(use_bias=False), "hidden"),
    (
        lambda r: layer(r, "hidden")["config"].update(kernel_initializer={"class_name": "__lambda__", "config": {}}),
        "never runs code",
    ),
    (lambda r: layer(r, "drop").update(class_name="Lambda"), "Lambda"),
    (lambda r: layer(r, "drop").update(class_name="Teleport"), r"Lamina has no class keras\.layers\.Teleport"),
    (lambda r: layer(r, "drop").update(module="os", class_name="system"), "Could not locate class 'system'"),
    (lambda r: layer(r, "drop").pop("module"), "does not say its module"),
    (lambda r: layer(r, "out").update(registered_name="evil>Dense"), "not replaced by a file"),
    (lambda r: r["config"]["layers"].pop(1), "norm"),
    (lambda r: r["config"]["layers"].pop(), "dense_1"),
    (lambda r: r["config"].update(layers=7), "net"),
    (lambda r: r["config"]["layers"][0]["config"].update(batch_shape=[None, 10**9]), "hidden"),
    (lambda r: r["config"].clear(), "Sequential"),
    (
        lambda r: r.update(class_name="Dense", module="keras.layers", config={"units": 1}, compile_config={}),
        "not a model",
    ),
    (lambda r: r["compile_config"].update(optimizer="teleport"), "teleport"),
    (lambda r: r["compile_config"].update(target="jax"), "compile_config has no 'target'"),
    (lambda r: r["config"].update(run="x"), "config of a Sequential has no 'run'"),
    (lambda r: r["compile_config"].update(metrics=[{"class_name": "__lambda__", "config": {}}]), "never runs code"),
    (lambda r: [layer(r, "drop").clear(), r["config"]["layers"].append(3)], "Sequential 'net'"),
]


@pytest.mark.parametrize(("change", "message"), EDITS, ids=range(len(EDITS)))
def test_a_config_that_does_not_fit_is_refused(
    path: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    with pytest.raises(ModelFileError, match=message) as caught:
        load_model(edited(path, change))
    assert str(path) in str(caught.value)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all parts of a JSON value."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, part in parts for place in places(part, (*path, key)))]


NONSENSE = [None, 0, -1, 2.5, 1e308, float("nan"), 10**12, 10**40, "", "relu", "float64", [], [None, 3], {}, True]


@pytest.mark.filterwarnings("ignore:Skipping variable loading")
def test_no_edit_has_another_effect_than_an_error(path: Path) -> None:
    members = read_members(path)
    chance = random.Random(0)
    for place in chance.sample(places(json.loads(members[CONFIG]))[1:], 150):
        record = json.loads(members[CONFIG])
        holder = record
        for key in place[:-1]:
            holder = holder[key]
        holder[place[-1]] = chance.choice(NONSENSE)
        write_members(path, members | {CONFIG: json.dumps(record).encode()})
        try:
            again = load_model(path)
        except ModelFileError:
            continue
        assert [w.shape for w in again.get_weights()] == [(3, 4), (4,), (4,), (4,), (4,), (4,), (4, 1), (1,)]


WEIGHT_EDITS: list[tuple[Callable[[h5py.File], object], str]] = [
    (lambda f: f.pop("layers/dense/vars/1"), "layers/dense' does not fit Dense 'hidden'"),
    (lambda f: f.pop("layers/dense"), "hidden"),
    (lambda f: f.create_dataset("layers/dense/vars/2", data=np.zeros(4)), "hidden"),
    (lambda f: f.move("layers/dense/vars/1", "layers/dense/vars/7"), "lacks the array '1'"),
    (lambda f: f.create_dataset("layers/dense_9/vars/0", data=np.zeros(4)), "dense_9"),
    (lambda f: f.create_dataset("secret", data=np.zeros(4)), "no object keeps its own"),
    (lambda f: f["layers/dense"].__setitem__("soft", h5py.SoftLink("/vars")), "soft link"),
    (lambda f: f.__setitem__("x", h5py.ExternalLink("/etc/hostname", "/")), "external|soft link"),
]


@pytest.mark.parametrize(("change", "message"), WEIGHT_EDITS, ids=range(len(WEIGHT_EDITS)))
def test_weights_that_do_not_fit_are_refused(path: Path, change: Callable[[h5py.File], object], message: str) -> None:
    with pytest.raises(ModelFileError, match=message) as caught:
        load_model(with_weights(path, change))
    assert "m.keras: model.weights.h5: " in str(caught.value)


def test_weights_that_were_exchanged_are_noticed(path: Path) -> None:
    members = read_members(path)
    write_members(path, members | {WEIGHTS: members[WEIGHTS].replace(b"norm", b"warm")})
    with pytest.raises(ModelFileError, match="SHA-256 differs"):
        load_model(path)


def test_a_format_of_the_future_is_refused(path: Path) -> None:
    members = read_members(path)
    write_members(path, members | {LAMINA: b'{"format": 99}'})
    with pytest.raises(ModelFileError, match="format is 99"):
        load_model(path)


# -- damaged


def test_every_truncation_is_refused(path: Path) -> None:
    content = path.read_bytes()
    for end in range(0, len(content), 997):
        path.write_bytes(content[:end])
        with pytest.raises(ModelFileError, match=r"m\.keras: "):
            load_model(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89HDF\r\n\x1a\n" + bytes(100)])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.keras").write_bytes(content)
    with pytest.raises(ModelFileError, match=r"m\.keras: it is not a zip archive"):
        load_model(tmp_path / "m.keras")


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"z\.keras: File not found"):
        load_model(tmp_path / "z.keras")
    with pytest.raises(ModelFileError, match="not a file"):
        load_model(tmp_path)


# -- weights alone


def test_weights_there_and_back(model: Any, tmp_path: Path) -> None:
    model.save_weights(tmp_path / "m.weights.h5")
    other = network()
    other.load_weights(tmp_path / "m.weights.h5")
    assert all(np.array_equal(a, b) for a, b in zip(other.get_weights(), model.get_weights(), strict=True))
    assert int(other.optimizer.iterations.value) == int(model.optimizer.iterations.value)


def test_objects_to_skip(model: Any, tmp_path: Path) -> None:
    model.save_weights(tmp_path / "m.weights.h5")
    other = network()
    other.set_weights([w + 1 for w in model.get_weights()])
    other.load_weights(tmp_path / "m.weights.h5", objects_to_skip=[other.get_layer("hidden"), other.optimizer])
    moved = [float(np.max(abs(a - b))) for a, b in zip(other.get_weights(), model.get_weights(), strict=True)]
    assert moved == pytest.approx([1, 1, 0, 0, 0, 0, 0, 0])
    lamina.saving.save_weights(model, tmp_path / "n.weights.h5", objects_to_skip=[model.get_layer("norm")])
    with pytest.raises(ModelFileError, match="layers/batch_normalization"):
        other.load_weights(tmp_path / "n.weights.h5")


def test_what_keras_refuses_is_refused(path: Path, model: Any) -> None:
    with pytest.raises(ModelFileError, match=r"m\.keras: objects_to_skip is for \.weights\.h5 files"):
        model.load_weights(path, objects_to_skip=[])
    with pytest.raises(ModelFileError, match=r"m\.keras: by_name is for older \.h5 files"):
        model.load_weights(path, by_name=False)
    with pytest.raises(TypeError, match="by_nam"):
        model.load_weights(path, by_nam=True)


def test_weights_from_a_whole_file_into_a_compiled_model(path: Path, model: Any) -> None:
    other = load_model(path, compile=False)
    other.compile("adam", "mse")
    other.load_weights(path)
    for one, two in zip(model.optimizer.variables, other.optimizer.variables, strict=True):
        assert np.array_equal(one.value, two.value)


def test_weights_of_another_build_are_refused(path: Path) -> None:
    other = network(units=5)
    before = other.get_weights()
    with pytest.raises(ModelFileError, match=r"m\.keras: 'layers/dense' does not fit Dense 'hidden': .*\(3, 5\)"):
        other.load_weights(path)
    assert all(np.array_equal(a, b) for a, b in zip(other.get_weights(), before, strict=True))
    with pytest.warns(UserWarning, match="left as it was"):
        other.load_weights(path, skip_mismatch=True)
    assert np.array_equal(other.get_weights()[0], before[0])


def test_weights_that_fail_at_the_optimizer_leave_no_trace(model: Any, tmp_path: Path) -> None:
    model.save_weights(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5", "a") as file:
        del file["optimizer/vars/5"]
        file["optimizer/vars/5"] = np.zeros((2, 2), "float32")
    other = network()
    other.fit(X, Y, epochs=1, verbose=0)
    variables = [*other.weights, *other.optimizer.variables]
    before = [v.numpy().copy() for v in variables]
    with pytest.raises(ModelFileError, match="'optimizer' does not fit Adam"):
        other.load_weights(tmp_path / "m.weights.h5")
    assert all(np.array_equal(v.numpy(), w) for v, w in zip(variables, before, strict=True))


def test_weights_without_a_layer_for_them_are_spoken_of(path: Path) -> None:
    part = lamina.Sequential([lamina.Input((3,)), lamina.layers.Dense(4)])
    with pytest.warns(UserWarning, match="which the model does not have"):
        part.load_weights(path)


def test_an_unbuilt_model_takes_and_gives_no_weights(path: Path, tmp_path: Path) -> None:
    unbuilt = lamina.Sequential([lamina.layers.Dense(4)])
    with pytest.raises(ModelFileError, match="no weights yet.*before load_weights"):
        unbuilt.load_weights(path)
    with pytest.raises(ModelFileError, match="no weights yet.*before save_weights"):
        unbuilt.save_weights(tmp_path / "empty.weights.h5")
    assert not (tmp_path / "empty.weights.h5").exists()


def test_how_a_model_was_compiled_is_plain(model: Any) -> None:
    written = json.loads(json.dumps(model.get_compile_config()))
    assert written["optimizer"]["class_name"] == type(model.optimizer).__name__


def test_a_weights_file_must_be_hdf5(model: Any, tmp_path: Path) -> None:
    (tmp_path / "m.weights.h5").write_bytes(b"hello")
    with pytest.raises(ModelFileError, match=r"m\.weights\.h5: it is not an HDF5 file"):
        model.load_weights(tmp_path / "m.weights.h5")
    with pytest.raises(ModelFileError, match="File not found"):
        model.load_weights(tmp_path / "n.weights.h5")


# -- loading does nothing else


def test_loading_opens_no_other_file_and_imports_nothing(path: Path) -> None:
    import sys

    load_model(path)
    opened: list[str] = []
    watching = True

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if watching and event in (
            "open",
            "import",
            "exec",
            "compile",
            "os.system",
            "subprocess.Popen",
            "socket.connect",
        ):
            opened.append(f"{event} {arguments[0]}")

    sys.addaudithook(watch)
    load_model(path)
    watching = False
    assert set(opened) == {f"open {path}"}
