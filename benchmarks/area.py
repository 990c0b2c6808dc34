"""The area under the ROC curve from counts, as the peers without such a metric of their own gather it."""

from __future__ import annotations

import numpy as np

BUCKETS = 200


def under_roc(counts: np.ndarray) -> float:
    """The area, from how many negatives and positives (2, BUCKETS) fell in each bucket of probability."""
    above = counts[:, ::-1].cumsum(axis=1)  # of each class, from the most to the least probable
    false, true = np.hstack([np.zeros((2, 1)), above / np.maximum(above[:, -1:], 1)])
    return float(np.trapezoid(true, false))
