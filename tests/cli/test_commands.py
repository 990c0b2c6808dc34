"""The four commands on made-up tables: what they print, what they write, and that real Keras agrees with the file."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from lamina.saving import load_model, read_extra
from made_tables import flowers, houses


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))


def test_train_says_what_it_did(lamina, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flowers(tmp_path / "flowers.csv")
    done = lamina("train", "flowers.csv", "--target", "kind", "--hidden", "8", "--epochs", "30", "--threads", "1")
    assert (done.code, done.err) == (0, "")
    for words in (
        "flowers.csv: 90 rows, 2 columns of numbers taken.",
        "Left out: garden (text).",
        "Target 'kind', multiclass: iris, blue (30), rosé (30), tulip \"red\" (30).",
        "in proportion to the classes (seed 0): 54 to train, 18 to validate, 18 held out for the test.",
        "Network 2 → 8 → 3, relu, 51 weights",
        "epoch   1  loss",
        "epoch  30  loss",
        "the weights are those of epoch",
        "Held-out test, 18 rows the model never saw:",
        "accuracy",
        "cross-entropy",
        "of 18 rows; always answering iris, blue is wrong in 12.",
        "Saved model.keras",
    ):
        assert words in done.out
    assert "\r" not in done.out
    assert (tmp_path / "model.keras").exists()
    again = lamina("train", "flowers.csv", "--target", "kind", "--hidden", "", "--epochs", "2")
    assert "replacing the one there" in again.out
    assert "Network 2 → 3" in again.out


def test_quiet_prints_nothing(lamina, tmp_path):
    table = flowers(tmp_path / "flowers.csv")
    out = tmp_path / "m.keras"
    assert lamina("train", table, "--target", "kind", "--epochs", "2", "--out", out, "--quiet") == (0, "", "")
    assert out.exists()


def test_a_terminal_gets_one_live_line(tmp_path):
    """In a real terminal: a pseudo-terminal is opened for the command."""
    import os
    import pty

    table = flowers(tmp_path / "flowers.csv")
    master, slave = pty.openpty()
    command = [sys.executable, "-c", "import sys; from lamina.cli.main import main; sys.exit(main())"]
    arguments = ["train", str(table), "--target", "kind", "--epochs", "40", "--out", str(tmp_path / "m.keras")]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen([*command, *arguments], stdout=slave, stderr=slave, env=environment) as process:
        os.close(slave)
        seen = b""
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:  # Linux's way of saying that the other side is closed
                break
            if not part:
                break
            seen += part
    os.close(master)
    assert process.returncode == 0
    assert b"\x1b[2K" in seen  # the line is erased and written again
    assert b"epoch  40  loss" in seen
    assert b"Saved" in seen


def test_predictions_come_back_in_names(lamina, flower_files, tmp_path):
    done = lamina("predict", flower_files.model, flower_files.table)
    assert (done.code, done.err) == (0, "")
    rows = read(done.out)
    names = ["iris, blue", "rosé", 'tulip "red"']
    assert list(rows[0]) == ["predicted", *(f"probability_{name}" for name in names)]
    truth = [row["kind"] for row in read(flower_files.table.read_text(encoding="utf-8"))]
    assert np.mean([row["predicted"] == kind for row, kind in zip(rows, truth, strict=True)]) > 0.9
    probabilities = np.array([[float(row[f"probability_{name}"]) for name in names] for row in rows])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert [names[i] for i in probabilities.argmax(axis=1)] == [row["predicted"] for row in rows]
    out = tmp_path / "p.csv"
    saved = lamina("predict", flower_files.model, flower_files.table, "--out", out)
    assert saved.out == f"Saved {out} (90 rows).\n"
    assert out.read_text(encoding="utf-8") == done.out


def test_columns_are_found_by_name(lamina, flower_files, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("sepal (cm);new;petal (cm)\n5.1;x;2.0\n3.2;y;8.0\n", encoding="utf-8")
    straight = tmp_path / "straight.csv"
    straight.write_text("petal (cm),sepal (cm)\n2.0,5.1\n8.0,3.2\n", encoding="utf-8")
    assert lamina("predict", flower_files.model, other).out == lamina("predict", flower_files.model, straight).out


def test_values_never_seen_are_noted(lamina, flower_files, tmp_path):
    far = tmp_path / "far.csv"
    far.write_text("petal (cm),sepal (cm)\n2.0,500\n", encoding="utf-8")
    done = lamina("predict", flower_files.model, far)
    assert done.code == 0
    assert "outside the range of the table trained on: sepal (cm) (1 row not within" in done.err


def test_evaluate(lamina, flower_files, tmp_path):
    table = flowers(tmp_path / "new.csv", rows=60, seed=9, spread=2.0)
    done = lamina("evaluate", flower_files.model, table)
    assert (done.code, done.err) == (0, "")
    model, x, y = load_model(flower_files.model), [], []
    classes = read_extra(flower_files.model)["schema"]["target"]["classes"]
    for row in read(table.read_text(encoding="utf-8")):
        x.append([float(row["petal (cm)"]), float(row["sepal (cm)"])])
        y.append(classes.index(row["kind"]))
    accuracy = np.mean(np.argmax(model.predict(np.array(x, "float32"), verbose=0), axis=1) == y)
    assert 0.4 < accuracy < 0.95
    assert re.search(rf"accuracy\s+{accuracy:.4f}\s", done.out)


def test_regression_in_the_tables_units(lamina, house_files):
    done = lamina("evaluate", house_files.model, house_files.table)
    table = [list(map(float, row.values())) for row in read_semicolons(house_files.table)]
    x, y = np.array(table, "float32")[:, :2], np.array(table, "float32")[:, 2]
    said = np.array(
        [float(row["predicted"]) for row in read(lamina("predict", house_files.model, house_files.table).out)]
    )
    root = np.sqrt(np.mean((said - y) ** 2))
    assert root < 40_000 < y.std()
    shown = re.search(r"root mean squared error\s+([\d,]+)\s+([\d,]+)\n", done.out)
    np.testing.assert_allclose(float(shown[1].replace(",", "")), root, rtol=2e-3)
    model = load_model(house_files.model)
    np.testing.assert_allclose(model.predict(x, verbose=0)[:, 0], said, rtol=1e-6)
    assert [type(layer).__name__ for layer in model.layers] == ["Normalization", "Dense", "Dense", "Normalization"]


def test_a_regression_shows_errors_in_the_tables_units(lamina, tmp_path):
    done = lamina(
        "train", houses(tmp_path / "h.csv"), "--target", "price", "--epochs", "3", "--out", tmp_path / "m.keras"
    )
    first = re.search(r"epoch   1  error ([\d,]+)  validation error", done.out)
    assert first, done.out
    assert 50_000 < float(first[1].replace(",", "")) < 500_000  # the prices' deviation is about 190,000


def test_parquet_is_read_like_csv(lamina, house_files, tmp_path):
    import duckdb

    parquet = tmp_path / "h.parquet"
    duckdb.read_csv(str(house_files.table)).write_parquet(str(parquet))
    assert (
        lamina("predict", house_files.model, parquet).out == lamina("predict", house_files.model, house_files.table).out
    )
    models = [tmp_path / "a.keras", tmp_path / "b.keras"]
    for table, out in zip((house_files.table, parquet), models, strict=True):
        assert lamina("train", table, "--target", "price", "--epochs", "3", "--out", out, "--quiet").code == 0
    weights = [zipfile.ZipFile(path).read("model.weights.h5") for path in models]
    assert weights[0] == weights[1]


def read_semicolons(path):
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines(), delimiter=";"))


def test_keras_gives_the_same_answers(lamina, house_files, flower_files):
    import keras

    for files, mark, columns in (
        (house_files, ";", ["size", "age"]),
        (flower_files, ",", ["petal (cm)", "sepal (cm)"]),
    ):
        rows = list(csv.DictReader(files.table.read_text(encoding="utf-8").splitlines(), delimiter=mark))
        x = np.array([[float(row[name]) for name in columns] for row in rows], "float32")
        ours = load_model(files.model).predict(x, verbose=0)
        theirs = keras.saving.load_model(files.model).predict(x, verbose=0)
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_seed_fixes_all_bits(lamina, tmp_path, threads):
    table = houses(tmp_path / "houses.csv")
    weights = []
    for run, extra in enumerate((["--threads", "1"], ["--threads", str(threads)], ["--seed", "1"])):
        out = tmp_path / f"{run}.keras"
        assert lamina("train", table, "--target", "price", "--epochs", "5", "--out", out, "--quiet", *extra).code == 0
        weights.append(zipfile.ZipFile(out).read("model.weights.h5"))
    assert weights[0] == weights[1]
    assert weights[0] != weights[2]


def test_the_file_says_where_it_comes_from(flower_files):
    extra = json.loads(json.dumps(read_extra(flower_files.model)))
    assert extra["training"]["rows"] == {"train": 54, "validation": 18, "test": 18}
    assert extra["training"]["left_out"] == ["garden"]
    assert len(extra["training"]["table_sha256"]) == 64
    assert [f["name"] for f in extra["schema"]["features"]] == ["petal (cm)", "sepal (cm)"]


def test_without_held_out_rows(lamina, tmp_path):
    table = flowers(tmp_path / "f.csv", rows=12)
    out = tmp_path / "m.keras"
    done = lamina("train", table, "--target", "kind", "--test", "0", "--validation", "0", "--epochs", "3", "--out", out)
    assert done.code == 0
    assert "Trained 3 epochs, without rows to validate on." in done.out
    assert "No rows were held out, so that nothing is known of how good the model is." in done.out


def test_true_and_false(lamina, tmp_path):
    random = np.random.default_rng(1)
    a = random.normal(size=80)
    table = tmp_path / "t.csv"
    table.write_text("a,late\n" + "".join(f"{v:.3f},{str(v > 0).lower()}\n" for v in a), encoding="utf-8")
    model = tmp_path / "m.keras"
    done = lamina("train", table, "--target", "late", "--out", model, "--learning-rate", "0.05")
    assert "binary: false (" in done.out
    rows = read(lamina("predict", model, table).out)
    assert list(rows[0]) == ["predicted", "probability_false", "probability_true"]
    assert np.mean([(row["predicted"] == "true") == (v > 0) for row, v in zip(rows, a, strict=True)]) > 0.9
    assert lamina("evaluate", model, table).code == 0


def test_equations(lamina, house_files):
    page = lamina("equations", house_files.model)
    assert page.code == 0
    for line in (
        "A[0] = X",
        "A[1] = (A[0] − μ[1]) / max(√(v[1]), 1e-07)",
        "Z[2] = W[2] A[1] + b[2]",
        "A[2] = relu(Z[2])",
        "Z[3] = W[3] A[2] + b[3]",
        "A[4] = A[3] ⊙ max(√(v[4]), 1e-07) + μ[4]",
        "Ŷ = A[4]",
        "J = 1/m Σᵢ (y(i) − a[4](i))²",
    ):
        assert line in page.out
    latex = lamina("equations", house_files.model, "--format", "latex").out
    assert r"Z^{[2]} &= W^{[2]} A^{[1]} + b^{[2]} \\" in latex
    assert latex.startswith(r"\begin{aligned}")


def test_equations_of_a_keras_file_with_several_inputs_and_outputs(lamina, tmp_path):
    import keras

    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    x = keras.layers.Dense(4, activation="gelu", kernel_regularizer="l2")(keras.layers.Concatenate()([a, b]))
    x = keras.layers.Dropout(0.5)(keras.layers.LayerNormalization()(keras.layers.BatchNormalization()(x)))
    model = keras.Model([a, b], [keras.layers.Dense(3, activation="softmax", name="kind")(x), keras.layers.Dense(1)(x)])
    model.compile(loss=["sparse_categorical_crossentropy", "mse"])
    model.save(tmp_path / "k.keras")
    done = lamina("equations", tmp_path / "k.keras")
    assert (done.code, done.err) == (0, "")
    for line in (
        "A[1] = [a; b]",
        "A[2] = gelu(Z[2])",
        "A[5] = softmax(Z[5])",
        "Ŷ1 = A[5]",
        "Ŷ2 = A[6]",
        "Σ W[2]²",
        "L(a[5](i), Y1(i))",
    ):
        assert line in done.out
