"""Writes docs/keras.md: every public name of the installed Keras, whether Lamina has it, and if not, why not.

    python tools/keras_names.py [--check]     --check: says what is missing without a reason, and writes nothing
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

import lamina

PAGE = Path(__file__).parents[1] / "docs" / "keras.md"

# A name that is not here is explained by its module's own table (`ABSENT`), else by the first pattern that its whole
# path matches.
REASONS: dict[str, str] = {
    "images, video, sound and text": (
        r"(utils|preprocessing)\.(.*im(a)?g.*|audio.*|text.*|bounding_boxes)|visualization|config\..*flash.*"
    ),
    "runs code of another framework": r".*nnx.*",
    "Lamina has one engine; its targets are an argument of `compile`": (
        r"StatelessScope|SymbolicScope|.*\.(stateless_|rematerialized_|symbolic_|distribute_)\w+"
        r"|Variable\.(handle|overwrite_with_gradient)|KerasTensor\.(sparse|ragged\w*|row_splits_dtype)"
    ),
    "quantization and adapters": (
        r"quantizers|Quantizer|dtype_policies\.(AWQ|GPTQ|Int4|Quantized)\w+|.*\.(\w+_)?quanti[sz]\w+"
    ),
    "training on many devices": r"distribution",
    "a recipe, not a part": r"distillation|applications|datasets",
    "of older versions": r"(.*\.)?legacy|.*\.compiled_(loss|metrics)",
    "gets files from a server": r"utils\.get_file",
    "how Keras keeps track of its own parts": r"Function",
    "edits files of weights by hand": r"saving\.KerasFileEditor",
}
UNEXPLAINED = "not yet"


class Name(NamedTuple):
    """A public name of Keras."""

    path: str
    here: bool
    reason: str


def packages() -> list[str]:
    """Keras's public modules, those of all that a user may name."""
    found = [n for n in sorted(vars(keras)) if isinstance(getattr(keras, n), types.ModuleType) and n[0] != "_"]
    return [n for n in found if n != "src"] + ["optimizers.schedules"]


def reach(root: Any, path: str) -> Any:
    """What a path names below a module, or None."""
    for part in path.split("."):
        root = getattr(root, part, None)
    return root


def public(thing: Any) -> list[str]:
    return [name for name in dir(thing) if not name.startswith("_")]


def things() -> dict[str, Any]:
    """One of each kind of object whose members users call, made by Lamina."""
    model = lamina.Sequential([lamina.Input((3,)), lamina.layers.Dense(1)])
    model.compile("adam", "mse", metrics=["mae"])
    x = lamina.Input((3,))
    graph = lamina.Model(x, lamina.layers.Dense(1)(x))
    graph.compile("adam", "mse")
    return {
        "Model": graph, "Sequential": model, "Functional": graph, "layers.Layer": model.layers[0],
        "Variable": model.weights[0], "KerasTensor": model.outputs[0], "Loss": lamina.losses.MeanSquaredError(),
        "Metric": lamina.metrics.Mean(), "optimizers.Optimizer": model.optimizer,
        "callbacks.Callback": lamina.callbacks.Callback(), "Initializer": lamina.initializers.Zeros(),
        "Regularizer": lamina.regularizers.L2(), "Constraint": lamina.constraints.NonNeg(),
        "random.SeedGenerator": lamina.random.SeedGenerator(1),
    }  # fmt: skip


def groups() -> Iterator[tuple[str, list[Name]]]:
    """Module or class → its names."""
    known = [n for n in public(keras) if not isinstance(getattr(keras, n), types.ModuleType)]
    yield "keras", [name_of(n, lamina, n) for n in known]
    for module in packages():
        ours = reach(lamina, module)
        if reason_of(module) != UNEXPLAINED:
            yield f"keras.{module}", [Name(module, ours is not None, reason_of(module))]
            continue
        yield f"keras.{module}", [name_of(f"{module}.{n}", ours, n) for n in public(reach(keras, module))]
    for kind, made in things().items():
        yield f"members of {kind}", [name_of(f"{kind}.{n}", made, n) for n in public(reach(keras, kind))]


def name_of(path: str, owner: Any, name: str) -> Name:
    here = owner is not None and hasattr(owner, name)
    return Name(path, here, "" if here else reason_of(path))


def reason_of(path: str) -> str:
    module, _, name = path.rpartition(".")
    matching = (reason for reason, pattern in REASONS.items() if re.fullmatch(pattern, path))
    return absent(module).get(name) or next(matching, UNEXPLAINED)


def absent(module: str) -> dict[str, str]:
    """The table of what a module of Lamina has not, and why."""
    return getattr(reach(lamina, module), "ABSENT", {}) if module else {}


def reasons() -> set[str]:
    """All that may be said of a missing name."""
    return {*REASONS, *(reason for module in packages() for reason in absent(module).values())}


def page() -> str:
    """The text of docs/keras.md."""
    found = {group: names for group, names in groups() if names}
    lines = [
        "# Names of Keras",
        "",
        f"Every public name of Keras {keras.__version__}: whether it is here, and if not, why not. Written by",
        "`tools/keras_names.py` from the code of both. What is here but works in another way on purpose stands in",
        "[differences.md](differences.md).",
        "",
        "| module or class | names | here | not here |",
        "|---|---|---|---|",
    ]
    for group, names in found.items():
        missing = [n for n in names if not n.here]
        lines.append(f"| `{group}` | {len(names)} | {len(names) - len(missing)} | {len(missing)} |")
    lines += ["", "## Not here", "", "| why | names |", "|---|---|"]
    missing_names = [n for names in found.values() for n in names if not n.here]
    for reason in dict.fromkeys(n.reason for n in missing_names):
        missing = sorted({n.path for n in missing_names if n.reason == reason})
        lines.append(f"| {reason} | {', '.join(f'`{path}`' for path in missing)} |")
    lines += ["", "## Here", ""]
    for group, names in found.items():
        here = ", ".join(f"`{n.path.rpartition('.')[2]}`" for n in names if n.here)
        lines += [f"**{group}**: {here}", ""] if here else []
    return "\n".join(lines).rstrip() + "\n"


def unexplained() -> list[str]:
    """What is missing without a reason."""
    return [n.path for _, names in groups() for n in names if not n.here and n.reason == UNEXPLAINED]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="say what is missing without a reason")
    missing = unexplained()
    print("\n".join(missing))
    if parser.parse_args().check:
        return int(bool(missing))
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
