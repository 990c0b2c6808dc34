"""What machine the figures are of."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

QUIET = 0.7  # the load above which figures are not to be trusted


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def instruction_sets() -> list[str]:
    """Those of the vector instructions that the processor has and that decide such figures."""
    known = ("avx2", "fma", "avx512f", "avx512_vnni", "amx_tile", "asimd", "sve")
    cpuinfo = Path("/proc/cpuinfo")
    flags = cpuinfo.read_text().split() if cpuinfo.exists() else []
    return [name for name in known if name in flags]


def machine() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": processor(),
        "instructions": instruction_sets(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory),
        "load_before": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }
