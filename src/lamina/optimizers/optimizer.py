"""Optimizer: what all update rules share. A rule is one equation on flat vectors; the rest is here.

All trainable variables are windows of one vector w, their gradients one vector g, each slot (momentum, …) one more.
In Keras's order a step is: clip the gradients, decay the weights, apply the rule, constrain the weights.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np

from lamina import config, naming, ops
from lamina.errors import ShapeError
from lamina.graph import express as e
from lamina.graph.functions import norm, square
from lamina.graph.node import Graph, Node, constant, leaf
from lamina.lower.to_numpy import NumpyExecutable
from lamina.optimizers import schedules
from lamina.optimizers.schedules import LearningRateSchedule
from lamina.trace import Trace, current
from lamina.variables import Variable, flat_zeros

# Keras's arguments that change the result and that no rule here knows yet, with the value that asks for nothing.
REFUSED = {
    "use_ema": False,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}


class Optimizer(config.Configured):
    """Base of all optimizers; a subclass writes ``update`` and names its slots.

    Args:
        learning_rate: a float or a schedule.
        weight_decay: each step first takes this share times the learning rate off every weight.
        clipnorm: greatest length of the gradient of one variable.
        clipvalue: greatest size of one number of a gradient.
        global_clipnorm: greatest length of all gradients together.
        use_ema, ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps: must be left alone.
        ema_momentum: kept for the config's sake.
        name: its name, made from the class's by default.

    Raises:
        ValueError: an argument that is not known or not supported, or two kinds of clipping.

    Example:
        >>> class Plain(Optimizer):
        ...     def update(self, w, g, lr, t):
        ...         return w - lr * g, {}
        >>> w = Variable([1.0], dtype="float32")
        >>> Plain(0.5).apply([np.array([1.0], "float32")], [w]); w.numpy()
        array([0.5], dtype=float32)
    """

    # Slots in the order of Keras's files: within a group they alternate variable by variable.
    slot_groups: tuple[tuple[str, ...], ...] = ()
    # Where slots start that do not start at 0.
    slot_starts: Mapping[str, float] = {}

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.01,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        if kwargs:
            unknown = config.unknown_arguments(type(self), list(kwargs))
            raise ValueError(f"Argument(s) not recognized: {kwargs}; {type(self).__name__} does not take {unknown}")
        self.name = name or config.unique_name(type(self).__name__)
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self._refuse()
        self.iterations = Variable(0, "iteration", "int64", trainable=False)
        self._learning_rate = _rate(learning_rate)
        self.built = False
        self._parameters: list[Variable] = []
        self._buffers: dict[str, np.ndarray] = {}
        self._slot_variables: list[Variable] = []
        self._undecayed_variables: list[Variable] = []
        self._undecayed_names: re.Pattern[str] | None = None

    def _refuse(self) -> None:
        asked = [name for name, nothing in REFUSED.items() if getattr(self, name) != nothing]
        if asked:
            raise ValueError(f"{type(self).__name__} does not support {' or '.join(asked)} yet: leave it out")
        clips = {name: getattr(self, name) for name in ("clipnorm", "clipvalue", "global_clipnorm")}
        if sum(value is not None for value in clips.values()) > 1:
            raise ValueError(f"Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: {clips}")

    # -- the rule

    def update(self, w: Node, g: Node, lr: Node, t: Node, *_: Any, **slots: Any) -> tuple[Node, dict[str, Node]]:
        """One step of the rule on flat vectors; a subclass defines it.

        Args:
            w: all weights (N,).
            g: all gradients (N,).
            lr: the learning rate, one number.
            t: the number of this step, counted from 1, as a float.
            slots: the slots' present values, each (N,).

        Returns:
            The new weights, and the new value of each slot by its name.
        """
        raise TypeError(f"{type(self).__name__} must define update(w, g, lr, t, **slots)")

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of the vectors that the rule keeps from step to step."""
        return tuple(slot for group in self.slot_groups for slot in group)

    # -- state

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots for these trainable variables, zero; a second call with the same ones does nothing.

        Raises:
            ValueError: the optimizer was built for other variables.
        """
        if self.built:
            return self._check_known(variables)
        self._parameters = list(variables)
        size = sum(v.flat.size for v in variables)
        dtype = _common_dtype(variables)
        self._buffers = {slot: flat_zeros(size, dtype) for slot in self.slots}
        self._slot_variables = [
            self._slot_variable(slot, v, offset)
            for group in self.slot_groups
            for v, offset in zip(variables, _offsets(variables), strict=True)
            for slot in group
        ]
        for slot, value in self.slot_starts.items():
            self._buffers[slot][:] = value
        if isinstance(self._learning_rate, Variable) and self._learning_rate.dtype != dtype:
            self._learning_rate.move(np.empty((), dtype))
        self.built = True

    def _slot_variable(self, slot: str, of: Variable, offset: int) -> Variable:
        variable = Variable(np.zeros(of.shape, of.dtype), f"{of.path.replace('/', '_')}_{slot}", trainable=False)
        variable.move(self._buffers[slot][offset : offset + of.flat.size].reshape(of.shape))
        return variable

    def _check_known(self, variables: Sequence[Variable]) -> None:
        if [id(v) for v in variables] != [id(v) for v in self._parameters]:
            raise ValueError(
                f"optimizer {self.name!r} was built for the variables {[v.path for v in self._parameters]}, "
                f"not for {[v.path for v in variables]}; use a new optimizer"
            )

    def state(self) -> dict[str, np.ndarray]:
        """The slots' flat vectors by name, for ``Executable.run``."""
        return dict(self._buffers)

    @property
    def variables(self) -> list[Variable]:
        """Iterations, learning rate (if it is not a schedule) and slots, in the order of Keras's files."""
        rate = [self._learning_rate] if isinstance(self._learning_rate, Variable) else []
        return [self.iterations, *rate, *self._slot_variables]

    @property
    def learning_rate(self) -> Any:
        """The learning rate: a Variable, or the schedule's present value."""
        if isinstance(self._learning_rate, Variable):
            return self._learning_rate
        return self._learning_rate(int(self.iterations.value))

    @learning_rate.setter
    def learning_rate(self, rate: float | LearningRateSchedule) -> None:
        if isinstance(rate, LearningRateSchedule):
            self._learning_rate = rate
        elif isinstance(self._learning_rate, Variable):
            self._learning_rate.assign(rate)
        else:
            raise TypeError(
                "This optimizer was created with a `LearningRateSchedule` object as its `learning_rate` constructor "
                "argument, hence its learning rate is not settable. If you need the learning rate to be settable, "
                "you should instantiate the optimizer with a float `learning_rate` argument."
            )

    # -- one step as equations

    def updates(
        self, parameters: Node, gradients: Sequence[Node], variables: Sequence[Variable]
    ) -> list[tuple[Node, Node]]:
        """The equations of one step, for the active trace.

        Args:
            parameters: the window of all weights (N,).
            gradients: ∂J/∂v for each of ``variables``, of its shape.
            variables: what the optimizer was built for, in the order of their places in ``parameters``.

        Returns:
            (window, new value) for the weights and each slot.
        """
        self.build(variables)
        dtype, shape = parameters.dtype, parameters.shape
        windows = {slot: leaf("variable", shape, dtype, buffer=slot, offset=0) for slot in self.slots}
        step, lr = leaf("step", (), dtype), self._rate_node(dtype)
        w = self._decayed(parameters, lr)
        new_w, new = self.update(w, self._flat(gradients), lr, step + 1.0, **windows)
        return [(parameters, self._constrained(new_w)), *((windows[slot], new[slot]) for slot in self.slots)]

    def _rate_node(self, dtype: str) -> Node:
        if isinstance(self._learning_rate, LearningRateSchedule):
            return e.cast(self._learning_rate(leaf("step", (), dtype)), dtype)
        trace = current()
        if trace is None:
            raise ValueError("Optimizer.updates makes equations for the active trace, and there is none")
        return trace.node(self._learning_rate)

    def _flat(self, gradients: Sequence[Node]) -> Node:
        """All gradients as one vector, clipped."""
        if self.clipnorm and self.clipnorm > 0:
            gradients = [g * self.clipnorm / e.maximum(norm(g), self.clipnorm) for g in gradients]
        flat = e.concatenate([e.reshape(g, (-1,)) for g in gradients], 0)
        if self.clipvalue and self.clipvalue > 0:
            return e.clip(flat, -self.clipvalue, self.clipvalue)
        if self.global_clipnorm and self.global_clipnorm > 0:
            length = e.sqrt(e.sum(square(flat)))
            return flat * (self.global_clipnorm / e.maximum(length, self.global_clipnorm))
        return flat

    def _decayed(self, w: Node, lr: Node) -> Node:
        """w − w · decay · lr, but for the excluded variables."""
        if self.weight_decay is None:
            return w
        shrink = lr * self.weight_decay
        if all(map(self._decays, self._parameters)):
            return w - w * shrink
        mask = [e.broadcast_to(constant(float(self._decays(v)), w.dtype), (v.flat.size,)) for v in self._parameters]
        return w - w * (shrink * e.concatenate(mask, 0))

    def _decays(self, variable: Variable) -> bool:
        listed = any(variable is v for v in self._undecayed_variables)
        return not listed and not (self._undecayed_names and self._undecayed_names.search(variable.name))

    def _constrained(self, w: Node) -> Node:
        """The new weights after each variable's constraint."""
        if not any(v.constraint for v in self._parameters):
            return w
        parts = []
        for v, offset in zip(self._parameters, _offsets(self._parameters), strict=True):
            part = e.slice(w, [offset], [offset + v.flat.size])
            if v.constraint:
                part = e.reshape(v.constraint(e.reshape(part, v.shape)), (-1,))
            parts.append(part)
        return e.concatenate(parts, 0)

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Leave some variables out of the weight decay.

        Args:
            var_list: these variables.
            var_names: those in whose name one of these patterns is found, as ``["bias"]``.

        Raises:
            ValueError: the optimizer is already built.
        """
        if self.built:
            raise ValueError("`exclude_from_weight_decay()` can only be configured before the optimizer is built.")
        names = list(var_names or [])
        self._undecayed_variables = list(var_list or [])
        self._undecayed_names = re.compile("|".join(names)) if names else None

    # -- one step at once

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None) -> None:
        """Update variables from gradients that are arrays.

        Args:
            grads: one array for each variable, of its shape.
            trainable_variables: the variables; those of ``build`` by default.

        Raises:
            ShapeError: a gradient does not have its variable's shape.
        """
        variables = list(self._parameters if trainable_variables is None else trainable_variables)
        self.build(variables)
        arrays = [_gradient(v, g) for v, g in zip(variables, grads, strict=True)]
        w = np.concatenate([v.flat for v in variables])
        inputs = [leaf("input", a.shape, a.dtype.name, name=str(i)) for i, a in enumerate(arrays)]
        trace = Trace()
        with trace.active():
            window = leaf("variable", w.shape, w.dtype.name, buffer="parameters", offset=0)
            graph = Graph({}, tuple(self.updates(window, inputs, variables)))
        state = {"parameters": w, **self.state(), **trace.state()}
        batch = {str(i): a for i, a in enumerate(arrays)}
        NumpyExecutable(graph).step(batch, state, 0, int(self.iterations.value))
        for v, offset in zip(variables, _offsets(variables), strict=True):
            v.assign(w[offset : offset + v.flat.size].reshape(v.shape))
        self.iterations.assign(self.iterations.value + 1)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> None:
        """The same from pairs (gradient, variable)."""
        grads, variables = zip(*grads_and_vars, strict=True)
        self.apply(grads, variables)

    # -- config

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an optimizer like this one, without its state."""
        rate = self._learning_rate
        return super().get_config() | {"learning_rate": float(rate.value) if isinstance(rate, Variable) else rate}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """An optimizer from what ``get_config`` returned; a schedule may also be a record of its class and config."""
        rate = config.get("learning_rate")
        if isinstance(rate, Mapping):
            return cls(**{**config, "learning_rate": _schedule(rate)})
        return cls(**config)


