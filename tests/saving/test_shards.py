"""Weights in shards: how they are cut, what the index says, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lamina
from lamina.errors import ModelFileError

GIBIBYTE = 1 << 30
SIZE = 160 / GIBIBYTE  # of a shard; the model has kernels of 96 and 160 bytes


def network(seed: int = 0) -> Any:
    lamina.utils.set_random_seed(seed)
    layers = [lamina.layers.Dense(8, name="a"), lamina.layers.Dense(5, name="b"), lamina.layers.Dense(1, name="c")]
    model = lamina.Sequential([lamina.Input((3,)), *layers])
    model.compile("adam", "mse")
    model.fit(np.ones((4, 3), "float32"), np.ones((4, 1), "float32"), epochs=1, verbose=0)
    return model


@pytest.fixture
def index(tmp_path: Path) -> Path:
    network().save_weights(tmp_path / "m.weights.json", max_shard_size=SIZE)
    return tmp_path / "m.weights.json"


def same(one: Any, other: Any) -> bool:
    pairs = zip([*one.weights, *one.optimizer.variables], [*other.weights, *other.optimizer.variables], strict=True)
    return all(np.array_equal(a.numpy(), b.numpy()) for a, b in pairs)


def test_there_and_back(index: Path) -> None:
    other = network(seed=1)
    other.load_weights(index)
    assert same(other, network())


def test_the_index_names_all_shards_and_each_is_small(index: Path) -> None:
    record = json.loads(index.read_text())
    shards = sorted(path.name for path in index.parent.glob("*.h5"))
    assert shards == [f"m_{i:05}.weights.h5" for i in range(len(shards))]
    assert len(shards) > 3
    assert {name for names in record["weight_map"].values() for name in names} == set(shards)
    assert len(record["weight_map"]["/optimizer/vars"]) > 1
    total = sum(v.numpy().nbytes for model in [network()] for v in [*model.weights, *model.optimizer.variables])
    assert record["metadata"]["total_size"] == total


def test_one_shard_holds_all_that_fits(tmp_path: Path) -> None:
    network().save_weights(tmp_path / "m.weights.json", max_shard_size=1)
    assert [path.name for path in tmp_path.glob("*.h5")] == ["m_00000.weights.h5"]


def test_a_weight_larger_than_a_shard(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"'0' of 'layers/dense_1' has 160 bytes.*max_shard_size"):
        network().save_weights(tmp_path / "m.weights.json", max_shard_size=100 / GIBIBYTE)
    assert not list(tmp_path.iterdir())


def test_wrong_arguments(tmp_path: Path, index: Path) -> None:
    with pytest.raises(ModelFileError, match="positive number of GiB, got 0"):
        network().save_weights(index, max_shard_size=0)
    with pytest.raises(ModelFileError, match=r"must end in \.weights\.json or \.weights\.h5"):
        network().save_weights(tmp_path / "m.json", max_shard_size=1)
    with pytest.raises(ModelFileError, match=r"must end in \.weights\.h5"):
        network().save_weights(index)
    index.unlink()
    with pytest.raises(FileExistsError, match=r"m_00000\.weights\.h5 exists already"):
        network().save_weights(index, overwrite=False, max_shard_size=SIZE)


def test_another_ending_is_spoken_of(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"saved as m\.weights\.json"):
        network().save_weights(tmp_path / "m.weights.h5", max_shard_size=1)
    network().load_weights(tmp_path / "m.weights.json")


def replaced(key: str, value: Any) -> Callable[[Path], object]:
    def change(index: Path) -> None:
        index.write_text(json.dumps(json.loads(index.read_text()) | {key: value}))

    return change


def first_twice(index: Path) -> None:
    shutil.copy(index.with_name("m_00000.weights.h5"), index.with_name("m_00001.weights.h5"))
    record = json.loads(index.read_text())
    index.write_text(json.dumps({"weight_map": record["weight_map"]}))


def exchanged(index: Path) -> None:
    """A save that was cut short in the middle leaves a shard of another model."""
    network(seed=1).save_weights(index.with_name("n.weights.json"), max_shard_size=SIZE)
    index.with_name("n_00001.weights.h5").replace(index.with_name("m_00001.weights.h5"))


DAMAGED: dict[str, tuple[Callable[[Path], object], str]] = {
    "no index": (lambda p: p.unlink(), r"m\.weights\.json: File not found"),
    "no JSON": (lambda p: p.write_text("{"), r"m\.weights\.json: the JSON is damaged"),
    "no map": (replaced("weight_map", None), "'weight_map' must be an object"),
    "no notes": (replaced("metadata", 3), "'metadata' must be an object"),
    "another folder": (replaced("weight_map", {"/a": "../m_00000.weights.h5"}), r"it names '\.\./m_00000"),
    "an absolute path": (replaced("weight_map", {"/a": "/etc/passwd"}), "it names '/etc/passwd'"),
    "no name": (replaced("weight_map", {"/a": [["m_00000.weights.h5"]]}), "it names"),
    "no shard": (lambda p: p.with_name("m_00001.weights.h5").unlink(), r"m_00001\.weights\.h5: File not found"),
    "a shard twice": (first_twice, r"m_00001.* as another shard of m\.weights\.json has"),
    "a shard of another model": (exchanged, r"m_00001.* not the shard that its index was written for"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_refused_and_nothing_half_loaded(index: Path, name: str) -> None:
    change, message = DAMAGED[name]
    change(index)
    other = network(seed=2)
    with pytest.raises(ModelFileError, match=message):
        other.load_weights(index)
    assert same(other, network(seed=2))
