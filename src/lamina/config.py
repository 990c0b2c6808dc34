"""What holds for a whole session: float type, ε, names in use."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from lamina.errors import DtypeError, forget_warnings, warn_once
from lamina.signatures import Configured

VERSION = "0.1.0"  # of Lamina
FLOATS = ("float32", "float64")


@dataclass
class _Session:
    floatx: str = "float32"
    epsilon: float = 1e-7
    names: Counter[str] = field(default_factory=Counter)
    uids: Counter[str] = field(default_factory=Counter)
    policy: DTypePolicy | None = None
    image_data_format: str = "channels_last"
    max_epochs: int | None = None
    max_steps_per_epoch: int | None = None
    interactive_logging: bool = True
    traceback_filtering: bool = True


_session = _Session()


def floatx() -> str:
    """The float type of new layers, losses and metrics: ``"float32"`` unless it was set."""
    return _session.floatx


def set_floatx(value: str) -> None:
    """Choose the float type of new layers, losses and metrics.

    Args:
        value: ``"float32"`` or ``"float64"``.

    Raises:
        DtypeError: another type.

    Example:
        >>> set_floatx("float64"); floatx()
        'float64'
        >>> set_floatx("float32")
    """
    _session.floatx = float_dtype(value)


def float_dtype(name: str | None) -> str:
    """A float type by name, the session's by default.

    Raises:
        DtypeError: Lamina does not compute in this type.
    """
    name = _session.floatx if name is None else str(getattr(name, "name", name))
    if name not in FLOATS:
        raise DtypeError(f"Lamina computes in {' or '.join(FLOATS)}, got dtype {name!r}")
    return name


# The element types that Keras's users may name, and those in which a graph holds their numbers.
_HELD = {
    **dict.fromkeys(("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"), "int32"),
    **dict.fromkeys(("float16", "bfloat16", "float32"), "float32"),
    "float64": "float64", "bool": "bool", "string": "string",
}  # fmt: skip
_OF_PYTHON = {"int": "int64", "float": "float32", "str": "string"}
HALVES = ("float16", "bfloat16")


def standardize_dtype(dtype: Any) -> str:
    """The name of an element type given as a name, a NumPy type or one of Python's; the session's float type for None.

    Raises:
        DtypeError: it is not known.

    Example:
        >>> standardize_dtype(np.float64), standardize_dtype(int), standardize_dtype(None)
        ('float64', 'int64', 'float32')
    """
    name = floatx() if dtype is None else str(getattr(dtype, "name", None) or getattr(dtype, "__name__", dtype))
    name = _OF_PYTHON.get(name, name)
    if name not in _HELD:
        raise DtypeError(f"Invalid dtype: {dtype}; known are {', '.join(_HELD)}")
    return name


def held_dtype(dtype: Any) -> str:
    """The element type in which a graph holds numbers of some type: whole ones as int32, short floats as float32.

    Raises:
        DtypeError: it is not known.
    """
    return _HELD[standardize_dtype(dtype)]


class DTypePolicy(Configured):
    """The element types that a layer is said to compute and to keep its weights in.

    Args:
        name: an element type, ``"mixed_float16"`` or ``"mixed_bfloat16"``; the session's policy by default.

    Raises:
        ValueError: a name of no type.

    Example:
        >>> policy = DTypePolicy("mixed_float16")
        >>> policy.compute_dtype, policy.variable_dtype
        ('float16', 'float32')
    """

    quantization_mode = None

    def __init__(self, name: str | None = None):
        self.name: str = dtype_policy().name if name is None else name
        if not isinstance(self.name, str):
            raise TypeError(f"'name' must be a string, such as 'mixed_float16'. Received: name={name}")
        half = self.name.removeprefix("mixed_")
        if half == self.name or half not in HALVES:
            half = ""
        try:
            self.compute_dtype = half or standardize_dtype(self.name)
        except DtypeError:
            raise ValueError(
                f"Cannot convert '{name}' to a mixed precision DTypePolicy. Valid policies include 'mixed_float16', "
                "'mixed_bfloat16', and the name of any float dtype such as 'float32'."
            ) from None
        self.variable_dtype = "float32" if half else self.compute_dtype

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self.name}">'


def dtype_policy() -> DTypePolicy:
    """The policy of new layers: their float type unless it was set."""
    return _session.policy or DTypePolicy(floatx())


def set_dtype_policy(policy: Any) -> None:
    """Choose the policy of new layers.

    Args:
        policy: a DTypePolicy or its name; short floats are written to files and computed in float32, said once.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(policy, str):
        policy = DTypePolicy(policy)
    if not isinstance(policy, DTypePolicy):
        raise ValueError(
            "Invalid `policy` argument. Expected the string name of a policy (such as 'mixed_float16') or a "
            f"`DTypePolicy` instance. Received: policy={policy}"
        )
    say_of_halves(policy)
    _session.policy = policy


