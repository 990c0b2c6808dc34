"""Callbacks of Keras in a fit that runs on Lamina's core."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lamina.bridge.convert import Twins
from lamina.callbacks import Callback
from lamina.tree import flatten, map_leaves


class Watched:
    """The Keras model as its callbacks see it while the Lamina model trains.

    A callback that asks for weights or the optimizer finds the present ones; what it changes is taken over.
    """

    def __init__(self, twins: Twins):
        vars(self).update(twins=twins, behind=True, touched=False)

    @contextmanager
    def hook(self) -> Iterator[None]:
        """A callback's hook runs; since the last one the Lamina model has trained."""
        vars(self).update(behind=True, touched=False)
        yield
        if vars(self)["touched"]:
            self.twins.to_ours()

    def __getattr__(self, name: str) -> Any:
        mine = vars(self)
        if mine["behind"]:
            mine["twins"].to_theirs()
        mine.update(behind=False, touched=True)
        return getattr(mine["twins"].theirs, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "stop_training":
            self.twins.ours.stop_training = bool(value)
        setattr(self.twins.theirs, name, value)


class Adapted(Callback):
    """A callback of Keras as one of Lamina.

    Args:
        theirs: the callback.
        watched: what it sees as its model.
    """

    def __init__(self, theirs: Any, watched: Watched):
        super().__init__()
        self.theirs = theirs
        self.watched = watched

    def set_model(self, model: Any) -> None:
        """The callback gets the Keras model."""
        super().set_model(model)
        self.theirs.set_model(self.watched)

    def set_params(self, params: dict[str, Any]) -> None:
        """The callback gets the settings."""
        self.theirs.set_params(params)

    def wants_batches(self, kind: str) -> bool:
        """Whether the callback has a hook of its own for single batches."""
        import keras

        names = [f"on_{kind}_batch_begin", f"on_{kind}_batch_end"]
        names += ["on_batch_begin", "on_batch_end"] if kind == "train" else []
        base = keras.callbacks.Callback
        return any(n in vars(self.theirs) or getattr(type(self.theirs), n) is not getattr(base, n) for n in names)

    def tell_direction(self) -> None:
        """Keras asks its own metrics which way is better; it is Lamina's that were computed."""
        if getattr(self.theirs, "monitor_op", self) is None and self.theirs.mode == "auto":
            name = self.theirs.monitor.removeprefix("val_")
            found = {m.name: m._direction for m in self.watched.twins.ours._named_metrics().values()}.get(name)
            self.theirs.mode = {"up": "max", "down": "min"}.get(str(found), "auto")


def _forwarded(name: str) -> Any:
    def hook(self: Adapted, *args: Any) -> None:
        self.tell_direction()
        with self.watched.hook():
            getattr(self.theirs, name)(*args)

    hook.__doc__ = getattr(Callback, name).__doc__
    return hook


for _name in (name for name in vars(Callback) if name.startswith("on_")):
    setattr(Adapted, _name, _forwarded(_name))


def adapted(callbacks: Any, watched: Watched) -> Any:
    """The callbacks, with those of Keras as callbacks of Lamina."""
    import keras

    def of_lamina(x: Any) -> Any:
        return Adapted(x, watched) if isinstance(x, keras.callbacks.Callback) else x

    return map_leaves(of_lamina, callbacks) if flatten(callbacks) else callbacks
