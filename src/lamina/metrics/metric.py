"""Metric: numbers gathered over batches in variables, and a result computed from them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Self

import numpy as np

from lamina import config, initializers
from lamina.signatures import Configured
from lamina.trace import current
from lamina.variables import Variable, holding


class Metric(Configured):
    """Base of all metrics; a subclass writes ``update_state`` with ``lamina.ops``, and ``result``.

    Args:
        dtype: the states' float type, the session's by default.
        name: its name, made from the class's by default.

    Example:
        >>> class Rows(Metric):
        ...     def __init__(self, name="rows", dtype=None):
        ...         super().__init__(dtype, name)
        ...         self.count = self.add_weight(name="count")
        ...
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.count.assign_add(len(y_true))
        ...
        ...     def result(self):
        ...         return self.count.numpy()
        >>> float(Rows()([1, 2], [1, 2]))
        2.0
    """

    # Whether more is better: "up", "down", or None where nobody can tell.
    _direction: str | None = None

    def __init__(self, dtype: str | None = None, name: str | None = None):
        self.name = name or config.unique_name(type(self).__name__)
        self.dtype = config.float_dtype(dtype)
        self._variables: list[Variable] = []

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "result" in vars(cls):
            setattr(cls, "result", _after_the_run(cls.result))  # noqa: B010 - a method is replaced

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = None,
        dtype: str | None = None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """A new state.

        Args:
            shape: its shape.
            initializer: its first numbers, 0 by default.
            dtype: its type while the metric stands alone, the metric's by default; in a model it is the model's.
            aggregation: taken for Keras's sake.
            name: its name.

        Raises:
            RuntimeError: ``super().__init__()`` has not been called.
        """
        if "_variables" not in vars(self):
            raise RuntimeError(f"{type(self).__name__}.__init__ must call super().__init__() before it adds a state")
        make = initializers.get("zeros" if initializer is None else initializer)
        assert make is not None
        value = make(tuple(shape), dtype=dtype or self.dtype)
        variable = Variable(value, dtype=dtype or self.dtype, trainable=False, name=name)
        variable.path = f"{self.name}/{variable.name}"
        self._variables.append(variable)
        return variable

    def add_weight(
        self, shape: Sequence[int] = (), initializer: Any = None, dtype: str | None = None, name: str | None = None
    ) -> Variable:
        """A new state, by default one number; see ``add_variable``."""
        return self.add_variable(shape, initializer, dtype, name=name)

    @property
    def variables(self) -> list[Variable]:
        """The states: its own, then those of the metrics that it holds as attributes."""
        return [*self._variables, *(v for part in self._parts() for v in part.variables)]

    def _parts(self) -> list[Metric]:
        return list({id(part): part for part in _metrics_in(vars(self).values())}.values())

    def to(self, dtype: str) -> Self:
        """The metric itself, its states from now on of another float type."""
        self.dtype = config.float_dtype(dtype)
        for variable in self._variables:
            variable.move(np.empty(variable.shape, dtype))
        for part in self._parts():
            part.to(dtype)
        return self

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Take one more batch into the states; a subclass defines it."""
        raise TypeError(f"{type(self).__name__} must define update_state(y_true, y_pred, sample_weight=None)")

    def result(self) -> Any:
        """The metric over all batches since the last reset; a subclass defines it."""
        raise TypeError(f"{type(self).__name__} must define result()")

    def reset_state(self) -> None:
        """All states 0 again."""
        for variable in self.variables:
            variable.value.fill(0)

    def stateless_update_state(self, metric_variables: Sequence[Any], *args: Any, **kwargs: Any) -> list[np.ndarray]:
        """The states after ``update_state`` on states that are given; the metric's own stay as they are.

        Args:
            metric_variables: numbers for each of ``variables``.
            args, kwargs: see ``update_state``.
        """
        with self._holding(metric_variables):
            self.update_state(*args, **kwargs)
            return [v.numpy() for v in self.variables]

    def stateless_result(self, metric_variables: Sequence[Any]) -> Any:
        """The result of states that are given; the metric's own stay as they are."""
        with self._holding(metric_variables):
            return self.result()

    def stateless_reset_state(self) -> list[np.ndarray]:
        """The states of a metric that has seen nothing."""
        with self._holding(self.variables):
            self.reset_state()
            return [v.numpy() for v in self.variables]

    def _holding(self, states: Sequence[Any]) -> AbstractContextManager[None]:
        mine = self.variables
        if len(states) != len(mine):
            raise ValueError(
                f"`metric_variables` must have one array for each of the {len(mine)} variables of "
                f"{type(self).__name__}, got {len(states)}"
            )
        return holding(mine, states)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """``update_state``, then ``result``."""
        self.update_state(*args, **kwargs)
        return self.result()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


_PLAIN = frozenset({int, float, bool, str, type(None), Variable})  # long lists of thresholds are asked once as a whole


def _metrics_in(values: Iterable[Any]) -> Iterator[Metric]:
    if _PLAIN.issuperset(map(type, values)):
        return
    for value in values:
        if isinstance(value, Metric):
            yield value
        elif isinstance(value, dict | list | tuple):
            yield from _metrics_in(value.values() if isinstance(value, dict) else value)


def _after_the_run(result: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """``result``, but while a graph is built the metric itself stands for it: its numbers come with the run."""

    @functools.wraps(result)
    def read(self: Metric) -> Any:
        return result(self) if current() is None else self

    return read


def ratio(a: Any, b: Any) -> np.ndarray:
    """a / b, 0 where b is 0."""
    a, b = np.asarray(a), np.asarray(b)
    if a.ndim == b.ndim == 0:  # most metrics, after each epoch: a tenth of the time
        return a[()] / b[()] if b else a.dtype.type(0)
    return np.divide(a, b, out=np.zeros(np.broadcast(a, b).shape, a.dtype), where=b != 0)
