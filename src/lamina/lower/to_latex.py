"""How expressions are written: a line for each operation, in LaTeX and as text, with brackets only where needed."""

from __future__ import annotations

from dataclasses import dataclass

Row = tuple[int, str, str]  # how tightly it holds together, LaTeX, text
CONDITION, SUM, OVERALL, PRODUCT, POWER, ATOM = range(6)

# One line an operation: how tightly it holds, then LaTeX and text. {0:3} is the first input, in brackets if it holds
# less tightly than a product (3).
TEMPLATES: dict[str, Row] = {
    "input": (ATOM, "{symbol}^{{{index}}}", "{symbol}{index}"),
    "variable": (ATOM, "{symbol}^{{{index}}}", "{symbol}{index}"),
    "constant": (ATOM, "{number}", "{number}"),
    "rows": (ATOM, "m", "m"),
    "step": (ATOM, "t", "t"),
    "random": (ATOM, "R", "R"),
    "negative": (SUM, "-{0:3}", "−{0:3}"),
    "absolute": (ATOM, r"\left|{0}\right|", "|{0}|"),
    "sign": (ATOM, r"\operatorname{{sign}}\left({0}\right)", "sign({0})"),
    "exp": (POWER, "e^{{{0}}}", "exp({0})"),
    "expm1": (SUM, "e^{{{0}}} - 1", "exp({0}) − 1"),
    "log": (POWER, r"\log{{\left({0}\right)}}", "log({0})"),
    "log1p": (POWER, r"\log{{\left(1 + {0}\right)}}", "log(1 + {0})"),
    "sqrt": (ATOM, r"\sqrt{{{0}}}", "√({0})"),
    "sin": (ATOM, r"\sin\left({0}\right)", "sin({0})"),
    "cos": (ATOM, r"\cos\left({0}\right)", "cos({0})"),
    "tanh": (ATOM, r"\tanh\left({0}\right)", "tanh({0})"),
    "sigmoid": (ATOM, r"\sigma\left({0}\right)", "σ({0})"),
    "softplus": (ATOM, r"\operatorname{{softplus}}\left({0}\right)", "softplus({0})"),
    "erf": (ATOM, r"\operatorname{{erf}}\left({0}\right)", "erf({0})"),
    "floor": (ATOM, r"\lfloor {0} \rfloor", "⌊{0}⌋"),
    "ceil": (ATOM, r"\lceil {0} \rceil", "⌈{0}⌉"),
    "round": (ATOM, r"\operatorname{{round}}\left({0}\right)", "round({0})"),
    "isfinite": (ATOM, r"\operatorname{{isfinite}}\left({0}\right)", "isfinite({0})"),
    "clip": (ATOM, r"\min\left(\max\left({0}, {low}\right), {high}\right)", "min(max({0}, {low}), {high})"),
    "stop_gradient": (ATOM, "{0}", "{0}"),
    "cast": (ATOM, "{0}", "{0}"),
    "add": (SUM, "{0:1} + {1:1}", "{0:1} + {1:1}"),
    "subtract": (SUM, "{0:1} - {1:2}", "{0:1} − {1:2}"),
    "multiply": (PRODUCT, r"{0:3} \odot {1:3}", "{0:3} ⊙ {1:3}"),
    "divide": (PRODUCT, r"\frac{{{0}}}{{{1}}}", "{0:3} / {1:4}"),
    "power": (POWER, "{{{0:5}}}^{{{1}}}", "{0:5}^{1:5}"),
    "maximum": (ATOM, r"\max\left({0}, {1}\right)", "max({0}, {1})"),
    "minimum": (ATOM, r"\min\left({0}, {1}\right)", "min({0}, {1})"),
    "equal": (CONDITION, "{0:1} = {1:1}", "{0:1} = {1:1}"),
    "less": (CONDITION, "{0:1} < {1:1}", "{0:1} < {1:1}"),
    "less_equal": (CONDITION, r"{0:1} \le {1:1}", "{0:1} ≤ {1:1}"),
    "where": (
        CONDITION,
        r"\begin{{cases}} {1} & \text{{if }} {0} \\ {2} & \text{{otherwise}} \end{{cases}}",
        "{1:1} if {0} else {2:1}",
    ),
    "sum": (OVERALL, r"\sum {0:3}", "Σ {0:3}"),
    "max": (OVERALL, r"\max {0:3}", "max {0:3}"),
    "argmax": (ATOM, r"\operatorname{{argmax}}\left({0}\right)", "argmax({0})"),
    "tensordot": (PRODUCT, "{1:3} {0:4}", "{1:3} {0:4}"),
    "reshape": (ATOM, r"\operatorname{{reshape}}\left({0}\right)", "reshape({0})"),
    "broadcast_to": (ATOM, "{0}", "{0}"),
    "concatenate": (ATOM, r"\begin{{bmatrix}} {given} \end{{bmatrix}}", "[{given}]"),
    "transpose": (POWER, "{{{0:5}}}^T", "{0:5}ᵀ"),
    "slice": (ATOM, "{{{0:5}}}_{{{bounds}}}", "{0:5}[{bounds}]"),
    "pad": (ATOM, r"\operatorname{{pad}}\left({0}\right)", "pad({0})"),
    "take": (ATOM, "{{{0:5}}}_{{{1}}}", "{0:5}[{1}]"),
    "scatter_add": (ATOM, r"\operatorname{{scatter}}\left({0}, {1}\right)", "scatter({0}, {1})"),
}
SCALED: Row = (PRODUCT, r"{0:3} \, {1:2}", "{0:3} {1:2}")  # a product with a number
SHARE: Row = (PRODUCT, r"\frac{{1}}{{{1}}} {0:2}", "1/{1:5} {0:2}")  # a sum over its count: a mean
SQUARE: Row = (POWER, "{{{0:5}}}^2", "{0:5}²")
GREATER: Row = (CONDITION, "{1:1} > {0:1}", "{1:1} > {0:1}")  # a number < x
GREATER_EQUAL: Row = (CONDITION, r"{1:1} \ge {0:1}", "{1:1} ≥ {0:1}")
AND: Row = (CONDITION, r"{0:1} \text{{ and }} {1:1}", "{0:1} and {1:1}")
OR: Row = (CONDITION, r"{0:1} \text{{ or }} {1:1}", "{0:1} or {1:1}")
CALL: Row = (ATOM, r"{name}\left({given}\right)", "{name}({given})")
STACKED = (r" \\ ", "; ")
# Reductions of a batch over the examples, and over the elements of an example; TEMPLATES has those over a whole array.
OVER: dict[tuple[str, str], Row] = {
    ("sum", "examples"): (OVERALL, r"\sum_{{i=1}}^{{m}} {0:2}", "Σᵢ {0:2}"),
    ("sum", "elements"): (OVERALL, r"\sum_{{j}} {0:2}", "Σⱼ {0:2}"),
    ("max", "examples"): (OVERALL, r"\max_{{i}} {0:2}", "maxᵢ {0:2}"),
    ("max", "elements"): (OVERALL, r"\max_{{j}} {0:2}", "maxⱼ {0:2}"),
}
# Operations that change how an array is stored, and no number of it.
UNSEEN = frozenset(op for op, (_, latex, _) in TEMPLATES.items() if latex == "{0}")

