"""One table of cases for each family of bricks: functions of ops, activations, losses, metrics, optimizers, schedules.

Values, gradients, configs, targets and parity with Keras are all tested over these rows.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

ROWS = 23  # three batches of 8, the last one short
BATCH = 8


class Brick(NamedTuple):
    """A class or function by name, its arguments, and the name of the data it is tried on."""

    name: str
    arguments: dict[str, Any]
    data: str = ""


def name_of(case: Brick) -> str:
    """A readable test id."""
    given = ",".join(f"{k}={v}" for k, v in case.arguments.items())
    return f"{case.name}({given})" + (f"-{case.data}" if case.data else "")


def _softmax(z: np.ndarray) -> np.ndarray:
    powers = np.exp(z)
    return powers / powers.sum(-1, keepdims=True)


def _data() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """name → targets and predictions in float64."""
    rng = np.random.default_rng(7)
    logits = rng.normal(size=(ROWS, 4))
    classes = rng.integers(0, 4, ROWS)
    numbers = rng.normal(size=(ROWS, 2))
    binary, labels = rng.integers(0, 2, (ROWS, 1)), rng.integers(0, 2, (ROWS, 3))
    share, shares = rng.uniform(0.02, 0.98, (ROWS, 1)), rng.uniform(0.02, 0.98, (ROWS, 3))
    counts, signs = rng.integers(0, 6, (ROWS, 2)), 2 * labels - 1
    rates, scores = rng.uniform(0.1, 5, (ROWS, 2)), 2 * rng.normal(size=(ROWS, 3))
    return {
        "counts": (counts, rates),
        "signs": (signs, scores),
        "zeros_and_ones": (labels, scores),
        "numbers": (numbers, numbers + rng.normal(size=(ROWS, 2))),
        "column": (numbers[:, 0], numbers[:, :1] + 0.3),
        "binary": (binary, share),
        "binary_row": (binary[:, 0], share),
        "binary_logits": (binary, 4 * share - 2),
        "labels": (labels, shares),
        "one_hot": (np.eye(4)[classes], _softmax(logits)),
        "one_hot_logits": (np.eye(4)[classes], logits),
        "classes": (classes, _softmax(logits)),
        "classes_column": (classes[:, None], _softmax(logits)),
        "class_logits": (classes, logits),
        "places": (classes, 0.9 * logits / np.linalg.norm(logits, axis=-1, keepdims=True)),
        "class_pairs": (classes[:, None], np.roll(classes, 3)[:, None]),
    }


DATA = _data()
WEIGHTS = np.random.default_rng(8).uniform(0.1, 2.0, ROWS)

ACTIVATIONS = [
    Brick("celu", {}),
    Brick("celu", {"alpha": 0.5}),
    Brick("elu", {}),
    Brick("elu", {"alpha": 0.5}),
    Brick("exponential", {}),
    Brick("gelu", {}),
    Brick("gelu", {"approximate": True}),
    Brick("glu", {}),
    Brick("hard_shrink", {}),
    Brick("hard_shrink", {"threshold": 1.5}),
    Brick("hard_sigmoid", {}),
    Brick("hard_silu", {}),
    Brick("hard_tanh", {}),
    Brick("leaky_relu", {}),
    Brick("leaky_relu", {"negative_slope": 0.1}),
    Brick("linear", {}),
    Brick("log_sigmoid", {}),
    Brick("log_softmax", {}),
    Brick("mish", {}),
    Brick("relu", {}),
    Brick("relu", {"negative_slope": 0.1, "max_value": 1.0, "threshold": 0.25}),
    Brick("relu6", {}),
    Brick("selu", {}),
    Brick("sigmoid", {}),
    Brick("silu", {}),
    Brick("soft_shrink", {}),
    Brick("soft_shrink", {"threshold": 1.5}),
    Brick("softmax", {}),
    Brick("softmax", {"axis": 0}),
    Brick("softplus", {}),
    Brick("softsign", {}),
    Brick("sparse_plus", {}),
    Brick("sparse_sigmoid", {}),
    Brick("sparsemax", {}),
    Brick("sparsemax", {"axis": 0}),
    Brick("squareplus", {}),
    Brick("squareplus", {"b": 1.0}),
    Brick("tanh", {}),
    Brick("tanh_shrink", {}),
    Brick("threshold", {"threshold": 0.3, "default_value": -1.0}),
]

LOSSES = [
    Brick("MeanSquaredError", {}, "numbers"),
    Brick("MeanSquaredError", {}, "column"),
    Brick("MeanAbsoluteError", {}, "numbers"),
    Brick("MeanAbsolutePercentageError", {}, "numbers"),
    Brick("MeanSquaredLogarithmicError", {}, "counts"),
    Brick("MeanSquaredLogarithmicError", {}, "numbers"),
    Brick("LogCosh", {}, "numbers"),
    Brick("CosineSimilarity", {}, "numbers"),
    Brick("CosineSimilarity", {"axis": 1}, "numbers"),
    Brick("Poisson", {}, "counts"),
    Brick("Huber", {}, "numbers"),
    Brick("Huber", {"delta": 0.3}, "numbers"),
    Brick("BinaryCrossentropy", {}, "binary"),
    Brick("BinaryCrossentropy", {}, "binary_row"),
    Brick("BinaryCrossentropy", {"label_smoothing": 0.2}, "labels"),
    Brick("BinaryCrossentropy", {"from_logits": True}, "binary_logits"),
    Brick("CategoricalCrossentropy", {}, "one_hot"),
    Brick("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "one_hot_logits"),
    Brick("SparseCategoricalCrossentropy", {}, "classes"),
    Brick("SparseCategoricalCrossentropy", {}, "classes_column"),
    Brick("SparseCategoricalCrossentropy", {"from_logits": True}, "class_logits"),
    Brick("SparseCategoricalCrossentropy", {"ignore_class": 2}, "classes"),
    Brick("BinaryFocalCrossentropy", {}, "labels"),
    Brick("BinaryFocalCrossentropy", {"apply_class_balancing": True, "alpha": 0.4, "gamma": 1.5}, "binary_row"),
    Brick("BinaryFocalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "binary_logits"),
    Brick("CategoricalFocalCrossentropy", {}, "one_hot"),
    Brick("CategoricalFocalCrossentropy", {"from_logits": True, "gamma": 1.0, "alpha": 0.5}, "one_hot_logits"),
    Brick("CategoricalGeneralizedCrossEntropy", {}, "classes"),
    Brick("CategoricalGeneralizedCrossEntropy", {"q": 0.9}, "classes"),
    Brick("KLDivergence", {}, "one_hot"),
    Brick("KLDivergence", {}, "labels"),
    Brick("Hinge", {}, "signs"),
    Brick("Hinge", {}, "zeros_and_ones"),
    Brick("SquaredHinge", {}, "signs"),
    Brick("SquaredHinge", {}, "zeros_and_ones"),
    Brick("CategoricalHinge", {}, "one_hot"),
    Brick("Dice", {}, "labels"),
    Brick("Dice", {"axis": -1}, "labels"),
    Brick("Tversky", {"alpha": 0.3, "beta": 0.7}, "labels"),
    Brick("Tversky", {"axis": [1]}, "labels"),
    Brick("Circle", {}, "places"),
    Brick("Circle", {"gamma": 10.0, "margin": 0.25, "remove_diagonal": False}, "places"),
]
REDUCTIONS = ["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none"]

METRICS = [
    Brick("MeanSquaredError", {}, "numbers"),
    Brick("MeanAbsoluteError", {}, "column"),
    Brick("RootMeanSquaredError", {}, "numbers"),
    Brick("RootMeanSquaredError", {}, "column"),
    Brick("R2Score", {}, "numbers"),
    Brick("R2Score", {}, "column"),
    Brick("R2Score", {"class_aggregation": "variance_weighted_average", "num_regressors": 2}, "numbers"),
    Brick("R2Score", {"class_aggregation": None}, "numbers"),
    Brick("BinaryCrossentropy", {}, "binary"),
    Brick("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "binary_logits"),
    Brick("CategoricalCrossentropy", {}, "one_hot"),
    Brick("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "one_hot_logits"),
    Brick("SparseCategoricalCrossentropy", {}, "classes"),
    Brick("SparseCategoricalCrossentropy", {"ignore_class": 1}, "classes"),
    Brick("MeanAbsolutePercentageError", {}, "numbers"),
    Brick("MeanSquaredLogarithmicError", {}, "counts"),
    Brick("LogCoshError", {}, "numbers"),
    Brick("CosineSimilarity", {}, "numbers"),
    Brick("CosineSimilarity", {"axis": 1}, "numbers"),
    Brick("Poisson", {}, "counts"),
    Brick("KLDivergence", {}, "one_hot"),
    Brick("Hinge", {}, "zeros_and_ones"),
    Brick("SquaredHinge", {}, "signs"),
    Brick("CategoricalHinge", {}, "one_hot"),
    Brick("Hinge", {}, "binary_row"),  # each target meets all outputs of the batch, as in Keras
    Brick("Poisson", {}, "binary_row"),
    Brick("Accuracy", {}, "class_pairs"),
    Brick("BinaryAccuracy", {}, "binary"),
    Brick("BinaryAccuracy", {}, "binary_row"),
    Brick("BinaryAccuracy", {"threshold": 0.3}, "labels"),
    Brick("CategoricalAccuracy", {}, "one_hot"),
    Brick("SparseCategoricalAccuracy", {}, "classes"),
    Brick("SparseCategoricalAccuracy", {}, "classes_column"),
    Brick("TopKCategoricalAccuracy", {"k": 2}, "one_hot"),
    Brick("TopKCategoricalAccuracy", {}, "one_hot"),
    Brick("SparseTopKCategoricalAccuracy", {"k": 3}, "classes"),
    Brick("Precision", {}, "binary"),
    Brick("Precision", {"thresholds": [0.2, 0.6]}, "labels"),
    Brick("Precision", {"top_k": 2}, "labels"),
    Brick("Precision", {"class_id": 2}, "labels"),
    Brick("Recall", {}, "binary_row"),
    Brick("Recall", {"thresholds": [0.2, 0.5, 0.8]}, "labels"),
    Brick("Recall", {"top_k": 1, "class_id": 1}, "labels"),
    Brick("AUC", {}, "binary"),
    Brick("AUC", {}, "binary_row"),
    Brick("AUC", {}, "labels"),
    Brick("AUC", {"from_logits": True}, "binary_logits"),
    Brick("AUC", {"num_thresholds": 5}, "binary"),
    Brick("AUC", {"thresholds": [0.1, 0.5, 0.6]}, "binary"),
    Brick("AUC", {"curve": "PR"}, "binary"),
    Brick("AUC", {"curve": "PR", "summation_method": "minoring"}, "binary"),
    Brick("AUC", {"curve": "PRGAIN", "summation_method": "majoring"}, "binary"),
    Brick("AUC", {"multi_label": True}, "labels"),
    Brick("AUC", {"multi_label": True, "num_labels": 3, "label_weights": [1.0, 2.0, 3.0]}, "labels"),
    Brick("AUC", {"label_weights": [1.0, 2.0, 3.0]}, "labels"),
    Brick("AUC", {"thresholds": [0.25, 0.5, 0.75]}, "labels"),
    Brick("Precision", {"thresholds": [0.0, 0.25, 0.5, 0.75, 1.0]}, "zeros_and_ones"),
    *(Brick(f"{side}{kind}", {}, "binary_row") for side in ("True", "False") for kind in ("Positives", "Negatives")),
    *(Brick(f"{side}{kind}", {"thresholds": [0.2, 0.7]}, "labels") for side in ("True", "False")
      for kind in ("Positives", "Negatives")),
    Brick("F1Score", {}, "one_hot"),
    Brick("F1Score", {"average": "macro", "threshold": 0.5}, "labels"),
    Brick("F1Score", {"average": "micro"}, "one_hot_logits"),
    Brick("FBetaScore", {"average": "weighted", "beta": 2.0}, "one_hot"),
    Brick("FBetaScore", {"beta": 0.5, "threshold": 0.3}, "labels"),
    Brick("PrecisionAtRecall", {"recall": 0.6}, "binary"),
    Brick("PrecisionAtRecall", {"recall": 0.8, "num_thresholds": 10, "class_id": 1}, "labels"),
    Brick("RecallAtPrecision", {"precision": 0.5}, "labels"),
    Brick("RecallAtPrecision", {"precision": 0.7, "num_thresholds": 2}, "binary_row"),
    Brick("SensitivityAtSpecificity", {"specificity": 0.5}, "binary"),
    Brick("SensitivityAtSpecificity", {"specificity": 0.3, "num_thresholds": 1}, "labels"),
    Brick("SpecificityAtSensitivity", {"sensitivity": 0.5}, "zeros_and_ones"),
    Brick("PearsonCorrelation", {}, "one_hot"),
    Brick("ConcordanceCorrelation", {}, "one_hot"),
    Brick("IoU", {"num_classes": 4, "target_class_ids": [0, 2], "dtype": "float32"}, "class_pairs"),
    Brick("IoU", {"num_classes": 3, "target_class_ids": [1, 0], "ignore_class": 0, "sparse_y_pred": False,
                  "dtype": "float32"}, "classes"),
    Brick("BinaryIoU", {"dtype": "float32"}, "binary"),
    Brick("BinaryIoU", {"target_class_ids": [1], "threshold": 0.3, "dtype": "float32"}, "binary_row"),
    Brick("MeanIoU", {"num_classes": 5, "dtype": "float32"}, "class_pairs"),
    Brick("OneHotIoU", {"num_classes": 4, "target_class_ids": (1, 2), "dtype": "float32"}, "one_hot"),
    Brick("OneHotMeanIoU", {"num_classes": 4, "dtype": "float32"}, "one_hot"),
]  # fmt: skip

OPTIMIZERS = [
    Brick("SGD", {}),
    Brick("SGD", {"momentum": 0.9}),
    Brick("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    Brick("SGD", {"global_clipnorm": 0.5}),
    Brick("RMSprop", {}),
    Brick("RMSprop", {"momentum": 0.9}),
    Brick("RMSprop", {"momentum": 0.5, "centered": True}),
    Brick("Adam", {}),
    Brick("Adam", {"amsgrad": True, "weight_decay": 0.1}),
    Brick("Adam", {"clipnorm": 0.5}),
    Brick("Adam", {"clipvalue": 0.1}),
    Brick("AdamW", {}),
    Brick("AdamW", {"weight_decay": 0.1, "amsgrad": True}),
    Brick("Adamax", {}),
    Brick("Adamax", {"beta_1": 0.8, "beta_2": 0.9}),
    Brick("Adagrad", {}),
    Brick("Adagrad", {"initial_accumulator_value": 0.5, "weight_decay": 0.01}),
    Brick("Adadelta", {}),
    Brick("Adadelta", {"rho": 0.8, "epsilon": 1e-3}),
    Brick("Ftrl", {}),
    Brick("Ftrl", {"l1_regularization_strength": 0.05, "l2_regularization_strength": 0.1, "beta": 0.2}),
    Brick("Ftrl", {"l2_shrinkage_regularization_strength": 0.1}),
    Brick("Ftrl", {"learning_rate_power": -1.0}),
    Brick("Lion", {}),
    Brick("Lion", {"beta_1": 0.7, "weight_decay": 0.1}),
    Brick("Nadam", {}),
    Brick("Nadam", {"beta_1": 0.8, "beta_2": 0.9, "weight_decay": 0.1, "gradient_accumulation_steps": 2}),
    Brick("Lamb", {}),
    Brick("Lamb", {"beta_1": 0.8, "beta_2": 0.9, "weight_decay": 0.1, "clipnorm": 0.5}),
    Brick("Adafactor", {}),
    Brick("Adafactor", {"beta_2_decay": -0.5, "clip_threshold": 0.3, "relative_step": False, "use_ema": True}),
    Brick("Muon", {}),
    Brick("Muon", {"exclude_layers": ["nothing"], "rms_rate": None, "adam_lr_ratio": 0.5, "global_clipnorm": 0.5}),
    Brick("Muon", {"nesterov": False, "ns_steps": 3, "weight_decay": 0.1, "adam_weight_decay": 0.2}),
    Brick("Muon", {"exclude_layers": ["^ker"], "weight_decay": None, "adam_weight_decay": None}),
    Brick("ScheduleFreeAdamW", {}),
    Brick("ScheduleFreeAdamW", {"beta_1": 0.8, "beta_2": 0.9, "warmup_steps": 3, "weight_decay": 0.1}),
    # what all rules share, beside slots, scalars and rules that see each variable alone
    Brick("SGD", {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 3}),
    Brick("SGD", {"momentum": 0.9, "gradient_accumulation_steps": 2}),
    Brick("Adam", {"use_ema": True, "ema_momentum": 0.8, "gradient_accumulation_steps": 3, "amsgrad": True}),
    Brick("Adam", {"gradient_accumulation_steps": 3, "clipnorm": 0.3, "weight_decay": 0.1}),
    Brick("Adam", {"gradient_accumulation_steps": 2, "use_ema": True, "ema_overwrite_frequency": 2}),
    Brick("RMSprop", {"loss_scale_factor": 8.0, "clipvalue": 0.1}),
    Brick("Lamb", {"use_ema": True, "ema_overwrite_frequency": 2, "gradient_accumulation_steps": 2}),
]

SCHEDULES = [
    Brick("ExponentialDecay", {"initial_learning_rate": 1.0, "decay_steps": 2, "decay_rate": 0.5}),
    Brick(
        "ExponentialDecay",
        {"initial_learning_rate": 1.0, "decay_steps": 2, "decay_rate": 0.5, "staircase": True},
    ),
    Brick("InverseTimeDecay", {"initial_learning_rate": 1.0, "decay_steps": 2, "decay_rate": 0.5}),
    Brick(
        "InverseTimeDecay",
        {"initial_learning_rate": 1.0, "decay_steps": 2, "decay_rate": 0.5, "staircase": True},
    ),
    Brick("PiecewiseConstantDecay", {"boundaries": [2, 4], "values": [1.0, 0.5, 0.25]}),
    Brick(
        "PolynomialDecay",
        {"initial_learning_rate": 1.0, "decay_steps": 4, "end_learning_rate": 0.2, "power": 2.0},
    ),
    Brick("PolynomialDecay", {"initial_learning_rate": 1.0, "decay_steps": 4, "cycle": True}),
    Brick("CosineDecay", {"initial_learning_rate": 1.0, "decay_steps": 4, "alpha": 0.1}),
    Brick("CosineDecay", {"initial_learning_rate": 0.0, "decay_steps": 4, "warmup_target": 1.0, "warmup_steps": 2}),
    Brick("CosineDecayRestarts", {"initial_learning_rate": 1.0, "first_decay_steps": 2}),
    Brick(
        "CosineDecayRestarts",
        {"initial_learning_rate": 1.0, "first_decay_steps": 3, "t_mul": 1.0, "m_mul": 0.5, "alpha": 0.1},
    ),
]

INITIALIZERS = [
    Brick("Zeros", {}),
    Brick("Ones", {}),
    Brick("Constant", {"value": 0.3}),
    Brick("Identity", {"gain": 2.0}),
    Brick("RandomNormal", {"mean": 0.1, "stddev": 0.2, "seed": 3}),
    Brick("RandomUniform", {"minval": -0.2, "maxval": 0.1, "seed": 3}),
    Brick("TruncatedNormal", {"mean": 0.1, "stddev": 0.2, "seed": 3}),
    Brick("VarianceScaling", {"scale": 3.0, "mode": "fan_avg", "distribution": "uniform", "seed": 3}),
    Brick("VarianceScaling", {"mode": "fan_out", "distribution": "untruncated_normal", "seed": 3}),
    Brick("GlorotUniform", {"seed": 3}),
    Brick("GlorotNormal", {"seed": 3}),
    Brick("HeUniform", {"seed": 3}),
    Brick("HeNormal", {"seed": 3}),
    Brick("LecunUniform", {"seed": 3}),
    Brick("LecunNormal", {"seed": 3}),
    Brick("Orthogonal", {"gain": 1.5, "seed": 3}),
]

REGULARIZERS = [
    Brick("L1", {}),
    Brick("L2", {"l2": 0.3}),
    Brick("L1L2", {"l1": 0.1, "l2": 0.2}),
    Brick("OrthogonalRegularizer", {}),
    Brick("OrthogonalRegularizer", {"factor": 0.3, "mode": "columns"}),
]

CONSTRAINTS = [
    Brick("MaxNorm", {}),
    Brick("MaxNorm", {"max_value": 0.5, "axis": 1}),
    Brick("MinMaxNorm", {"min_value": 0.5, "max_value": 0.8, "rate": 0.7}),
    Brick("NonNeg", {}),
    Brick("UnitNorm", {"axis": [0, 1]}),
]


class Function(NamedTuple):
    """A function of ``lamina.ops`` with Keras's name: what is called in both, and whether its gradient is tested."""

    name: str
    inputs: tuple[Any, ...]
    arguments: dict[str, Any] = {}  # noqa: RUF012 - a NamedTuple's default is never changed
    smooth: bool = False


