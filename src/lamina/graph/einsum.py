"""einsum: products of arrays whose axes have letters; a letter that is not in the result is summed over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from lamina.errors import ShapeError
from lamina.graph import express as e
from lamina.graph.express import as_node
from lamina.graph.node import Node, Operand

ELLIPSIS = "0123456789"  # the letters of the axes that "..." stands for, the last axis 9


def einsum(subscripts: str, *operands: Operand) -> Node:
    """The sum of products that an equation describes: ``"ij,jk->ik"`` is a matrix product.

    Args:
        subscripts: a letter for each axis of each array, commas between arrays, after ``->`` the letters of the result;
            ``...`` stands for any further axes.
        operands: the arrays.

    Raises:
        ShapeError: the equation does not fit the arrays.
    """
    nodes = [as_node(x) for x in operands]
    of, result = letters_of(subscripts, [x.ndim for x in nodes])
    (node, letters), *rest = zip(nodes, of, strict=True)
    for place, (other, theirs) in enumerate(rest, 2):
        node, letters = _pair(node, letters, other, theirs, {*result, *"".join(of[place:])})
    node, letters = _summed(node, letters, result)
    return e.transpose(node, [letters.index(x) for x in result])


def letters_of(equation: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """The letters of the axes of each array and of the result; those that ``...`` stands for are digits."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise ShapeError(f"einsum {equation!r} has {len(terms)} terms, got {len(ranks)} array(s)")
    of = [_filled(equation, term, rank) for term, rank in zip(terms, ranks, strict=True)]
    further = max((_of_ellipsis(letters) for letters in of), key=len)
    counts = Counter("".join(of))
    if not arrow:
        right = "..." + "".join(sorted(x for x in counts if counts[x] == 1 and x.isalpha()))
    result = right.replace("...", further)
    if unknown := [x for x in result if x not in counts]:
        raise ShapeError(f"einsum {equation!r}: {unknown[0]!r} of the result is in no array")
    return of, result


def _filled(equation: str, term: str, rank: int) -> str:
    named = term.replace("...", "")
    count = rank - len(named)
    if count < 0 or (count and "..." not in term):
        raise ShapeError(f"einsum {equation!r}: {term!r} does not fit an array of rank {rank}")
    if len(set(named)) < len(named):
        raise ShapeError(f"einsum {equation!r}: a letter stands twice in {term!r}; take the diagonal first")
    return term.replace("...", ELLIPSIS[len(ELLIPSIS) - count :])


def _of_ellipsis(letters: str) -> str:
    return "".join(x for x in letters if x in ELLIPSIS)


def _pair(a: Node, of_a: str, b: Node, of_b: str, kept: Collection[str]) -> tuple[Node, str]:
    """The product of two arrays, summed over their letters that nobody needs further: a matrix product if it can be."""
    if None in b.shape and None not in a.shape:  # the batch comes first in the result
        a, of_a, b, of_b = b, of_b, a, of_a
    a, of_a = _summed(a, of_a, {*kept, *of_b})
    b, of_b = _summed(b, of_b, {*kept, *of_a})
    common = [x for x in of_a if x in of_b]
    letters = of_a + "".join(x for x in of_b if x not in of_a)
    if common and not any(x in kept for x in common):
        product = e.tensordot(a, b, ([of_a.index(x) for x in common], [of_b.index(x) for x in common]))
        return product, "".join(x for x in letters if x not in common)
    return _summed(_spread(a, of_a, letters) * _spread(b, of_b, letters), letters, kept)


def _summed(x: Node, letters: str, kept: Collection[str]) -> tuple[Node, str]:
    axes = [i for i, letter in enumerate(letters) if letter not in kept]
    return e.sum(x, axes), "".join(letter for letter in letters if letter in kept)


def _spread(x: Node, letters: str, wanted: str) -> Node:
    """x with its axes in the order of ``wanted``, and axes of size 1 where it has none."""
    x = e.transpose(x, [letters.index(letter) for letter in wanted if letter in letters])
    sizes = iter(x.shape)
    return e.reshape(x, tuple(next(sizes) if letter in letters else 1 for letter in wanted))