def _schedule(record: Mapping[str, Any]) -> Any:
    return naming.lookup("learning-rate schedule", schedules.CLASSES, record)


def _rate(rate: Any) -> Variable | LearningRateSchedule:
    if isinstance(rate, LearningRateSchedule):
        return rate
    if not isinstance(rate, float):
        raise ValueError(
            "Argument `learning_rate` should be float, or an instance of LearningRateSchedule. "
            f"Received instead: learning_rate={rate!r}"
        )
    return Variable(rate, "learning_rate", config.floatx(), trainable=False)


def _offsets(variables: Sequence[Variable]) -> list[int]:
    """Where each variable begins in the flat vector."""
    return np.cumsum([0, *(v.flat.size for v in variables)])[:-1].tolist()


def _common_dtype(variables: Sequence[Variable]) -> str:
    found = {v.dtype for v in variables} or {config.floatx()}
    if len(found) > 1:
        raise ShapeError(f"an optimizer updates variables of one float type, got {sorted(found)}")
    return found.pop()


def _gradient(variable: Variable, gradient: Any) -> np.ndarray:
    array = np.asarray(ops.convert_to_tensor(gradient), variable.dtype)
    if array.shape != variable.shape:
        raise ShapeError(
            f"the gradient of variable {variable.path!r} has shape {array.shape}, expected {variable.shape}"
        )
    return array
