"""IndexLookup: a vocabulary, given or counted, and the table made of it."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from lamina.errors import DataError, DtypeError, LaminaError, ModelFileError
from lamina.graph.express import as_node
from lamina.graph.node import TEXT
from lamina.host.recipes import Hash, Modulo, Table, tokens_array
from lamina.host.texts import is_text, texts, whole_numbers
from lamina.layers.adapting import Adaptable
from lamina.layers.encoding import MODES, checked_mode, encode, refuse_sparse
from lamina.layers.hashing import salt_of
from lamina.layers.host_layer import HostLayer, is_text_node
from lamina.layers.layer import Layer
from lamina.variables import Variable

NO_INDEX = -1  # where an encoding has no column, as for a mask
ASSET = "vocabulary.txt"


class IndexLookup(HostLayer, Adaptable):
    """Base of the lookups.

    An index is: 0 for the mask (if there is one, and ``output_mode="int"``), then ``num_oov_indices`` for what is not
    in the vocabulary, then its tokens, the most frequent first.
    """

    not_parts = Layer.not_parts | {"idf_weights"}  # kept in files under its own name, but no weight, as in Keras
    vocabulary_dtype: str

    def __init__(
        self, max_tokens: int | None, num_oov_indices: int, mask_token: Any, oov_token: Any, vocabulary: Any,
        idf_weights: Any, invert: bool, output_mode: str, sparse: bool, pad_to_max_tokens: bool, oov_method: str,
        salt: Any, name: str | None, **kwargs: Any,
    ):  # fmt: skip
        self._frozen_size: int | None = kwargs.pop("vocabulary_size", None)
        self.is_given = kwargs.pop("has_input_vocabulary", vocabulary is not None)
        super().__init__(name=name, **kwargs)
        self.max_tokens, self.num_oov_indices = max_tokens, num_oov_indices
        self.mask_token, self.oov_token = mask_token, oov_token
        self.invert, self.sparse, self.pad_to_max_tokens = invert, sparse, pad_to_max_tokens
        self.output_mode = checked_mode(f"{type(self).__name__} {self.name!r}", output_mode, (*MODES, "tf_idf"))
        self.oov_method, self.salt = oov_method, salt_of(type(self).__name__, salt)
        self._check_arguments(vocabulary, idf_weights)
        self.vocabulary = None if isinstance(vocabulary, str | os.PathLike) else _plain(vocabulary)
        self.input_idf_weights = _plain(idf_weights)
        self.idf_weights: Variable | None = None
        self._tokens: list[Any] = []
        self._table: Table | None = None
        self.reset_state()
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    def _check_arguments(self, vocabulary: Any, idf_weights: Any) -> None:
        mode, owner = self.output_mode, f"{type(self).__name__} {self.name!r}"
        refuse_sparse(owner, self.sparse, mode)
        # (what must not be, what to say)
        rules = (
            (self.max_tokens is not None and self.max_tokens <= 1,
             f"If set, `max_tokens` must be greater than 1. Received: max_tokens={self.max_tokens}"),
            (self.pad_to_max_tokens and self.max_tokens is None,
             "If pad_to_max_tokens is True, must set `max_tokens`. Received: max_tokens=None"),
            (self.num_oov_indices < 0,
             "`num_oov_indices` must be greater than or equal to 0. "
             f"Received: num_oov_indices={self.num_oov_indices}"),
            (self.oov_method not in ("floormod", "farmhash"),
             f"Unknown arg for oov_method: {self.oov_method!r}, expected 'floormod' or 'farmhash'"),
            (self.salt is not None and not self._hashes_unknown(),
             f"`salt` can only be used when `oov_method='farmhash'`. Received: oov_method={self.oov_method}"),
            (self.invert and mode != "int",
             f"`output_mode` must be `'int'` when `invert` is true. Received: output_mode={mode}"),
            (idf_weights is not None and mode != "tf_idf",
             f"`idf_weights` should only be set if `output_mode` is `'tf_idf'`. Received: output_mode={mode}"),
            (mode == "tf_idf" and vocabulary is not None and idf_weights is None,
             "When specifying the `vocabulary` argument, in TF-IDF output mode, the `idf_weights` argument must also "
             "be provided."),
        )  # fmt: skip
        for wrong, message in rules:
            if wrong:
                raise ValueError(f"{owner}: {message}")

    def _text(self) -> bool:
        return self.vocabulary_dtype == TEXT

    def _hashes_unknown(self) -> bool:
        return self._text() or self.oov_method == "farmhash"

    # -- the vocabulary

    def _first_unknown(self) -> int:
        return int(self.mask_token is not None and self.output_mode == "int")

    def _first_token(self) -> int:
        return self._first_unknown() + self.num_oov_indices

    def _specials(self) -> list[Any]:
        return [self.mask_token] * self._first_unknown() + [self.oov_token] * self.num_oov_indices

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The tokens in the order of their indices.

        Args:
            include_special_tokens: whether the mask and the places of unknown tokens are listed, too.
        """
        return [*(self._specials() if include_special_tokens else ()), *self._tokens]

    def vocabulary_size(self) -> int:
        """How many indices there are, those of the mask and of unknown tokens among them."""
        return self._first_token() + len(self._tokens)

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Use a given vocabulary.

        Args:
            vocabulary: tokens in the order of their indices, in a list or an array, with or without the special ones
                at the begin; or the path of a text file with a token in each line.
            idf_weights: what each token weighs, in the output mode ``"tf_idf"``.

        Raises:
            ValueError: it is empty, too long, or has a token twice.
        """
        if self.output_mode == "tf_idf" and idf_weights is None:
            raise ValueError("`idf_weights` must be set if output_mode is 'tf_idf'.")
        if self.output_mode != "tf_idf" and idf_weights is not None:
            raise ValueError(
                "`idf_weights` should only be set if output_mode is `'tf_idf'`. "
                f"Received: output_mode={self.output_mode} and idf_weights={idf_weights}"
            )
        if isinstance(vocabulary, str | os.PathLike):
            return self._adopt(self._from_file(vocabulary))
        if np.size(vocabulary) == 0:
            raise ValueError(f"Cannot set an empty vocabulary. Received: vocabulary={vocabulary}")
        listed = self._standard(np.asarray(vocabulary)).tolist()
        named = listed[: self._first_token()] == self._specials()
        tokens = listed[self._first_token() :] if named else listed
        self._check_tokens(tokens)
        self._adopt(tokens)
        if idf_weights is not None:
            self._weigh(np.asarray(idf_weights, self.dtype), len(listed), named)
        return None

    def _check_tokens(self, tokens: list[Any]) -> None:
        owner = f"{type(self).__name__} {self.name!r}"
        repeated = [token for token, count in Counter(tokens).items() if count > 1]
        if repeated:
            raise ValueError(
                f"{owner}: The passed vocabulary has at least one repeated term. Please uniquify your dataset. The "
                f"repeated terms are: {repeated}"
            )
        for what, token, forbidden in (("mask", self.mask_token, True), ("OOV", self.oov_token, self.invert)):
            if forbidden and token is not None and token in tokens:
                raise ValueError(
                    f"{owner}: Found reserved {what} token {token!r} at unexpected location in `vocabulary`. Either "
                    "remove all mask and OOV tokens, or include them only at the start of the vocabulary in precisely "
                    f"this order: {self._specials()}."
                )
        size = self._first_token() + len(tokens)
        if self.max_tokens is not None and size > self.max_tokens:
            raise ValueError(
                f"{owner}: Attempted to set a vocabulary larger than the maximum vocab size. Received vocabulary size "
                f"is {size}; `max_tokens` is {self.max_tokens}."
            )

    def _adopt(self, tokens: Sequence[Any]) -> None:
        """Use these tokens; where their number is the width of an encoding, it stays what it was."""
        size = self._first_token() + len(tokens)
        fixed = self.output_mode != "int" and not self.pad_to_max_tokens
        if fixed and self._frozen_size not in (None, size):
            raise LaminaError(
                f"When using `output_mode={self.output_mode}` and `pad_to_max_tokens=False`, the vocabulary size "
                f"cannot be changed after the layer is called. Layer {self.name!r}: old vocab size is "
                f"{self._frozen_size}, new vocab size is {size}"
            )
        self._tokens, self._frozen_size, self._table = list(tokens), size, None

    def _weigh(self, weights: np.ndarray, count: int, named: bool) -> None:
        """Keep the tokens' weights; special tokens without one weigh their mean, padding nothing."""
        if weights.shape != (count,):
            raise ValueError(
                f"`idf_weights` must be the same length as vocabulary. len(idf_weights) is {weights.size}; "
                f"len(vocabulary) is {count}"
            )
        if not named:
            weights = np.concatenate([np.full(self._first_token(), weights.mean(), weights.dtype), weights])
        self._keep_weights(np.pad(weights, (0, self._depth() - len(weights))))

    def _keep_weights(self, weights: np.ndarray) -> None:
        """In the variable that a compiled step may read, if it has the size."""
        if self.idf_weights is None or self.idf_weights.shape != weights.shape:
            self.idf_weights = Variable(weights, dtype=self.dtype, trainable=False, name="idf_weights")
        self.idf_weights.assign(weights)

    def _from_file(self, path: str | os.PathLike[str]) -> list[Any]:
        if self.output_mode == "tf_idf":
            raise ValueError("output_mode `'tf_idf'` does not support loading a vocabulary from file.")
        if not os.path.exists(path):
            raise ValueError(f"Vocabulary file {path} does not exist.")
        with open(path, encoding="utf-8") as file:
            return list(map(self._parsed, file.read().splitlines()))

    def _parsed(self, line: str) -> Any:
        return line if self._text() else int(line)

    def _standard(self, values: np.ndarray) -> np.ndarray:
        """Tokens, or data, in the type of the vocabulary."""
        if not self._text():
            return whole_numbers(values)
        if not is_text(values):
            raise DataError(f"layer {self.name!r} looks up text, got an array of dtype {values.dtype}")
        return texts(values)

    # -- adapting

    def reset_state(self) -> None:
        """Forget the batches seen so far."""
        self._counts: Counter[Any] = Counter()
        self._documents: Counter[Any] = Counter()
        self._document_count = 0

    def update_state(self, data: Any) -> None:
        """Count the tokens of one batch; each row is a document.

        Raises:
            ValueError: the layer was given a vocabulary.
        """
        if self.is_given:
            raise ValueError(
                f"Cannot adapt layer '{self.name}' after setting a static vocabulary via `vocabulary` argument or "
                "`set_vocabulary()` method."
            )
        rows = np.atleast_2d(self._standard(np.asarray(data)))
        self._counts.update(rows.ravel().tolist())
        if self.output_mode == "tf_idf":
            for row in rows.reshape(len(rows), -1).tolist():
                self._documents.update(set(row))
            self._document_count += len(rows)

    def finalize_state(self) -> None:
        """Make the vocabulary of what was counted: frequent tokens first, equally frequent ones from z to a."""
        if self.is_given or not self._counts:
            return
        for special in (self.mask_token, self.oov_token):
            self._counts.pop(special, None)
        tokens = sorted(self._counts, key=lambda token: (self._counts[token], token), reverse=True)
        room = None if not self.max_tokens else self.max_tokens - self._first_token()
        self._adopt(tokens[:room])
        if self.output_mode == "tf_idf":
            found = [math.log(1 + self._document_count / (1 + self._documents[token])) for token in self._tokens]
            self._weigh(np.array(found, self.dtype), len(found), named=False)
        self.reset_state()

    # -- computing

    @property
    def recipe(self) -> Table:
        """Tokens → indices, or indices → tokens; what is not in the vocabulary has the table's default.

        Raises:
            LaminaError: there is no vocabulary yet.
        """
        if not self._tokens:
            raise LaminaError(
                f"layer {self.name!r} has no vocabulary yet: call `adapt` on data, or give it a `vocabulary`"
            )
        if self._table is None:
            self._table = self._made_table()
        return self._table

    def _made_table(self) -> Table:
        first, text = self._first_token(), self._text()
        tokens, indices = list(self._tokens), list(range(first, first + len(self._tokens)))
        if self.mask_token is not None:
            tokens.append(self.mask_token)
            indices.append(0 if self.output_mode == "int" else NO_INDEX)
        keys, places = tokens_array(tokens, text), np.array(indices, np.int64)
        return Table(places, keys, self.oov_token) if self.invert else Table(keys, places, self._unknown())

    def _unknown(self) -> Any:
        count, first = self.num_oov_indices, self._first_unknown()
        if count < 2:
            return first if count else None
        if not self._hashes_unknown():
            return Modulo(count, first)
        return Hash(count, None if self.salt is None else (self.salt[0], self.salt[1]), first)

    def _depth(self) -> int:
        if self.pad_to_max_tokens:
            assert self.max_tokens is not None
            return self.max_tokens
        if self._frozen_size is None:
            raise LaminaError(
                f"layer {self.name!r}: When using `output_mode={self.output_mode}` and `pad_to_max_tokens=False`, you "
                "must set the layer's vocabulary before calling it. Either pass a `vocabulary` argument to the layer, "
                "or call `adapt` with some sample data."
            )
        return self._frozen_size

    def call(self, inputs: Any) -> Any:
        """The index of each token, encoded; or the token of each index."""
        node = as_node(inputs)
        self._check_input(node)
        if self.invert:
            return self._hosted(node, dtype=TEXT if self._text() else "int32")
        if self.output_mode != "tf_idf":
            return super().call(node)
        counts = encode(self._hosted(node), "count", self._depth(), self.dtype)
        if self.idf_weights is None:  # while a file is read they come after the model is built
            self._keep_weights(np.zeros(self._depth(), self.dtype))
        return counts * self.idf_weights

    def _check_input(self, node: Any) -> None:
        text = self._text() and not self.invert
        if is_text_node(node) != text:
            raise DtypeError(f"it looks up {'text' if text else 'numbers'}, got an input of dtype {node.dtype!r}")

    def _array_dtype(self) -> str:
        return self.dtype if self.output_mode == "tf_idf" else "int64"

    # -- config and files

    def get_config(self) -> dict[str, Any]:
        """See ``Layer.get_config``; a vocabulary that was counted is kept in the file beside the config."""
        own = {"idf_weights": self.input_idf_weights, "vocabulary_size": self._frozen_size}
        return super().get_config() | own | {"oov_method": self.oov_method}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """A layer from what ``get_config`` returned.

        Raises:
            ModelFileError: it names a vocabulary file: a config makes nobody open a file.
        """
        if isinstance(config.get("vocabulary"), str | os.PathLike):
            raise ModelFileError(
                f"{cls.__name__} {config.get('name')!r}: the config names the file {config['vocabulary']!r} as its "
                "vocabulary, and a file that a config names is never opened: give the layer its tokens in a list"
            )
        return cls(**config)

    def get_build_config(self) -> dict[str, Any]:
        """A lookup has nothing to build."""
        return {}

    def save_own_variables(self, store: Any) -> None:
        """The tokens' weights, under the name that Keras gives them."""
        if self.output_mode == "tf_idf" and self.idf_weights is not None:
            store["idf_weights"] = self.idf_weights.numpy()

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Read what ``save_own_variables`` stored."""
        if self.output_mode == "tf_idf":
            self._keep_weights(np.asarray(store["idf_weights"]))

    def own_assets(self) -> dict[str, bytes]:
        """The text files that go into a model's file: the vocabulary, unless the config has it."""
        if self.vocabulary is not None:
            return {}
        lines = list(map(str, self.get_vocabulary()))
        for line in lines:
            if "\n" in line:
                raise ModelFileError(f"layer {self.name!r}: the token {line!r} has a line break: no file can hold it")
        return {ASSET: "\n".join(lines).encode()}

    def load_own_assets(self, assets: Mapping[str, bytes]) -> None:
        """Read what ``own_assets`` gave."""
        if self.vocabulary is not None or ASSET not in assets:
            return
        lines = assets[ASSET].decode("utf-8").split("\n")
        while lines and not lines[-1] and len(lines) > (self._frozen_size or 0):
            lines.pop()
        specials = list(map(str, self._specials()))
        tokens = list(map(self._parsed, lines[len(specials) :] if lines[: len(specials)] == specials else lines))
        self._check_tokens(tokens)
        self._adopt(tokens)


def _plain(values: Any) -> Any:
    """A list of plain Python values."""
    return None if values is None else np.asarray(values).tolist()