def say_of_halves(policy: DTypePolicy) -> None:
    """Warn once that short floats are computed in float32."""
    if policy.compute_dtype in HALVES:
        warn_once(
            f"the dtype policy {policy.name!r} is kept in configs and files, but Lamina computes in float32: "
            "processors are no faster with shorter floats",
            UserWarning,
            stacklevel=3,
        )


def epsilon() -> float:
    """The small number that keeps logarithms and quotients finite: 1e-7 unless it was set."""
    return _session.epsilon


def set_epsilon(value: float) -> None:
    """Choose the small number that keeps logarithms and quotients finite."""
    _session.epsilon = float(value)


def snake_case(name: str) -> str:
    """``BatchNormalization`` → ``batch_normalization``; ``ReLU`` → ``re_lu``, as Keras does."""
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def backend() -> str:
    """``"lamina"``: what computes is chosen in ``compile(target=…)``."""
    return "lamina"


def set_backend(backend: str) -> None:
    """Not possible: a model is compiled for its target.

    Raises:
        ValueError: always.
    """
    raise ValueError(f"Lamina has no session-wide backend: choose what computes by model.compile(target={backend!r})")


def image_data_format() -> str:
    """The order of axes of images, kept for Keras's sake: ``"channels_last"`` unless it was set."""
    return _session.image_data_format


def set_image_data_format(data_format: str) -> None:
    """Choose the order of axes of images, kept for Keras's sake.

    Args:
        data_format: ``"channels_last"`` or ``"channels_first"``.
    """
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(f"data_format is 'channels_last' or 'channels_first', got {data_format!r}")
    _session.image_data_format = data_format


def max_epochs() -> int | None:
    """The most epochs of a ``fit``; None for no bound."""
    return _session.max_epochs


def set_max_epochs(max_epochs: int | None) -> None:
    """Bound the epochs of every ``fit``, to try a script out.

    Args:
        max_epochs: the most epochs; None for no bound.
    """
    _session.max_epochs = max_epochs


def max_steps_per_epoch() -> int | None:
    """The most steps of an epoch, a validation or a prediction; None for no bound."""
    return _session.max_steps_per_epoch


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Bound the steps of every epoch, validation and prediction, to try a script out.

    Args:
        max_steps_per_epoch: the most steps; None for no bound.
    """
    _session.max_steps_per_epoch = max_steps_per_epoch


def is_interactive_logging_enabled() -> bool:
    """What was last chosen; Lamina shows a live line in terminals alone, either way."""
    return _session.interactive_logging


def enable_interactive_logging() -> None:
    """Taken for Keras's sake."""
    _session.interactive_logging = True


def disable_interactive_logging() -> None:
    """Taken for Keras's sake."""
    _session.interactive_logging = False


def is_traceback_filtering_enabled() -> bool:
    """What was last chosen; Lamina's tracebacks are short, either way."""
    return _session.traceback_filtering


def enable_traceback_filtering() -> None:
    """Taken for Keras's sake."""
    _session.traceback_filtering = True


def disable_traceback_filtering() -> None:
    """Taken for Keras's sake."""
    _session.traceback_filtering = False


def enable_unsafe_deserialization() -> None:
    """Not possible: loading a file never runs code.

    Raises:
        ValueError: always.
    """
    raise ValueError(
        "Lamina never runs code from a file, so there is nothing to enable: register your classes and functions with "
        "@lamina.saving.register_keras_serializable()"
    )


def get_uid(prefix: str = "") -> int:
    """How often a prefix was asked for in this session, this time among them."""
    _session.uids[prefix] += 1
    return _session.uids[prefix]


def unique_name(prefix: str) -> str:
    """A name that this session has not given yet: ``dense``, ``dense_1``, ``dense_2`` …

    Example:
        >>> clear_session(); unique_name("Dense"), unique_name("Dense")
        ('dense', 'dense_1')
    """
    name = snake_case(prefix)
    count = _session.names[name]
    _session.names[name] += 1
    return f"{name}_{count}" if count else name


def clear_session(free_memory: bool = True) -> None:
    """Forget the names given and the warnings said so far: automatic names count from the start again.

    Args:
        free_memory: taken for Keras's sake; Lamina keeps no global graphs that could be freed.
    """
    _session.names.clear()
    _session.uids.clear()
    forget_warnings()
