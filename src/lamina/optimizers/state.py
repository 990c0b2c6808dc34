"""State: the numbers that an optimizer keeps from step to step, as Keras's files order them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from lamina import config, initializers
from lamina.errors import ModelFileError
from lamina.graph.express import as_node
from lamina.graph.node import Node, leaf
from lamina.optimizers.schedules import LearningRateSchedule, deserialize
from lamina.optimizers.vector import Vector, common_dtype
from lamina.records import serialize_keras_object
from lamina.signatures import Configured, signature_config
from lamina.trace import current
from lamina.variables import Count, Variable

Rate = float | LearningRateSchedule | Callable[[], Any]


class Slot(NamedTuple):
    """What a rule keeps of each variable: all side by side, and one by one."""

    vector: Vector
    parts: dict[Variable, Variable]

    def of(self, variable: Variable) -> Variable:
        """What is kept of a variable, or of all side by side."""
        return self.vector if isinstance(variable, Vector) else self.parts[variable]


class State(Configured):
    """The variables of an optimizer: its steps, its learning rate, slots of each weight, and what a rule adds."""

    # Slots in the order of Keras's files: within a group they alternate variable by variable.
    slot_groups: tuple[tuple[str, ...], ...] = ()
    # Where slots start that do not start at 0.
    slot_starts: Mapping[str, float] = {}
    name: str

    def __init__(self, learning_rate: Rate):
        self.calls: Variable = Variable(0, dtype="int64", trainable=False, name="iteration")  # how many steps were made
        self.built = False
        self._parameters: list[Variable] = []
        self._slots: dict[str, Slot] = {}
        self._variables: list[Variable] = []
        self._track(self.calls)
        self._learning_rate = self._new_rate(learning_rate)

    def _track(self, variable: Variable) -> None:
        variable.path = f"{self.name}/{variable.name}"
        self._variables.append(variable)

    def _new_rate(self, rate: Any) -> Any:
        if callable(rate):
            return rate
        if not isinstance(rate, float):
            raise ValueError(
                "Argument `learning_rate` should be float, or an instance of LearningRateSchedule, or a callable "
                f"without arguments. Received instead: learning_rate={rate!r}"
            )
        variable = Variable(rate, dtype=config.floatx(), trainable=False, name="learning_rate")
        self._track(variable)
        return variable

    @property
    def learning_rate(self) -> Any:
        """The learning rate: a Variable, or the present value of a schedule or function."""
        rate = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            return rate(as_node(self.calls) if current() else int(self.calls.value))
        return rate if isinstance(rate, Variable) else rate()

    @learning_rate.setter
    def learning_rate(self, rate: Rate) -> None:
        if callable(rate):
            self._variables = [v for v in self._variables if v is not self._learning_rate]
            self._learning_rate = rate
        elif isinstance(self._learning_rate, Variable):
            self._learning_rate.assign(rate)
        else:
            raise TypeError(
                "This optimizer was created with a `LearningRateSchedule` object as its `learning_rate` constructor "
                "argument, hence its learning rate is not settable. If you need the learning rate to be settable, "
                "you should instantiate the optimizer with a float `learning_rate` argument."
            )

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of what the rule keeps of each variable."""
        return tuple(slot for group in self.slot_groups for slot in group)

    def slots_of(self, variable: Variable) -> dict[str, Variable]:
        """What the rule keeps of a variable, or of all side by side, by the slots' names."""
        slots = ((name, self._slots[name]) for name in self.slots if name in self._slots)
        return {name: s.of(variable) for name, s in slots if isinstance(variable, Vector) or variable in s.parts}

    def kept(self) -> tuple[tuple[str, ...], ...]:
        """Groups of slots that stand before the rule's own."""
        return ()

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots for these trainable variables; a second call with the same ones does nothing.

        Args:
            variables: what the optimizer will update.

        Raises:
            ValueError: the optimizer was built for other variables.
            DtypeError: the variables are of different types.
        """
        if self.built:
            return self._check_known(variables, whole=True)
        self._parameters = list(variables)
        for variable in self._variables[1:]:  # the learning rate
            if variable.dtype != self._dtype:
                variable.move(np.empty((), self._dtype))
        for group in (*self.kept(), *self.slot_groups):
            self._slots |= self._made(group)
        self.built = True

    def _check_known(self, variables: Sequence[Variable], whole: bool = False) -> None:
        """Refuse variables that the optimizer was not built for; or others than all of those."""
        mine = {id(v) for v in self._parameters}
        known = mine >= {id(v) for v in variables}
        if not known or (whole and len(variables) != len(mine)):
            raise ValueError(
                f"{'' if known else 'Unknown variable: '}optimizer {self.name!r} was built for the variables "
                f"{[v.path for v in self._parameters]}, not for {[v.path for v in variables]}; use a new optimizer"
            )

    @property
    def _dtype(self) -> str:
        return common_dtype(self._parameters)

    def _made(self, group: Sequence[str]) -> dict[str, Slot]:
        parts: dict[str, dict[Variable, Variable]] = {slot: {} for slot in group}
        for of in self._parameters:
            for slot in group:
                part = self.slot_variable(slot, of)
                if part is not None and part.dtype == of.dtype:
                    parts[slot][of] = part
        made = {slot: Slot(Vector(list(found.values()), slot), found) for slot, found in parts.items() if found}
        for each in made.values():
            each.vector.attach()
        return made

    def slot_variable(self, slot: str, of: Variable) -> Variable | None:
        """A slot of one variable when it is made: by default like the variable; None if it has none."""
        start = initializers.Constant(self.slot_starts.get(slot, 0.0))
        return self.add_variable_from_reference(of, slot, start)

    # -- variables of a rule's own

    def add_variable(
        self, shape: Sequence[int], initializer: Any = "zeros", dtype: str | None = None,
        aggregation: str = "none", layout: Any = None, name: str | None = None,
    ) -> Variable:  # fmt: skip
        """A variable that the rule changes, saved with the optimizer.

        Args:
            shape: its fixed shape.
            initializer: where it starts; a name or an Initializer.
            dtype: its element type, that of the weights by default; whole numbers for ``"int"``.
            aggregation, layout: taken for Keras's sake.
            name: last part of its path.
        """
        dtype, name = dtype or self._dtype, name or "variable"
        start = _started(initializer, shape, self._dtype)
        if "int" in dtype:
            made: Variable = Count(start, name, "int64" if dtype == "int" else dtype, self._dtype)
        else:
            made = Variable(start, dtype=dtype, trainable=False, name=name)
        self._track(made)
        return made

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """A variable of the rule's own like a weight, named after it; see ``add_variable``."""
        full = f"{reference_variable.path.replace('/', '_')}_{name or 'var'}"
        return self.add_variable(reference_variable.shape, initializer, reference_variable.dtype, name=full)

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Variable], name: str | Sequence[str], initializer: Any = "zeros"
    ) -> Any:
        """One such variable for each weight: a list; with several names a list for each.

        Args:
            trainable_variables: the weights.
            name: what is kept of them, one name or several.
            initializer: where they start; one, or one for each name.
        """
        names = [name] if isinstance(name, str) else list(name)
        starts = list(initializer) if isinstance(initializer, list | tuple) else [initializer] * len(names)
        if len(starts) != len(names):
            raise ValueError(f"The number of names and initializers must be the same, got {names} and {starts}")
        rows = [
            [self.add_variable_from_reference(v, n, start) for n, start in zip(names, starts, strict=True)]
            for v in trainable_variables
        ]
        lists = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in names]
        return lists[0] if isinstance(name, str) else lists

    def _get_variable_index(self, variable: Variable) -> int:
        """The place of a weight among those of ``build``: Keras's name, which rules of users' own call."""
        return [v is variable for v in self._parameters].index(True)

    # -- in programs

    def state(self) -> dict[str, np.ndarray]:
        """The slots' flat vectors by their names in programs, for ``Executable.run``."""
        return {slot.vector.key: slot.vector.flat for slot in self._slots.values()}

    def layout(self) -> dict[Variable, Node]:
        """What the optimizer's variables are in the graph of a step."""
        found: dict[Variable, Node] = {}
        if not isinstance(self.calls, Count):
            found[self.calls] = leaf("step", (), self._dtype)
        for slot in self._slots.values():
            found |= slot.vector.layout()
        return found

    def advance(self, calls: int) -> None:
        """So many steps were made."""
        self.calls.assign(calls)

    def count_in_programs(self) -> None:
        """From now on programs count this optimizer's steps: not each of theirs is one."""
        path, self.calls = self.calls.path, Count(self.calls.value, self.calls.name, "int64", self._dtype)
        self.calls.path, self._variables[0] = path, self.calls

    def rename_buffers(self, suffix: str) -> None:
        """Tell the slots in programs from those of another optimizer."""
        for slot in self._slots.values():
            slot.vector.key += suffix

    # -- numbers in and out

    @property
    def variables(self) -> list[Variable]:
        """Iterations, learning rate (if it is one number), slots and more, in the order of Keras's files."""
        return list(self._variables)

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Give ``variables`` these values.

        Raises:
            ValueError: the optimizer is not built, or an array has another shape.
        """
        if not self.built:
            raise ValueError(
                "You are calling `set_weights()` on an optimizer that has not yet been built. Please call "
                "`optimizer.build(trainable_variables)` to create the optimizer weights before calling `set_weights()`."
            )
        for variable, weight in zip(self.variables, weights, strict=True):
            variable.assign(weight)

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Put the state into ``store``, by numbers."""
        store.update((str(i), v.numpy()) for i, v in enumerate(self.variables))

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Take the state from ``store``; with a warning none of it, if it is of another optimizer.

        Raises:
            ModelFileError: an array is of another type.
        """
        if len(store) != len(self.variables):
            return self._skip(store)
        for i, variable in enumerate(self.variables):
            array = np.asarray(store[str(i)])
            if array.dtype.kind == "f" and np.dtype(variable.dtype).kind != "f":
                raise ModelFileError(f"variable {variable.path!r} holds {variable.dtype}, got {array.dtype}")
            variable.assign(array)

    def _skip(self, store: Mapping[str, Any]) -> None:
        arrays = [np.asarray(array) for array in store.values()]
        if not arrays or (len(arrays) <= 2 and not any(array.shape for array in arrays) and not arrays[0]):
            return  # it was saved before its first step, without its slots; Keras leaves it fresh, too
        warnings.warn(
            f"Skipping variable loading for optimizer {self.name!r}, because it has {len(self.variables)} variables "
            f"whereas the saved optimizer has {len(store)} variables. Training would go on with a fresh state: compile "
            "the model with the optimizer, and the arguments, that it was saved with, and load it again.",
            stacklevel=2,
        )  # fmt: skip

    # -- config

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an optimizer like this one, without its state."""
        rate = self._learning_rate
        plain = float(rate.value) if isinstance(rate, Variable) else serialize_keras_object(rate)
        own = signature_config(self, strict=type(self).get_config is State.get_config)
        return own | {"learning_rate": plain}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> Self:
        """An optimizer from what ``get_config`` returned.

        Args:
            config: the arguments.
            custom_objects: your own schedules and functions by the names that records give them.
        """
        rate = config.get("learning_rate")
        if isinstance(rate, Mapping):
            return cls(**{**config, "learning_rate": deserialize(rate, custom_objects)})
        return cls(**config)


def _started(initializer: Any, shape: Sequence[int], dtype: str) -> Any:
    make = initializers.get(initializer)
    return 0.0 if make is None else make(tuple(shape), dtype)
