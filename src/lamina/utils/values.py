"""Config: named values, set and read like attributes or items, that can be frozen."""

from __future__ import annotations

import json
from collections.abc import ItemsView, KeysView, ValuesView
from typing import Any


class Config:
    """A dictionary whose entries are attributes, too.

    Args:
        values: the first entries.

    Example:
        >>> config = Config(learning_rate=0.1)
        >>> config.epochs = 3
        >>> config["epochs"], config.as_dict()
        (3, {'learning_rate': 0.1, 'epochs': 3})
    """

    def __init__(self, **values: Any):
        vars(self).update(_config=values, _frozen=False)

    @property
    def frozen(self) -> bool:
        """Whether entries can no longer change."""
        return bool(vars(self)["_frozen"])

    def freeze(self) -> None:
        """Let no entry change any more."""
        vars(self)["_frozen"] = True

    def unfreeze(self) -> None:
        """Let entries change again."""
        vars(self)["_frozen"] = False

    def _free(self) -> dict[str, Any]:
        if self.frozen:
            raise ValueError("Cannot mutate attribute(s) because the config is frozen.")
        return self._values

    @property
    def _values(self) -> dict[str, Any]:
        return vars(self)["_config"]

    def as_dict(self) -> dict[str, Any]:
        """A copy as a dictionary."""
        return dict(self._values)

    def to_json(self) -> str:
        """The entries as JSON."""
        return json.dumps(self._values)

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._values.keys()

    def values(self) -> ValuesView[Any]:
        """The values."""
        return self._values.values()

    def items(self) -> ItemsView[str, Any]:
        """(name, value) of each entry."""
        return self._values.items()

    def get(self, keyname: str, value: Any = None) -> Any:
        """An entry, or ``value`` if there is none."""
        return self._values.get(keyname, value)

    def pop(self, *args: Any) -> Any:
        """Take an entry out."""
        return self._free().pop(*args)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set several entries."""
        self._free().update(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in self._values:
            raise AttributeError(f"Unknown attribute: {name!r}; there are {sorted(self._values)}")
        return self._values[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self._free()[name] = value

    def __delattr__(self, name: str) -> None:
        del self._free()[name]

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._free()[key] = value

    def __delitem__(self, key: str) -> None:
        del self._free()[key]

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<Config {self._values}>"
