"""Discretization: numbers by the interval that they lie in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from lamina import ops
from lamina.errors import DataError, LaminaError
from lamina.layers.adapting import Adaptable
from lamina.layers.encoding import MODES, array_of, checked_mode, encode, refuse_sparse


class Discretization(Adaptable):
    """The number of the interval that each number lies in, counted from 0; nan lies in the last.

    Args:
        bin_boundaries: where intervals end, rising; a boundary itself belongs to the interval above it.
        num_bins: how many intervals ``adapt`` makes, each with about as many numbers.
        epsilon: how finely it looks: the share of the data that one step of its sketch holds.
        output_mode: ``"int"``, ``"one_hot"``, ``"multi_hot"`` or ``"count"``.
        sparse: must be False.

    Example:
        >>> Discretization([0.0, 1.0, 2.0])(np.array([-0.5, 0.0, 1.5]))
        array([0, 1, 2], dtype=int32)

    Source: Keras's layer of the same name: ``adapt`` finds the same boundaries.
    """

    lists_are_batches = True

    def __init__(
        self,
        bin_boundaries: Sequence[float] | None = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
    ):
        super().__init__(name=name, dtype=dtype)
        owner = f"Discretization {self.name!r}"
        self.output_mode = checked_mode(owner, output_mode, MODES)
        refuse_sparse(owner, sparse, output_mode)
        if num_bins is not None and num_bins < 0:
            raise ValueError(f"`num_bins` must be greater than or equal to 0. Received: `num_bins={num_bins}`")
        if (num_bins is None) == (bin_boundaries is None):
            raise ValueError(
                "You need to set either `num_bins` or `bin_boundaries`, and not both. "
                f"Received: `num_bins={num_bins}` and `bin_boundaries={bin_boundaries}`"
            )
        self.is_given = num_bins is None
        self.bin_boundaries = None if bin_boundaries is None else _rising(owner, bin_boundaries)
        self.num_bins = num_bins
        self.epsilon = epsilon
        self.sparse = sparse
        self.reset_state()

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """See ``Adaptable.adapt``.

        Raises:
            ValueError: the boundaries were given.
        """
        if self.is_given:
            raise ValueError(
                "Cannot adapt a Discretization layer that has been initialized with `bin_boundaries`, use `num_bins` "
                "instead."
            )
        super().adapt(data, steps)

    def reset_state(self) -> None:
        """Forget the batches seen so far."""
        self._summary = np.zeros((2, 0), "float32")

    def update_state(self, data: Any) -> None:
        """Take one batch into account."""
        values = np.asarray(data)
        if values.dtype.kind not in "fiub":
            raise DataError(f"layer {self.name!r} sorts numbers into intervals, got an array of dtype {values.dtype}")
        self._summary = merged(summary(values.astype("float32"), self.epsilon), self._summary, self.epsilon)

    def finalize_state(self) -> None:
        """From now on the boundaries are those of what was seen."""
        if self.num_bins is None:
            return
        if self._summary.size == 0:
            raise DataError(f"layer {self.name!r}: there are no data to adapt to")
        self.bin_boundaries = compressed(self._summary, 1.0 / self.num_bins)[0, :-1].tolist()

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        """See ``Layer.__call__``; lists of Python numbers are taken, too."""
        return super().__call__(array_of(inputs), **kwargs)

    def call(self, inputs: Any) -> Any:
        """How many boundaries are not above each number."""
        if self.bin_boundaries is None:
            raise LaminaError(
                f"layer {self.name!r}: You need to either pass the `bin_boundaries` argument at construction time or "
                "call `adapt(dataset)` before you can start using the `Discretization` layer."
            )
        boundaries = np.asarray(self.bin_boundaries, self.dtype)
        below = ops.cast(ops.expand_dims(ops.cast(inputs, self.dtype), -1) < boundaries, self.dtype)
        index = ops.cast(len(boundaries) - ops.sum(below, axis=-1), "int32")
        return encode(index, self.output_mode, len(boundaries) + 1, self.dtype)

    def get_config(self) -> dict[str, Any]:
        """What Keras writes for this class."""
        names = ("bin_boundaries", "num_bins", "epsilon", "output_mode", "sparse", "name", "dtype")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """A layer from what ``get_config`` returned; of an adapted one both the number and the boundaries are there."""
        if config.get("num_bins") is None:
            return cls(**config)
        layer = cls(**{**config, "bin_boundaries": None})
        found = config.get("bin_boundaries")
        layer.bin_boundaries = None if found is None else _rising(f"Discretization {layer.name!r}", found)
        return layer


def _rising(owner: str, boundaries: Sequence[float]) -> list[float]:
    listed = [float(x) for x in boundaries]
    if listed != sorted(listed) or any(x != x for x in listed):
        raise ValueError(f"{owner}: Expected sorted boundaries, in rising order. Received: {listed}")
    return listed


# -- a sketch of a distribution: (values; how many numbers each stands for), float32 (2, steps), values rising


def summary(values: np.ndarray, epsilon: float) -> np.ndarray:
    """A sketch of one batch: every so many of its sorted numbers, so that 1/ε of them are kept."""
    ordered = np.sort(values.ravel())
    step = max(ordered.size / (1.0 / epsilon), 1.0)
    kept = ordered[int(step - 1) :: int(step)]
    return np.stack([kept, np.full_like(kept, step)])


def merged(first: np.ndarray, second: np.ndarray, epsilon: float) -> np.ndarray:
    """One sketch from two."""
    both = np.concatenate([first, second], axis=1)
    return compressed(both[:, np.argsort(both[0])], epsilon)


def compressed(sketch: np.ndarray, epsilon: float) -> np.ndarray:
    """A sketch with steps of about the share ε of the distribution, found by interpolation."""
    if sketch.shape[1] * epsilon < 1:
        return sketch
    shares = epsilon + np.arange(0.0, 1.0, epsilon)
    total = sketch[1].cumsum()
    values, counts = (np.interp(shares, total / total[-1], known) for known in (sketch[0], total))
    return np.stack([values, np.diff(counts, prepend=0)]).astype("float32")
