"""Random numbers: seeds and their generators; arrays at once from NumPy, nodes while a graph is built.

Keras's rule: an integer seed gives the same numbers in every call, a ``SeedGenerator`` others in each call, and
None draws from the session's own generator, which ``set_random_seed`` fixes.
"""

from __future__ import annotations

import random as python_random
from collections.abc import Sequence
from math import erf, pi
from math import sqrt as root
from threading import Lock
from typing import Any

import numpy as np

from lamina import config
from lamina.errors import GraphError
from lamina.graph import elementary, express, functions
from lamina.graph.node import Node
from lamina.signatures import Configured
from lamina.trace import current
from lamina.variables import Variable

Shape = Sequence[int | None]
_MASK = 0xFFFF_FFFF_FFFF_FFFF
_counting = Lock()  # models may train in several threads, and no two draws are the same


def make_default_seed() -> int:
    """A seed for an object that was given none; fixed by ``set_random_seed``."""
    return python_random.randint(1, 10**9)


def mixed(seed: int) -> int:
    """A 64-bit stream number far from those of neighbouring seeds (Steele et al. 2014, SplitMix64)."""
    z = (seed + 0x9E37_79B9_7F4A_7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB) & _MASK
    return z ^ (z >> 31)


class SeedGenerator(Configured):
    """A sequence of seeds: each draw with it gives other numbers.

    Args:
        seed: the first number; drawn if None.
        name: its name, made up by default.

    Raises:
        ValueError: the seed is not an integer.

    Example:
        >>> g = SeedGenerator(7)
        >>> [int(k) for k in g.next()], [int(k) for k in g.next()]
        ([7, 0], [7, 1])
    """

    def __init__(self, seed: int | None = None, name: str | None = None):
        self.seed = seed
        self.name = name or config.unique_name("SeedGenerator")
        first = make_default_seed() if seed is None else _whole(seed)
        self.state = Variable([first, 0], dtype="int64", trainable=False, name="seed_generator_state")

    def next(self) -> np.ndarray:
        """The present pair (seed, number of draws before); counts one draw more."""
        with _counting:
            pair = self.state.numpy()
            self.state.value[1] += 1
        return pair

    @property
    def stream_seed(self) -> int:
        """The number that keys this generator's random nodes in a graph."""
        return mixed(int(self.state.numpy()[0]))


Seed = int | SeedGenerator | None


def _whole(seed: Any) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise ValueError(f"Argument `seed` must be an integer or a SeedGenerator. Received: seed={seed!r}")
    return int(seed)


class _Session:
    generator: SeedGenerator | None = None


def global_generator() -> SeedGenerator:
    """The generator behind every draw without a seed."""
    if _Session.generator is None:
        _Session.generator = SeedGenerator(name="global_seed_generator")
    return _Session.generator


def set_random_seed(seed: int) -> None:
    """Fix everything random from here on: Python's, NumPy's and Lamina's generators.

    Args:
        seed: an integer in [0, 2³²).

    Example:
        >>> set_random_seed(1); a = normal((2,)); set_random_seed(1); bool((a == normal((2,))).all())
        True
    """
    python_random.seed(_whole(seed))
    np.random.seed(seed)
    _Session.generator = SeedGenerator(seed, name="global_seed_generator")


def generator(seed: Seed) -> np.random.Generator:
    """A NumPy generator for one draw."""
    if seed is None:
        seed = global_generator()
    pair = seed.next() if isinstance(seed, SeedGenerator) else (_whole(seed), 0)
    return np.random.Generator(np.random.PCG64([int(n) & _MASK for n in pair]))


def stream(seed: Seed) -> int:
    """The random stream of one more call in the active trace."""
    trace = current()
    if trace is None:
        raise GraphError("random nodes are made while a graph is built: use a Trace, or draw arrays")
    if seed is None:
        seed = global_generator()
    return trace.stream(seed.stream_seed if isinstance(seed, SeedGenerator) else mixed(_whole(seed)))


