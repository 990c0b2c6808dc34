"""Initializers: the numbers that a variable starts with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod, sqrt
from typing import Any, Self

import numpy as np

from lamina import config, naming, random
from lamina.errors import ShapeError, refusal
from lamina.records import serialize_keras_object
from lamina.signatures import Configured
from lamina.variables import Variable

Shape = Sequence[int]


class Initializer(Configured):
    """Base of all initializers; a subclass writes ``__call__(shape, dtype=None) → array``.

    Example:
        >>> class Tenths(Initializer):
        ...     def __call__(self, shape, dtype=None):
        ...         return np.full(shape, 0.1, dtype)
    """

    def __call__(self, shape: Shape, dtype: str | None = None) -> np.ndarray:
        """An array of this shape and dtype (the session's float type by default)."""
        raise TypeError(f"{type(self).__name__} must define __call__(shape, dtype=None)")

    def clone(self) -> Self:
        """An initializer like this one, which draws other numbers where no seed was given."""
        return self.from_config(self.get_config())


class Zeros(Initializer):
    """All 0."""

    def __call__(self, shape: Shape, dtype: str | None = None) -> np.ndarray:
        return np.zeros(shape, dtype or config.floatx())


class Ones(Initializer):
    """All 1."""

    def __call__(self, shape: Shape, dtype: str | None = None) -> np.ndarray:
        return np.ones(shape, dtype or config.floatx())


class Constant(Initializer):
    """One value, or an array that is broadcast to the shape.

    Args:
        value: a number or an array.
    """

    def __init__(self, value: Any = 0.0):
        self.value = value

    def __call__(self, shape: Shape, dtype: str | None = None) -> np.ndarray:
        return np.array(np.broadcast_to(self.value, tuple(shape)), dtype or config.floatx())


class Identity(Initializer):
    """``gain`` on the diagonal of a matrix, 0 elsewhere.

    Args:
        gain: the factor.

    Raises:
        ShapeError: the shape is not a matrix's.
    """

    def __init__(self, gain: float = 1.0):
        self.gain = gain

    def __call__(self, shape: Shape, dtype: str | None = None) -> np.ndarray:
        if len(shape) != 2:
            raise ShapeError(f"Identity makes matrices, got shape {tuple(shape)} of rank {len(shape)}")
        rows, columns = shape
        return self.gain * np.eye(rows, columns, dtype=dtype or config.floatx())


class RandomInitializer(Initializer):
    """Base of the random ones: the seed is fixed at construction, so each call gives the same numbers.

    Args:
        seed: an integer, a SeedGenerator (other numbers in each call), or None to draw a seed now.
    """

    def __init__(self, seed: random.Seed | dict[str, Any] = None):
        if isinstance(seed, dict):
            seed = random.SeedGenerator.from_config(seed["config"])
        self.seed = seed
        self._drawn = random.make_default_seed() if seed is None else seed
        if not isinstance(self._drawn, int | random.SeedGenerator):
            raise ValueError(f"`seed` must be an integer or a SeedGenerator. Received: {seed!r}")


class RandomNormal(RandomInitializer):
    """Normally distributed numbers.

    Args:
        mean, stddev: the distribution's.
        seed: see ``RandomInitializer``.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: random.Seed = None):
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def __call__(self, shape: Shape, dtype: str | None = None) -> np.ndarray:
        return random.normal(shape, self.mean, self.stddev, dtype, self._drawn)


class TruncatedNormal(RandomNormal):
    """Normally distributed numbers; those beyond two standard deviations are drawn again.

    Args:
        mean, stddev: the distribution's before it is cut.
        seed: see ``RandomInitializer``.
    """

    def __call__(self, shape: Shape, dtype: str | None = None) -> np.ndarray:
        return random.truncated_normal(shape, self.mean, self.stddev, dtype, self._drawn)


class RandomUniform(RandomInitializer):
    """Uniform numbers.

    Args:
        minval, maxval: the ends.
        seed: see ``RandomInitializer``.
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: random.Seed = None):
        super().__init__(seed)
        self.minval = minval
        self.maxval = maxval

    def __call__(self, shape: Shape, dtype: str | None = None) -> np.ndarray:
        return random.uniform(shape, self.minval, self.maxval, dtype, self._drawn)