# Variables and symbols by the textbook's names: LaTeX, text.
SYMBOLS = {
    "kernel": ("W", "W"),
    "bias": ("b", "b"),
    "gamma": (r"\gamma", "γ"),
    "beta": (r"\beta", "β"),
    "moving_mean": (r"\mu", "μ"),
    "moving_variance": ("v", "v"),
    "mean": (r"\mu", "μ"),
    "variance": ("v", "v"),
    "embeddings": ("E", "E"),
    "Ŷ": (r"\hat{Y}", "Ŷ"),
}
# What the functions among the primitives are, and those whose nodes say less than a textbook.
DEFINITIONS = {
    "sigmoid": (r"\sigma\left(z\right)", r"\frac{1}{1 + e^{-z}}", "σ(z)", "1 / (1 + exp(−z))"),
    "softplus": (
        r"\operatorname{softplus}\left(z\right)", r"\log{\left(1 + e^{z}\right)}",
        "softplus(z)", "log(1 + exp(z))",
    ),
    "erf": (
        r"\operatorname{erf}\left(z\right)", r"\frac{2}{\sqrt{\pi}} \int_0^z e^{-t^2} dt",
        "erf(z)", "2/√π ∫₀ᶻ exp(−t²) dt",
    ),
    "dropout": (
        r"\operatorname{dropout}\left(z, s\right)",
        r"\begin{cases} \frac{z}{1 - s} & \text{with probability } 1 - s \\ 0 & \text{otherwise} \end{cases}",
        "dropout(z, s)",
        "z / (1 − s) with probability 1 − s, else 0",
    ),
}  # fmt: skip
SPOKEN = {"loss": (r"\mathcal{{L}}{number}", "L{number}")}  # composites that are not called by their own names
UNEXPLAINED = frozenset({"mean"})


class Term(str):
    """A piece of an equation that knows how tightly it holds together; ``format`` puts it in brackets as needed."""

    level: int
    brackets: tuple[str, str]

    def __new__(cls, text: str, level: int, latex: bool) -> Term:
        term = super().__new__(cls, text)
        term.level, term.brackets = level, (r"\left(", r"\right)") if latex else ("(", ")")
        return term

    def __format__(self, needed: str) -> str:
        return str(self) if self.level >= int(needed or 0) else str(self).join(self.brackets)


@dataclass(frozen=True)
class Value:
    """A node's expression for all examples, for example i, and for element j of it; and the functions named in it."""

    whole: Term
    example: Term
    element: Term
    uses: frozenset[str] = frozenset()

    @property
    def forms(self) -> tuple[Term, Term, Term]:
        """The three expressions."""
        return self.whole, self.example, self.element
