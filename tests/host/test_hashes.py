"""Hashes of texts of every length, of ids and of crosses: the bins that TensorFlow finds."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from lamina.host.farmhash import fingerprint64
from lamina.host.recipes import Cross, Hash
from lamina.host.siphash import siphash
from lamina.host.words import Words

BINS = 2**40 + 7


def every_length() -> list[bytes]:
    rng = np.random.default_rng(3)
    lengths = [*range(300), *range(300), *range(0, 3000, 61), 70_001]
    return [rng.integers(0, 256, length).astype(np.uint8).tobytes() for length in lengths]


def binned(numbers: np.ndarray) -> np.ndarray:
    return (numbers % np.uint64(BINS)).astype(np.int64)


def test_fingerprints() -> None:
    texts = every_length()
    expected = tf.strings.to_hash_bucket_fast(texts, BINS).numpy()
    np.testing.assert_array_equal(binned(fingerprint64(Words(texts))), expected)


@pytest.mark.parametrize("key", [(0, 0), (3, 5), (2**62 + 11, 2**63 - 1)])
def test_siphash(key: tuple[int, int]) -> None:
    texts = every_length()
    expected = tf.strings.to_hash_bucket_strong(texts, BINS, key=list(key)).numpy()
    np.testing.assert_array_equal(binned(siphash(Words(texts), key)), expected)


def test_no_texts() -> None:
    assert fingerprint64(Words([])).shape == siphash(Words([]), (1, 2)).shape == (0,)


WORDS = ["", "a", "Zürich", "日本語のとても長い文字列です", "🙂" * 40, "x" * 64, "x" * 65, " a", "a ", "a\0b"]
IDS = [0, -1, 7, 10**18, -(2**63), 2**63 - 1]


def test_text_beyond_ascii_and_ids() -> None:
    expected = tf.strings.to_hash_bucket_fast(WORDS, BINS).numpy()
    np.testing.assert_array_equal(Hash(BINS)(np.array(WORDS, object)), expected)
    np.testing.assert_array_equal(Hash(BINS)(np.array([w.encode() for w in WORDS], object)), expected)
    expected = tf.strings.to_hash_bucket_fast(tf.strings.as_string(IDS), BINS).numpy()
    np.testing.assert_array_equal(Hash(BINS)(np.array(IDS)), expected)


def test_what_is_equal_is_hashed_once_and_put_back_in_place() -> None:
    words = np.array([["a", "b"], ["b", "a"], ["a", "a"]])
    bins = {word: Hash(BINS)(np.array(word)) for word in "ab"}
    np.testing.assert_array_equal(Hash(BINS)(words), np.vectorize(bins.get)(words))


@pytest.mark.parametrize("parts", [(WORDS[:6], IDS), (IDS, WORDS[:6]), (WORDS[:6], WORDS[3:9], IDS), (IDS, IDS)])
def test_cross(parts: tuple[list[object], ...]) -> None:
    columns = [np.array(part, object if isinstance(part[0], str) else None) for part in parts]
    crossed = tf.sparse.cross_hashed([tf.constant(part)[:, None] for part in parts], BINS)
    np.testing.assert_array_equal(Cross(BINS)(*columns), tf.sparse.to_dense(crossed).numpy()[:, 0])
