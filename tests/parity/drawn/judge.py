"""One case in both libraries, and whether they agree.

float32 rounds: where a network magnifies that (a normalisation of nearly equal numbers, a step close to a kink), two
right programs differ. So a case that is not within the plain tolerances is trained in both libraries once more in
float64, where they must agree far closer; and where even that differs, the case must be so sensitive, by a measure of
its own (its inputs and weights moved by a part in 10¹²), that the difference is explained.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import lamina
from drawn.parts import Alone, Case, Head, compile_arguments, inputs_of, model_of, native, structured
from lamina.errors import NonFiniteError

EPOCHS = 5
KINDS = ("metrics", "weighted_metrics")
# (relative to the scale of the values) for answers, one step's weights, five epochs' weights, metrics
TOLERANCES = {"float32": {"answers": 1e-6, "step": 1e-5, "epochs": 1e-4, "evaluated": 1e-5, "history": 1e-4}}
# Constants and schedules are float32 in Keras even then: 1 − 0.999 is off by a part in 10⁵, and with it Adam's steps.
TOLERANCES["float64"] = {"answers": 1e-6, "step": 1e-6, "epochs": 1e-5, "evaluated": 1e-6, "history": 1e-5}
MOVED = 1e-12
EPSILON = 6e-8  # float32 rounds by so much
# Keras leaves these out of its configs, so that its own files lose them (docs/differences.md).
FORGOTTEN = {"gain", "delta", "axis", "from_sorted_ids"}
# Whose further steps differ, as docs/differences.md argues.
ARGUED = {"ScheduleFreeAdamW"}


@dataclass
class Run:
    """What one library made of a case."""

    answers: list[np.ndarray]
    evaluated: dict[str, Any] = field(default_factory=dict)
    step: list[np.ndarray] = field(default_factory=list)
    epochs: list[np.ndarray] = field(default_factory=list)
    history: dict[str, Any] = field(default_factory=dict)
    model: Any = None


@dataclass
class Verdict:
    """What came out.

    Attributes:
        name: the case.
        differences: what differs, empty if all is well.
        how: ``"float32"``, ``"float64"``, ``"sensitive"`` or ``"not finite"``: what decided.
    """

    name: str
    differences: list[str]
    how: str = "float32"


def judge(case: Case) -> Verdict:
    """Whether the two libraries agree on a case."""
    try:
        ours, theirs = both(case, "float32")
    except NonFiniteError as error:
        return Verdict(case.name, [] if diverges(case) else [str(error)], "not finite")
    found = compared(ours, theirs, tolerances(case, "float32"))
    differences = [*configs(ours.model, theirs.model), *files(case, ours, theirs), *alone(case.alone)]
    if not found:
        return Verdict(case.name, differences)
    case, how = in_float64(case), "float64"
    try:
        found, rounding = compared(*both(case, "float64"), tolerances(case, "float64")), 1.0
    except (ValueError, TypeError, tf.errors.InvalidArgumentError):  # parts of Keras compute in float32 alone
        rounding = 30.0
    if not found:
        return Verdict(case.name, differences, how)
    bent = moves(case)
    if all(size < rounding * EPSILON / MOVED * bent.get(what, 0.0) for what, size, _ in found):
        return Verdict(case.name, differences, "sensitive")
    return Verdict(case.name, [*differences, *(f"{what}: {text}" for what, _, text in found)], how)


def diverges(case: Case) -> bool:
    """Whether Keras's weights become infinite or nan, which Lamina refuses."""
    with floats("float32"):
        run = keras_run(case, theirs_started(case)[0], "float32")
    return not all(np.isfinite(weight).all() for weight in run.epochs)


def moves(case: Case) -> dict[str, float]:
    """How far each quantity moves in float64 when the inputs and the weights do by a part in 10¹²."""
    with floats("float64"):
        start = theirs_started(case)[1]
        ours, bent = ours_run(case, start, "float64"), ours_run(case, bend(start), "float64", moved=True)
    largest: dict[str, float] = {}
    for what, size, _ in compared(bent, ours, {}):
        largest[what] = max(size, largest.get(what, 0.0))
    return largest


