"""Draws cases: models, data, losses, metrics, optimizers and fit arguments, all from the case tables.

Case i of a seed features the i-th row of each table (in an order of the seed's own), so that every row recurs; all
else is by chance.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

import cases
import cases_layers
import lamina
from drawn.parts import Alone, Case, Entry, Head, Node, Part, native

ROWS = 20  # with batches of 8 or 6 the last one is shorter
BATCHES = (8, 6, 20, 32)
EVEN_BATCHES = (5, 10, 20)
NOISE = ("rate", "stddev")  # arguments of layers that draw random numbers while they train
# What makes a trained layer's output independent of a constant that was added before it, so that a bias there has no
# gradient but rounding, which rules like Adam magnify.
CENTRING = ("BatchNormalization", "GroupNormalization")
# Rules that are linear in the gradient: for the others Keras on TensorFlow takes rows that occur twice in a batch one
# by one (docs/differences.md).
LINEAR = [Part("optimizers", "SGD", {"learning_rate": 0.05, "momentum": m}) for m in (0.0, 0.9)]
ANGLES = {"OrthogonalRegularizer"}  # of a single vector, where Keras's is nan (docs/differences.md)
# Inside a LossScaleOptimizer Keras leaves the scalars that these keep out of the variables, and of files.
SCALARS = {"Adafactor", "Nadam"}
STATE = {"mean", "bin_boundaries", "vocabulary"}  # arguments that make `adapt` needless
# Activations of hidden layers: one number each, with values that stay moderate.
HIDDEN = [
    row.name for row in cases.ACTIVATIONS
    if not row.arguments and row.name not in ("exponential", "glu", "softmax", "sparsemax", "log_softmax")
]  # fmt: skip


# Those of predicted class numbers are drawn alone; a trained output is none.
METRICS = [row for row in cases.METRICS if not (row.data == "class_pairs" and "IoU" in row.name)]
MEANS = [cases.Brick("Mean", {}, "numbers"), cases.Brick("Sum", {}, "numbers")]  # of values, not of targets


class Dice:
    """A seed's random numbers for one case, and the rows that the case features."""

    def __init__(self, seed: int, index: int):
        self.rng = np.random.default_rng((seed, index))
        self.seed = seed
        self.index = index

    def featured(self, rows: list[Any]) -> Any:
        """The table's next row."""
        turn, place = divmod(self.index, len(rows))
        return rows[int(np.random.default_rng((self.seed, turn, len(rows))).permutation(len(rows))[place])]

    def one_of(self, rows: Any) -> Any:
        """Any row."""
        return rows[int(self.rng.integers(len(rows)))]

    def chance(self, share: float) -> bool:
        """True so often."""
        return bool(self.rng.random() < share)


