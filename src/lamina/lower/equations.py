"""Graph → the equations of the textbook, as LaTeX or as text: Z[l] = W[l] A[l-1] + b[l], A[l] = σ(Z[l]), J = ….

Examples are columns, as textbooks have it, where Lamina's arrays have them as rows: every symbol stands for its
array transposed. That turns products round and leaves all else as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from math import isnan, nan

import numpy as np

from lamina.graph.node import Graph, Node
from lamina.graph.ops import OPS
from lamina.lower import to_latex as notation
from lamina.lower.places import Places
from lamina.lower.recognise import Composite, example, recognise
from lamina.lower.to_latex import ATOM, CALL, DEFINITIONS, SUM, TEMPLATES, Row, Term, Value
from lamina.lower.walk import lower

TEXT, LATEX = "text", "latex"
FORMATS = (TEXT, LATEX)
_LISTED = 6  # numbers of a constant that are written out
Uses = frozenset[str]


@dataclass(frozen=True)
class Equation:
    """One line: ``left = right``.

    Attributes:
        left, right: the two sides, in the format asked for.
        layer: the layer that it is of, or "".
        size: rows × columns of the left side, in the textbook's form; "" for a number or a definition.
    """

    left: str
    right: str
    layer: str = ""
    size: str = ""


def equations(graph: Graph, format: str = TEXT, names: Mapping[str, str] | None = None) -> list[Equation]:
    """The equations of a network, then the definitions of the functions that they name.

    Args:
        graph: outputs by name; a layer's nodes carry its name as their label.
        format: ``"text"`` or ``"latex"``.
        names: what inputs and outputs are called, such as ``{"x": "X", "y": "Y"}``; their own names by default.
            An input ``X`` is the textbook's A[0].

    Example:
        >>> from lamina.graph import express
        >>> from lamina.graph.node import label, leaf
        >>> x = leaf("input", (None, 3), "float32", name="x")
        >>> with label("dense"):
        ...     kernel = leaf("variable", (3, 1), "float32", buffer="kernel:dense", offset=0)
        ...     a = express.sigmoid(express.matmul(x, kernel))
        >>> for line in equations(Graph({"y_pred": a}), names={"x": "X", "y_pred": "Ŷ"}):
        ...     print(line.left, "=", line.right)
        A[0] = X
        Z[1] = W[1] A[0]
        A[1] = σ(Z[1])
        Ŷ = A[1]
        σ(z) = 1 / (1 + exp(−z))
    """
    writer = _Writer(graph, format == LATEX, names or {})
    for name, node in graph.outputs.items():
        writer.output(name, node)
    todo, done = sorted(writer.uses), set[str]()
    while todo:
        name = todo.pop(0)
        if name not in done:
            line, uses = _definition(name, writer)
            writer.lines.append(line)
            done.add(name)
            todo += sorted(uses)
    return writer.lines


def _definition(name: str, writer: _Writer) -> tuple[Equation, Uses]:
    """What a named function is, and the functions that this names in turn."""
    if name in DEFINITIONS:
        sides = DEFINITIONS[name]
        return Equation(*(sides[:2] if writer.latex else sides[2:])), frozenset()
    composite = writer.functions[name]
    inputs, root = example(composite)
    inner = _Writer(Graph({"": root}), writer.latex, {}, writer.functions, (composite, root))
    left = inner.call(name, [inner.values[x] for x in inputs], [nan] * composite.parameters)
    return Equation(str(left.whole), str(inner.values[root].whole)), inner.values[root].uses


class _Writer:
    """Walks a graph and writes an equation for each Z and A, in one format."""

    def __init__(
        self,
        graph: Graph,
        latex: bool,
        names: Mapping[str, str],
        functions: dict[str, Composite] | None = None,
        defined: tuple[Composite, Node] | None = None,
    ):
        self.latex = latex
        self.lines: list[Equation] = []
        self.uses: set[str] = set()
        self.values: dict[Node, Value] = {}
        self.functions = {} if functions is None else functions  # the composites by the names that they go by
        self._names, self._defined, self._places = names, defined, Places(graph)
        self._special: dict[str, Callable[..., Value]] = {
            "input": self._input, "variable": self._variable, "constant": self._constant, "sum": self._over,
            "max": self._over, "multiply": self._multiply, "divide": self._divide, "clip": self._clip,
            "reshape": self._reshape, "concatenate": self._concatenate, "slice": self._slice,
            "minimum": self._extreme, "maximum": self._extreme, "subtract": self._subtract,
            "less": self._compare, "less_equal": self._compare,
        }  # fmt: skip
        lower(graph, dict.fromkeys(OPS, self._node))

    def output(self, name: str, node: Node) -> None:
        """Write the line of an output."""
        left = self._symbol(self._names.get(name, name))
        value = self.values[node]
        if left != value.whole:
            self._line(left, node, value)

    def _line(self, left: str, node: Node, value: Value, layer: str = "") -> None:
        size = " × ".join("m" if s is None else str(s) for s in reversed(node.shape))
        self.lines.append(Equation(left, str(value.whole), layer, size))
        self.uses |= value.uses

    def call(self, name: str, inputs: Sequence[Value], parameters: Sequence[float]) -> Value:
        """``name(inputs, parameters)``; a loss takes the prediction first."""
        given = [*reversed(inputs), *map(self._number, parameters)]
        uses = frozenset({name}) - notation.UNEXPLAINED
        return self._list(CALL, given, ", ", uses, name=self._spoken(name))

    # -- one node

    def _node(self, node: Node, *inputs: Value) -> Value:
        value = self._recognised(node) or self._plain(node, *inputs)
        for symbol, layers in (("Z", self._places.z), ("A", self._places.a)):
            if node in layers:
                name = self._named(symbol, f"[{layers[node]}]", node)
                self._line(str(name.whole), node, value, node.label)
                value = name
        self.values[node] = value
        return value

    def _recognised(self, node: Node) -> Value | None:
        besides = self._defined[0] if self._defined and self._defined[1] is node else None
        found = recognise(node, self._may_be_argument, besides)
        if found is None:
            return None
        inputs = [self.values[x] for x in found.inputs]
        if found.composite.name == "square":
            return self._write(notation.SQUARE, inputs)
        return self.call(self._function(found.composite), inputs, found.parameters)

    def _may_be_argument(self, node: Node) -> bool:
        node = _meant(node)
        return node.op == "input" or node in self._places.a

    def _function(self, composite: Composite) -> str:
        """The name that a composite goes by: its own, numbered where another one has it (two losses, say)."""
        names = (composite.name + (str(n) if n > 1 else "") for n in count(1))
        return next(name for name in names if self.functions.setdefault(name, composite) is composite)

    def _plain(self, node: Node, *inputs: Value) -> Value:
        if node.op in notation.UNSEEN:
            return inputs[0]
        if node.op in self._special:
            return self._special[node.op](node, *inputs)
        return self._write(TEMPLATES[node.op], inputs, frozenset({node.op} & DEFINITIONS.keys()))

    def _write(self, row: Row, inputs: Sequence[Value], uses: Uses = frozenset(), **fields: str) -> Value:
        """A row's line on each of the three forms of the inputs."""
        level, latex, text = row
        line = latex if self.latex else text

        def written(form: Sequence[Term]) -> Term:
            return Term(line.format(*form, **fields), level, self.latex)

        whole, example, element = ([x.forms[i] for x in inputs] for i in range(3))
        functions = uses.union(*(x.uses for x in inputs))
        return Value(written(whole), written(example), written(element), functions)

    def _list(self, row: Row, inputs: Sequence[Value], between: str, uses: Uses = frozenset(), **fields: str) -> Value:
        """The same, for a line with any number of inputs: ``{given}``."""
        slots = between.join(f"{{{i}}}" for i in range(len(inputs)))
        level, latex, text = row
        named = (level, latex.replace("{given}", slots), text.replace("{given}", slots))
        return self._write(named, inputs, uses, **fields)

    # -- leaves and names

    def _symbol(self, name: str) -> str:
        if name in notation.SYMBOLS:
            return notation.SYMBOLS[name][0 if self.latex else 1]
        if len(name) == 1 or not self.latex:
            return name
        return rf"\text{{{_escaped(name)}}}"

    def _spoken(self, name: str) -> str:
        base = name.rstrip("0123456789")
        if base in notation.SPOKEN:
            number = name[len(base) :]
            return notation.SPOKEN[base][0 if self.latex else 1].format(number=number)
        return rf"\operatorname{{{_escaped(name)}}}" if self.latex else name

    def _same(self, text: str, level: int = ATOM) -> Value:
        term = Term(text, level, self.latex)
        return Value(term, term, term)

    def _named(self, symbol: str, index: str, node: Node) -> Value:
        """A[l] for all examples, a[l](i) for example i, a[l](i)ⱼ for its element j."""
        if node.shape[:1] != (None,):
            return self._same(self._raised(symbol, index))
        small = symbol.lower() if len(symbol) == 1 else symbol
        example = self._raised(small, index + "(i)")
        element = example + ("_j" if self.latex else "ⱼ") if any(s not in (None, 1) for s in node.shape) else example

        def term(text: str) -> Term:
            return Term(text, ATOM, self.latex)

        return Value(term(self._raised(symbol, index)), term(example), term(element))

    def _raised(self, symbol: str, index: str) -> str:
        _, latex, text = TEMPLATES["variable"]
        line = latex if self.latex else text
        return line.format(symbol=symbol, index=index) if index else symbol

    def _input(self, node: Node) -> Value:
        name = self._names.get(node.attrs["name"], node.attrs["name"])
        value = self._named(self._symbol(name), "", node)
        if name != "X":
            return value
        first = self._named("A", "[0]", node)
        self._line(str(first.whole), node, value)
        return first

    def _variable(self, node: Node) -> Value:
        symbol, index = self._places.variable(node)
        return self._same(self._raised(self._symbol(symbol), index))

    def _constant(self, node: Node) -> Value:
        numbers = node.attrs["value"]
        if numbers.size == 1:
            return self._number(numbers.item() if numbers.dtype.kind in "ib" else str(numbers.reshape(())))
        if np.array_equal(numbers, np.arange(numbers.size)):
            return self._same("j")
        listed = ", ".join(self._number(str(x)).whole for x in numbers.reshape(-1)[:_LISTED])
        return self._same(f"({listed}{', …' if numbers.size > _LISTED else ''})")

    def _number(self, number: float | str) -> Value:
        """A number as short as it was written; NaN stands for any, s."""
        value = float(number)
        if isnan(value):
            return self._same("s")
        text = str(int(value)) if value.is_integer() and abs(value) < 1e6 else str(number)
        mantissa, _, exponent = text.partition("e")
        if self.latex and exponent:
            power = f"10^{{{int(exponent)}}}"
            text = power if mantissa in ("1", "1.0") else rf"{mantissa} \cdot {power}"
        return self._same(text.replace("-", "-" if self.latex or exponent else "−"), SUM if value < 0 else ATOM)

    # -- operations whose line depends on their inputs

    def _over(self, node: Node, x: Value) -> Value:
        """A sum or maximum: over examples, over the elements of one, or over all of an array."""
        of, axes = node.inputs[0], node.attrs["axes"]
        batch = 0 in axes and of.shape[0] is None
        elements = any(of.shape[a] not in (None, 1) for a in axes)
        if of.shape[:1] != (None,):
            return self._write(TEMPLATES[node.op], [x])
        if elements:
            each = Value(x.element if batch else x.whole, x.element, x.element, x.uses)
            x = self._write(notation.OVER[node.op, "elements"], [each])
        if batch:
            one = x.whole if elements else x.example
            each = Value(one, one, one, x.uses)
            x = self._write(notation.OVER[node.op, "examples"], [each])
        return x

    def _subtract(self, node: Node, a: Value, b: Value) -> Value:
        return a if b.whole == "0" else self._write(TEMPLATES["subtract"], [a, b])

    def _compare(self, node: Node, a: Value, b: Value) -> Value:
        """A condition with the number on the right."""
        turned = {"less": notation.GREATER, "less_equal": notation.GREATER_EQUAL}
        number = node.inputs[0].op == "constant" and node.inputs[0].shape == ()
        return self._write(turned[node.op] if number else TEMPLATES[node.op], [a, b])

    def _multiply(self, node: Node, a: Value, b: Value) -> Value:
        scalars = [x.shape == () for x in node.inputs]
        if "1" in (a.whole, b.whole) and any(scalars):
            return b if a.whole == "1" else a
        if "0" in (a.whole, b.whole):
            return self._same("0")
        for x, other in zip(node.inputs, (b, a), strict=True):
            if denominator := self._reciprocal(x):  # a ⊙ 1/b is read more easily as a / b
                return self._write(TEMPLATES["divide"], [other, denominator])
        if any(scalars):
            first = scalars[0] and not (all(scalars) and node.inputs[1].op == "constant")
            return self._write(notation.SCALED, [a, b] if first else [b, a])
        return self._write(TEMPLATES["multiply"], [a, b])

    def _reciprocal(self, node: Node) -> Value | None:
        """The b of 1 / b."""
        node = _meant(node)
        if node.op == "divide" and self.values[node.inputs[0]].whole == "1":
            return self.values[node.inputs[1]]
        return None

    def _divide(self, node: Node, a: Value, b: Value) -> Value:
        if b.whole == "1":
            return a
        mean = node.inputs[0].op == "sum" and node.inputs[1].shape == ()
        return self._write(notation.SHARE if mean else TEMPLATES["divide"], [a, b])

    def _clip(self, node: Node, x: Value) -> Value:
        if node.attrs["guard"]:
            return x
        low, high = (str(self._number(node.attrs[name]).whole) for name in ("low", "high"))
        return self._write(TEMPLATES["clip"], [x], low=low, high=high)

    def _reshape(self, node: Node, x: Value) -> Value:
        return x if _only_stored_otherwise(node) else self._write(TEMPLATES["reshape"], [x])

    def _concatenate(self, node: Node, *inputs: Value) -> Value:
        return self._list(TEMPLATES["concatenate"], inputs, notation.STACKED[0 if self.latex else 1])

    def _slice(self, node: Node, x: Value) -> Value:
        """Which elements, counted from 1 as the textbook does."""
        sides = zip(node.attrs["begin"], node.attrs["end"], node.inputs[0].shape, strict=True)
        bounds = [f"{begin + 1}…{end}" for begin, end, size in sides if end is not None and (begin, end) != (0, size)]
        return self._write(
            TEMPLATES["slice"], [x], bounds=", ".join(bounds).replace("…", r" \dots " if self.latex else "…")
        )

    def _extreme(self, node: Node, a: Value, b: Value) -> Value:
        row = {"minimum": notation.AND, "maximum": notation.OR}[node.op] if node.dtype == "bool" else TEMPLATES[node.op]
        return self._write(row, [a, b])


