"""One process of the part `accelerate`: `python accelerated_fit.py RUNG EPOCHS` prints the least seconds of a fit."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras

import keras_style
import lamina
from rungs import LEARNING_RATE, RUNGS, table

FITS = 4  # the first, which also compiles, is not counted


def main() -> None:
    name, epochs = sys.argv[1], int(sys.argv[2])
    rung = RUNGS[name]
    rows = table(rung).train
    models = {}
    for key, api in (("own", lamina), ("accelerated", keras)):
        model = keras_style.network(api, rung)
        optimizer = getattr(api.optimizers, keras_style.OPTIMIZERS[rung.optimizer])(LEARNING_RATE)
        model.compile(optimizer, loss=keras_style.loss(api, rung))
        models[key] = model if api is lamina else lamina.accelerate(model)
    seconds: dict[str, list[float]] = {key: [] for key in models}
    for _ in range(FITS):
        for key, model in models.items():
            given = {"batch_size": rung.batch, "epochs": epochs, "verbose": 0}
            seconds[key].append(timed(partial(model.fit, keras_style.inputs(rows), rows.y, **given)))
    print(json.dumps({key: min(spent[1:]) for key, spent in seconds.items()}))


def timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