class Drawing:
    """A model while it is drawn: its nodes, and Lamina's tensors, which know the shapes."""

    def __init__(self, dice: Dice, case: Case):
        self.dice = dice
        self.case = case
        self.tensors: list[Any] = []
        self.layers: dict[int, Any] = {}

    # -- nodes

    def enter(self, data: np.ndarray) -> int:
        """A new input."""
        kind = {"f": "float32", "i": "int32", "U": "string"}[data.dtype.kind]
        self.case.nodes.append(Entry(data.shape[1:], kind, data))
        self.tensors.append(lamina.Input(data.shape[1:], dtype=kind))
        return len(self.tensors) - 1

    def numbers(self, *shape: int) -> int:
        """A new input of random numbers."""
        return self.enter(self.dice.rng.normal(size=(ROWS, *shape)).astype("float32"))

    def call(self, layer: Part | int, *inputs: int) -> int:
        """A call of a new layer, or of an earlier node's."""
        made = self.layers[layer] if isinstance(layer, int) else native(lamina, layer)
        given = [self.tensors[i] for i in inputs]
        self.tensors.append(made(given if len(given) > 1 else given[0]))
        self.case.nodes.append(Node(layer, inputs))
        self.layers[len(self.tensors) - 1] = made
        return len(self.tensors) - 1

    def shape(self, node: int) -> tuple[int, ...]:
        """A node's shape without the batch."""
        return tuple(self.tensors[node].shape[1:])

    # -- layers

    def dense(self, node: int, units: int, **more: Any) -> int:
        """A Dense layer with a few options from the tables."""
        draw, options = self.dice, dict(more)
        if "activation" not in options and draw.chance(0.7):
            options["activation"] = draw.one_of(HIDDEN)
        if draw.chance(0.4):
            options["kernel_initializer"] = self.initializer()
        several = self.shape(node)[-1] > 1 < units
        for name, table in (("regularizer", cases.REGULARIZERS), ("constraint", cases.CONSTRAINTS)):
            if draw.chance(0.3):
                rows = [row for row in table if several or row.name not in ANGLES]
                options[f"kernel_{name}"] = self.brick(f"{name}s", rows)
        if draw.chance(0.15):
            options["bias_regularizer"] = draw.one_of(["l1", "l2", Part("regularizers", "L2", {"l2": 0.3})])
        if draw.chance(0.15):
            options["activity_regularizer"] = draw.one_of(["l1", "l2", Part("regularizers", "L1L2", {"l2": 0.01})])
        return self.call(Part("layers", "Dense", {"units": units, **options}), node)

    def initializer(self) -> Any:
        return self.brick("initializers", cases.INITIALIZERS)

    def brick(self, module: str, rows: list[cases.Brick]) -> Part:
        """The next row of a table, or any."""
        row = self.dice.featured(rows) if self.dice.chance(0.6) else self.dice.one_of(rows)
        return Part(module, row.name, row.arguments)

    def fitted(self, node: int, shape: tuple[int, ...], **dense: Any) -> int:
        """The node in another shape, by a Dense layer and a Reshape."""
        if self.shape(node) == shape and not dense:
            return node
        if len(self.shape(node)) != 1:
            node = self.call(Part("layers", "Flatten"), node)
        if self.shape(node) != (prod(shape),) or dense:
            node = self.dense(node, prod(shape), **dense)
        return node if len(shape) == 1 else self.call(Part("layers", "Reshape", {"target_shape": shape}), node)

    def from_table(self, row: cases_layers.Case, node: int | None) -> int:
        """The layer of a row of the table, fed with the node where it fits, else with inputs of its own."""
        part = Part("layers", row.layer.__name__, self.quiet(row.arguments), self.adapts(row))
        arrays = row.inputs("float32")
        arrays = arrays if isinstance(arrays, list) else [arrays]
        made = self.call(part, *(self.feed(part, array, node) for array in arrays))
        if self.tensors[made].dtype.startswith("float") and not part.name.endswith("Lookup"):
            return made
        # Few layers take whole numbers, which Keras's lookups give even where they say floats.
        return self.dense(self.fitted(made, (prod(self.shape(made)),)), 3)

    def feed(self, part: Part, array: np.ndarray, node: int | None) -> int:
        if part.adapts or array.dtype.kind != "f" or node is None:
            return self.enter(array[self.dice.rng.integers(0, len(array), ROWS)])
        if part.name in CENTRING:
            node = self.call(Part("layers", "Activation", {"activation": "tanh"}), node)
            return self.fitted(node, array.shape[1:], use_bias=False, activation=None)
        return self.fitted(node, array.shape[1:])

    def adapts(self, row: cases_layers.Case) -> bool:
        return hasattr(row.layer, "adapt") and not STATE & set(row.arguments)

    def quiet(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Without noise, but where only answers are compared."""
        noisy = [name for name in NOISE if name in arguments]
        if noisy and self.dice.chance(0.3):
            self.case.trains = False
            return arguments
        return {**arguments, **dict.fromkeys(noisy, 0.0)}


# -- models


def sequential(draw: Drawing, row: cases_layers.Case) -> int:
    """A chain of layers with the featured one in it."""
    dice = draw.dice
    node = None if draw.adapts(row) or row.kind else draw.numbers(int(dice.rng.integers(2, 7)))
    if node is not None and dice.chance(0.7):
        node = draw.dense(node, int(dice.rng.integers(2, 7)))
    node = draw.from_table(row, node)
    for _ in range(dice.rng.integers(0, 3)):
        node = another(draw, node)
    return node


def another(draw: Drawing, node: int) -> int:
    """One more layer after the node: a Dense, a row of the table with one input, or a model inside."""
    dice = draw.dice
    kind = dice.rng.random()
    if kind < 0.45:
        return draw.dense(draw.fitted(node, (prod(draw.shape(node)),)), int(dice.rng.integers(2, 7)))
    if kind < 0.55:
        return inner(draw, node)
    rows = [r for r in cases_layers.CASES if len(r.shapes) == 1 and not draw.adapts(r) and not r.kind]
    return draw.from_table(dice.one_of(rows), node)


def inner(draw: Drawing, node: int) -> int:
    """A Sequential inside."""
    node = draw.fitted(node, (prod(draw.shape(node)),))
    layers = [
        Part("layers", "Input", {"shape": draw.shape(node)}),
        Part("layers", "Dense", {"units": 4, "activation": draw.dice.one_of(HIDDEN)}),
        Part("layers", "Dense", {"units": 3}),
    ]
    return draw.call(Part("models", "Sequential", {"layers": layers}), node)


def functional(draw: Drawing, row: cases_layers.Case) -> list[int]:
    """A graph with the featured layer in it: several inputs, merged branches, layers that are called twice."""
    dice = draw.dice
    pool = [draw.numbers(int(dice.rng.integers(2, 7))) for _ in range(dice.rng.integers(1, 3))]
    pool.append(draw.from_table(row, dice.one_of(pool)))
    for _ in range(dice.rng.integers(1, 4)):
        step = dice.one_of([one_more, one_more, merged, shared])
        pool.append(step(draw, pool))
    return [pool[-1], *([] if dice.chance(0.5) else [dice.one_of(pool)])]


def one_more(draw: Drawing, pool: list[int]) -> int:
    return another(draw, draw.dice.one_of(pool))


def merged(draw: Drawing, pool: list[int]) -> int:
    """Two nodes as one."""
    one, other = draw.dice.one_of(pool), draw.dice.one_of(pool)
    name = draw.dice.one_of(["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"])
    size = prod(draw.shape(one))
    return draw.call(Part("layers", name), draw.fitted(one, (size,)), draw.fitted(other, (size,)))


def shared(draw: Drawing, pool: list[int]) -> int:
    """A Dense layer called on two nodes."""
    one, other = (draw.fitted(draw.dice.one_of(pool), (4,)) for _ in range(2))
    first = draw.dense(one, 3)
    return draw.call(Part("layers", "Concatenate"), first, draw.call(first, other))


# -- outputs


def activation_of(y_pred: np.ndarray) -> str | None:
    """What makes predictions of this kind."""
    if y_pred.shape[-1] > 1 and np.allclose(y_pred.sum(-1), 1):
        return "softmax"
    if y_pred.min() > 0:
        return "sigmoid" if y_pred.max() < 1 else "softplus"
    return None


def alike(kind: str) -> tuple[Any, ...]:
    """What a loss or a metric asks of its data."""
    y, p = cases.DATA[kind]
    return y.shape[1:], p.shape[1:], activation_of(p), bool(set(np.unique(y)) <= {0, 1}), bool(y.min() < 0)


def head(draw: Drawing, node: int, metric: cases.Brick | None, number: int) -> Head:
    """An output with a loss, for a featured metric or a featured loss."""
    dice = draw.dice
    losses = [r for r in cases.LOSSES if metric is None or alike(r.data) == alike(metric.data)]
    loss = dice.one_of(losses) if losses else cases.Brick("MeanSquaredError", {}, metric.data if metric else "")
    if metric is None:
        loss = dice.featured(cases.LOSSES)
    kind = metric.data if metric is not None else loss.data
    y, p = cases.DATA[kind]
    node = draw.fitted(node, (prod(draw.shape(node)),))
    units, act = p.shape[-1], activation_of(p)
    node = draw.call(Part("layers", "Dense", {"units": units, "activation": act, "name": f"out{number}"}), node)
    rows = [r for r in METRICS if alike(r.data) == alike(kind)]
    chosen = [*([metric] if metric else []), *([dice.one_of(rows)] if rows and dice.chance(0.5) else [])]
    made = [Part("metrics", r.name, r.arguments) for r in chosen]
    weighted = [Part("metrics", r.name, r.arguments) for r in chosen if dice.chance(0.2)]
    if kind in ("binary", "one_hot", "classes") and dice.chance(0.3):
        made.append("accuracy")
    y = y[dice.rng.integers(0, len(y), ROWS)]
    return Head(node, y if y.dtype.kind != "f" else y.astype("float32"), loss_of(dice, loss), made, weighted)


# Keras's table of names lacks these.
NAMELESS = {"CategoricalGeneralizedCrossEntropy"}


def loss_of(dice: Dice, row: cases.Brick) -> Any:
    """By name, or an object with a way to reduce."""
    if not row.arguments and dice.chance(0.4) and row.name not in NAMELESS:
        return row.name
    reduction = dice.one_of([r for r in cases.REDUCTIONS if r != "none"]) if dice.chance(0.3) else None
    return Part("losses", row.name, {**row.arguments, **({"reduction": reduction} if reduction else {})})


# -- training


# Keras's R2Score with `num_regressors` runs in eager steps only: it asks whether a tensor is true.


def optimizer(draw: Drawing) -> Any:
    dice = draw.dice
    if any(isinstance(n, Node) and isinstance(n.layer, Part) and n.layer.name == "Embedding" for n in draw.case.nodes):
        return dice.one_of(LINEAR)
    row = dice.featured(cases.OPTIMIZERS)
    arguments = dict(row.arguments)
    if "learning_rate" not in arguments and dice.chance(0.7):
        arguments["learning_rate"] = schedule(dice) if dice.chance(0.6) else float(dice.rng.uniform(0.001, 0.03))
    made = Part("optimizers", row.name, arguments)
    if dice.chance(0.05) and row.name not in SCALARS:
        scale = {"initial_scale": 64.0, "dynamic_growth_steps": 2}
        return Part("optimizers", "LossScaleOptimizer", {"inner_optimizer": made, **scale})
    return made


def schedule(dice: Dice) -> Part:
    """A row of the table, with rates a hundred times smaller."""
    row = dice.featured(cases.SCHEDULES)
    rates = ("initial_learning_rate", "end_learning_rate", "warmup_target", "values")
    small = {k: (np.array(v) / 100).tolist() for k, v in row.arguments.items() if k in rates}
    return Part("optimizers.schedules", row.name, {**row.arguments, **small})


def fit_arguments(draw: Drawing) -> dict[str, Any]:
    dice, case = draw.dice, draw.case
    # The losses of single outputs are weighted by the batch's size in an eager run of Keras, in a traced one not.
    even = case.eager and len(case.heads) > 1
    given: dict[str, Any] = {"batch_size": dice.one_of(EVEN_BATCHES if even else BATCHES)}
    if dice.chance(0.3):
        given["sample_weight"] = [dice.rng.uniform(0.2, 2.0, ROWS).astype("float32") for _ in case.heads]
    elif len(case.heads) == 1 and dice.chance(0.3) and case.heads[0].y.dtype.kind == "i":
        given["class_weight"] = {0: 0.5, 1: 2.0}
    if dice.chance(0.25):
        rows = given["batch_size"] if even else 7
        given |= {"validation_data": dice.rng.integers(0, ROWS, rows), "validation_freq": dice.one_of([1, 2])}
    elif len(case.heads) == 1 and dice.chance(0.15):
        given["validation_split"] = 0.3
    if dice.chance(0.1):
        given["steps_per_epoch"] = 2
    if dice.chance(0.1):
        given["initial_epoch"] = 2
    return given


def alone(dice: Dice) -> Alone:
    """A metric, and what it is told in three batches."""
    row = dice.featured([*cases.METRICS, *MEANS])
    data = [a.astype("float32") if a.dtype.kind == "f" else a for a in cases.DATA[row.data][int(row in MEANS) :]]
    updates = []
    for size in (3, 5, 1):
        rows = dice.rng.integers(0, len(data[0]), size)
        weights = dice.rng.uniform(0.2, 2.0, size).astype("float32") if dice.chance(0.3) else None
        updates.append((*(a[rows] for a in data), weights))
    return Alone(Part("metrics", row.name, row.arguments), updates)


def draw_case(seed: int, index: int) -> Case:
    """Case ``seed:index``."""
    dice, case = Dice(seed, index), Case(f"{seed}:{index}")
    draw = Drawing(dice, case)
    row = dice.featured(list(cases_layers.CASES))
    case.sequential = len(row.shapes) == 1 and dice.chance(0.4)
    ends = [sequential(draw, row)] if case.sequential else functional(draw, row)
    metric = dice.featured(METRICS)
    case.heads = [head(draw, end, metric if i == 0 and dice.chance(0.7) else None, i) for i, end in enumerate(ends)]
    for one in case.heads[1:]:
        one.loss_weight = 0.5 if dice.chance(0.5) else 1.0
    case.form = "dictionaries" if len(ends) > 1 and dice.chance(0.3) else "lists"
    case.optimizer = optimizer(draw)
    case.eager = dice.chance(0.8) or any("num_regressors" in part.arguments for part in case.parts())
    case.fit = fit_arguments(draw)
    case.weight_seed = int(dice.rng.integers(1 << 30))
    case.alone = alone(dice)
    pruned(case)
    return case


def pruned(case: Case) -> None:
    """Take away what no output needs."""
    needed, waiting = set(), [head.node for head in case.heads]
    while waiting:
        index = waiting.pop()
        if index not in needed:
            needed.add(index)
            node = case.nodes[index]
            if isinstance(node, Node):
                waiting += [*node.inputs, *([node.layer] if isinstance(node.layer, int) else [])]
    place = {old: new for new, old in enumerate(sorted(needed))}
    case.nodes = [moved(case.nodes[old], place) for old in sorted(needed)]
    for one in case.heads:
        one.node = place[one.node]


def moved(node: Entry | Node, place: dict[int, int]) -> Entry | Node:
    if isinstance(node, Entry):
        return node
    layer = place[node.layer] if isinstance(node.layer, int) else node.layer
    return Node(layer, tuple(place[i] for i in node.inputs))
