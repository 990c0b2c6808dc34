"""Layers that keep numbers near mean 0 and variance 1 while a network trains."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from math import sqrt
from typing import Any

import numpy as np

from lamina import config, constraints, initializers, ops, regularizers
from lamina.errors import ShapeError
from lamina.layers.dense import known_size
from lamina.layers.layer import Layer
from lamina.layers.spec import InputSpec

CLIPPING = ("rmin", "rmax", "dmax")


class Affine(Layer):
    """Base of the layers that end in γ z + β, with z = (x − μ) / √(σ² + ε).

    Args:
        center, scale: whether β and γ are there.
        beta_initializer, gamma_initializer: first values.
        beta_regularizer, gamma_regularizer: penalties.
        beta_constraint, gamma_constraint: projections after each update.
    """

    epsilon: float

    def __init__(
        self,
        center: bool,
        scale: bool,
        beta_initializer: Any,
        gamma_initializer: Any,
        beta_regularizer: Any,
        gamma_regularizer: Any,
        beta_constraint: Any,
        gamma_constraint: Any,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)

    def _build_affine(self, shape: tuple[int, ...], scale: bool | None = None, center: bool | None = None) -> None:
        """Create γ and β, None where there is none."""
        self.gamma = self.beta = None
        if self.scale if scale is None else scale:
            self.gamma = self.add_weight(
                shape, self.gamma_initializer, name="gamma",
                regularizer=self.gamma_regularizer, constraint=self.gamma_constraint,
            )  # fmt: skip
        if self.center if center is None else center:
            self.beta = self.add_weight(
                shape, self.beta_initializer, name="beta",
                regularizer=self.beta_regularizer, constraint=self.beta_constraint,
            )  # fmt: skip

    def _affine(
        self, x: Any, mean: Any, variance: Any, kept: Any, moments: Any = None, corrections: Sequence[Any] | None = None
    ) -> Any:
        """γ (x − μ) / √(σ² + ε) + β; γ, β have the shape ``kept`` next to x, the moments ``moments``.

        With ``corrections`` r and d it is γ (r (x − μ) / √(σ² + ε) + d) + β.
        """
        mean, variance = (ops.reshape(m, kept if moments is None else moments) for m in (mean, variance))
        gamma, beta = _corrected(self.gamma, self.beta, *corrections) if corrections else (self.gamma, self.beta)
        factor = 1.0 / ops.sqrt(variance + self.epsilon)
        if gamma is not None:
            factor = factor * ops.reshape(gamma, kept)
        z = (x - mean) * factor
        return z if beta is None else z + ops.reshape(beta, kept)


def _corrected(gamma: Any, beta: Any, r: Any, d: Any) -> tuple[Any, Any]:
    """γ r and γ d + β: what γ (r z + d) + β multiplies z by, and what it adds."""
    factor, shift = (r, d) if gamma is None else (r * gamma, d * gamma)
    return factor, shift if beta is None else shift + beta


class BatchNormalization(Affine):
    """γ (x − μ) / √(σ² + ε) + β, with the batch's μ and (biased) σ² in training, moving averages otherwise.

    Args:
        axis: the axis of the features.
        momentum: share of the moving averages that stays in each step.
        epsilon: ε.
        center, scale: whether β and γ are there.
        beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer: first values.
        beta_regularizer, gamma_regularizer: penalties.
        beta_constraint, gamma_constraint: projections after each update.
        renorm: whether training too is to see what averages over many batches say (Ioffe 2017): there z = (x − μ) / σ
            becomes r z + d, with r = σ / σ̄ and d = (μ − μ̄) / σ̄, through which no gradient goes.
        renorm_clipping: bounds of r and d: a dictionary with ``"rmax"``, ``"rmin"``, ``"dmax"`` or some of them.
        renorm_momentum: share of the averages μ̄, σ̄ that stays in each step.
        synchronized: taken for Keras's sake; a step sees its whole batch in any case.

    A frozen layer (``trainable = False``) uses the moving averages in training too, and leaves them alone.

    Source: Ioffe and Szegedy 2015; Keras's numbers (momentum 0.99, ε 0.001).
    """

    supports_masking = True
    moving_mean: Any
    moving_variance: Any
    moving_stddev: Any  # this and the next two with renorm alone
    renorm_mean: Any
    renorm_stddev: Any

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ):
        super().__init__(
            center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint,
            gamma_constraint, **kwargs,
        )  # fmt: skip
        self.axis = int(axis)
        self.momentum = float(momentum)
        self.epsilon = float(epsilon)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.renorm = renorm
        self.renorm_clipping = _checked_clipping(renorm_clipping or {}) if renorm else renorm_clipping
        self.renorm_momentum = renorm_momentum
        self.synchronized = synchronized

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create γ, β and the moving averages, one number a feature."""
        size = known_size(self, input_shape, self.axis)
        self._build_affine((size,))
        averages = {"moving_mean": self.moving_mean_initializer, "moving_variance": self.moving_variance_initializer}
        if self.renorm:
            deviation = _root_of(self.moving_variance_initializer)
            averages |= {"moving_stddev": deviation, "renorm_mean": self.moving_mean_initializer}
            averages |= {"renorm_stddev": deviation}
        for name, initializer in averages.items():
            setattr(self, name, self.add_weight((size,), initializer, trainable=False, name=name))
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: size})

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """γ (x − μ) / √(σ² + ε) + β; training also moves the averages, by the places that count."""
        feature = self.axis % len(inputs.shape)
        if mask is not None and len(mask.shape) != len(inputs.shape) - 1:
            raise ShapeError(
                "The mask provided should be one dimension less than the inputs. "
                f"Received: mask.shape={mask.shape}, inputs.shape={inputs.shape}"
            )
        if training and self.trainable:
            others = tuple(a for a in range(len(inputs.shape)) if a != feature)
            mean, variance = ops.moments(inputs, others) if mask is None else masked_moments(inputs, mask, others)
            corrections = self._corrections(mean, variance) if self.renorm else None
            self._move(mean, variance)
        else:
            mean, variance, corrections = self.moving_mean, self.moving_variance, None
        kept = tuple(inputs.shape[a] if a == feature else 1 for a in range(len(inputs.shape)))
        return self._affine(inputs, mean, variance, kept, corrections=corrections)

    def _corrections(self, mean: Any, variance: Any) -> tuple[Any, Any]:
        """r = σ / σ̄ and d = (μ − μ̄) / σ̄ within their bounds, as numbers that no gradient goes through."""
        known = ops.maximum(self.renorm_stddev, sqrt(self.epsilon))
        r, d = ops.sqrt(variance + self.epsilon) / known, (mean - self.renorm_mean) / known
        low, high, most = (self.renorm_clipping.get(bound) for bound in CLIPPING)
        r = r if low is None else ops.maximum(r, low)
        r = r if high is None else ops.minimum(r, high)
        return ops.stop_gradient(r), ops.stop_gradient(d if most is None else ops.clip(d, -most, most))

    def _move(self, mean: Any, variance: Any) -> None:
        """The moving averages after this batch."""
        self.moving_mean.assign(_nearer(self.moving_mean, mean, self.momentum))
        if not self.renorm:
            self.moving_variance.assign(_nearer(self.moving_variance, variance, self.momentum))
            return
        deviation = ops.sqrt(variance + self.epsilon)
        self.renorm_mean.assign(_nearer(self.renorm_mean, mean, self.renorm_momentum))
        self.renorm_stddev.assign(_nearer(self.renorm_stddev, deviation, self.renorm_momentum))
        moved = _nearer(self.moving_stddev, deviation, self.momentum)
        self.moving_stddev.assign(moved)
        self.moving_variance.assign(ops.relu(ops.square(moved) - self.epsilon))


