"""Recipes of the host stage → TensorFlow: its lookup tables and hashes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

UNKNOWN = -(2**62)  # no index
Made = Callable[..., Any]


class Recipes:
    """Recipes of ``lamina.host``, told apart by their names, as functions of tensors.

    Attributes:
        tables: what the functions look up; a SavedModel must hold them.
    """

    def __init__(self, tf: Any):
        self.tables: list[Any] = []
        self._tf = tf

    def made(self, recipe: Any) -> Made:
        """The recipe's function; whole numbers are int64."""
        kinds = {"Table": self._table, "Hash": self._hash, "Modulo": self._modulo, "Cross": self._cross}
        return kinds[type(recipe).__name__](recipe)

    def _table(self, table: Any) -> Made:
        tf, (key, value) = self._tf, map(self._type, (table.keys, table.values))
        plain = isinstance(table.default, int | str)
        pairs = tf.lookup.KeyValueTensorInitializer(table.keys.tolist(), table.values.tolist(), key, value)
        known = tf.lookup.StaticHashTable(pairs, table.default if plain else UNKNOWN)
        self.tables.append(known)
        if plain:
            return lambda x: known.lookup(tf.cast(x, key))
        other = None if table.default is None else self.made(table.default)

        def find(x: Any) -> Any:
            x = tf.cast(x, key)
            found = known.lookup(x)
            unknown = found == UNKNOWN
            if other is not None:
                return tf.where(unknown, other(x), found)
            with tf.control_dependencies([self._none(unknown, x)]):
                return tf.identity(found)

        return find

    def _none(self, unknown: Any, x: Any) -> Any:
        message = "When `num_oov_indices=0` all inputs should be in vocabulary, found OOV values in"
        return self._tf.debugging.Assert(~self._tf.reduce_any(unknown), [message, x])

    def _type(self, array: Any) -> Any:
        return self._tf.string if array.dtype.kind == "O" else self._tf.int64

    def _hash(self, recipe: Any) -> Made:
        tf = self._tf

        def bins(x: Any) -> Any:
            text = x if x.dtype == tf.string else tf.strings.as_string(tf.cast(x, "int64"))
            if recipe.salt is None:
                found = tf.strings.to_hash_bucket_fast(text, recipe.bins)
            else:
                found = tf.strings.to_hash_bucket_strong(text, recipe.bins, key=list(recipe.salt))
            found += recipe.first
            return found if recipe.mask is None else tf.where(x == recipe.mask, tf.zeros_like(found), found)

        return bins

    def _modulo(self, recipe: Any) -> Made:
        return lambda x: x % recipe.bins + recipe.first

    def _cross(self, recipe: Any) -> Made:
        tf = self._tf

        def bins(*xs: Any) -> Any:
            columns = [tf.reshape(x if x.dtype == tf.string else tf.cast(x, "int64"), (-1, 1)) for x in xs]
            crossed = tf.sparse.to_dense(tf.sparse.cross_hashed(columns, recipe.bins))
            return tf.reshape(crossed, tf.shape(xs[0]))

        return bins