_rng = np.random.default_rng(9)
A, B = _rng.uniform(-2, 2, (3, 4)), _rng.uniform(-2, 2, (3, 4))
P, Q = _rng.uniform(0.2, 2, (3, 4)), _rng.uniform(0.2, 2, (3, 4))
W = _rng.uniform(-2, 2, (4, 5))
T = _rng.uniform(-2, 2, (2, 3, 4))
HOLES = np.where(B > 1, np.nan, A)
TRUTH, OTHER = np.array([[True, False], [True, True]]), np.array([[False, False], [True, False]])
ODD = np.array([[1.0, np.nan], [np.inf, -np.inf]])

FUNCTIONS = [
    *(Function(n, (A,), smooth=True) for n in (
        "abs absolute cos erf exp expm1 log_sigmoid negative sigmoid silu sin softplus softsign square tan tanh "
        "celu elu gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu relu relu6 selu "
        "soft_shrink softmax log_softmax sparse_plus sparse_sigmoid sparsemax squareplus swish tanh_shrink"
    ).split()),
    *(Function(n, (P,), smooth=True) for n in "log log10 log1p log2 reciprocal rsqrt sqrt".split()),
    *(Function(n, (A,)) for n in "ceil floor round sign".split()),
    *(Function(n, (np.array([3, -2], "int32"),)) for n in "ceil fabs floor".split()),
    *(Function(n, (ODD,)) for n in "isfinite isinf isnan".split()),
    *(Function(n, (A, P), smooth=True) for n in "add subtract multiply divide maximum minimum".split()),
    *(Function(n, (A, B)) for n in "equal not_equal greater greater_equal less less_equal".split()),
    *(Function(n, (TRUTH, OTHER)) for n in "logical_and logical_or logical_xor".split()),
    *(Function(n, (A,), {"axis": 1}, smooth=True) for n in "sum mean max min var std logsumexp".split()),
    *(Function(n, (A,), smooth=True) for n in "sum mean max min var std logsumexp".split()),
    *(Function(n, (A,), {"axis": 0, "keepdims": True}, smooth=True) for n in "sum mean max min".split()),
    *(Function(n, (A,), {"axis": 1}) for n in "argmax argmin".split()),
    *(Function(n, (A,)) for n in "argmax argmin".split()),
    *(Function(n, (TRUTH,), {"axis": 1}) for n in "all any count_nonzero".split()),
    Function("logical_not", (TRUTH,)),
    Function("power", (P, B), smooth=True),
    Function("where", (A > 0, A, B)),
    Function("clip", (A, -0.5, 1.0)),
    Function("divide_no_nan", (A, np.where(A > 0, B, 0.0))),
    Function("divide_no_nan", (A, P), smooth=True),
    Function("mod", (A, P)),
    Function("floor_divide", (A, P)),
    Function("round", (A, 1)),
    Function("gelu", (A,), {"approximate": False}, smooth=True),
    Function("threshold", (A, 0.3, -1.0), smooth=True),
    Function("cumsum", (A,), {"axis": 1}, smooth=True),
    Function("cumsum", (A,), smooth=True),
    *(Function("norm", (A,), {"axis": 1, "ord": p}, smooth=True) for p in (None, 1, 2, 3, np.inf, -np.inf)),
    *(Function("norm", (A,), {"axis": (0, 1), "ord": p}) for p in ("fro", 1, -1, np.inf, -np.inf)),
    *(Function("norm", (T,), {"axis": (-1, 0), "ord": p, "keepdims": True}) for p in (1, -np.inf)),
    Function("norm", (A,), smooth=True),
    Function("norm", (A,), {"axis": 1, "ord": 0}),
    Function("max", (A,), {"axis": 1, "initial": 0.5}),
    Function("min", (A,), {"initial": -3.0}),
    Function("pad", (A, ((1, 0), (2, 3))), {"constant_values": 0.5}, smooth=True),
    *(Function("pad", (A, ((1, 0), (2, 3))), {"mode": mode}, smooth=True) for mode in ("reflect", "symmetric")),
    Function("normalize", (A,), smooth=True),
    Function("moments", (A,), {"axes": [1]}),
    Function("matmul", (A, W), smooth=True),
    Function("dot", (A, W), smooth=True),
    Function("tensordot", (A, W), {"axes": 1}, smooth=True),
    Function("tensordot", (T, T), {"axes": [[0, 2], [0, 2]]}, smooth=True),
    Function("einsum", ("ij,jk->ki", A, W)),
    Function("einsum", ("a...,b...->ab...", T, T)),
    Function("einsum", ("xy,yz,xw->wz", A, W, A)),
    Function("einsum", ("ab,ab", A, A)),
    Function("reshape", (A, (2, 6)), smooth=True),
    Function("reshape", (A, (-1, 3)), smooth=True),
    Function("ravel", (A,), smooth=True),
    Function("transpose", (T,), {"axes": (2, 0, 1)}, smooth=True),
    Function("swapaxes", (T, 0, 2), smooth=True),
    Function("moveaxis", (T, 0, -1), smooth=True),
    Function("expand_dims", (A,), {"axis": 1}, smooth=True),
    Function("expand_dims", (A,), {"axis": (0, 2)}, smooth=True),
    Function("squeeze", (A[:, :1],), smooth=True),
    Function("squeeze", (A[:1, :1],), {"axis": 0}, smooth=True),
    Function("broadcast_to", (A[:1], (3, 4)), smooth=True),
    Function("pad", (A, ((1, 0), (2, 3))), smooth=True),
    Function("slice", (A, (1, 0), (2, 3)), smooth=True),
    Function("take", (A, [2, 0, 2]), {"axis": 0}, smooth=True),
    Function("take", (A, [1, 3]), {"axis": 1}, smooth=True),
    Function("take", (A, [[1, 3], [0, 0]]), {"axis": -1}, smooth=True),
    Function("take", (A, [7, 1]), smooth=True),
    Function("get_item", (T, (slice(None), slice(1, 3), 0)), smooth=True),
    Function("get_item", (T, (..., None, slice(0, 2))), smooth=True),
    Function("one_hot", ([2, 0, 5], 3)),
    Function("one_hot", ([2, 0, 1], 3), {"axis": 0}),
    Function("in_top_k", ([1, 3, 0], A.astype("float32"), 2)),
    Function("segment_sum", (A, np.array([1, 0, 1]), 3)),
    Function("concatenate", ([A, B],), {"axis": 1}),
    Function("concatenate", ([A, B],)),
    Function("stack", ([A, B],), {"axis": 1}),
    Function("split", (A, 2), {"axis": 1}),
    Function("split", (A, [1, 3]), {"axis": 1}),
    Function("unstack", (A,), {"axis": 1}),
    Function("zeros", ((2, 3),)),
    Function("ones", ((2, 3),)),
    Function("full", ((2, 3), 0.7)),
    Function("zeros_like", (A,)),
    Function("ones_like", (A,)),
    Function("full_like", (A, 0.3)),
    Function("eye", (3,)),
    Function("eye", (3, 4), {"k": 1}),
    Function("arange", (5,)),
    Function("arange", (1.0, 4.0, 0.5)),
    Function("linspace", (0.0, 1.0, 5)),
    Function("cast", (A, "int32")),
    Function("stop_gradient", (A,)),
    Function("binary_crossentropy", (DATA["binary"][0].astype("float64"), DATA["binary"][1])),
    Function("categorical_crossentropy", DATA["one_hot"]),
    Function("sparse_categorical_crossentropy", DATA["classes"]),
    # -- elementwise
    *(Function(n, (A,), smooth=True) for n in (
        "arcsinh arctan cbrt cosh deg2rad erfc exp2 fabs rad2deg sinc sinh".split()
    )),
    *(Function(n, (A / 2.1,), smooth=True) for n in "arccos arcsin arctanh erfinv".split()),
    Function("arccosh", (P + 1,), smooth=True),
    *(Function(n, (A, B), smooth=True) for n in "arctan2 fmax fmin hypot logaddexp logaddexp2 true_divide".split()),
    *(Function(n, (A, P)) for n in "fmod heaviside".split()),
    Function("heaviside", (np.array([-1.0, 0.0, 2.0]), np.array([0.3, 0.3, 0.3]))),
    *(Function(n, (A,)) for n in "angle conj conjugate imag isreal real signbit trunc".split()),
    *(Function(n, (ODD,)) for n in "isneginf isposinf nan_to_num".split()),
    Function("nan_to_num", (ODD, 1.0, 2.0, -3.0)),
    Function("isclose", (HOLES, HOLES), {"equal_nan": True}),
    Function("isclose", (A, A + 1e-6)),
    Function("allclose", (A, A + 1e-9)),
    Function("isin", (np.array([1.0, 2.0, 5.0]), np.array([2.0, 5.0, 7.0]))),
    Function("isin", (np.array([1.0, 2.0, 5.0]), np.array([2.0, 5.0, 7.0])), {"invert": True}),
    Function("ldexp", (A, np.array([1, 2, -1, 0]))),
    Function("select", ([A > 1, A > 0], [A, B], 0.5)),
    # -- reductions
    *(Function(n, (A,), {"axis": 1}, smooth=True) for n in "amax amin average prod ptp".split()),
    *(Function(n, (P,), smooth=True) for n in "amax amin average prod ptp".split()),
    Function("prod", (T,), {"axis": (0, 2), "keepdims": True}),
    Function("average", (A, 1, P)),
    Function("average", (A, 1, P[0])),
    *(Function("cumprod", (A,), {"axis": axis}, smooth=True) for axis in (0, 1, None)),
    *(Function(n, (HOLES,), {"axis": 1}) for n in
      "nancumprod nancumsum nanmax nanmean nanmin nanprod nanstd nansum nanvar".split()),
    *(Function(n, (HOLES,)) for n in "nancumsum nanmax nanmean nanstd nansum".split()),
    # -- order
    *(Function(n, (T,), {"axis": axis}) for n in ("sort", "argsort") for axis in (-1, 0)),
    *(Function("sort", (x,), smooth=True) for x in (A, np.array([3.0, 1.0, 2.0]))),
    Function("sort", (np.array([[2.0, 1.0, 2.0, np.inf, -np.inf, 1.0]]),)),
    Function("argsort", (np.array([[2.0, 1.0, 2.0, 0.0, 1.0]]),)),
    Function("top_k", (A, 2)),
    *(Function("quantile", (A, q), {"axis": 1, "method": m}) for q in (0.3, [0.0, 0.5, 1.0]) for m in
      ("linear", "midpoint", "lower", "higher")),
    Function("quantile", (T, 0.4), {"axis": (0, 2), "keepdims": True}),
    Function("percentile", (A, 30.0), {"axis": 0}),
    *(Function("median", (x,), {"axis": axis}, smooth=True) for x, axis in ((A, 1), (A, 0), (T, None))),
    *(Function("searchsorted", (np.array([1.0, 2.0, 2.0, 4.0]), np.array([0.0, 2.0, 3.0, 9.0])), {"side": side})
      for side in ("left", "right")),
    Function("digitize", (A, np.array([-1.0, 0.0, 1.0]))),
    # -- products
    *(Function(n, (A[0], B[0]), smooth=True) for n in "dot inner outer vdot".split()),
    *(Function(n, (A, B), smooth=True) for n in "inner outer vdot".split()),
    Function("dot", (T, W), smooth=True),
    Function("matmul", (T, np.swapaxes(T, 1, 2)), smooth=True),
    Function("matmul", (A[0], np.swapaxes(T, 1, 2)), smooth=True),
    Function("matmul", (A[0], W), smooth=True),
    Function("kron", (A[:, :2], B[:2]), smooth=True),
    Function("cross", (T[:, :, :3], T[:, :, 1:]), smooth=True),
    Function("cdist", (A, B), smooth=True),
    *(Function("einsum", (how, *xs), smooth=True) for how, *xs in (
        ("ij,jk->ik", A, W), ("ij,ij->i", A, B), ("ij->ji", A), ("i,j->ij", A[0], B[0]), ("bij,bkj->bik", T, T),
        ("...j,jk->...k", T, W), ("ij,jk", A, W), ("ij,ij->", A, B), ("ij->", A), ("ij,jk,k->i", A, W, W[0]),
    )),
    Function("trace", (A,), {"offset": 1}, smooth=True),
    Function("trapezoid", (A,), smooth=True),
    Function("trapezoid", (A, np.array([0.0, 1.0, 3.0, 4.0]))),
    # -- structure
    Function("append", (A, B), smooth=True),
    Function("append", (A, B), {"axis": 1}, smooth=True),
    *(Function("flip", (T,), {"axis": axis}, smooth=True) for axis in (None, 1, (0, 2))),
    *(Function(n, (A,), smooth=True) for n in "fliplr flipud".split()),
    *(Function("roll", (T, 2), {"axis": axis}, smooth=True) for axis in (None, 1)),
    Function("roll", (T, (1, -1)), {"axis": (0, 2)}),
    *(Function("repeat", (A, 2), {"axis": axis}, smooth=True) for axis in (None, 0, 1)),
    *(Function("tile", (A, times), smooth=True) for times in ((2, 3), (2, 1, 2))),
    *(Function("rot90", (A,), {"k": k}) for k in (0, 1, 3)),
    *(Function(n, (A,), {"k": k}, smooth=True) for n in "tril triu diag".split() for k in (-1, 0, 2)),
    Function("diag", (A[0],), {"k": 1}, smooth=True),
    Function("diagflat", (A[:2, :2],), smooth=True),
    Function("diagonal", (T,), {"offset": 1, "axis1": 1, "axis2": 2}, smooth=True),
    Function("diff", (A,), {"n": 2}, smooth=True),
    Function("diff", (A,), {"axis": 0}, smooth=True),
    *(Function(n, ([A, B],)) for n in "hstack vstack dstack".split()),
    Function("dstack", ([A[0], B[0]],)),
    Function("hsplit", (A, 2)),
    Function("vsplit", (A, 3)),
    Function("dsplit", (T, [1, 3])),
    Function("array_split", (A, 3), {"axis": 1}),
    Function("meshgrid", (A[0], B[0, :3])),
    Function("meshgrid", (A[0], B[0, :3]), {"indexing": "ij"}),
    Function("moveaxis", (T, (0, 1), (-1, 0)), smooth=True),
    # -- indexing
    Function("take_along_axis", (A, np.array([[3, -1], [0, 1], [2, 2]])), {"axis": 1}, smooth=True),
    Function("take_along_axis", (A, np.array([0, 5, 11])), smooth=True),
    Function("multi_hot", (np.array([[0, 2], [1, 1]]), 4)),
    Function("one_hot", (np.array([[0, 2], [1, 1]]), 4), {"axis": 1}),
    Function("scatter", (np.array([[0, 1], [2, 3]]), np.array([1.5, 2.5]), (3, 4))),
    Function("scatter", (np.array([[0], [2]]), A[:2], (3, 4))),
    Function("scatter_update", (A, np.array([[0, 1], [2, 3]]), np.array([1.5, 2.5]))),
    Function("scatter_update", (A, np.array([[0], [2]]), B[:2]), {"reduction": "add"}),
    Function("slice_update", (A, (1, 2), B[:2, :2]), smooth=True),
    *(Function(n, (A, np.array([1, 0, 1]), 2)) for n in "segment_max segment_min".split()),
    # -- filled arrays
    Function("empty", ((2, 3),)),
    Function("empty_like", (A,)),
    Function("identity", (3,)),
    Function("tri", (3, 4), {"k": 1}),
    Function("logspace", (0.0, 2.0, 5)),
    Function("geomspace", (1.0, 100.0, 5)),
    Function("linspace", (0.0, 1.0, 5), {"endpoint": False}),
    Function("vander", (A[0],), {"N": 3}, smooth=True),
    *(Function(n, (5,)) for n in "bartlett blackman hamming hanning".split()),
    Function("kaiser", (5, 8.0)),
    # -- networks
    Function("batch_normalization", (A, B[0], P[0]), {"axis": -1}, smooth=True),
    Function("batch_normalization", (A, B[:, 0], P[:, 0], 0, B[:, 1], P[:, 1])),
    Function("layer_normalization", (A,), smooth=True),
    Function("layer_normalization", (A, P[0], B[0]), smooth=True),
    Function("rms_normalization", (A, P[0]), smooth=True),
    Function("normalize", (A,), {"order": 1}, smooth=True),
    Function("psnr", (A, B, 2.0)),
    Function("array", (A,)),
    Function("copy", (A,), smooth=True),
    Function("saturate_cast", (A * 10, "int32")),
]  # fmt: skip