def tolerances(case: Case, floatx: str) -> dict[str, float]:
    """How far each quantity may be apart."""
    argued = dict.fromkeys(("epochs", "history"), np.inf) if ARGUED & {part.name for part in case.parts()} else {}
    return TOLERANCES[floatx] | argued


def in_float64(case: Case) -> Case:
    """The case as Keras computes it in float64: traced, and without the metrics that it has in float32 alone."""

    def wide(head: Head) -> Head:
        return replace(head, **{k: [m for m in getattr(head, k) if "TopK" not in getattr(m, "name", m)] for k in KINDS})

    return replace(case, heads=list(map(wide, case.heads)), eager=False)


# -- running


@contextmanager
def floats(floatx: str) -> Iterator[None]:
    """Both libraries' float type inside the block, and fresh names."""
    for k in (keras, lamina):
        k.config.set_floatx(floatx)
    keras.utils.clear_session(free_memory=False)
    lamina.utils.clear_session()
    try:
        yield
    finally:
        for k in (keras, lamina):
            k.config.set_floatx("float32")


def both(case: Case, floatx: str) -> tuple[Run, Run]:
    """The case in Lamina and in Keras, from the same weights."""
    with floats(floatx):
        model, start = theirs_started(case)
        theirs = keras_run(case, model, floatx)
        ours = ours_run(case, start, floatx)
        return ours, theirs


def theirs_started(case: Case) -> tuple[Any, list[np.ndarray]]:
    """Keras's model, and the weights that both start with: no bias is 0."""
    keras.utils.set_random_seed(case.weight_seed)
    model = model_of(keras, case)
    rng = np.random.default_rng(case.weight_seed)
    for layer in model._flatten_layers():  # OrthogonalRegularizer keeps a float32, with which float64 is an error
        for name in ("kernel_regularizer", "embeddings_regularizer", "activity_regularizer"):
            if hasattr(found := getattr(layer, name, None), "factor"):
                found.factor = tf.cast(found.factor, keras.config.floatx())
    for variable in model.trainable_variables:
        variable.assign(np.asarray(variable) + 0.1 * rng.uniform(size=variable.shape))
    return model, model.get_weights()


class First(keras.callbacks.Callback):
    """The weights after the first step."""

    def __init__(self) -> None:
        super().__init__()
        self.weights: list[np.ndarray] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.weights = self.weights or self.model.get_weights()


class FirstHere(lamina.callbacks.Callback):
    """The same in Lamina."""

    weights: Any = ()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.weights = self.weights or self.model.get_weights()


def keras_run(case: Case, model: Any, floatx: str) -> Run:
    x = inputs_of(keras, case, floatx)
    run = Run(flat(model(x, training=False)), model=model)
    model.compile(**compile_arguments(keras, case), jit_compile=False)
    model.run_eagerly = case.eager  # faster for so few steps; not in the config
    model.optimizer.build(model.trainable_variables)  # as ScheduleFreeAdamW needs it (docs/differences.md)
    run.evaluated = model.evaluate(x, targets(case), batch_size=5, verbose=0, return_dict=True)
    if case.trains:
        first = First()
        run.history = model.fit(x, targets(case), callbacks=[first], **fitted(keras, case, x)).history
        run.step, run.epochs = first.weights, model.get_weights()
    return run


def ours_run(case: Case, start: list[np.ndarray], floatx: str, moved: bool = False) -> Run:
    x = inputs_of(lamina, case, floatx)
    if moved:
        x = bend(x)
    model = ours_started(case, start)
    run = Run(flat(model.predict(x, batch_size=20, verbose=0)), model=model)
    run.evaluated = model.evaluate(x, targets(case), batch_size=5, verbose=0, return_dict=True)
    if case.trains:
        stepped, first = ours_started(case, start), FirstHere()
        stepped.fit(x, targets(case), callbacks=[first], **{**fitted(lamina, case, x), "epochs": 3})
        run.step = first.weights
        run.history = model.fit(x, targets(case), **fitted(lamina, case, x)).history
        run.epochs = model.get_weights()
    return run


def bend(x: Any) -> Any:
    """The arrays with each float a little larger or smaller."""
    rng = np.random.default_rng(0)

    def bent(a: np.ndarray) -> np.ndarray:
        return a * (1 + MOVED * rng.choice([-1.0, 1.0], a.shape)) if a.dtype.kind == "f" else a

    return keras.tree.map_structure(bent, x)


