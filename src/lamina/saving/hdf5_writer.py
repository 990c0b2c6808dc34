"""Writes weights as HDF5, with h5py, in the tree of groups that Keras writes."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Group:
    """The arrays that one layer, model or optimizer owns.

    Attributes:
        name: the object's name; a note for people, readers go by the path.
        arrays: by ``"0"``, ``"1"`` …
    """

    name: str | None
    arrays: dict[str, np.ndarray] = field(default_factory=dict)


def hdf5_bytes(groups: Mapping[str, Group]) -> bytes:
    """An HDF5 file with the group ``<path>/vars`` for each path (``"vars"`` for the empty path).

    Args:
        groups: by path (``"layers/dense"``), in order.
    """
    import h5py  # heavy; only needed to write

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for path, group in groups.items():
            made = file.create_group(f"{path}/vars" if path else "vars")
            if group.name:
                made.attrs["name"] = group.name
            for key, array in group.arrays.items():
                made.create_dataset(key, data=array)
    return buffer.getvalue()