# The standard deviation of a normal distribution cut at ±2.
CUT_STDDEV = 0.87962566103423978

# name → f(shape, variance, dtype, seed): numbers with mean 0 and this variance.
DISTRIBUTIONS: dict[str, Callable[..., np.ndarray]] = {
    "truncated_normal": lambda shape, var, dtype, seed: random.truncated_normal(
        shape, 0.0, sqrt(var) / CUT_STDDEV, dtype, seed
    ),
    "untruncated_normal": lambda shape, var, dtype, seed: random.normal(shape, 0.0, sqrt(var), dtype, seed),
    "uniform": lambda shape, var, dtype, seed: random.uniform(shape, -sqrt(3 * var), sqrt(3 * var), dtype, seed),
}

FANS: dict[str, Callable[[int, int], float]] = {
    "fan_in": lambda fan_in, fan_out: fan_in,
    "fan_out": lambda fan_in, fan_out: fan_out,
    "fan_avg": lambda fan_in, fan_out: (fan_in + fan_out) / 2,
}


def compute_fans(
    shape: Shape, input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None
) -> tuple[int, int]:
    """How many inputs and outputs a weight of this shape connects.

    Example:
        >>> compute_fans((300, 100)), compute_fans((5,)), compute_fans((3, 8, 16))
        ((300, 100), (5, 5), (24, 48))
    """
    if input_axes is not None and output_axes is not None:
        return prod(shape[a] for a in input_axes), prod(shape[a] for a in output_axes)
    if len(shape) < 2:
        return (prod(shape),) * 2
    field = prod(shape[:-2])
    return shape[-2] * field, shape[-1] * field


class VarianceScaling(RandomInitializer):
    """Numbers with mean 0 and variance ``scale`` / fan, so that signals keep their size from layer to layer.

    Args:
        scale: the positive factor.
        mode: ``"fan_in"``, ``"fan_out"`` or ``"fan_avg"``.
        distribution: ``"truncated_normal"`` (``"normal"`` is the same), ``"untruncated_normal"`` or ``"uniform"``.
        seed: see ``RandomInitializer``.
        input_axes, output_axes: which axes of the shape are inputs and outputs; the last two by default.

    Raises:
        ValueError: a scale, mode or distribution that is not one of these.
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: random.Seed = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ):
        super().__init__(seed)
        if scale <= 0.0:
            raise ValueError(f"`scale` must be positive. Received: scale={scale}")
        self.scale = scale
        self.mode = _one_of(FANS, "mode", mode)
        name = "truncated_normal" if distribution.lower() == "normal" else distribution.lower()
        self.distribution = _one_of(DISTRIBUTIONS, "distribution", name)
        self.input_axes = input_axes
        self.output_axes = output_axes

    def __call__(self, shape: Shape, dtype: str | None = None) -> np.ndarray:
        fan = FANS[self.mode](*compute_fans(shape, self.input_axes, self.output_axes))
        return DISTRIBUTIONS[self.distribution](shape, self.scale / max(1.0, fan), dtype, self._drawn)


def _one_of(table: dict[str, Any], name: str, value: str) -> str:
    if value not in table:
        raise ValueError(f"`{name}` must be one of {', '.join(table)}. Received: {value!r}")
    return value


class _Scaled(VarianceScaling):
    """VarianceScaling with the choices of one paper; only the seed and the axes are left to choose."""

    choices: tuple[float, str, str]

    def __init__(
        self,
        seed: random.Seed = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ):
        super().__init__(*self.choices, seed, input_axes, output_axes)


class GlorotUniform(_Scaled):
    """Uniform in ±√(6 / (fan_in + fan_out)) (Glorot and Bengio 2010)."""

    choices = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal with variance 2 / (fan_in + fan_out) (Glorot and Bengio 2010)."""

    choices = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Scaled):
    """Uniform in ±√(6 / fan_in), for relu (He et al. 2015)."""

    choices = (2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Truncated normal with variance 2 / fan_in, for relu (He et al. 2015)."""

    choices = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    """Uniform in ±√(3 / fan_in), for selu (Klambauer et al. 2017)."""

    choices = (1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """Truncated normal with variance 1 / fan_in, for selu (LeCun et al. 1998, Klambauer et al. 2017)."""

    choices = (1.0, "fan_in", "truncated_normal")


class Orthogonal(RandomInitializer):
    """A random matrix with orthogonal rows or columns, whichever are fewer (Saxe et al. 2014).

    Args:
        gain: the factor.
        seed: see ``RandomInitializer``.

    Raises:
        ShapeError: the shape has fewer than two axes.
    """

    def __init__(self, gain: float = 1.0, seed: random.Seed = None):
        super().__init__(seed)
        self.gain = gain

    def __call__(self, shape: Shape, dtype: str | None = None) -> np.ndarray:
        if len(shape) < 2:
            raise ShapeError(f"Orthogonal needs at least two axes, got shape {tuple(shape)}")
        rows, columns = prod(shape[:-1]), shape[-1]
        tall = random.normal((max(rows, columns), min(rows, columns)), dtype="float64", seed=self._drawn)
        q, r = np.linalg.qr(tall)
        q *= np.sign(np.diag(r))  # one QR of many: this choice makes every orthogonal matrix equally likely
        return np.asarray(self.gain * (q.T if rows < columns else q).reshape(shape), dtype or config.floatx())


CLASSES = {
    c.__name__: c
    for c in (
        Zeros, Ones, Constant, Identity, RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling,
        GlorotUniform, GlorotNormal, HeUniform, HeNormal, LecunUniform, LecunNormal, Orthogonal,
    )
}  # fmt: skip
TABLE = naming.names_of(
    Initializer, *CLASSES.values(), zero=Zeros, one=Ones, normal=RandomNormal, uniform=RandomUniform,
    IdentityInitializer=Identity, OrthogonalInitializer=Orthogonal,
)  # fmt: skip
ABSENT = dict.fromkeys(
    ("STFT", "STFTInitializer", "stft"), "it makes the kernels of a Fourier transform of sound, not of dense networks"
)

zeros, ones, constant, identity, orthogonal = Zeros, Ones, Constant, Identity, Orthogonal
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
variance_scaling, glorot_uniform, glorot_normal = VarianceScaling, GlorotUniform, GlorotNormal
he_uniform, he_normal, lecun_uniform, lecun_normal = HeUniform, HeNormal, LecunUniform, LecunNormal
IdentityInitializer, OrthogonalInitializer = Identity, Orthogonal
serialize = serialize_keras_object
deserialize = naming.reader("initializer", TABLE)
__getattr__ = refusal(__name__, ABSENT)


def get(identifier: Any) -> Callable[..., np.ndarray] | None:
    """An initializer from a name, a config, a class, an array or a function ``f(shape, dtype=None)``.

    Raises:
        ValueError: there is no such initializer.
    """
    if isinstance(identifier, np.ndarray | np.generic):
        return _given(np.asarray(identifier))
    return naming.lookup("initializer", TABLE, identifier, ABSENT)


Variable.named_initializer = staticmethod(get)  # variables know initializers by name, though these come after them


def _given(values: np.ndarray) -> Callable[..., np.ndarray]:
    def initialize(shape: Shape, dtype: str | None = None) -> np.ndarray:
        if tuple(shape) != values.shape:
            raise ShapeError(f"the initial array has shape {values.shape}, the variable {tuple(shape)}")
        return values.astype(dtype or config.floatx())

    return initialize
