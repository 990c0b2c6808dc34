"""Trains random networks for minutes on end: `make soak MINUTES=5`.

For each: the machine agrees with the NumPy reference on every instruction set, one thread and two give the same bits,
AVX2 and AVX-512 too, and the process does not grow. What went wrong is printed with the seed that repeats it:
`--first SEED --minutes 0`.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import lamina
import lamina._core as _core
from lamina import layers

ROWS, EPOCHS, CLASSES = 333, 3, 3
ACTIVATIONS = ("relu", "tanh", "sigmoid", "gelu", "selu", "silu", "softplus", "elu", "linear")
OPTIMIZERS = ("sgd", "rmsprop", "adam")
EXTRAS = ("BatchNormalization", "LayerNormalization", "Dropout", None)
TOLERANCE = 1e-7
WARM_UP, GROWTH_MEGABYTES = 30, 50


def hidden(random: np.random.Generator) -> list[Any]:
    """A dense layer of random width and kind, and perhaps one that normalises or drops."""
    chosen = [layers.Dense(int(random.integers(1, 70)), activation=str(random.choice(ACTIVATIONS)))]
    extra = random.choice(EXTRAS)
    if extra is not None:
        chosen.append(layers.Dropout(0.2) if extra == "Dropout" else getattr(layers, extra)())
    return chosen


def network(random: np.random.Generator, inputs: int) -> Any:
    body = [layer for _ in range(random.integers(1, 5)) for layer in hidden(random)]
    return lamina.Sequential([lamina.Input((inputs,)), *body, layers.Dense(CLASSES)])


def trained(seed: int, **how: Any) -> np.ndarray:
    """All weights after training the network of this seed, in one vector; `how` is given to `compile`."""
    random = np.random.default_rng(seed)
    lamina.utils.set_random_seed(seed)
    inputs, batch = int(random.integers(1, 40)), int(random.integers(1, 120))
    model = network(random, inputs)
    loss = lamina.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(str(random.choice(OPTIMIZERS)), loss, **how)
    x, y = random.standard_normal((ROWS, inputs)), random.integers(0, CLASSES, ROWS)
    model.fit(x, y, batch_size=batch, epochs=EPOCHS, verbose=0)
    return np.concatenate([weight.ravel() for weight in model.get_weights()])


def check(seed: int) -> str | None:
    """What is wrong with the network of this seed, if anything."""
    reference, first = trained(seed, target="numpy"), {}
    for isa, threads in itertools.product(_core.isas(), (1, 2)):
        os.environ["LAMINA_ISA"] = isa
        weights, where = trained(seed, threads=threads), f"on {isa} with {threads} threads"
        error = np.max(np.abs(weights - reference) / (1 + np.abs(reference)))
        if not error < TOLERANCE:
            return f"{where} weights are {error:.1e} from the NumPy reference's"
        same = first.setdefault(isa == "portable", weights)  # it alone has no fused multiply-add
        if weights.tobytes() != same.tobytes():
            return f"{where} {np.sum(weights != same)} of {same.size} weights have other bits"
    return None


def megabytes() -> float:
    """What the process holds in memory now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    given = parser.parse_args()
    lamina.config.set_floatx("float64")
    end, seed, before = time.monotonic() + 60 * given.minutes, given.first, 0.0
    while seed == given.first or time.monotonic() < end:
        if (wrong := check(seed)) is not None:
            sys.exit(f"seed {seed}: {wrong}")
        seed += 1
        if seed - given.first == WARM_UP:
            before = megabytes()
    growth = megabytes() - before if before else 0.0
    print(f"{seed - given.first} networks; the process grew by {growth:.1f} MB after the first {WARM_UP}")
    if growth > GROWTH_MEGABYTES:
        sys.exit(f"it grew by more than {GROWTH_MEGABYTES} MB")


if __name__ == "__main__":
    main()
