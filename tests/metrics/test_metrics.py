"""Metrics: results against NumPy and scikit-learn, gathered over batches, at once and in a graph."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from cases import BATCH, DATA, METRICS, ROWS, WEIGHTS, Brick, name_of
from lamina import config, metrics, ops
from lamina.engine import compile
from lamina.errors import ShapeError
from lamina.graph.node import Graph, leaf
from lamina.trace import Trace


def make(case: Brick, **extra):
    return getattr(metrics, case.name)(**{**case.arguments, **extra})


def at_once(metric, y, p, w=None):
    """The result over all batches."""
    for begin in range(0, ROWS, BATCH):
        rows = slice(begin, begin + BATCH)
        metric.update_state(y[rows], p[rows], sample_weight=None if w is None else w[rows])
    return metric.result()


def _close(found, expected, dtype="float64"):
    np.testing.assert_allclose(found, expected, rtol=1e-12 if dtype == "float64" else 1e-5, atol=1e-7)


def _confusion(y, p, sample_weight):
    return sk.confusion_matrix(y, p[:, 0] > 0.5, sample_weight=sample_weight)


LOOSE = {"F1Score", "MeanIoU", "OneHotMeanIoU"}  # Keras adds ε to what it divides by
TRUTH = {
    "MeanSquaredError-numbers": sk.mean_squared_error,
    "MeanAbsoluteError-column": sk.mean_absolute_error,
    "RootMeanSquaredError-numbers": lambda y, p, sample_weight: np.sqrt(
        sk.mean_squared_error(y, p, sample_weight=sample_weight)
    ),
    "R2Score-numbers": sk.r2_score,
    "BinaryCrossentropy-binary": lambda y, p, sample_weight: sk.log_loss(y, p, sample_weight=sample_weight),
    "CategoricalCrossentropy-one_hot": sk.log_loss,
    "SparseCategoricalCrossentropy-classes": lambda y, p, sample_weight: sk.log_loss(
        y, p, sample_weight=sample_weight, labels=range(4)
    ),
    "Accuracy-class_pairs": lambda y, p, sample_weight: sk.accuracy_score(y, p, sample_weight=sample_weight),
    "BinaryAccuracy-binary": lambda y, p, sample_weight: sk.accuracy_score(y, p > 0.5, sample_weight=sample_weight),
    "CategoricalAccuracy-one_hot": lambda y, p, sample_weight: sk.accuracy_score(
        y.argmax(1), p.argmax(1), sample_weight=sample_weight
    ),
    "SparseCategoricalAccuracy-classes": lambda y, p, sample_weight: sk.accuracy_score(
        y, p.argmax(1), sample_weight=sample_weight
    ),
    "SparseTopKCategoricalAccuracy-classes": lambda y, p, sample_weight: sk.top_k_accuracy_score(
        y, p, k=3, sample_weight=sample_weight, labels=range(4)
    ),
    "Precision-binary": lambda y, p, sample_weight: sk.precision_score(y, p > 0.5, sample_weight=sample_weight),
    "F1Score-one_hot": lambda y, p, sample_weight: sk.f1_score(
        y.argmax(1), p.argmax(1), average=None, sample_weight=sample_weight
    ),
    "MeanIoU-class_pairs": lambda y, p, sample_weight: sk.jaccard_score(
        y[:, 0], p[:, 0], average="macro", sample_weight=sample_weight
    ),
    "OneHotMeanIoU-one_hot": lambda y, p, sample_weight: sk.jaccard_score(
        y.argmax(1), p.argmax(1), average="macro", sample_weight=sample_weight
    ),
    "TruePositives-binary_row": lambda y, p, sample_weight: _confusion(y, p, sample_weight)[1, 1],
    "FalsePositives-binary_row": lambda y, p, sample_weight: _confusion(y, p, sample_weight)[0, 1],
    "FalseNegatives-binary_row": lambda y, p, sample_weight: _confusion(y, p, sample_weight)[1, 0],
    "TrueNegatives-binary_row": lambda y, p, sample_weight: _confusion(y, p, sample_weight)[0, 0],
    "Recall-binary_row": lambda y, p, sample_weight: sk.recall_score(y, p > 0.5, sample_weight=sample_weight),
}
AGAINST_TRUTH = [case for case in METRICS if f"{case.name}-{case.data}" in TRUTH
                 and set(case.arguments) <= {"k", "num_classes", "dtype"}]  # fmt: skip


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("case", AGAINST_TRUTH, ids=name_of)
def test_against_scikit_learn(case: Brick, weights: np.ndarray | None):
    y, p = DATA[case.data]
    found = at_once(make(case, dtype="float64"), y, p, weights)
    expected = TRUTH[f"{case.name}-{case.data}"](y, p, sample_weight=weights)
    _close(found, expected, "float32" if case.name in LOOSE else "float64")


def test_auc_nears_the_exact_area():
    y, p = DATA["binary"]
    area = at_once(metrics.AUC(num_thresholds=20_000, dtype="float64"), y, p, WEIGHTS)
    assert area == pytest.approx(sk.roc_auc_score(y[:, 0], p[:, 0], sample_weight=WEIGHTS), abs=1e-9)


def test_auc_is_bucketed_as_in_keras():
    auc = metrics.AUC()
    auc.update_state([0, 1, 0, 1], [0.5, 0.5001, 0.5002, 0.5003])
    assert auc.result() == pytest.approx(0.5)
    auc.reset_state()
    auc.update_state([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    assert auc.result() == pytest.approx(0.75)


def test_auc_curve_values():
    pr = metrics.AUC(curve="PR")
    pr.update_state([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    assert pr.result() == pytest.approx(0.79727, abs=1e-5)


@pytest.mark.filterwarnings("ignore:.*compares all rows of a batch:RuntimeWarning")
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("case", METRICS, ids=name_of)
def test_in_a_graph_as_at_once(case: Brick, weights: np.ndarray | None, target: str, dtype: str):
    """The states follow the batches inside one run, the last batch being short."""
    y, p = DATA[case.data]
    arrays = {"y": _as(y, dtype), "p": _as(p, dtype)} | ({} if weights is None else {"w": _as(weights, dtype)})
    metric = make(case, dtype=dtype)
    trace = Trace()
    with trace.active():
        metric.update_state(*(leaf("input", (None, *a.shape[1:]), a.dtype.name, name=n) for n, a in arrays.items()))
    state = trace.state()
    metric.reset_state()
    run = compile(Graph({}, trace.updates()), target)
    run.run(arrays, state, rows=ROWS, batch_size=BATCH)
    # float32 states add up in another order, and a bucket's edge may fall on the other side
    expected = at_once(
        make(case, dtype=dtype), *(_as(x, dtype) for x in (y, p)), None if weights is None else arrays["w"]
    )
    np.testing.assert_allclose(metric.result(), expected, rtol=1e-11 if dtype == "float64" else 1e-5, atol=1e-6)


def _as(x: np.ndarray, dtype: str) -> np.ndarray:
    return x.astype(dtype if x.dtype.kind == "f" else "int32")


@pytest.mark.parametrize("case", METRICS, ids=name_of)
def test_config_reset_and_type(case: Brick):
    y, p = DATA[case.data]
    metric = make(case)
    first = at_once(metric, y, p)
    metric.reset_state()
    assert all((v.value == 0).all() for v in metric.variables)
    _close(at_once(metric, y, p), first)
    again = metrics.get({"class_name": case.name, "config": metric.get_config()})
    assert again.get_config() == metric.get_config()
    _close(at_once(again, y, p), first)
    assert {v.dtype for v in again.to("float64").variables} == {"float64"}


def test_a_mean_counts_what_was_added():
    mean = metrics.Mean()
    assert mean.result() == 0
    mean.update_state([1.0, 3.0])
    mean.update_state(8.0)
    assert mean.result() == 4
    assert mean([[2.0, 4.0]], sample_weight=[3.0]) == (12 + 9) / 6


def test_a_mean_of_weighted_tables():
    values, rows = np.arange(6.0).reshape(2, 3), np.array([1.0, 3.0])
    assert metrics.Mean()(values, rows) == (1 * 1 + 3 * 4) / 4
    assert metrics.Mean()(values, np.ones((2, 3))) == 2.5


def test_sum():
    total = metrics.Sum()
    total.update_state([1.0, 2.0], sample_weight=[1.0, 0.5])
    assert total([4.0]) == 6
    assert total([[1.0, 2.0], [3.0, 4.0]], [1.0, 2.0]) == 6 + 3 + 14


def test_root_is_taken_of_the_whole_mean():
    rmse = metrics.RootMeanSquaredError()
    rmse.update_state([0.0, 0.0], [1.0, 1.0])
    rmse.update_state([0.0], [4.0])
    assert rmse.result() == pytest.approx(np.sqrt(18 / 3))


def test_r2_of_a_constant_target_and_too_few_values():
    r2 = metrics.R2Score()
    assert r2.result() == 0
    assert r2(np.ones((3, 1)), np.array([[1.0], [2.0], [3.0]])) == 0
    adjusted = metrics.R2Score(num_regressors=3)
    adjusted.update_state(np.array([[1.0], [2.0], [4.0]]), np.array([[1.0], [2.0], [3.0]]))
    with pytest.warns(UserWarning, match="needs more than 4 values, got 3"):
        adjusted.result()


def test_accuracies_of_ties_and_shapes():
    assert metrics.BinaryAccuracy()([1, 0], [[0.5], [0.5]]) == 0.5  # 0.5 is not above 0.5
    assert metrics.TopKCategoricalAccuracy(k=9)([[1, 0]], [[0.1, 0.9]]) == 1
    assert metrics.SparseTopKCategoricalAccuracy(k=2, from_sorted_ids=True)([3, 5], [[1, 3, 5], [1, 3, 5]]) == 0.5
    assert metrics.sparse_categorical_accuracy([[1], [0]], np.array([[0.1, 0.9], [0.2, 0.8]])).tolist() == [1, 0]


def test_a_share_where_another_is_good_enough():
    """Against all points of the curve, the thresholds being finer than the predictions."""
    y, p = DATA["binary"]
    falls, rises, _ = sk.roc_curve(y[:, 0], p[:, 0], drop_intermediate=False)
    precisions, recalls, _ = sk.precision_recall_curve(y[:, 0], p[:, 0])
    n = 20_000
    assert metrics.SensitivityAtSpecificity(0.6, n)(y, p) == pytest.approx(rises[1 - falls >= 0.6].max())
    assert metrics.SpecificityAtSensitivity(0.6, n)(y, p) == pytest.approx(1 - falls[rises >= 0.6].min())
    assert metrics.PrecisionAtRecall(0.6, n)(y, p) == pytest.approx(precisions[recalls >= 0.6].max())
    assert metrics.RecallAtPrecision(0.7, n)(y, p) == pytest.approx(recalls[precisions >= 0.7].max())
    assert metrics.RecallAtPrecision(1.0)([0, 1], [0.9, 0.1]) == 0  # no threshold is good enough


def test_counts_behind_an_area():
    auc = metrics.AUC(num_thresholds=3)
    auc.update_state([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.8])
    assert auc.true_positives.tolist() == [2, 1, 0]
    assert (auc.true_negatives + auc.false_positives).tolist() == [2, 2, 2]
    assert (auc.false_negatives + auc.true_positives).tolist() == [2, 2, 2]


def test_a_row_of_zeros_has_no_best_class():
    f1 = metrics.F1Score()
    f1.update_state(np.eye(2), np.zeros((2, 2)))
    assert [v.value.tolist() for v in f1.variables[:2]] == [[0, 0], [0, 0]]
    assert metrics.F1Score().result() == 0


def test_correlations_along_the_batch():
    y, p = DATA["numbers"]
    expected = np.mean([np.corrcoef(y[:, i], p[:, i])[0, 1] for i in (0, 1)])
    assert metrics.PearsonCorrelation(axis=0, dtype="float64")(y, p) == pytest.approx(expected)
    shifted = metrics.ConcordanceCorrelation(axis=0, dtype="float64")
    assert shifted(y, y + 1) == pytest.approx(np.mean(2 * y.var(0) / (2 * y.var(0) + 1)))
    assert np.isnan(metrics.PearsonCorrelation()(y[:, :1], p[:, :1]))  # as in Keras: one column does not vary


def test_a_prediction_that_is_no_number_exceeds_no_threshold():
    y, p = np.array([[0], [1], [1], [0], [0]]), np.array([[0.2], [np.nan], [0.9], [0.4], [np.nan]], "float32")
    assert metrics.AUC()(y, p) == metrics.AUC(thresholds=[0.3, 0.8])(y, p) == pytest.approx(1 / 3)
    below = np.where(np.isnan(p), -1, p)
    for metric in (metrics.PrecisionAtRecall(0.3), metrics.SensitivityAtSpecificity(0.5, num_thresholds=1)):
        expected = type(metric).from_config(metric.get_config())(y, below)
        assert metric(y, p) == expected


def test_overlap_counts_whole_weights_unless_it_is_a_float_metric():
    assert metrics.MeanIoU(3).get_config()["dtype"] == metrics.MeanIoU(3, dtype="int").dtype == "int64"
    assert metrics.MeanIoU(3, dtype=config.DTypePolicy("float32")).get_config()["dtype"] == "float32"
    whole = metrics.BinaryIoU()
    with pytest.warns(UserWarning, match=r"weights are floats, but the metric counts in int64.*dtype=\"float32\""):
        whole.update_state([0, 1], [0.2, 0.4], sample_weight=np.array([1.9, 1.0]))
    assert whole.total_cm.numpy().tolist() == [[1, 0], [1, 0]]
    assert metrics.IoU(2, [1, 0])([[0, 1], [5, 1]], [[0, 1], [1, 0]]) == pytest.approx((1 / 2 + 1 / 2) / 2)
    assert metrics.MeanIoU(2).to("float64").dtype == "int64"


def test_a_function_as_metric():
    def worst(y_true, y_pred):
        return ops.max(ops.abs(y_true - y_pred), axis=-1)

    assert metrics.MeanMetricWrapper(worst).name.startswith("mean_metric_wrapper")  # as in Keras, not the function's
    metric = metrics.MeanMetricWrapper(worst, name="worst")
    assert metric(np.zeros((2, 2)), np.array([[1.0, 3.0], [2.0, 0.0]])) == 2.5
    assert (metric.name, metric._direction) == ("worst", None)
    assert metric.get_config() == {"name": "worst", "dtype": "float32", "fn": worst}


DIRECTIONS = {
    "down": "Error entropy Poisson Divergence Hinge".split(),
    "up": "Accuracy Score AUC Precision Recall Similarity Sensitivity Correlation IoU".split(),
}


@pytest.mark.parametrize("name", metrics.CLASSES)
def test_direction(name: str):
    expected = next((d for d, words in DIRECTIONS.items() if any(word in name for word in words)), None)
    arguments = next((case.arguments for case in METRICS if case.name == name), {"fn": ops.add})
    made = metrics.CLASSES[name](**({} if name in ("Mean", "Sum") else arguments))
    assert made._direction == expected


def test_names():
    assert isinstance(metrics.get("mse"), metrics.MeanSquaredError)
    assert isinstance(metrics.get("root_mean_squared_error"), metrics.RootMeanSquaredError)
    assert metrics.get(metrics.accuracy) is metrics.accuracy
    with pytest.raises(ValueError, match="Could not interpret metric identifier: 'acuracy'; did you mean 'accuracy'"):
        metrics.get("acuracy")


def test_every_metric_has_a_case():
    assert {case.name for case in METRICS} == set(metrics.CLASSES) - {"Mean", "Sum", "MeanMetricWrapper"}


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: metrics.AUC(curve="roc2"), ValueError, "`curve` must be one of ROC, PR, PRGAIN"),
        (lambda: metrics.AUC(summation_method="x"), ValueError, "`summation_method` must be one of"),
        (lambda: metrics.AUC(num_thresholds=1), ValueError, "integer > 1"),
        (lambda: metrics.AUC(num_labels=2), ValueError, "only when `multi_label`"),
        (lambda: metrics.Precision(thresholds=1.5), ValueError, r"must be in \[0, 1\]"),
        (lambda: metrics.Precision(class_id=0)([1], [0.3]), ShapeError, "class_id needs predictions"),
        (lambda: metrics.Recall()(np.ones((2, 2)), np.ones((2, 3))), ShapeError, "must have the same shape"),
        (lambda: metrics.R2Score("mean"), ValueError, "`class_aggregation` must be one of"),
        (lambda: metrics.R2Score(num_regressors=-1), ValueError, "must be >= 0"),
        (lambda: metrics.R2Score()([1.0], [1.0]), ShapeError, r"one shape \(rows, outputs\)"),
        (lambda: metrics.AUC(thresholds=[0.5, 2.0]), ValueError, r"must be in \[0, 1\]"),
        (lambda: metrics.F1Score()([1, 0], [[0.3], [0.4]]), ShapeError, "expects 2D inputs"),
        (lambda: metrics.F1Score()(np.ones((2, 3)), np.ones((2, 2))), ShapeError, "expects 2D inputs"),
        (lambda: metrics.F1Score(average="mean"), ValueError, "`average` must be one of"),
        (lambda: metrics.FBetaScore(beta=1), ValueError, "`beta` must be a float > 0"),
        (lambda: metrics.FBetaScore(threshold=0.0), ValueError, "`threshold` must be a float with 0 < threshold <= 1"),
        (lambda: metrics.PrecisionAtRecall(1.5), ValueError, r"`recall` must be in the range \[0, 1\]"),
        (lambda: metrics.PrecisionAtRecall(0.5, 0), ValueError, "`num_thresholds` must be an integer > 0"),
        (lambda: metrics.PrecisionAtRecall(0.5, class_id=1)([1], [0.5]), ShapeError, "class_id needs predictions"),
        (lambda: metrics.MeanIoU(2, dtype="complex64"), ValueError, "computes in float32 or float64"),
        (lambda: metrics.IoU(2, [2]), ValueError, r"Target class id 2 is out of range, which is \[0, 2\)"),
        (lambda: metrics.MeanIoU(2)([[0, 1]], [[0, 1, 1]]), ShapeError, "targets .* and predictions .* differ"),
        (lambda: metrics.pearson_correlation(np.ones((2, 3)), np.ones((2, 2))), ShapeError, "must have the same shape"),
        (lambda: metrics.Metric().result(), TypeError, "must define result"),
        (lambda: metrics.Metric()(1), TypeError, "must define update_state"),
    ],
)  # fmt: skip
def test_mistakes(make, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        make()