def _meant(node: Node) -> Node:
    """The node whose numbers these are, below what only stores them otherwise."""
    while node.op in notation.UNSEEN or _only_stored_otherwise(node):
        node = node.inputs[0]
    return node


def _only_stored_otherwise(node: Node) -> bool:
    """Whether a reshape only adds or takes axes of size 1."""
    if node.op != "reshape":
        return False
    old, new = ([s for s in shape if s != 1] for shape in (node.inputs[0].shape, node.shape))
    return old == new


def _escaped(name: str) -> str:
    return name.replace("_", r"\_").replace("%", r"\%").replace("#", r"\#").replace("&", r"\&")


# -- the whole page


def text(lines: Sequence[Equation]) -> str:
    """The equations one below the other, with the layer and the size of the left side behind each."""
    written = [f"{line.left} = {line.right}" for line in lines]
    far = max((len(line) for line in written if len(line) <= _WIDE), default=0)
    notes = [", ".join(filter(None, (line.layer, line.size))) for line in lines]
    return "\n".join(f"{line:<{far}}   {note}".rstrip() for line, note in zip(written, notes, strict=True))


def latex(lines: Sequence[Equation]) -> str:
    """The equations as one LaTeX block (amsmath's aligned), ready between ``\\[`` and ``\\]``."""
    body = " \\\\\n".join(f"{line.left} &= {line.right}" for line in lines)
    return "\\begin{aligned}\n" + body + "\n\\end{aligned}"


_WIDE = 70  # longer lines do not push the notes of the others to the right
