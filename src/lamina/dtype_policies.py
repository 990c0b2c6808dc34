"""Dtype policies: the element types that layers are said to compute and to keep their weights in.

All that Keras's users may name is accepted and written to files; numbers are float32 or float64 (see ``held_dtype``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from lamina import config
from lamina.config import DTypePolicy as DTypePolicy
from lamina.patterns import Patterns
from lamina.records import deserialize_keras_object, serialize_keras_object


class FloatDTypePolicy(DTypePolicy):
    """The same as ``DTypePolicy``, by its older name."""


class DTypePolicyMap(Patterns[DTypePolicy]):
    """Policies by the paths of layers; a key is a path or a regular expression that matches one whole.

    Args:
        default_policy: for paths without one; the session's by default.
        policy_map: path → policy.

    Example:
        >>> policies = DTypePolicyMap(policy_map={"encoder/.*": DTypePolicy("float64")})
        >>> policies["encoder/dense"].name, policies["head"].name
        ('float64', 'float32')
    """

    def __init__(self, default_policy: Any = None, policy_map: Mapping[str, Any] | None = None):
        super().__init__()
        self._default = default_policy
        self.update(policy_map or {})

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of paths without one."""
        return get(self._default)

    @property
    def name(self) -> str:
        """The name of the default policy."""
        return self.default_policy.name

    @property
    def compute_dtype(self) -> str:
        """What the default policy says."""
        return self.default_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """What the default policy says."""
        return self.default_policy.variable_dtype

    quantization_mode = None
    clash = "Path {key!r} matches multiple dtype policy specification keys: {found}"

    def _otherwise(self) -> DTypePolicy:
        return self.default_policy

    def __setitem__(self, key: str, policy: Any) -> None:
        if key in self._known:
            raise ValueError(f"{key} already exist in the DTypePolicyMap with value {self._known[key]}")
        self._known[key] = get(policy)

    def __contains__(self, key: object) -> bool:
        return key in self._known

    def get_config(self) -> dict[str, Any]:
        """The arguments that make a map like this one."""
        return {"default_policy": self._default, "policy_map": dict(self._known)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """A map from what ``get_config`` returned."""
        return cls(**config)

    def __repr__(self) -> str:
        listed = [(path, policy.name) for path, policy in self._known.items()]
        return f"<DTypePolicyMap default_policy={self.default_policy.name}, mapping={listed}>"


def get(identifier: Any) -> Any:
    """A policy from a name, a record, another policy, or None for the session's.

    Raises:
        ValueError: it is none of these, or a name of no type.
    """
    if identifier is None:
        return config.dtype_policy()
    if isinstance(identifier, DTypePolicy | DTypePolicyMap):
        return identifier
    if isinstance(identifier, Mapping):
        return deserialize(identifier)
    name = identifier if isinstance(identifier, str) else getattr(identifier, "name", None)
    if not isinstance(name, str):
        raise ValueError(
            "Cannot interpret `dtype` argument. Expected a string or an instance of DTypePolicy. "
            f"Received: dtype={identifier}"
        )
    return DTypePolicy(name)


def serialize(dtype_policy: Any) -> dict[str, Any]:
    """The record of a policy."""
    return serialize_keras_object(dtype_policy)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The policy that a record describes."""
    return deserialize_keras_object(config, custom_objects)