def ours_started(case: Case, start: list[np.ndarray]) -> Any:
    lamina.utils.clear_session()
    model = model_of(lamina, case)
    model.set_weights(start)
    model.compile(**compile_arguments(lamina, case))
    return model


def targets(case: Case) -> Any:
    return structured(case, [head.y for head in case.heads])


def fitted(k: Any, case: Case, x: Any) -> dict[str, Any]:
    """The arguments of `fit`: drawn rows and lists become data."""
    given = {"epochs": EPOCHS, "shuffle": False, "verbose": 0, **case.fit}
    if "sample_weight" in given:
        given["sample_weight"] = structured(case, given["sample_weight"])
    if "validation_data" in given:
        rows = given["validation_data"]
        held = keras.tree.map_structure(lambda a: taken(k, a, rows), (x, targets(case)))
        given["validation_data"] = held
    return given


def taken(k: Any, a: Any, rows: np.ndarray) -> Any:
    return a[rows] if isinstance(a, np.ndarray) else k.ops.take(a, rows, axis=0)


def flat(x: Any) -> list[np.ndarray]:
    return [np.asarray(part) for part in keras.tree.flatten(x)]


# -- comparing


def compared(ours: Run, theirs: Run, tolerances: dict[str, float]) -> list[tuple[str, float, str]]:
    """(quantity, difference relative to its scale, text) of all that differs by more than its tolerance."""
    found: list[tuple[str, float, str]] = []
    for what in ("answers", "step", "epochs"):
        for i, (a, b) in enumerate(zip(getattr(ours, what), getattr(theirs, what), strict=True)):
            found.append((what, apart(a, b), f"array {i} of shape {np.shape(b)} is {apart(a, b):.1e} apart"))
    for what in ("evaluated", "history"):
        one, other = getattr(ours, what), getattr(theirs, what)
        if list(one) != list(other):
            found.append((what, np.inf, f"keys {list(one)} instead of {list(other)}"))
        if what == "history":  # arrays in Keras's History are views, which the next batch changes
            other = {name: values for name, values in other.items() if np.ndim(values) == 1}
        found += [(what, apart(one[n], other[n]), f"{n}: {one[n]} instead of {other[n]}") for n in other if n in one]
    return [row for row in found if not row[1] <= tolerances.get(row[0], 0.0)]


def apart(a: Any, b: Any) -> float:
    """The greatest difference, relative to the greatest number (or 1)."""
    one, other = np.asarray(a, "float64"), np.asarray(b, "float64")
    if one.shape != other.shape or not np.array_equal(np.isnan(one), np.isnan(other)):
        return np.inf
    scale = max(1.0, float(np.nanmax(np.abs(other), initial=0.0)))
    return float(np.nanmax(np.abs(one - other), initial=0.0)) / scale


def configs(ours: Any, theirs: Any) -> list[str]:
    """Where the records of the two models differ."""
    one, other = (plain(json.loads(model.to_json())) for model in (ours, theirs))
    return [f"config: {line}" for line in unlike(one, other, "")][:3]


def plain(record: Any) -> Any:
    """A record without the numbers of shared objects and the masks that are not there; arrays as lists."""
    if isinstance(record, dict) and record.get("class_name") in ("__tensor__", "__numpy__"):
        return record["config"]["value"]
    if isinstance(record, dict):
        made = {k: plain(v) for k, v in record.items() if k not in ("shared_object_id", "mask")}
        if made.get("class_name") == "__keras_tensor__" and made["config"]["dtype"] == "int64":
            made["config"]["dtype"] = "int32"  # of lookups and hashes in a model (docs/differences.md)
        shape = (made.get("build_config") or {}).get("input_shape")
        if isinstance(shape, list) and isinstance(shape[0], int):
            shape[0] = None  # Keras keeps how many rows `adapt` saw
        return made
    return [plain(part) for part in record] if isinstance(record, list | tuple) else record


