"""Seconds of `import lamina`, and of NumPy within it, each in fresh processes, as one line of JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median

TIMES = 9
CODE = "import time; start = time.perf_counter(); import {module}; print(time.perf_counter() - start)"


def seconds(module: str) -> float:
    command = [sys.executable, "-c", CODE.format(module=module)]
    return median(float(subprocess.check_output(command)) for _ in range(TIMES))


if __name__ == "__main__":
    json.dump({module: seconds(module) for module in ("lamina", "numpy")}, sys.stdout)