def uniform(shape: Shape, minval: float = 0.0, maxval: float = 1.0, dtype: str | None = None, seed: Seed = None) -> Any:
    """Uniform numbers in [minval, maxval).

    Args:
        shape: the result's shape; None stands for the batch while a graph is built.
        minval, maxval: the ends.
        dtype: ``"float32"`` or ``"float64"``, the session's by default.
        seed: an integer, a SeedGenerator or None.

    Example:
        >>> uniform((2, 3), seed=1).shape
        (2, 3)
    """
    dtype = config.float_dtype(dtype)
    if current() is not None:
        return functions.random_uniform(tuple(shape), stream(seed), dtype) * (maxval - minval) + minval
    return (generator(seed).random(_fixed(shape)) * (maxval - minval) + minval).astype(dtype)


def normal(shape: Shape, mean: float = 0.0, stddev: float = 1.0, dtype: str | None = None, seed: Seed = None) -> Any:
    """Normally distributed numbers.

    Args:
        shape: the result's shape; None stands for the batch while a graph is built.
        mean, stddev: the distribution's.
        dtype: ``"float32"`` or ``"float64"``, the session's by default.
        seed: an integer, a SeedGenerator or None.

    Example:
        >>> normal((2, 3), seed=1).shape
        (2, 3)
    """
    dtype = config.float_dtype(dtype)
    if current() is not None:
        return _normal_nodes(tuple(shape), dtype, seed) * stddev + mean
    return (generator(seed).standard_normal(_fixed(shape)) * stddev + mean).astype(dtype)


def _normal_nodes(shape: tuple[int | None, ...], dtype: str, seed: Seed) -> Node:
    """√(−2 log(1 − u)) · cos 2πv (Box and Muller 1958)."""
    u, v = (functions.random_uniform(shape, stream(seed), dtype) for _ in range(2))
    return express.sqrt(-2.0 * express.log(1.0 - u)) * express.cos(2.0 * pi * v)


def truncated_normal(
    shape: Shape, mean: float = 0.0, stddev: float = 1.0, dtype: str | None = None, seed: Seed = None
) -> Any:
    """Normally distributed numbers; those beyond two standard deviations are drawn again.

    Args:
        shape: the result's shape.
        mean, stddev: the distribution's before it is cut.
        dtype: ``"float32"`` or ``"float64"``, the session's by default.
        seed: an integer, a SeedGenerator or None.

    Example:
        >>> bool(abs(truncated_normal((1000,), seed=1)).max() < 2)
        True
    """
    if current() is not None:
        share = functions.random_uniform(tuple(shape), stream(seed), config.float_dtype(dtype))
        return elementary.erfinv((2.0 * share - 1.0) * erf(root(2.0))) * (root(2.0) * stddev) + mean
    source = generator(seed)
    z = source.standard_normal(_fixed(shape))
    while (far := np.abs(z) >= 2.0).any():
        z[far] = source.standard_normal(np.count_nonzero(far))
    return np.asarray(z * stddev + mean, config.float_dtype(dtype))


def randint(shape: Shape, minval: int, maxval: int, dtype: str = "int32", seed: Seed = None) -> Any:
    """Whole numbers in [minval, maxval), all equally likely.

    Example:
        >>> randint((4,), 0, 10, seed=1).dtype
        dtype('int32')
    """
    if not np.issubdtype(np.dtype(dtype), np.integer):
        raise ValueError(f"random.randint requires an integer dtype. Received: dtype={dtype}")
    if current() is not None:
        share = functions.random_uniform(tuple(shape), stream(seed), config.floatx())
        return express.cast(express.floor(share * (maxval - minval)) + minval, config.held_dtype(dtype))
    return generator(seed).integers(minval, maxval, _fixed(shape)).astype(dtype)


def categorical(logits: Any, num_samples: int, dtype: str = "int32", seed: Seed = None) -> Any:
    """Class numbers drawn with probabilities softmax(logits), ``num_samples`` for each row.

    Args:
        logits: (rows, classes).

    Returns:
        An array (rows, num_samples).
    """
    if current() is not None:
        return _categorical_nodes(express.as_node(logits), num_samples, seed)
    logits = np.asarray(logits, "float64")
    shape = (logits.shape[0], num_samples, logits.shape[1])
    gumbel = -np.log(-np.log(np.maximum(generator(seed).random(shape), np.finfo("float64").tiny)))
    return np.argmax(logits[:, None, :] + gumbel, axis=-1).astype(dtype)  # the Gumbel-max trick


