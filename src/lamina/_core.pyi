"""The C++ machine: runs the programs that ``plan`` writes (their format: core/README.md)."""

import numpy as np
from numpy.typing import NDArray

class Program:
    """A program, read and verified once. Raises ValueError naming the line and what was expected."""

    def __init__(self, text: str) -> None: ...
    @property
    def dtype(self) -> str:
        """``float32`` or ``float64``: the type of every array of a run."""
    @property
    def inputs(self) -> dict[str, int]:
        """Elements a row of each input."""
    @property
    def states(self) -> dict[str, int]:
        """The least number of elements of each buffer."""
    @property
    def outputs(self) -> dict[str, tuple[int, int]]:
        """Elements a row and fixed elements of each output; one of the two is 0."""

class Workspace:
    """The memory and the threads for runs of one program with batches of up to ``batch_size`` rows."""

    def __init__(
        self, program: Program, batch_size: int, threads: int = 1, isa: str | None = None, profile: bool = False
    ) -> None: ...
    @property
    def batch_size(self) -> int: ...
    @property
    def threads(self) -> int: ...
    @property
    def isa(self) -> str: ...
    @property
    def seconds(self) -> dict[int, float]:
        """Of a workspace made with ``profile``: seconds by the line of each instruction (an epilogue's with its
        product), all threads together; under 0 the seconds that passed."""
    def bind(
        self,
        inputs: dict[str, np.ndarray],
        states: dict[str, np.ndarray],
        outputs: dict[str, np.ndarray],
        order: NDArray[np.int64] | None,
        rows: int,
    ) -> Call:
        """The arrays of a pass, checked once; the result runs rows of it. See ``run``."""
    def run(
        self,
        inputs: dict[str, np.ndarray],
        states: dict[str, np.ndarray],
        outputs: dict[str, np.ndarray],
        order: NDArray[np.int64] | None,
        rows: int,
        start_row: int,
        stop_row: int,
        step: int,
    ) -> int:
        """Run rows ``start_row..stop_row`` of the pass in batches and return the number of steps.

        Arrays are C-contiguous, of the program's dtype; inputs have ``rows``
        rows; ``order`` (int64, entries in [0, rows)) is the order of the pass, None for the arrays' own. Row r of
        an output belongs to row ``start_row + r`` of the pass. ``step`` is the number of the first step.

        Raises:
            TypeError, ValueError: an array is missing, of another type or size, or two share memory.
            IndexError: an index of `take` or `scatter_add` is outside its table.
        """

class Call:
    """A workspace with the arrays of a pass: as ``Workspace.run``, without looking at the arrays again."""

    def __call__(self, start_row: int, stop_row: int, step: int) -> int: ...

def shuffle(order: NDArray[np.int64], seed: int) -> None:
    """Fill ``order`` (n,) with a permutation of 0 … n − 1 that depends on n and the seed (64 bits) alone."""

def isa() -> str:
    """The instruction set that a workspace uses by default; the variable LAMINA_ISA overrides it."""

def isas() -> list[str]:
    """The instruction sets that this machine can run, best last."""

def ops() -> dict[str, list[str]]:
    """Names of the operations of ``map`` and of the instructions."""
