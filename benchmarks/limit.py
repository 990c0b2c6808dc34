"""How much float32 arithmetic this machine's cores do at most: the best large product of two libraries."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import numpy as np
import torch

SIZE = 2048
TIMES = 20


def best(product: Callable[[], object]) -> float:
    """GFLOP/s of the fastest of some products of two square matrices; one is made before the clock runs."""
    product()
    seconds = []
    for _ in range(TIMES):
        start = time.perf_counter()
        product()
        seconds.append(time.perf_counter() - start)
    return 2 * SIZE**3 / min(seconds) / 1e9


def main() -> None:
    left, right = np.random.default_rng(0).standard_normal((2, SIZE, SIZE), dtype=np.float32)
    a, b = torch.from_numpy(left), torch.from_numpy(right)
    measured = {"numpy": best(lambda: left @ right), "torch": best(lambda: a @ b)}
    by = max(measured, key=measured.__getitem__)
    what = f"{by}, the product of two {SIZE} × {SIZE} float32 matrices"
    json.dump({"gigaflops": measured[by], "by": what}, sys.stdout)


if __name__ == "__main__":
    main()