def _categorical_nodes(logits: Node, num_samples: int, seed: Seed) -> Node:
    """The place of the largest logit after adding to each −log(−log u) (the Gumbel-max trick)."""
    rows, classes = logits.shape
    u = functions.random_uniform((rows, num_samples, classes), stream(seed), logits.dtype)
    gumbel = -express.log(-express.log(express.clip(u, 1e-30, 1.0 - 1e-7)))
    return express.argmax(express.expand_dims(logits, 1) + gumbel, -1)


def binomial(
    shape: Sequence[int], counts: Any, probabilities: Any, dtype: str | None = None, seed: Seed = None
) -> np.ndarray:
    """How many of ``counts`` tries succeed, each with a probability.

    Args:
        shape: the result's shape.
        counts, probabilities: numbers, or arrays that are broadcast to the shape.
        dtype: the session's float type by default.
        seed: an integer, a SeedGenerator or None.

    Example:
        >>> bool((binomial((100,), 5, 0.5, seed=1) <= 5).all())
        True
    """
    _only_at_once("binomial")
    counts = np.asarray(counts).astype("int64")
    return generator(seed).binomial(counts, probabilities, _fixed(shape)).astype(config.float_dtype(dtype))


def beta(shape: Sequence[int], alpha: Any, beta: Any, dtype: str | None = None, seed: Seed = None) -> np.ndarray:
    """Numbers in (0, 1) of the beta distribution.

    Args:
        shape: the result's shape.
        alpha, beta: above 0; numbers, or arrays that are broadcast to the shape.
        dtype: the session's float type by default.
        seed: an integer, a SeedGenerator or None.
    """
    _only_at_once("beta")
    return generator(seed).beta(alpha, beta, _fixed(shape)).astype(config.float_dtype(dtype))


def gamma(shape: Sequence[int], alpha: Any, dtype: str | None = None, seed: Seed = None) -> np.ndarray:
    """Numbers above 0 of the gamma distribution of scale 1.

    Args:
        shape: the result's shape.
        alpha: above 0; a number, or an array that is broadcast to the shape.
        dtype: the session's float type by default.
        seed: an integer, a SeedGenerator or None.
    """
    _only_at_once("gamma")
    return generator(seed).gamma(alpha, size=_fixed(shape)).astype(config.float_dtype(dtype))


def shuffle(x: Any, axis: int = 0, seed: Seed = None) -> np.ndarray:
    """A copy with the slices along an axis in random order.

    Example:
        >>> sorted(shuffle([3, 1, 2], seed=1).tolist())
        [1, 2, 3]
    """
    _only_at_once("shuffle")
    return generator(seed).permutation(np.asarray(x), axis=axis)


def dropout(inputs: Any, rate: float, noise_shape: Shape | None = None, seed: Seed = None) -> Any:
    """The inputs with a share ``rate`` of their elements zero and the rest divided by 1 − rate.

    Args:
        inputs: floats of any shape.
        rate: the share in [0, 1].
        noise_shape: the shape of the mask, the inputs' by default; it is broadcast.
        seed: an integer, a SeedGenerator or None.
    """
    if current() is not None:
        shape = None if noise_shape is None else tuple(noise_shape)
        return functions.dropout(inputs, rate, stream(seed), shape)
    inputs = np.asarray(inputs)
    if rate >= 1.0:
        return np.zeros_like(inputs)
    kept = generator(seed).random(_fixed(noise_shape or inputs.shape)) >= rate
    return np.where(kept, inputs / (1.0 - rate), 0.0).astype(inputs.dtype)


def _fixed(shape: Shape) -> tuple[int, ...]:
    if any(s is None for s in shape):
        raise ValueError(f"an array needs a fixed shape, got {tuple(shape)}")
    return tuple(int(s) for s in shape if s is not None)


def _only_at_once(name: str) -> None:
    if current() is not None:
        raise GraphError(
            f"random.{name} draws numbers at once, so a graph would hold the same ones in every step; "
            "in a layer use random.uniform, random.normal or random.dropout"
        )
