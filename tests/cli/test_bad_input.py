"""Each bad input gets one clear line on stderr, the exit code 2, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import zipfile

import pytest

from made_tables import flowers, houses

GOOD = "a,b,y\n" + "".join(f"{i},{i * i % 7},{'yes' if i % 2 else 'no'}\n" for i in range(40))

TRAIN = {
    "no such file": (None, [], "no such file"),
    "not a table": ("\x00\x01\x02", [], "is not a table"),
    "empty": ("", [], "is empty"),
    "only a header": ("a,b,y\n", [], "has column names but no rows"),
    "target missing": (GOOD.replace("y\n", "Y\n", 1), [], "no column 'y'. Did you mean 'Y'?"),
    "one class": (GOOD.replace("yes", "no"), [], "is 'no' in every row"),
    "text for a number": (GOOD.replace("12,4", "twelve,4"), [], "line 14, column 'a': 'twelve' is not a number"),
    "missing fields": (
        GOOD.replace("12,4", ",4"),
        [],
        "1 of 40 rows has missing fields, in column 'a' (1): line 14 (a)",
    ),
    "infinite": (GOOD.replace("12,4", "inf,4"), [], "line 14, column 'a': inf is not finite"),
    "text for a regression": (GOOD, ["--task", "regression"], "a regression needs numbers"),
    "one row": ("a,y\n1,2.5\n", [], "1 row is too few"),
    "three rows": ("a,y\n1,2.5\n2,3.5\n3,1.5\n", [], "3 rows are too few"),
    "unknown task": (GOOD, ["--task", "binry"], "no choice 'binry'. Did you mean 'binary'?"),
    "unknown activation": (GOOD, ["--activation", "rely"], "no choice 'rely'. Did you mean 'relu'?"),
    "hidden": (GOOD, ["--hidden", "64,x"], "units of layers with commas between them"),
    "hidden zero": (GOOD, ["--hidden", "0"], "units of layers with commas between them"),
    "hidden too many": (GOOD, ["--hidden", "99999999,99999999"], "too much for this computer. Choose fewer units"),
    "threads": (GOOD, ["--threads", "10000"], "--threads"),
    "epochs": (GOOD, ["--epochs", "0"], "--epochs"),
    "batch size": (GOOD, ["--batch-size", "x"], "--batch-size"),
    "learning rate": (GOOD, ["--learning-rate", "-1"], "a number above 0 is needed"),
    "learning rate nan": (GOOD, ["--learning-rate", "nan"], "a number above 0 is needed"),
    "shares": (GOOD, ["--validation", "0.7", "--test", "0.4"], "together leave no rows"),
    "seed": (GOOD, ["--seed", "-1"], "--seed"),
    "out is no model": (GOOD, ["--out", "model.h5"], "ends in .keras"),
    "out in no folder": (GOOD, ["--out", "nowhere/model.keras"], "there is no folder 'nowhere'"),
    "unknown option": (GOOD, ["--epoch", "3"], "--epoch"),
}


def said(done, message: str) -> None:
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith("lamina: ")
    assert done.err.count("\n") == 1
    assert message in done.err


@pytest.mark.parametrize("case", TRAIN)
def test_train(lamina, tmp_path, monkeypatch, case):
    text, options, message = TRAIN[case]
    monkeypatch.chdir(tmp_path)
    if text is not None:
        (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    before = sorted(os.listdir())
    said(lamina("train", "t.csv", "--target", "y", *options), message)
    assert sorted(os.listdir()) == before


def test_train_without_a_target(lamina, tmp_path):
    said(lamina("train", flowers(tmp_path / "f.csv")), "--target")


def test_unknown_and_missing_commands(lamina):
    said(lamina("trian"), "'trian'")
    said(lamina(), "Missing command")


MODELS = {
    "no such file": (None, "no such file"),
    "not a zip": (b"hello, this is no model", "not a zip"),
    "empty": (b"", "not a zip"),
    "truncated": (-200, "damaged or cut short"),
}


def test_a_folder_is_no_model(lamina, tmp_path):
    said(lamina("equations", tmp_path), "is a folder, not a file")


def test_names_that_the_screen_cannot_write(flower_files):
    run = "import sys; from lamina.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", run, "predict", str(flower_files.model), str(flower_files.table)]
    done = subprocess.run(command, env=os.environ | {"PYTHONIOENCODING": "ascii"}, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\xe9" in done.stdout


@pytest.mark.parametrize("command", ["predict", "evaluate", "equations"])
@pytest.mark.parametrize("case", MODELS)
def test_model_files(lamina, flower_files, tmp_path, command, case):
    content, message = MODELS[case]
    bad = tmp_path / "bad.keras"
    if isinstance(content, int):
        content = flower_files.model.read_bytes()[:content]
    if content is not None:
        bad.write_bytes(content)
    said(lamina(command, bad, *([flower_files.table] if command != "equations" else [])), message)


def changed(source, path, member: str, old: str, new: str):
    """A model file with one of its members edited."""
    with zipfile.ZipFile(source) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    assert old.encode() in contents[member]
    contents[member] = contents[member].replace(old.encode(), new.encode())
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


EDITS = {
    "unknown class": ("config.json", '"class_name": "Dense"', '"class_name": "Dance"', "Dance"),
    "a lambda": ("config.json", '"class_name": "Dense"', '"class_name": "Lambda"', "Lambda"),
    "damaged schema": ("lamina.json", '"multiclass"', '"multi"', "the task 'multi'"),
    "fewer columns": ("lamina.json", '{"name": "sepal (cm)"', '{"nome": "sepal (cm)"', "no valid 'name'"),
}


@pytest.mark.parametrize("case", EDITS)
def test_edited_model_files(lamina, flower_files, tmp_path, case):
    member, old, new, message = EDITS[case]
    bad = changed(flower_files.model, tmp_path / "bad.keras", member, old, new)
    said(lamina("predict", bad, flower_files.table), message)


def test_a_model_without_a_table(lamina, tmp_path, flower_files):
    import numpy as np

    from lamina import Input, Sequential, layers

    model = Sequential([Input((2,)), layers.Dense(1)])
    model.predict(np.zeros((1, 2)), verbose=0)
    model.save(tmp_path / "plain.keras")
    said(lamina("predict", tmp_path / "plain.keras", flower_files.table), "says nothing about a table")
    said(lamina("evaluate", tmp_path / "plain.keras", flower_files.table), "says nothing about a table")


PREDICT = {
    "a column missing": (
        "petal (cm),Sepal (cm)\n1,2\n",
        "the column 'sepal (cm)' (did you mean 'Sepal (cm)'?), which is not",
    ),
    "all missing": ("q,r\n1,2\n", "the model takes 2 columns that are not there: 'petal (cm)', 'sepal (cm)'"),
    "text": ("petal (cm),sepal (cm)\n1,2\n3,wide\n", "line 3, column 'sepal (cm)': 'wide' is not a number"),
    "missing": ("petal (cm),sepal (cm)\n1,2\n,3\n", "line 3 (petal (cm))"),
    "infinite": ("petal (cm),sepal (cm)\n1,-inf\n", "line 2, column 'sepal (cm)': -inf is not finite"),
}


@pytest.mark.parametrize("case", PREDICT)
def test_predict(lamina, flower_files, tmp_path, case):
    text, message = PREDICT[case]
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    out = tmp_path / "p.csv"
    said(lamina("predict", flower_files.model, tmp_path / "t.csv", "--out", out), message)
    assert not out.exists()


def test_predict_out(lamina, flower_files, tmp_path):
    said(
        lamina("predict", flower_files.model, flower_files.table, "--out", "p.parquet"),
        "predictions are written as CSV",
    )
    said(
        lamina("predict", flower_files.model, flower_files.table, "--out", tmp_path / "no" / "p.csv"),
        "there is no folder",
    )


EVALUATE = {
    "label outside": (
        "petal (cm),sepal (cm),kind\n1,2,rosé\n3,4,rose\n",
        "line 3, column 'kind': 'rose' is none of the model's",
    ),
    "no target": ("petal (cm),sepal (cm),king\n1,2,rosé\n", "no column 'kind'. Did you mean 'king'?"),
    "no label": ("petal (cm),sepal (cm),kind\n1,2,rosé\n3,4,\n", "missing fields, in column 'kind' (1): line 3"),
}


@pytest.mark.parametrize("case", EVALUATE)
def test_evaluate(lamina, flower_files, tmp_path, case):
    text, message = EVALUATE[case]
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    said(lamina("evaluate", flower_files.model, tmp_path / "t.csv"), message)


def test_equations_of_a_network_without_sizes(lamina, tmp_path):
    from lamina import Sequential, layers

    Sequential([layers.Dense(3)]).save(tmp_path / "unbuilt.keras")
    said(lamina("equations", tmp_path / "unbuilt.keras"), "the network was never built")


def test_equations_format(lamina, flower_files):
    said(lamina("equations", flower_files.model, "--format", "word"), "no choice 'word'")


def test_a_loss_that_becomes_nan_is_a_failure(lamina, tmp_path):
    table = houses(tmp_path / "h.csv")
    out = tmp_path / "m.keras"
    done = lamina(
        "train", table, "--target", "price", "--learning-rate", "1e30", "--out", out, "--epochs", "30", "--quiet"
    )
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert "epoch" in done.err
    assert "A smaller --learning-rate may help" in done.err
    assert not out.exists()


def test_a_reader_that_leaves_early_is_no_error(flower_files):
    """``lamina predict … | head -1``."""
    run = "import sys; from lamina.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", run, "predict", str(flower_files.model), str(flower_files.table)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        errors = process.stderr.read()
    assert errors == b""


def test_an_interrupted_training_saves_nothing(tmp_path):
    """Ctrl-C: one line, the shell's code for it, no file."""
    out = tmp_path / "m.keras"
    run = "import sys; from lamina.cli.main import main; sys.exit(main())"
    table = houses(tmp_path / "h.csv", rows=5000)
    options = ["--target", "price", "--epochs", "100000", "--patience", "100000", "--out", str(out)]
    command = [sys.executable, "-u", "-c", run, "train", str(table), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not process.stdout.readline().startswith("epoch"):
            pass
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert (process.returncode, errors) == (130, "lamina: interrupted; nothing was saved\n")
    assert not out.exists()
