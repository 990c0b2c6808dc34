"""Program: the immutable text that the planner writes and the C++ machine runs (its format: core/README.md)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

FORMAT = 1


@dataclass(frozen=True)
class Instruction:
    """One line: its operation and arguments as text, and whose layer it serves."""

    text: str
    label: str = ""

    def __str__(self) -> str:
        return f"{self.text}  # {self.label}" if self.label else self.text


@dataclass(frozen=True)
class Phase:
    """Instructions that threads run without waiting for each other: by rows, by outputs (split), or one thread."""

    kind: str
    instructions: tuple[Instruction, ...]


@dataclass(frozen=True)
class Program:
    """Arena slots, values and phases; ``str(program)`` is the text that the machine verifies and runs."""

    dtype: str
    slots: tuple[tuple[int, int], ...]  # (elements a batch row, fixed elements)
    values: tuple[str, ...]
    phases: tuple[Phase, ...]
    inputs: dict[str, str] = field(default_factory=dict)  # name → the dtype the graph gives it

    def __str__(self) -> str:
        lines = [f"lamina {FORMAT} {self.dtype}"]
        lines += [f"slot {i} {per_row} {fixed}" for i, (per_row, fixed) in enumerate(self.slots)]
        lines += [f"value {i} {text}" for i, text in enumerate(self.values)]
        for phase in self.phases:
            lines.append(f"phase {phase.kind}")
            lines += map(str, phase.instructions)
        return "\n".join(lines) + "\n"


def dimension(per_row: int, fixed: int) -> str:
    """A size as the machine reads it: ``16``, ``B`` or ``B*3``."""
    return str(fixed) if not per_row else "B" if per_row == 1 else f"B*{per_row}"


def joined(values: Iterable[object]) -> str:
    """Arguments of one field."""
    return ",".join(map(str, values))
