"""The numbers of a model ⇄ the tree of a weight file, at the paths that Keras gives.

A path comes from attributes and, inside lists, from class names (``layers/dense_1``), not from the layers' own
names: two models of the same build have the same paths. Source: Keras 3, saving_lib.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lamina import config
from lamina.errors import LaminaError, ModelFileError
from lamina.metrics import Metric
from lamina.saving.archive import ASSETS
from lamina.saving.hdf5_reader import StoredArray
from lamina.saving.hdf5_writer import Group

OPTIMIZER = "optimizer"
# Attributes that refer to a saveable's neighbours, or to what other paths already hold.
_NOT_WALKED = frozenset({
    "_inbound_nodes", "_layers", "_operations", "_functional", "optimizer", "layers",
    "loss", "compile_arguments", "_compiled_loss", "_compiled_metrics", "_loss_tracker", "_steps", "history",
})  # fmt: skip


def saveables(model: Any, skipped: Iterable[Any] = ()) -> Iterator[tuple[str, Any]]:
    """(path, object) for the model and each layer, optimizer and metric in it, each once, in Keras's order.

    Args:
        model: where the walk begins.
        skipped: objects where it turns back.
    """
    return _walk(model, "", {id(thing): thing for thing in skipped})


def _walk(thing: Any, path: str, seen: dict[int, Any]) -> Iterator[tuple[str, Any]]:
    if id(thing) in seen:
        return
    seen[id(thing)] = thing  # held, so that no temporary list gets its id
    yield path, thing
    for name, child in _children(thing):
        below = f"{path}/{name}" if path else name
        yield from _walk(child, below, seen) if _has_state(child) else _walk_container(child, below, seen)


def _walk_container(container: Any, path: str, seen: dict[int, Any]) -> Iterator[tuple[str, Any]]:
    """What a list or dictionary holds, called by class and counted: ``dense``, ``dense_1``, ``container``."""
    if not isinstance(container, list | tuple | dict) or id(container) in seen:
        return
    seen[id(container)] = container
    used: dict[str, int] = {}
    for part in container.values() if isinstance(container, dict) else container:
        if _has_state(part):
            yield from _walk(part, f"{path}/{_counted(config.snake_case(type(part).__name__), used)}", seen)
        elif isinstance(part, list | tuple | dict):
            yield from _walk_container(part, f"{path}/{_counted('container', used)}", seen)


def _counted(name: str, used: dict[str, int]) -> str:
    used[name] = used.get(name, -1) + 1
    return f"{name}_{used[name]}" if used[name] else name


def _children(thing: Any) -> Iterator[tuple[str, Any]]:
    """The parts of an object by attribute: sorted, private ones last; a stack's or graph's layers come first."""
    parts = {name: part for name, part in vars(thing).items() if name not in _NOT_WALKED}
    for name in ("layers", OPTIMIZER):
        if getattr(thing, name, None) is not None:
            parts[name] = getattr(thing, name)
    if "_layers" in vars(thing):
        yield "layers", parts.pop("layers")
    yield from sorted(parts.items(), key=lambda item: f"~{item[0]}" if item[0].startswith("_") else item[0])


def _has_state(x: Any) -> bool:
    return isinstance(x, Metric) or hasattr(x, "save_own_variables")


def state_of(model: Any, skipped: Iterable[Any] = ()) -> dict[str, Group]:
    """What a weight file holds of the model: the arrays of each saveable, by path, but for what is skipped."""
    groups = {}
    for path, thing in saveables(model, skipped):
        group = Group(thing.name if isinstance(getattr(thing, "name", None), str) else None)
        if isinstance(thing, Metric):
            group.arrays.update((str(i), v.numpy()) for i, v in enumerate(thing.variables))
        else:
            thing.save_own_variables(group.arrays)
        if group.name or group.arrays:
            groups[path] = group
    return groups


def assets_of(model: Any) -> dict[str, bytes]:
    """The text files that layers keep beside the weights, by their place in a model's file."""
    return {
        f"{ASSETS}{path}/{name}": content
        for path, thing in saveables(model)
        for name, content in getattr(thing, "own_assets", dict)().items()
    }


