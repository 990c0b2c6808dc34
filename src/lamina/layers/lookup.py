"""Lookups: text and ids by their place in a vocabulary, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.graph.node import TEXT
from lamina.layers.index_lookup import IndexLookup


class StringLookup(IndexLookup):
    """Text by its place in a vocabulary.

    Looked up on the host before the program runs.

    Args:
        max_tokens: the most indices there may be; rare tokens are left out.
        num_oov_indices: indices for text that is not in the vocabulary: with 0 it is an error, with more than one it is
            hashed.
        mask_token: text that gets index 0.
        oov_token: what stands for unknown text when ``invert``.
        vocabulary: the tokens in a list or array, or the path of a file with one in each line; else call ``adapt``.
        idf_weights: what each token weighs, for ``"tf_idf"``.
        invert: give the text for each index instead; only for arrays, not inside a compiled model.
        output_mode: ``"int"``, ``"one_hot"``, ``"multi_hot"``, ``"count"`` or ``"tf_idf"``.
        pad_to_max_tokens: whether an encoding has ``max_tokens`` columns whatever the vocabulary.
        sparse: must be False.
        encoding: must be ``"utf-8"``.
        name: the layer's name.
        salt: one or two numbers: unknown text is hashed with SipHash.

    Example:
        >>> layer = StringLookup(); layer.adapt(["b", "a", "b"]); layer.get_vocabulary()
        ['[UNK]', 'b', 'a']
        >>> layer(["a", "z"])
        array([2, 0])
    """

    vocabulary_dtype = TEXT

    @property
    def input_dtype(self) -> str:  # type: ignore[override]
        """Text, or the indices of text."""
        return "int64" if self.invert else TEXT

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str | None = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: Any = None,
        oov_method: str = "floormod",
        **kwargs: Any,
    ):
        if encoding.lower().replace("_", "-") not in ("utf-8", "utf8"):
            raise ValueError(f"StringLookup: encoding must be 'utf-8', got {encoding!r}")
        self.encoding = encoding
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert, output_mode, sparse,
            pad_to_max_tokens, oov_method, salt, name, **kwargs,
        )  # fmt: skip


class IntegerLookup(IndexLookup):
    """Ids by their place in a vocabulary.

    Looked up on the host before the program runs, so ids may have 64 bits.

    Args:
        max_tokens, num_oov_indices, vocabulary, idf_weights, invert, output_mode, sparse, pad_to_max_tokens: see
            ``StringLookup``; of more than one index for unknown ids theirs is the remainder of the id.
        mask_token: an id that gets index 0.
        oov_token: what stands for unknown ids when ``invert``.
        vocabulary_dtype: must be ``"int64"``.
        oov_method: ``"floormod"`` (the remainder) or ``"farmhash"``, for unknown ids.
        salt: one or two numbers: with ``"farmhash"`` unknown ids are hashed with SipHash.
        name: the layer's name.

    Example:
        >>> layer = IntegerLookup(vocabulary=[12, 10**12]); layer([10**12, 12, 7])
        array([2, 1, 0])
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int | None = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        if vocabulary_dtype != "int64":
            raise ValueError(
                "Only `vocabulary_dtype='int64'` is supported at this time. "
                f"Received: vocabulary_dtype={vocabulary_dtype}"
            )
        for argument, token in (("mask_token", mask_token), ("oov_token", oov_token)):
            if token is not None and not isinstance(token, int | np.integer):
                raise TypeError(f"IntegerLookup takes whole numbers for `{argument}`. Received: {argument}={token!r}")
        self.vocabulary_dtype = vocabulary_dtype
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert, output_mode, sparse,
            pad_to_max_tokens, oov_method, salt, name, **kwargs,
        )  # fmt: skip