def _nearer(average: Any, value: Any, momentum: float) -> Any:
    """A moving average after one more value."""
    return average * momentum + value * (1.0 - momentum)


def _root_of(initializer: Any) -> Callable[..., Any]:
    """The square roots of what an initializer gives."""
    return lambda shape, dtype=None: np.sqrt(initializer(shape, dtype))


def _checked_clipping(bounds: Mapping[str, float]) -> Mapping[str, float]:
    low, high, most = (bounds.get(bound) for bound in CLIPPING)
    if unknown := sorted(set(bounds) - set(CLIPPING)):
        raise ValueError(f"Received invalid keys {unknown} for `renorm_clipping`. Supported values: {list(CLIPPING)}")
    if (low is not None and high is not None and high < low) or (most is not None and most < 0):
        raise ValueError(f"renorm_clipping needs rmin ≤ rmax and dmax ≥ 0. Received: {dict(bounds)}")
    return bounds


class LayerNormalization(Affine):
    """γ (x − μ) / √(σ² + ε) + β, with μ and σ² of each row over the feature axes.

    Args:
        axis: the feature axis, or several.
        epsilon: ε.
        center, scale: whether β and γ are there.
        beta_initializer, gamma_initializer: first values.
        beta_regularizer, gamma_regularizer: penalties.
        beta_constraint, gamma_constraint: projections after each update.
        rms_scaling: of older versions of Keras: γ x / √(σ² + ε) instead, without β.

    Source: Ba et al. 2016; Keras's ε 0.001.
    """

    supports_masking = True

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        *,
        rms_scaling: bool = False,
        **kwargs: Any,
    ):
        super().__init__(
            center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint,
            gamma_constraint, **kwargs,
        )  # fmt: skip
        self.axis = _axes(axis)
        self.epsilon = float(epsilon)
        self.rms_scaling = rms_scaling
        if rms_scaling:
            warnings.warn("`rms_scaling=True` is deprecated. Use `RMSNormalization` instead.", stacklevel=2)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create γ and β in the shape of the feature axes."""
        self.axis = [self.axis] if isinstance(self.axis, int) else sorted(self.axis)
        self._build_affine(
            tuple(known_size(self, input_shape, a) for a in self.axis),
            scale=self.scale or self.rms_scaling,
            center=self.center and not self.rms_scaling,
        )

    def call(self, inputs: Any) -> Any:
        """γ (x − μ) / √(σ² + ε) + β."""
        axes = [a % len(inputs.shape) for a in self.axis]
        mean, variance = ops.moments(inputs, axes, keepdims=True)
        kept = tuple(size if a in axes else 1 for a, size in enumerate(inputs.shape))
        return self._affine(inputs, mean * 0.0 if self.rms_scaling else mean, variance, kept, mean.shape)


def _axes(axis: Any) -> Any:
    """The axis, or a list of several."""
    if not isinstance(axis, int | list | tuple):
        raise TypeError(f"Expected an int or a list/tuple of ints for the argument 'axis', but received: {axis!r}")
    return axis if isinstance(axis, int) else list(axis)


class GroupNormalization(Affine):
    """γ (x − μ) / √(σ² + ε) + β, with μ and σ² of each row over each of several groups of features.

    Args:
        groups: how many groups; −1 for one for each feature.
        axis: the axis of the features.
        epsilon: ε.
        center, scale: whether β and γ are there.
        beta_initializer, gamma_initializer: first values.
        beta_regularizer, gamma_regularizer: penalties.
        beta_constraint, gamma_constraint: projections after each update.

    Source: Wu and He 2018; Keras's ε 0.001.
    """

    supports_masking = True

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ):
        super().__init__(
            center, scale, beta_initializer, gamma_initializer, beta_regularizer, gamma_regularizer, beta_constraint,
            gamma_constraint, **kwargs,
        )  # fmt: skip
        if not isinstance(groups, int) or (groups <= 0 and groups != -1):
            raise ValueError(
                "Received an invalid value for argument `groups`, expected a positive integer (or `-1` for instance "
                f"normalization). Received: groups={groups}"
            )
        self.groups = groups
        self.axis = axis
        self.epsilon = epsilon

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create γ and β, one number a feature."""
        size = known_size(self, input_shape, self.axis)
        self.groups = size if self.groups == -1 else self.groups
        if size % self.groups:
            raise ShapeError(
                f"layer {self.name!r}: {size} features (axis {self.axis} of {input_shape}) are not a multiple of "
                f"groups={self.groups}"
            )
        self._build_affine((size,))
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: size})

    def call(self, inputs: Any) -> Any:
        """γ (x − μ) / √(σ² + ε) + β."""
        feature = self.axis % len(inputs.shape)
        each = (self.groups, inputs.shape[feature] // self.groups)
        before, after = inputs.shape[:feature], inputs.shape[feature + 1 :]
        x = ops.reshape(inputs, (*before, *each, *after))
        mean, variance = ops.moments(x, [a for a in range(1, len(x.shape)) if a != feature], keepdims=True)
        kept = (*(1 for _ in before), *each, *(1 for _ in after))
        return ops.reshape(self._affine(x, mean, variance, kept, mean.shape), inputs.shape)


class RMSNormalization(Layer):
    """γ x / √(mean x² + ε), with the mean over the feature axes.

    Args:
        axis: the feature axis, or several.
        epsilon: ε.

    Source: Zhang and Sennrich 2019.
    """

    def __init__(self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = _axes(axis)
        self.epsilon = epsilon

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create γ, called ``scale`` as in Keras."""
        self.axis = [self.axis] if isinstance(self.axis, int) else sorted(self.axis)
        self.scale = self.add_weight(tuple(known_size(self, input_shape, a) for a in self.axis), "ones", name="scale")

    def call(self, inputs: Any) -> Any:
        """γ x / √(mean x² + ε)."""
        axes = [a % len(inputs.shape) for a in self.axis]
        kept = tuple(size if a in axes else 1 for a, size in enumerate(inputs.shape))
        spread = ops.mean(ops.square(inputs), axes, keepdims=True) + self.epsilon
        return inputs * ops.rsqrt(spread) * ops.reshape(self.scale, kept)


class UnitNormalization(Layer):
    """x / √Σx²: rows of length 1.

    Args:
        axis: the feature axis, or several.
    """

    supports_masking = True
    built_at_once = True

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any):
        super().__init__(**kwargs)
        self.axis = _axes(axis)

    def call(self, inputs: Any) -> Any:
        """x / max(√Σx², 10⁻¹²)."""
        return ops.normalize(inputs, self.axis, epsilon=1e-12)


def masked_moments(x: Any, mask: Any, axes: Sequence[int]) -> tuple[Any, Any]:
    """Mean and (biased) variance over some axes of the places that count; Keras adds ε to their number."""
    kept = ops.broadcast_to(ops.expand_dims(ops.cast(mask, x.dtype), -1), x.shape)
    count = ops.sum(kept, axes, keepdims=True) + config.epsilon()
    mean = ops.sum(ops.where(kept > 0.5, x, 0), axes, keepdims=True) / count
    variance = ops.sum(ops.square(ops.where(kept > 0.5, x - mean, 0)), axes, keepdims=True) / count
    return ops.squeeze(mean, axes), ops.squeeze(variance, axes)
