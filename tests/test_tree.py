"""Nested structures as real Keras goes through them."""

from __future__ import annotations

from collections import OrderedDict, namedtuple

import keras
import pytest

from lamina import tree

Point = namedtuple("Point", "x y")
STRUCTURES = {
    "leaf": 3,
    "none": None,
    "list": [1, [2, 3], (4,)],
    "dict": {"b": 1, "a": [2, None], "c": {}},
    "ordered": OrderedDict([("z", 1), ("a", 2)]),
    "named": Point(1, {"k": Point(2, 3)}),
    "empty": [],
}


@pytest.mark.parametrize("structure", STRUCTURES.values(), ids=STRUCTURES)
def test_one_structure(structure):
    for function in ("flatten", "flatten_with_path", "is_nested", "lists_to_tuples"):
        assert getattr(tree, function)(structure) == getattr(keras.tree, function)(structure)
    leaves = list(range(len(tree.flatten(structure))))
    assert tree.pack_sequence_as(structure, leaves) == keras.tree.pack_sequence_as(structure, leaves)
    for none_is_leaf in (True, False):
        ours, theirs = (
            library.map_structure(lambda a: (a, "seen"), structure, none_is_leaf=none_is_leaf)
            for library in (tree, keras.tree)
        )
        assert ours == theirs
        assert type(ours) is type(theirs)


def test_several_structures():
    assert tree.map_structure(lambda a, b: a + b, {"x": [1, 2]}, {"x": [3, 4]}) == {"x": [4, 6]}
    for function in (tree.map_structure_up_to, keras.tree.map_structure_up_to):
        assert function({"a": 0, "b": [0]}, str, {"a": [1], "b": [(2, 3)]}) == {"a": "[1]", "b": ["(2, 3)"]}
    tree.assert_same_structure({"a": [1]}, {"a": [2]})
    tree.assert_same_paths([1, (2, 3)], (4, [5, 6]))
    shapes = {"a": (None, 3), "b": [(2,), (4, 5)]}
    assert tree.map_shape_structure(len, shapes) == keras.tree.map_shape_structure(len, shapes)


@pytest.mark.parametrize("top_down", [True, False])
def test_traverse(top_down: bool):
    def change(library):
        def of(part):
            if part == 2:
                return library.MAP_TO_NONE
            return tuple(part) if isinstance(part, list) else None

        return of

    given = {"a": [1, 2, {"b": 2}], "c": 2}
    ours, theirs = (library.traverse(change(library), given, top_down) for library in (tree, keras.tree))
    assert ours == theirs


@pytest.mark.parametrize(
    "mistake",
    [
        lambda library: library.map_structure(lambda a, b: a, [1], [1, 2]),
        lambda library: library.map_structure(lambda a: a),
        lambda library: library.map_structure_up_to([0, 0], len, [[1]]),
        lambda library: library.assert_same_structure({"a": 1}, {"b": 1}),
        lambda library: library.assert_same_structure([1, [2]], [1, 2]),
        lambda library: library.assert_same_structure([1], (1,)),
        lambda library: library.assert_same_paths([1, 2], [1]),
        lambda library: library.pack_sequence_as([0, 0], [1]),
    ],
)
def test_mistakes(mistake):
    for library in (tree, keras.tree):
        with pytest.raises(ValueError):
            mistake(library)


def test_every_name_of_keras_is_here():
    assert not [name for name in dir(keras.tree) if not name.startswith("_") and not hasattr(tree, name)]