def unlike(one: Any, other: Any, path: str) -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        alone = (one.keys() - other.keys() - FORGOTTEN) | (other.keys() - one.keys())
        if alone:
            yield f"{path} has {sorted(alone)} on one side only"
        for key in one.keys() & other.keys():
            yield from unlike(one[key], other[key], f"{path}/{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for i, (a, b) in enumerate(zip(one, other, strict=True)):
            yield from unlike(a, b, f"{path}/{i}")
    elif one != other and not (isinstance(one, float) and isinstance(other, float) and np.isclose(one, other, 1e-6)):
        yield f"{path} is {one!r} instead of {other!r}"


# -- the core beside the reference


def between_targets(case: Case) -> float:
    """How far the core's training is from the NumPy target's, in float64; both may refuse to diverge."""
    with floats("float64"):
        start = bend(model_of(lamina, case).get_weights())
        ends = [trained_on(target, case, start) for target in ("numpy", "core")]
    one, other = map(flat, ends)
    return max(map(apart, one, other), default=0.0) if len(one) == len(other) else np.inf


def judge_core(case: Case) -> Verdict:
    """Whether the core trains as the reference does."""
    apart = between_targets(case)
    return Verdict(case.name, [] if apart < 1e-7 else [f"the core is {apart:.1e} from the NumPy target"], "core")


def trained_on(target: str, case: Case, start: list[np.ndarray]) -> Any:
    """Weights, history and answers after three epochs on a target."""
    lamina.utils.set_random_seed(1)
    model, x = ours_started(case, start), inputs_of(lamina, case, "float64")
    model.compile(**compile_arguments(lamina, case), target=target)
    try:
        history = model.fit(x, targets(case), **fitted(lamina, case, x) | {"epochs": 3}).history
    except NonFiniteError:
        return []
    return [model.get_weights(), history, model.predict(x, verbose=0)]


# -- a metric alone


def alone(given: Alone | None) -> list[str]:
    """What a metric says after its updates, in both libraries."""
    if given is None:
        return []
    one, other = (said(native(k, given.metric), given.updates) for k in (lamina, keras))
    return [] if apart(one, other) <= 1e-5 else [f"alone: {given.metric} says {one} instead of {other}"]


def said(metric: Any, updates: list[tuple[Any, ...]]) -> np.ndarray:
    for given in updates:
        metric.update_state(*given)
    return np.asarray(metric.result())


# -- files


def files(case: Case, ours: Run, theirs: Run) -> list[str]:
    """Each library reads the other's file: the same weights, optimizer state and answers."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for writer, reader, run in ((keras, lamina, theirs), (lamina, keras, ours)):
            path = Path(folder) / f"{writer.__name__}.keras"
            run.model.save(path)
            again = reader.saving.load_model(path)
            found += [f"{writer.__name__}'s file in {reader.__name__}: {line}" for line in reread(run.model, again)]
            twin = ours.model if reader is lamina else theirs.model
            twin.set_weights(again.get_weights())
            for layer in twin._flatten_layers() if reader is keras else ():
                getattr(layer, "finalize_state", int)()  # Keras's Normalization copies its weights only then
            if any(apart(a, b) > 1e-6 for a, b in zip(*(answers(m, case) for m in (again, twin)), strict=True)):
                found.append(f"{writer.__name__}'s file in {reader.__name__}: other answers")
    return found


def reread(model: Any, again: Any) -> Iterator[str]:
    """Whether a model that was read has the numbers of the one that was written."""
    pairs = {"weights": (model.weights, again.weights)}
    if model.optimizer.built:
        pairs["optimizer"] = (model.optimizer.variables, again.optimizer.variables)
    for what, (one, other) in pairs.items():
        if [tuple(v.shape) for v in one] != [tuple(v.shape) for v in other]:
            yield f"{what} of shapes {[tuple(v.shape) for v in other]}, not {[tuple(v.shape) for v in one]}"
        elif not all(np.array_equal(np.asarray(a), np.asarray(b)) for a, b in zip(one, other, strict=True)):
            yield f"the {what} are not the same"


def answers(model: Any, case: Case) -> list[np.ndarray]:
    if isinstance(model, lamina.Model):
        return flat(model.predict(inputs_of(lamina, case), batch_size=20, verbose=0))
    return flat(model(inputs_of(keras, case), training=False))
