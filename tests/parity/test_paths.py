"""The paths of variables in Lamina and in Keras: the layers around them when they are made."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

import lamina

X = np.ones((1, 2), "float32")


def own_classes(k: Any) -> tuple[type, type]:
    class Outer(k.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.last = k.layers.Dense(1, name="last")
            self.nest = k.Sequential([k.layers.Dense(2)], name="nest")

        def call(self, x: Any) -> Any:
            return self.last(self.nest(x))

    class Own(k.layers.Layer):  # type: ignore[misc]
        def __init__(self, **kwargs: Any):
            super().__init__(**kwargs)
            self.early = self.add_weight(shape=(1,), name="early")
            self.first, self.second = k.layers.Dense(2), k.layers.Dense(2)

        def build(self, input_shape: Any) -> None:
            self.first.build(input_shape)
            self.late = self.add_weight(shape=(2,), name="late")

        def call(self, x: Any) -> Any:
            return self.second(self.first(x)) * self.late * self.early

    return Outer, Own


def paths(k: Any) -> list[str]:
    k.utils.clear_session()
    outer, own = own_classes(k)
    dense, stack = k.layers.Dense, k.Sequential
    plain = stack([k.Input((2,)), dense(2, name="named"), k.layers.BatchNormalization(), own(name="own")])
    deferred, subclassed, alone, built = stack([dense(2), dense(1)], name="later"), outer(), own(), dense(3)
    for thing in (deferred, subclassed, alone):
        thing(X)
    built.build((None, 2))
    x = k.Input((2,))
    functional = k.Model(x, dense(2)(stack([dense(3)], name="inner")(plain(x))))
    timed = stack([k.Input((4, 2)), k.layers.TimeDistributed(dense(3))])
    nested = stack([k.Input((2,)), stack([k.Input((2,)), dense(1)], name="sub")])
    things = (plain, deferred, subclassed, alone, built, functional, timed, nested)
    return [v.path for thing in things for v in thing.weights]


def test_paths() -> None:
    assert paths(lamina) == paths(keras)
