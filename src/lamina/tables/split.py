"""Which rows a model is trained on, which stop the training, and which it never sees."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lamina.errors import TableError
from lamina.tables.names import counted


class Split(NamedTuple):
    """Row numbers of the three parts, in random order."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def split_rows(rows: int, *, validation: float, test: float, seed: int, classes: np.ndarray | None = None) -> Split:
    """Divide rows at random; with ``classes``, each part has each class in its share.

    A class with too few rows for all parts is only trained on.

    Args:
        rows: number of rows.
        validation, test: shares of all rows, from 0 up to less than 1 together.
        seed: the same seed gives the same parts.
        classes: the class number of each row, for a stratified split.

    Raises:
        TableError: shares that leave nothing, or too few rows for them.
    """
    _check(rows, validation, test)
    random = np.random.default_rng(seed)
    order = random.permutation(rows)
    if classes is not None:
        order = order[np.argsort(classes[order], kind="stable")]
    held, rest = _share(order, test)
    stopping, train = _share(rest, validation / (1.0 - test))
    if classes is not None:
        train, stopping, held = _rare_to_train(classes, train, stopping, held)
    return Split(*(random.permutation(part) for part in (train, stopping, held)))


def _share(order: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Every 1/share-th row, evenly along the order (hence of every class its share), and the others."""
    count = round(share * len(order))
    taken = np.zeros(len(order), bool)
    taken[((np.arange(count) + 0.5) * len(order) / max(count, 1)).astype(int)] = True
    return order[taken], order[~taken]


def _rare_to_train(classes: np.ndarray, train: np.ndarray, *others: np.ndarray) -> list[np.ndarray]:
    trained = classes[train]
    rare = [~np.isin(classes[part], trained) for part in others]
    moved = [part[lone] for part, lone in zip(others, rare, strict=True)]
    return [np.concatenate([train, *moved]), *(part[~lone] for part, lone in zip(others, rare, strict=True))]


def _check(rows: int, validation: float, test: float) -> None:
    for name, share in {"validation": validation, "test": test}.items():
        if not 0.0 <= share < 1.0:
            raise TableError(f"--{name} is a share of the rows, from 0 to less than 1; got {share}.")
    if validation + test >= 1.0:
        raise TableError(f"--validation {validation} and --test {test} together leave no rows to train on.")
    if not _fits(rows, validation, test):
        raise TableError(
            f"{counted(rows, 'row')} {'is' if rows == 1 else 'are'} too few to train on and to hold out "
            f"{validation:.3g} of them for validation and {test:.3g} for the test. "
            "Take a table of more rows, or larger shares; --validation 0 or --test 0 leaves that part out."
        )


def _fits(rows: int, validation: float, test: float) -> bool:
    held = round(test * rows)
    stopping = round(validation / (1.0 - test) * (rows - held))
    return rows - held - stopping >= 2 and (held > 0 or test == 0) and (stopping > 0 or validation == 0)
