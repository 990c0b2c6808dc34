"""Many networks of one rung trained one after another and by `fit_many`, as one line of JSON.

Both train the same models from the same seed, whose weights must have the same bits.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import keras_style
import lamina
from rungs import LEARNING_RATE, RUNGS, SEED, Rung, table


def models(rung: Rung, count: int) -> list[Any]:
    made = [keras_style.network(lamina, rung) for _ in range(count)]
    for model in made:
        model.compile(lamina.optimizers.Adam(LEARNING_RATE), keras_style.loss(lamina, rung))
    return made


def one_after_another(models: list[Any], *data: Any, **fit: Any) -> None:
    for model in models:
        model.fit(*data, **fit)


def timed(train: Callable[..., Any], rung: Rung, count: int, epochs: int) -> tuple[float, str]:
    """Seconds of training, and a digest of all weights."""
    (x,), y, _ = table(rung).train
    lamina.utils.set_random_seed(SEED)
    made = models(rung, count)
    start = time.perf_counter()
    train(made, x, y, batch_size=rung.batch, epochs=epochs, verbose=0)
    seconds = time.perf_counter() - start
    weights = b"".join(array.tobytes() for model in made for array in model.get_weights())
    return seconds, hashlib.sha256(weights).hexdigest()


def main(name: str, count: int, epochs: int) -> None:
    alone, alone_bits = timed(one_after_another, RUNGS[name], count, epochs)
    together, bits = timed(lamina.fit_many, RUNGS[name], count, epochs)
    json.dump({"alone": alone, "together": together, "same_bits": bits == alone_bits}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
