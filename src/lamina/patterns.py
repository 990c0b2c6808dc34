"""Patterns: things by the paths of layers or variables, or by regular expressions that match a whole path."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator, MutableMapping
from typing import TypeVar

Thing = TypeVar("Thing")


class Patterns(MutableMapping[str, Thing]):
    """A table in which a path is found by itself or by the one pattern that matches it; for all others is a default."""

    clash: str  # the error where several patterns match {key}: those {found}

    def __init__(self) -> None:
        self._known: dict[str, Thing] = {}

    @abstractmethod
    def _otherwise(self) -> Thing:
        """What a path has that nothing matches."""

    def __getitem__(self, key: str) -> Thing:
        if key in self._known:
            return self._known[key]
        found = [pattern for pattern in self._known if re.fullmatch(pattern, key)]
        if len(found) > 1:
            raise ValueError(self.clash.format(key=key, found=found))
        return self._known[found[0]] if found else self._otherwise()

    def __delitem__(self, key: str) -> None:
        del self._known[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)
