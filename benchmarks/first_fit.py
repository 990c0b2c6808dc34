"""Seconds that the first `fit` of a network of five layers spends before its first step, as one line of JSON.

That is how much longer a fit of one step on a batch of rows takes the first time than the same fit does later: reading
the equations, differentiating, planning, starting threads. Importing and building the network came before.
"""

from __future__ import annotations

import json
import sys
import time

import keras_style
import lamina
from rungs import Rung, table

FIVE = Rung("five layers", 32, (30, 64, 64, 64, 64, 1), 32)
LATER = 20


def main() -> None:
    (x,), y, _ = table(FIVE).train
    model = keras_style.network(lamina, FIVE)
    model.compile("adam", keras_style.loss(lamina, FIVE), metrics=["accuracy"])

    def fit() -> float:
        start = time.perf_counter()
        model.fit(x, y, batch_size=FIVE.batch, epochs=1, verbose=0)
        return time.perf_counter() - start

    first, later = fit(), min(fit() for _ in range(LATER))
    json.dump({"seconds": first - later, "first": first, "later": later}, sys.stdout)


if __name__ == "__main__":
    main()