# Functions of arrays alone.
WHOLE = np.array([[1, 12, 5], [3, 8, 6]])
SPD = A @ A.T + 3 * np.eye(3)
ARRAY_FUNCTIONS = [
    *(Function(n, (WHOLE, WHOLE.T.reshape(2, 3) % 5 + 1)) for n in
      "bitwise_and bitwise_or bitwise_xor gcd lcm left_shift right_shift bitwise_left_shift "
      "bitwise_right_shift".split()),
    *(Function(n, (WHOLE,)) for n in "bitwise_invert bitwise_not".split()),
    Function("i0", (A,)),
    Function("nextafter", (A, B)),
    *(Function(n, (HOLES,), {"axis": 1}) for n in "nanargmax nanargmin nanmedian".split()),
    Function("nanquantile", (HOLES, 0.4)),
    Function("nanpercentile", (HOLES, 40.0), {"axis": 0}),
    Function("unique", (np.array([3, 1, 3, 2]),)),
    Function("unique", (np.array([3.0, 1.0, 3.0]),), {"return_inverse": True, "return_counts": True}),
    Function("nonzero", (WHOLE > 4,)),
    Function("bincount", (np.array([1, 3, 1]),)),
    Function("bincount", (np.array([1, 3, 1]),), {"weights": np.array([0.5, 1.0, 2.0]), "minlength": 6}),
    Function("histogram", (A[0],), {"bins": 4}),
    *(Function(n, (SPD,)) for n in "cholesky det inv logdet pinv slogdet matrix_rank".split()),
    Function("cholesky", (SPD,), {"upper": True}),
    Function("cholesky_inverse", (np.tril(SPD),)),
    Function("corrcoef", (A,)),
    Function("correlate", (A[0], B[0, :2])),
    Function("lstsq", (A.T, B[0])),
    *(Function("solve", (SPD, b)) for b in (A, A[:, 0])),
    Function("solve_triangular", (np.tril(SPD), A), {"lower": True}),
    Function("svd", (A,), {"compute_uv": False}),
    Function("segment_prod", (A, np.array([1, 0, 1]), 2)),
    Function("unravel_index", (np.array([1, 5]), (2, 3))),
    Function("view", (A, "int32")),
]  # fmt: skip
