"""Every rule of the format: a program that breaks it is refused; the message names the line and what was expected."""

from __future__ import annotations

import re

import pytest

from lamina import _core

DECLARED = """lamina 1 float32
slot 0 8 64
slot 1 8 64
slot 2 0 64
value 0 input x 8
value 1 state p 0 64
value 2 state p 60 8
value 3 constant 0x1p-1 0x1.8p+1 0x0p+0
value 4 temp 0 8 0
value 5 temp 1 8 0
value 6 temp 2 0 64
value 7 part 6 8 8
value 8 rows
value 9 output y 8 0
value 10 output s 0 8
value 11 temp 1 4 0
value 12 state q 0 64
value 13 temp 2 0 64
value 14 output i 1 0
value 15 state r 0 8
"""  # 20 lines
ROWS, SPLIT, ONE = "phase rows\nload 4 0\n", "phase rows\nload 4 0\nphase split\n", "phase one\n"
MATMUL = "matmul 5 4 1 m=B n=8 k=8 a=8,1 b=8,1\n"

REFUSED: dict[str, tuple[str, int, str]] = {
    # words
    "empty": ("", 1, "the text is empty"),
    "header": ("lamina 2 float32", 1, "expected 'lamina 1'"),
    "type": ("lamina 1 int32", 1, "expected float32 or float64, got 'int32'"),
    "no header": ("slot 0 1 0", 1, "expected 'lamina 1'"),
    "unknown declaration": ("lamina 1 float32\nvalve 0 rows", 2, "expected slot, value or phase, got 'valve'"),
    "unknown kind": ("lamina 1 float32\nvalue 0 thing", 2, "unknown kind of value 'thing'; known: input, state"),
    "unknown phase": (DECLARED + "phase columns", 21, "unknown kind of phase 'columns'"),
    "unknown instruction": (DECLARED + ONE + "mop 1", 22, "unknown instruction 'mop'; known: load, matmul"),
    "late declaration": (DECLARED + ONE + "slot 9 1 0", 22, "declarations come before the first phase"),
    "twice": ("lamina 1 float32\nslot 0 1 0\nslot 0 1 0", 3, "slot 0 is declared on line 2 already"),
    "too much": ("lamina 1 float32\nslot 0 1 0 4", 2, "unexpected '4'"),
    "too little": ("lamina 1 float32\nslot 0 1", 2, "expected fixed elements, the line ends"),
    "not a number": ("lamina 1 float32\nslot 0 one 0", 2, "expected elements a row, got 'one'"),
    "negative": ("lamina 1 float32\nslot 0 -1 0", 2, "must be in 0..2^40"),
    "huge": ("lamina 1 float32\nslot 0 99999999999999 0", 2, "must be in 0..2^40"),
    "bad id": ("lamina 1 float32\nslot 2000000 1 0", 2, "must be in 0..2^20"),
    "bad constant": ("lamina 1 float32\nvalue 0 constant 0x1p-1 half", 2, "got 'half'"),
    # declarations
    "both sizes": ("lamina 1 float32\nslot 0 1 1\nvalue 0 temp 0 1 1", 3, "one of the two; got 1 and 1"),
    "no size": ("lamina 1 float32\nvalue 0 constant", 2, "one of the two; got 0 and 0"),
    "unknown slot": ("lamina 1 float32\nvalue 0 temp 0 1 0", 2, "slot 0 is not declared"),
    "slot too small": ("lamina 1 float32\nslot 0 4 0\nvalue 0 temp 0 5 0", 3, "B*5 elements do not fit slot 0"),
    "slot without room": ("lamina 1 float32\nslot 0 4 0\nvalue 0 temp 0 0 5", 3, "5 elements do not fit slot 0"),
    "part of nothing": ("lamina 1 float32\nvalue 1 part 0 0 1", 2, "value 0 is not declared"),
    "part of a batch": ("lamina 1 float32\nvalue 0 input x 4\nvalue 1 part 0 0 1", 3, "a value of fixed size"),
    "part beyond": ("lamina 1 float32\nvalue 0 state p 0 4\nvalue 1 part 0 2 3", 3, "elements 2..5 reach beyond the 4"),
    "part before": ("lamina 1 float32\nvalue 1 state p 0 4\nvalue 0 part 1 0 1", 3, "larger number"),
    "input of two widths": (
        "lamina 1 float32\nvalue 0 input x 4\nvalue 1 input x 5",
        3,
        "has 4 elements a row elsewhere",
    ),
    "output twice": ("lamina 1 float32\nvalue 0 output y 4 0\nvalue 1 output y 4 0", 3, "is declared already"),
    # operands
    "undeclared": (DECLARED + ONE + "fill 99 const:0x0p+0", 22, "value 99 is not declared"),
    "write an input": (DECLARED + ONE + "fill 0 const:0x0p+0", 22, "value 0 cannot be written"),
    "write a constant": (DECLARED + ONE + "fill 3 const:0x0p+0", 22, "value 3 cannot be written"),
    "write the rows": (DECLARED + ONE + "fill 8 const:0x0p+0", 22, "value 8 cannot be written"),
    "fill without a constant": (DECLARED + ONE + "fill 1 0x0p+0", 22, "expected const:<number>"),
    "read an input": (DECLARED + "phase rows\nmap m=B n=8 in=0:full code= out=9:full:0", 22, "only `load` reads it"),
    "read before written": (
        DECLARED + ONE + "map m=B n=8 in=4:full code= out=9:full:0",
        22,
        "value 4 is read before it is written",
    ),
    "read after overwritten": (
        DECLARED + ONE + "fill 6 const:0x0p+0\nfill 13 const:0x0p+0\nmap m=1 n=64 in=6:full code= out=1:full:0",
        24,
        "value 6 has been overwritten by value 13 in slot 2",
    ),
    # phases of rows
    "fixed in rows": (
        DECLARED + "phase rows\nfill 6 const:0x0p+0",
        22,
        "only values with a part for each row are written, value 6 has 64",
    ),
    "m in rows": (
        DECLARED + "phase rows\nmap m=8 n=8 in=1:full code= out=6:full:0",
        22,
        "m is B or B*<integer>, got 8",
    ),
    "sum in rows": (
        DECLARED + ROWS + "map m=B n=8 in=4:full code= out=10:sum_rows:0",
        23,
        "only full, sum_cols and max_cols",
    ),
    "k in rows": (DECLARED + ROWS + "matmul 5 4 1 m=B n=8 k=B a=8,1 b=8,1", 23, "k is an integer"),
    "batch B in rows": (
        DECLARED + ROWS + "matmul 5 1 4 m=B n=8 k=8 a=0,1 b=8,1",
        23,
        "value 4 as B must be of fixed size",
    ),
    "A of other rows": (
        DECLARED + ROWS + "matmul 5 4 1 m=B n=8 k=4 a=4,1 b=8,1",
        23,
        "A must stay within its row of 8",
    ),
    "uneven slot": (
        DECLARED + ROWS + "map m=B n=8 in=4:full code= out=5:full:0\nmap m=B n=4 in=3:scalar code= out=11:full:0",
        24,
        "has 3 elements, expected 1",
    ),
    "slot of two widths": (
        DECLARED + ROWS + "map m=B n=8 in=4:full code= out=5:full:0\nmap m=B n=4 in=8:scalar code= out=11:full:0",
        24,
        "values 5 and 11 share memory in a phase of rows and differ in size: B*8 and B*4",
    ),
    "load elsewhere": (DECLARED + ONE + "load 4 0", 22, "load belongs in a phase of rows"),
    "scatter_add in rows": (
        DECLARED + ROWS + "scatter_add 12 4 5 m=B n=8 size=8",
        23,
        "scatter_add belongs in a phase of rows only with a partial target",
    ),
    "table in rows": (DECLARED + ROWS + "take 9 4 14 m=B n=8 size=1", 23, "value 4 as the table must be of fixed size"),
    # split phases
    "write twice": (
        DECLARED + "phase split\nfill 1 const:0x0p+0\nfill 2 const:0x0p+0",
        23,
        "instructions of a split phase are independent",
    ),
    "read what is written": (
        DECLARED + "phase split\nfill 1 const:0x0p+0\nmap m=1 n=8 in=2:full code= out=10:full:0",
        23,
        "value 1 written on line 22 shares memory with value 2 on line 23",
    ),
    # load
    "load another size": (
        DECLARED + "phase rows\nload 11 0",
        22,
        "value 11 has B*4 elements, expected B*8 (as the input)",
    ),
    "load a state": (DECLARED + "phase rows\nload 4 1", 22, "value 1 is not an input"),
    # matmul
    "C of another size": (
        DECLARED + ROWS + "matmul 11 4 1 m=B n=8 k=8 a=8,1 b=8,1",
        23,
        "value 11 has B*4 elements, expected B*8 (m*n)",
    ),
    "A beyond": (DECLARED + SPLIT + "matmul 5 4 1 m=B n=8 k=9 a=8,1 b=0,1", 24, "A reaches element B*8 of value 4"),
    "B beyond": (
        DECLARED + ROWS + "matmul 5 4 1 m=B n=8 k=8 a=8,1 b=9,1",
        23,
        "B reaches element 70 of value 1, which has 64",
    ),
    "grows with B": (DECLARED + ONE + "matmul 12 1 1 m=8 n=8 k=B a=1,8 b=8,1", 22, "A reaches element B*8"),
    "m and k of the batch": (
        DECLARED + ROWS + "phase one\nmatmul 5 4 1 m=B n=8 k=B a=8,1 b=8,1",
        24,
        "m and k cannot both depend on B",
    ),
    "C is A": (DECLARED + ONE + "matmul 1 1 12 m=8 n=8 k=8 a=8,1 b=8,1", 22, "value 1 and value 1 share memory"),
    "one stride": (DECLARED + ROWS + "matmul 5 4 1 m=B n=8 k=8 a=8 b=8,1", 23, "a needs <row stride>,<column stride>"),
    "no n": (DECLARED + ROWS + "matmul 5 4 1 m=B k=8 a=8,1 b=8,1", 23, "expected n=…, got 'k=8'"),
    "n of zero": (DECLARED + ROWS + "matmul 5 4 1 m=B n=0 k=8 a=8,1 b=8,1", 23, "n must be at least 1"),
    # then
    "then alone": (DECLARED + ROWS + "then m=B n=8 in=4:full code= out=9:full:0", 23, "then follows the matmul"),
    "then of another size": (
        DECLARED + ROWS + MATMUL + "then m=B n=4 in=11:full code= out=11:full:0",
        24,
        "then has the matmul's m and n: B and 8",
    ),
    "then over a factor": (
        DECLARED + ROWS + MATMUL + "then m=B n=8 in=5:full code= out=4:full:0",
        24,
        "value 4 and value 4 share memory",
    ),
    # map
    "input of another size": (
        DECLARED + ONE + "map m=1 n=8 in=1:full code= out=10:full:0",
        22,
        "value 1 has 64 elements, expected 8",
    ),
    "output of another size": (
        DECLARED + ONE + "map m=8 n=8 in=1:full code= out=10:full:0",
        22,
        "value 10 has 8 elements, expected 64",
    ),
    "unknown input kind": (
        DECLARED + ONE + "map m=8 n=8 in=1:fool code= out=6:full:0",
        22,
        "unknown kind of input 'fool'; known: full, row",
    ),
    "unknown output kind": (
        DECLARED + ONE + "map m=8 n=8 in=1:full code= out=6:sum:0",
        22,
        "unknown kind of output 'sum'",
    ),
    "unknown operation": (
        DECLARED + ONE + "map m=8 n=8 in=1:full code=expo 0 out=6:full:1",
        22,
        "unknown operation 'expo'; known: negative",
    ),
    "wrong arguments": (
        DECLARED + ONE + "map m=8 n=8 in=1:full code=add 0 out=6:full:1",
        22,
        "'add' takes 2 argument(s), got 1",
    ),
    "register too early": (
        DECLARED + ONE + "map m=8 n=8 in=1:full code=add 0 1 out=6:full:1",
        22,
        "register 1 is read before it is defined",
    ),
    "register of the output": (
        DECLARED + ONE + "map m=8 n=8 in=1:full code=exp 0 out=6:full:2",
        22,
        "register 2 is not defined",
    ),
    "no output": (DECLARED + ONE + "map m=8 n=8 in=1:full code=exp 0 out=", 22, "at least one output"),
    "no out": (DECLARED + ONE + "map m=8 n=8 in=1:full code=exp 0", 22, "expected out=…, the line ends"),
    "half an input": (
        DECLARED + ONE + "map m=8 n=8 in=1 code=exp 0 out=6:full:1",
        22,
        "an input is <value>:<kind>, got '1'",
    ),
    "half an output": (
        DECLARED + ONE + "map m=8 n=8 in=1:full code=exp 0 out=6:full",
        22,
        "an output is <value>:<kind>:<register>",
    ),
    "output over a row": (
        DECLARED + ONE + "map m=8 n=8 in=2:row code= out=1:full:0",
        22,
        "value 1 and value 2 share memory",
    ),
    "outputs over each other": (
        DECLARED + ONE + "map m=1 n=8 in=10:full code= out=2:full:0,15:full:0,2:full:0",
        22,
        "value 2 and value 2 share memory",
    ),
    "stream": (DECLARED + ONE + "map m=8 n=8 in= code=random -1 out=6:full:0", 22, "expected a stream, got '-1'"),
    # copy
    "copy beyond": (DECLARED + ONE + "copy 10 1 sizes=8 dst=1:1 src=0:1", 22, "dst reaches element 8 of value 10"),
    "copy from beyond": (
        DECLARED + ONE + "copy 10 1 sizes=8 dst=0:1 src=57:1",
        22,
        "src reaches element 64 of value 1",
    ),
    "copy ranks": (DECLARED + ONE + "copy 10 1 sizes=2,4 dst=0:1 src=0:4,1", 22, "dst has 1 strides for 2 sizes"),
    "copy twice": (DECLARED + ONE + "copy 10 1 sizes=2,4 dst=0:0,1 src=0:4,1", 22, "dst writes an element twice"),
    "copy over": (DECLARED + ONE + "copy 10 1 sizes=2,4 dst=0:2,1 src=0:4,1", 22, "dst writes an element twice"),
    "copy onto itself": (DECLARED + ONE + "copy 1 2 sizes=8 dst=0:1 src=0:1", 22, "value 1 and value 2 share memory"),
    "copy of rank 7": (
        DECLARED + ONE + "copy 10 1 sizes=1,1,1,1,1,1,1 dst=0:1 src=0:1",
        22,
        "a copy has 1 to 6 sizes, got 7",
    ),
    "copy of other rows": (
        DECLARED + ROWS + "copy 9 4 sizes=B,8 dst=0:8,1 src=0:4,1",
        23,
        "src must stay within its row of 8",
    ),
    "copy into other rows": (
        DECLARED + ROWS + "copy 9 4 sizes=B,4 dst=0:4,1 src=0:8,1",
        23,
        "dst must stay within its row of 8",
    ),
    # tables
    "take of another size": (
        DECLARED + ONE + "take 10 1 15 m=8 n=8 size=8",
        22,
        "value 10 has 8 elements, expected 64 (m*n)",
    ),
    "table of another size": (
        DECLARED + ONE + "take 12 1 15 m=8 n=8 size=7",
        22,
        "value 1 has 64 elements, expected 56 (size*n)",
    ),
    "index of another size": (
        DECLARED + ONE + "take 12 1 1 m=8 n=8 size=8",
        22,
        "value 1 has 64 elements, expected 8 (m)",
    ),
    "take onto the table": (DECLARED + ONE + "take 1 1 15 m=8 n=8 size=8", 22, "value 1 and value 1 share memory"),
    "scatter of another size": (
        DECLARED + ONE + "scatter_add 12 15 1 m=8 n=8 size=9",
        22,
        "value 12 has 64 elements, expected 72",
    ),
    "argmax of another size": (
        DECLARED + ONE + "argmax 15 1 m=8 n=7",
        22,
        "value 1 has 64 elements, expected 56 (m*n)",
    ),
    "overflow": (DECLARED + ONE + f"map m={2**39} n={2**39} in=1:full code= out=6:full:0", 22, "sizes are too large"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_broken_rule_is_refused(case: str):
    text, line, said = REFUSED[case]
    with pytest.raises(ValueError, match=re.escape(f"program line {line}: ") + ".*" + re.escape(said)):
        _core.Program(text)


ACCEPTED = {
    "declarations alone": DECLARED,
    "comments and empty lines": "# first\n\nlamina 1 float64  # text\n\nphase one  # nothing\n",
    "a window inside a buffer": DECLARED + ONE + "map m=1 n=8 in=2:full code= out=10:full:0",
    "an update in place": DECLARED + ONE + "map m=8 n=8 in=1:full,12:full code=add 0 1 out=1:full:2,12:full:2",
    "a temporary in the place of another": DECLARED
    + ONE
    + "fill 6 const:0x0p+0\nmap m=1 n=64 in=6:full code=exp 0 out=13:full:1",
    "a row that its sum replaces": DECLARED + ONE + "map m=8 n=8 in=1:full,15:row code=add 0 1 out=15:sum_rows:2",
    "parts of one gradient": DECLARED
    + SPLIT
    + "matmul 12 4 4 m=8 n=8 k=B a=1,8 b=8,1\nmap m=B n=8 in=4:full code= out=7:sum_rows:0",
    "a matmul and its epilogue": DECLARED + ROWS + MATMUL + "then m=B n=8 in=5:full code= out=9:full:0",
    "rows of rows": DECLARED + ROWS + "map m=B*2 n=4 in=4:full code=exp 0 out=9:full:1",
    "a transposed copy": DECLARED + ONE + "copy 12 1 sizes=8,8 dst=0:1,8 src=0:8,1",
    "special constants": DECLARED + ONE + "fill 1 const:inf\nfill 1 const:-inf\nfill 1 const:nan",
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_a_good_program_is_accepted(case: str):
    assert _core.Program(ACCEPTED[case]).dtype.startswith("float")


def test_a_program_cut_anywhere_is_refused_or_a_program():
    """No text makes the reader fall over."""
    text = DECLARED + ROWS + MATMUL + "then m=B n=8 in=5:full code=exp 0;clip 1 const:0x0p+0 2 out=9:full:3\n"
    assert {outcome(text[:end]) for end in range(len(text))} == {"float32", "program line"}


def outcome(text: str) -> str:
    """The type of a program, or how the refusal begins."""
    try:
        return _core.Program(text).dtype
    except ValueError as error:
        return str(error)[:12]
