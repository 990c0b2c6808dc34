"""One table of cases for layers: how each is made, what it is fed, and its equation in plain NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import lamina
from lamina import layers

BATCH = 5


class Case(NamedTuple):
    """A layer, its arguments, the shapes of its inputs without the batch, and its equation.

    An argument that is a function makes the argument from a library with Keras's interface and the layer's dtype.
    ``equation(inputs, weights)`` gets arrays (a list of them for several inputs) and returns one; None where the
    result is random. ``training`` is the same while training, if that differs.
    """

    layer: type[layers.Layer]
    arguments: dict[str, Any]
    shapes: tuple[tuple[int, ...], ...]
    equation: Callable[[Any, list[np.ndarray]], np.ndarray] | None
    training: Callable[[Any, list[np.ndarray]], np.ndarray] | None = None
    whole: int = 0  # inputs are whole numbers below this
    note: str = ""
    words: tuple[str, ...] = ()  # inputs are of these
    result: str = ""  # element type of what is computed at once, the layer's by default

    @property
    def name(self) -> str:
        """A readable test id."""
        return self.layer.__name__ + (f"-{self.note}" if self.note else "")

    def make(self, api: Any = lamina, **more: Any) -> Any:
        """The layer as this library makes it."""
        given = {k: v(api, more) if callable(v) else v for k, v in self.arguments.items()}
        return getattr(api.layers, self.layer.__name__)(**given, **more)

    def inputs(self, dtype: str) -> Any:
        """What the layer is fed: an array, or a list of them."""
        rng = np.random.default_rng(11)
        arrays = [self._array(rng, (BATCH, *shape), dtype) for shape in self.shapes]
        return arrays[0] if len(arrays) == 1 else arrays

    def _array(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        if self.words:
            return rng.choice(np.array(self.words), shape)
        if self.whole:
            return rng.integers(0, self.whole, shape).astype("int32")
        return rng.uniform(-2.0, 2.0, shape).astype(dtype)

    @property
    def kind(self) -> str:
        """Element type of an Input for it, but for floats."""
        return "string" if self.words else "int32" if self.whole else ""


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def softmax(z: np.ndarray, axis: int = -1) -> np.ndarray:
    powers = np.exp(z - z.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


def standardised(x: np.ndarray, axes: Any, epsilon: float = 1e-3) -> np.ndarray:
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + epsilon)


def moved(x: np.ndarray, w: list[np.ndarray]) -> np.ndarray:
    """γ (x − μ) / √(σ² + ε) + β with given μ and σ², one number for each of the last axis."""
    gamma, beta, mean, variance = w
    return gamma * (x - mean) / np.sqrt(variance + 1e-3) + beta


def renormalised(x: np.ndarray, w: list[np.ndarray]) -> np.ndarray:
    """γ (r z + d) + β in training, with r in [0.5, 1.1] and |d| ≤ 0.3."""
    gamma, beta, _, _, _, mean, deviation = w
    r = np.clip(np.sqrt(x.var(0) + 1e-3) / deviation, 0.5, 1.1)
    d = np.clip((x.mean(0) - mean) / deviation, -0.3, 0.3)
    return gamma * (r * standardised(x, 0) + d) + beta


def grouped(x: np.ndarray, groups: int, axis: int) -> np.ndarray:
    """(x − μ) / √(σ² + ε) of each row over each group of features along an axis."""
    last = np.moveaxis(x, axis, -1)
    parts = last.reshape(*last.shape[:-1], groups, -1)
    axes = tuple(a for a in range(1, parts.ndim) if a != parts.ndim - 2)
    return np.moveaxis(standardised(parts, axes).reshape(last.shape), -1, axis)


def spectral(x: np.ndarray, w: list[np.ndarray]) -> np.ndarray:
    """x · W / σ + b after one step of the power iteration from u."""
    kernel, u, bias = w
    v = u @ kernel.T
    v /= np.linalg.norm(v)
    u = v @ kernel
    u /= np.linalg.norm(u)
    return x @ (kernel / (v @ kernel @ u.T)) + bias


def cosines(x: list[np.ndarray]) -> np.ndarray:
    a, b = (part / np.linalg.norm(part, axis=1, keepdims=True) for part in x)
    return np.einsum("nij,nik->njk", a, b)


def hot(places: np.ndarray, columns: int) -> np.ndarray:
    """A row of zeros and a one for each place."""
    return (places[..., None] == np.arange(columns)).astype(float)


def place_in(values: np.ndarray, vocabulary: list[Any]) -> np.ndarray:
    """1 for the first of the vocabulary, 2 for the second, … and 0 for what is not in it."""
    return np.vectorize(lambda value: [*vocabulary, value].index(value))(values).__add__(1) % (len(vocabulary) + 1)


MEAN, VARIANCE = np.array([0.5, -1.0, 2.0]), np.array([4.0, 0.25, 1.0])

CASES = (
    Case(layers.Dense, {"units": 4}, ((3,),), lambda x, w: x @ w[0] + w[1]),
    Case(
        layers.Dense,
        {
            "units": 2,
            "activation": "sigmoid",
            "use_bias": False,
            "kernel_regularizer": "l2",
            "activity_regularizer": "l1",
        },
        ((2, 3),),
        lambda x, w: sigmoid(x @ w[0]),
        note="rank 3, penalties",
    ),
    Case(
        layers.EinsumDense,
        {"equation": "abc,cd->abd", "output_shape": (2, 4), "bias_axes": "bd", "activation": "tanh"},
        ((2, 3),),
        lambda x, w: np.tanh(x @ w[0] + w[1]),
    ),
    Case(
        layers.EinsumDense,
        {"equation": "...x,xyz->...zy", "output_shape": (4, 2), "bias_axes": "z"},
        ((3,),),
        lambda x, w: np.einsum("ax,xyz->azy", x, w[0]) + w[1],
        note="ellipsis on the left",
    ),
    Case(
        layers.EinsumDense,
        {"equation": "ab...,bc->ac...", "output_shape": 4, "bias_axes": "c"},
        ((3, 2),),
        lambda x, w: np.einsum("abx,bc->acx", x, w[0]) + w[1],
        note="ellipsis on the right",
    ),
    Case(
        layers.EinsumDense,
        {"equation": "afx,fxy->afy", "output_shape": (3, 4), "kernel_regularizer": "l2"},
        ((3, 2),),
        lambda x, w: np.einsum("afx,fxy->afy", x, w[0]),
        note="a kernel for each feature",
    ),
    Case(layers.Embedding, {"input_dim": 6, "output_dim": 3}, ((2,),), lambda x, w: w[0][x], whole=6),
    Case(
        layers.Embedding,
        {"input_dim": 6, "output_dim": 3, "mask_zero": True},
        ((2,),),
        lambda x, w: w[0][x],
        whole=6,
        note="masked",
    ),
    Case(layers.Masking, {"mask_value": 1.0}, ((3, 2),), lambda x, w: x * (x != 1.0).any(-1, keepdims=True)),
    Case(layers.GlobalAveragePooling1D, {}, ((3, 2),), lambda x, w: x.mean(1)),
    Case(
        layers.GlobalAveragePooling1D,
        {"data_format": "channels_first", "keepdims": True},
        ((3, 2),),
        lambda x, w: x.mean(2, keepdims=True),
        note="features first",
    ),
    Case(layers.GlobalMaxPooling1D, {}, ((3, 2),), lambda x, w: x.max(1)),
    Case(layers.Activation, {"activation": "tanh"}, ((3,),), lambda x, w: np.tanh(x)),
    Case(layers.Identity, {}, ((3,),), lambda x, w: x),
    Case(layers.ReLU, {}, ((3,),), lambda x, w: np.maximum(x, 0)),
    Case(
        layers.ReLU,
        {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.2},
        ((3,),),
        lambda x, w: np.where(x > 0.2, np.minimum(x, 1.0), 0.1 * (x - 0.2)),
        note="shaped",
    ),
    Case(layers.LeakyReLU, {}, ((3,),), lambda x, w: np.where(x > 0, x, 0.3 * x)),
    Case(layers.ELU, {"alpha": 0.7}, ((3,),), lambda x, w: np.where(x > 0, x, 0.7 * (np.exp(x) - 1))),
    Case(layers.PReLU, {}, ((3,),), lambda x, w: np.where(x > 0, x, w[0] * x)),
    Case(
        layers.PReLU,
        {"shared_axes": 1, "alpha_initializer": "ones"},
        ((3, 2),),
        lambda x, w: np.where(x > 0, x, w[0] * x),
        note="shared",
    ),
    Case(layers.ActivityRegularization, {"l1": 0.1, "l2": 0.2}, ((3,),), lambda x, w: x),
    Case(layers.Softmax, {}, ((4,),), lambda x, w: softmax(x)),
    Case(layers.Softmax, {"axis": 1}, ((3, 2),), lambda x, w: softmax(x, 1), note="axis 1"),
    Case(layers.Dropout, {"rate": 0.4, "seed": 3}, ((6,),), lambda x, w: x, None),
    Case(
        layers.Dropout,
        {"rate": 0.5, "noise_shape": (None, 1, 4), "seed": 3},
        ((2, 4),),
        lambda x, w: x,
        note="shared mask",
    ),
    Case(layers.SpatialDropout1D, {"rate": 0.4, "seed": 3}, ((2, 6),), lambda x, w: x, None),
    Case(layers.AlphaDropout, {"rate": 0.4, "seed": 3}, ((6,),), lambda x, w: x, None),
    Case(layers.GaussianDropout, {"rate": 0.4, "seed": 3}, ((6,),), lambda x, w: x, None),
    Case(layers.GaussianNoise, {"stddev": 0.4, "seed": 3}, ((6,),), lambda x, w: x, None),
    Case(
        layers.BatchNormalization,
        {},
        ((3,),),
        moved,
        lambda x, w: standardised(x, 0) * w[0] + w[1],
    ),
    Case(
        layers.BatchNormalization,
        {"axis": 1, "scale": False, "momentum": 0.5},
        ((3, 2),),
        lambda x, w: np.swapaxes(moved(np.swapaxes(x, 1, 2), [np.ones(3), *w]), 1, 2),
        lambda x, w: standardised(x, (0, 2)) + w[0][:, None],
        note="axis 1, no scale",
    ),
    Case(
        layers.BatchNormalization,
        {"renorm": True, "renorm_clipping": {"rmax": 1.1, "rmin": 0.5, "dmax": 0.3}},
        ((3,),),
        lambda x, w: moved(x, w[:4]),
        lambda x, w: renormalised(x, w),
        note="renormalised",
    ),
    Case(layers.LayerNormalization, {}, ((4,),), lambda x, w: standardised(x, -1) * w[0] + w[1]),
    Case(
        layers.LayerNormalization,
        {"axis": (1, 2), "center": False},
        ((3, 2),),
        lambda x, w: standardised(x, (1, 2)) * w[0],
        note="two axes, no center",
    ),
    Case(
        layers.LayerNormalization,
        {"axis": (-1, -2)},
        ((3, 2),),
        lambda x, w: standardised(x, (1, 2)) * w[0] + w[1],
        note="axes from the end",
    ),
    Case(
        layers.GroupNormalization, {"groups": 2}, ((3, 4),), lambda x, w: grouped(x, 2, -1) * w[0] + w[1]
    ),
    Case(
        layers.GroupNormalization,
        {"groups": -1, "axis": 1, "scale": False},
        ((3, 4),),
        lambda x, w: grouped(x, 3, 1) + w[0][:, None],
        note="instances",
    ),
    Case(
        layers.SpectralNormalization,
        {"layer": lambda k, more: k.layers.Dense(2, **more)},
        ((3,),),
        lambda x, w: x @ w[0] + w[2],
        spectral,
    ),
    Case(
        layers.TimeDistributed,
        {"layer": lambda k, more: k.layers.Dense(2, "sigmoid", **more)},
        ((4, 3),),
        lambda x, w: sigmoid(x @ w[0] + w[1]),
    ),
    Case(
        layers.Lambda,
        {"function": lambda k, more: k.activations.softplus},
        ((3,),),
        lambda x, w: np.log1p(np.exp(x)),
    ),
    Case(
        layers.RMSNormalization,
        {},
        ((4,),),
        lambda x, w: x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-6) * w[0],
    ),
    Case(
        layers.RMSNormalization,
        {"axis": [1, 2]},
        ((3, 2),),
        lambda x, w: x / np.sqrt((x**2).mean((1, 2), keepdims=True) + 1e-6) * w[0],
        note="two axes",
    ),
    Case(layers.UnitNormalization, {}, ((4,),), lambda x, w: x / np.linalg.norm(x, axis=-1, keepdims=True)),
    Case(layers.Rescaling, {"scale": 0.5, "offset": -1.0}, ((3,),), lambda x, w: x * 0.5 - 1),
    Case(
        layers.Normalization,
        {"mean": MEAN.tolist(), "variance": VARIANCE.tolist()},
        ((3,),),
        lambda x, w: (x - MEAN) / np.sqrt(VARIANCE),
    ),
    Case(
        layers.Normalization,
        {"mean": 2.0, "variance": 9.0, "invert": True, "axis": None},
        ((3,),),
        lambda x, w: x * 3.0 + 2.0,
        note="inverted",
    ),
    Case(
        layers.Normalization,
        {},
        ((3,),),
        lambda x, w: (x - w[0]) / np.maximum(np.sqrt(w[1]), 1e-7),
        note="adapted",
    ),
    Case(layers.Add, {}, ((3,), (3,), (1,)), lambda x, w: x[0] + x[1] + x[2]),
    Case(layers.Subtract, {}, ((3,), (1,)), lambda x, w: x[0] - x[1]),
    Case(layers.Average, {}, ((3,), (3,), (3,)), lambda x, w: (x[0] + x[1] + x[2]) / 3),
    Case(layers.Maximum, {}, ((3,), (3,)), lambda x, w: np.maximum(x[0], x[1])),
    Case(layers.Minimum, {}, ((3,), (3,)), lambda x, w: np.minimum(x[0], x[1])),
    Case(layers.Multiply, {}, ((3,), (3,)), lambda x, w: x[0] * x[1]),
    Case(layers.Concatenate, {}, ((3,), (2,)), lambda x, w: np.concatenate(x, -1)),
    Case(layers.Concatenate, {"axis": 1}, ((3, 2), (1, 2)), lambda x, w: np.concatenate(x, 1), note="axis 1"),
    Case(layers.Dot, {"axes": 1}, ((3,), (3,)), lambda x, w: (x[0] * x[1]).sum(-1, keepdims=True)),
    Case(
        layers.Dot, {"axes": (1, 1), "normalize": True}, ((3, 4), (3, 2)), lambda x, w: cosines(x), note="cosines"
    ),
    Case(layers.Dot, {"axes": (2, 1)}, ((3, 2), (2,)), lambda x, w: np.einsum("nij,nj->ni", *x), note="ranks 3 and 2"),
    Case(layers.Flatten, {}, ((3, 2),), lambda x, w: x.reshape(len(x), 6)),
    Case(
        layers.Flatten,
        {"data_format": "channels_first"},
        ((3, 2, 2),),
        lambda x, w: np.moveaxis(x, 1, -1).reshape(len(x), 12),
        note="features first",
    ),
    Case(layers.Permute, {"dims": (2, 1)}, ((3, 2),), lambda x, w: x.swapaxes(1, 2)),
    Case(layers.RepeatVector, {"n": 3}, ((2,),), lambda x, w: np.repeat(x[:, None], 3, 1)),
    Case(layers.Reshape, {"target_shape": (-1, 2)}, ((3, 4),), lambda x, w: x.reshape(len(x), 6, 2)),
    Case(layers.CategoryEncoding, {"num_tokens": 5}, ((3,),), lambda x, w: hot(x, 5).max(1), whole=6),
    Case(
        layers.CategoryEncoding,
        {"num_tokens": 5, "output_mode": "one_hot"},
        ((3,),),
        lambda x, w: hot(x, 5),
        whole=6,
        note="one hot",
    ),
    Case(
        layers.CategoryEncoding,
        {"num_tokens": 5, "output_mode": "count"},
        ((3,),),
        lambda x, w: hot(x, 5).sum(1),
        whole=6,
        note="count",
    ),
    Case(
        layers.Discretization,
        {"bin_boundaries": [-1.0, 0.0, 0.5], "output_mode": "one_hot"},
        ((3,),),
        lambda x, w: hot(np.digitize(x, [-1.0, 0.0, 0.5]), 4),
    ),
    Case(
        layers.Discretization,
        {"bin_boundaries": [-1.0, 0.0, 0.5]},
        ((3,),),
        lambda x, w: np.digitize(x, [-1.0, 0.0, 0.5]),
        note="int",
        result="int32",
    ),
    Case(
        layers.StringLookup,
        {"vocabulary": ["b", "a"]},
        ((3,),),
        lambda x, w: place_in(x, ["b", "a"]),
        words=("a", "b", "c"),
        result="int64",
    ),
    Case(
        layers.StringLookup,
        {"vocabulary": ["b", "a"], "output_mode": "tf_idf", "idf_weights": [0.5, 0.25]},
        ((3,),),
        lambda x, w: hot(place_in(x, ["b", "a"]), 3).sum(1) * [0.375, 0.5, 0.25],
        words=("a", "b", "c"),
        note="tf-idf",
    ),
    Case(
        layers.IntegerLookup,
        {"vocabulary": [3, 1], "output_mode": "multi_hot"},
        ((3,),),
        lambda x, w: hot(place_in(x, [3, 1]), 3).max(1),
        whole=4,
        result="int64",
    ),
    Case(
        layers.Hashing,
        {"num_bins": 5, "output_mode": "one_hot"},
        ((1,),),
        lambda x, w: hot(np.vectorize({"A": 4, "B": 3, "C": 2}.get)(x[:, 0]), 5),  # Keras's documentation
        words=("A", "B", "C"),
    ),
    Case(
        layers.HashedCrossing,
        {"num_bins": 5, "output_mode": "one_hot"},
        ((1,), (1,)),
        None,  # compared with Keras in tests/parity/test_preprocessing.py
        words=("A", "B"),
    ),
)
