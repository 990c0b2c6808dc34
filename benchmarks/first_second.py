"""The part that times what comes before and around a training: imports, the first fit, the whole of `lamina train`."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
import zipfile
from pathlib import Path
from statistics import median
from typing import Any

from rounds import HERE, Setting, call, spread

TABLE = HERE.parent / "examples" / "breast_cancer.csv"
FITS = 7  # processes whose first fit is timed


def first_second(setting: Setting) -> dict[str, Any]:
    imports = call(setting.python, "import_time.py")
    fits = [call(setting.python, "first_fit.py")["seconds"] for _ in range(FITS)]
    print(f"import lamina {1e3 * imports['lamina']:.0f} ms, of which NumPy {1e3 * imports['numpy']:.0f} ms")
    print(f"first fit of five layers: {1e3 * median(fits):.1f} ms before its first step", flush=True)
    return {
        "import_seconds": imports,
        "first_fit_seconds": median(fits),
        "first_fit_spread": spread(fits),
        "command": command(setting),
    }


def command(setting: Setting) -> dict[str, Any]:
    """Seconds of the whole process of `lamina train`, and of a Keras script that trains for as many epochs."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.keras"
        lamina = [str(Path(setting.python).parent / "lamina"), "train", str(TABLE), "--target", "diagnosis"]
        own = [seconds_of([*lamina, "--out", str(model)]) for _ in range(2 * setting.rounds)]
        epochs = epochs_of(model)
        script = [setting.peer_python, str(HERE / "breast_cancer_keras.py"), str(TABLE), str(epochs)]
        keras = [seconds_of([*script, str(Path(folder) / "keras.keras")]) for _ in range(setting.rounds)]
    seen = {
        "epochs": epochs,
        "seconds": {"lamina": min(own), "keras_tensorflow": min(keras)},
        "spread": {"lamina": spread(own), "keras_tensorflow": spread(keras)},
        "ratio": min(keras) / min(own),
    }
    print(f"lamina train: {min(own):.2f} s for {epochs} epochs, Keras on TensorFlow {min(keras):.2f} s", flush=True)
    return seen


def seconds_of(words: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(words, check=True, capture_output=True)
    return time.perf_counter() - start


def epochs_of(model: Path) -> int:
    """How many epochs a model was trained, which its file says."""
    with zipfile.ZipFile(model) as archive:
        return json.loads(archive.read("lamina.json"))["extra"]["training"]["epochs"]