def load_assets(model: Any, members: Mapping[str, bytes]) -> None:
    """Give the layers of a model the text files that belong to them.

    Args:
        model: made from the file's config.
        members: the members of the file, others than assets among them.

    Raises:
        ModelFileError: a file that no layer takes, or that is no text.
    """
    places = {f"{ASSETS}{path}/": thing for path, thing in saveables(model) if hasattr(thing, "load_own_assets")}
    for member, content in members.items():
        if not member.startswith(ASSETS):
            continue
        folder, _, name = member.rpartition("/")
        if f"{folder}/" not in places:
            raise ModelFileError(f"it has {member!r}, but the model has no layer there that takes it")
        try:
            places[f"{folder}/"].load_own_assets({name: content})
        except (ValueError, LaminaError) as error:  # no UTF-8, no numbers, too many tokens
            raise ModelFileError(f"{member!r} is no vocabulary for its layer: {error}") from error


def load_state(
    model: Any,
    arrays: Mapping[str, StoredArray],
    *,
    skip_mismatch: bool = False,
    whole: bool = True,
    skipped: Iterable[Any] = (),
) -> None:
    """Fill the model with the numbers of a weight file.

    Args:
        model: built, so that it has its variables.
        arrays: what the file holds, by path.
        skip_mismatch: warn about objects whose arrays do not fit and leave them as they are, instead of raising.
        whole: whether arrays that no object takes are an error (else a warning).
        skipped: objects to leave as they are, with all in them.

    Raises:
        ModelFileError: arrays are missing, too many or of other shapes.
    """
    groups = _grouped(arrays)
    things = dict(saveables(model, skipped))
    known = things.keys() | dict(saveables(model))
    _report_left_over([path for path in groups if path not in known and path != OPTIMIZER], whole)
    for path, thing in things.items():
        try:
            _load_own(thing, groups.get(path, {}))
        except (LaminaError, KeyError, TypeError) as error:
            message = f"{path or 'the model'!r} does not fit {type(thing).__name__} {thing.name!r}: {_reason(error)}"
            if not skip_mismatch:
                raise ModelFileError(message) from error
            warnings.warn(f"left as it was, because {message}", stacklevel=2)


def _reason(error: Exception) -> str:
    return f"it lacks the array {error}" if isinstance(error, KeyError) else str(error)


def _report_left_over(paths: list[str], whole: bool) -> None:
    if not paths:
        return
    message = f"the file has weights for {paths[0]!r}, which the model does not have"
    if whole:
        raise ModelFileError(f"{message}: the config does not belong to these weights")
    warnings.warn(f"{message}; they are not used", stacklevel=3)


def _grouped(arrays: Mapping[str, StoredArray]) -> dict[str, dict[str, StoredArray]]:
    """The arrays by the path of their object, then by key; an array that is in no object's ``vars`` is refused."""
    groups: dict[str, dict[str, StoredArray]] = {}
    for path, array in arrays.items():
        group, _, key = path.rpartition("/")
        if group != "vars" and not group.endswith("/vars"):
            raise ModelFileError(
                f"the weights hold an array at {path!r}, where no object keeps its own; if Keras saved them as .h5, "
                "load them in Keras and save them as .weights.h5"
            )
        groups.setdefault(group.removesuffix("vars").removesuffix("/"), {})[key] = array
    return groups


def _load_own(thing: Any, stored: Mapping[str, StoredArray]) -> None:
    arrays = {key: array.read() for key, array in stored.items()}
    if not isinstance(thing, Metric):
        return thing.load_own_variables(arrays)
    for index, variable in enumerate(thing.variables if arrays else ()):
        variable.assign(arrays[str(index)])
