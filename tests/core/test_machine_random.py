"""Random numbers against a plain Philox4x32-10 in Python integers and its published vectors."""

from __future__ import annotations

import numpy as np
import pytest
from core_programs import run

WORD = 0xFFFFFFFF


def philox(counter: list[int], key: list[int]) -> list[int]:
    c, k = list(counter), list(key)
    for _ in range(10):
        p, q = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(q >> 32) ^ c[1] ^ k[0], q & WORD, (p >> 32) ^ c[3] ^ k[1], p & WORD]
        k = [(k[0] + 0x9E3779B9) & WORD, (k[1] + 0xBB67AE85) & WORD]
    return c


def uniform(count: int, stream: int, step: int, first: int = 0) -> np.ndarray:
    key = [stream & WORD, stream >> 32]
    numbers = []
    for e in range(first, first + count):
        words = philox([(e // 4) & WORD, (e // 4) >> 32, step & WORD, step >> 32], key)
        numbers.append((words[e % 4] >> 8) * 2.0**-24)
    return np.array(numbers)


def test_the_plain_philox_gives_the_published_vectors():
    """Random123's known answers for philox4x32-10."""
    assert philox([0] * 4, [0] * 2) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    assert philox([WORD] * 4, [WORD] * 2) == [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]
    pi = [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], [0xA4093822, 0x299F31D0]
    assert philox(*pi) == [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]


def text(dtype: str, n: int, stream: int, phase: str = "rows") -> str:
    draw = f"map m=B n={n} in= code=random {stream} out=0:full:0"
    return f"lamina 1 {dtype}\nvalue 0 output x {n} 0\nphase {phase}\n{draw}\n"


def test_numbers_of_a_batch(isa: str, dtype: str):
    for stream, step in [(0, 0), (7, 3), (2**63 + 12345, 2**33 + 1), (2**64 - 1, 2**40)]:
        for rows, n in [(1, 1), (3, 5), (33, 7), (2, 1025), (700, 1)]:
            found = run(text(dtype, n, stream), {}, rows=rows, step=step, isa=isa)["x"]
            np.testing.assert_array_equal(found, uniform(rows * n, stream, step))


def test_every_step_has_its_own_numbers(isa: str, dtype: str):
    found = run(text(dtype, 3, 9), {}, rows=10, batch=4, step=5, isa=isa)["x"]
    expected = [uniform(12, 9, 5), uniform(12, 9, 6), uniform(6, 9, 7)]
    np.testing.assert_array_equal(found, np.concatenate(expected))


@pytest.mark.parametrize("phase", ["rows", "split", "one"])
def test_threads_draw_the_same_numbers(phase: str, dtype: str):
    program = text(dtype, 37, 4, phase)
    one, two = (run(program, {}, rows=1024, threads=threads)["x"] for threads in (1, 2))
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(one[-100:], uniform(100, 4, 0, 1024 * 37 - 100))
