"""Times one epoch of every rung with every peer and writes the figures: `make bench`.

Each round runs every peer once, each in a process of its own, in an order that turns from round to round, so
that what else the machine does falls on all alike. A process trains for some epochs; its figure is the
median of all but the first, which also builds and compiles. A peer's figure is the least of its rounds, since what
else a machine does only adds time; its ratio is to Lamina's figure. The spread shows the ratios within each round.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from rungs import RUNGS, Rung

HERE = Path(__file__).parent
PEERS = ("lamina", "keras_tensorflow", "keras_jax", "torch", "jax", "sklearn")
QUIET = 0.7  # the load above which figures are not to be trusted
EPOCHS = {"tiny": 8, "small": 8, "medium": 5, "large": 4}


def call(python: str, *words: str) -> dict[str, Any]:
    """Runs one of this folder's scripts and reads the JSON it prints; shows its own words if it fails."""
    done = subprocess.run([python, *words], cwd=HERE, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(words)} ended with {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def run_rounds(given: argparse.Namespace, rung: Rung) -> dict[str, list[dict[str, Any]]]:
    """What every peer reported, a list over the rounds."""
    reports: dict[str, list[dict[str, Any]]] = {peer: [] for peer in given.peers}
    epochs = given.epochs or EPOCHS[rung.name]
    for turn in range(given.rounds):
        start = turn % len(given.peers)
        for peer in given.peers[start:] + given.peers[:start]:
            python = sys.executable if peer == "lamina" else given.peer_python
            reports[peer].append(call(python, "peer.py", peer, rung.name, str(epochs)))
            milliseconds = 1e3 * steady(reports[peer][-1])
            print(f"  {rung.name} round {turn + 1} {peer}: {milliseconds:.1f} ms", flush=True)
    return reports


def steady(report: dict[str, Any]) -> float:
    """The figure of one process: the median second of its epochs but the first."""
    return median(report["seconds"][1:])


def spread(values: list[float]) -> list[float]:
    return [min(values), max(values)]


def figures(rung: Rung, reports: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """The rung's part of the result: for each peer its epoch, first epoch and ratio, and their spread."""
    rounds = {peer: [steady(report) for report in of_peer] for peer, of_peer in reports.items()}
    peers = {}
    for peer, seconds in rounds.items():
        ratios = [own / base for own, base in zip(seconds, rounds["lamina"], strict=True)]
        peers[peer] = {
            "epoch_seconds": min(seconds),
            "epoch_spread": spread(seconds),
            "first_epoch_seconds": min(report["seconds"][0] for report in reports[peer]),
            "ratio": min(seconds) / min(rounds["lamina"]),
            "ratio_spread": spread(ratios),
            "gigaflops": rung.flops / min(seconds) / 1e9,
            "last_loss": median(report["losses"][-1] for report in reports[peer]),
            "rounds": [report["seconds"] for report in reports[peer]],
        }
    return {
        "rows": rung.rows,
        "layers": "-".join(map(str, rung.sizes)),
        "batch": rung.batch,
        "loss": "binary" if rung.binary else "sparse categorical",
        "peers": peers,
    }


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


def show(rung: str, peers: dict[str, Any], limit: float) -> None:
    for peer, seen in peers.items():
        time, ratio, share = 1e3 * seen["epoch_seconds"], seen["ratio"], seen["gigaflops"] / limit
        print(f"{rung:7} {peer:17} {time:9.1f} ms  ratio {ratio:6.2f}  {share:4.0%} of the limit", flush=True)


def arguments() -> argparse.Namespace:
    def names(known: Any) -> Any:
        def parse(text: str) -> list[str]:
            unknown = [name for name in text.split(",") if name not in known]
            if unknown:
                raise argparse.ArgumentTypeError(f"{unknown[0]} is not one of {', '.join(known)}")
            return text.split(",")

        return parse

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rungs", type=names(RUNGS), default=list(RUNGS), help="comma separated")
    parser.add_argument("--peers", type=names(PEERS), default=list(PEERS), help="comma separated")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="in each process; at least 2")
    parser.add_argument("--peer-python", default=sys.executable, type=os.path.abspath, help="has the peers")
    parser.add_argument("--dry", action="store_true", help="print, but write no file")
    given = parser.parse_args()
    if "lamina" not in given.peers:
        parser.error("--peers must name lamina: the ratios are to it")
    if given.epochs is not None and given.epochs < 2:
        parser.error("--epochs must be at least 2: the first is kept apart")
    return given


def main() -> None:
    given = arguments()
    about = machine()
    if about["load_before"] > QUIET:
        print(f"the machine is not quiet: a load of {about['load_before']} before anything was measured")
    limit = call(given.peer_python, "limit.py")
    print(f"the machine's limit: {limit['gigaflops']:.0f} GFLOP/s ({limit['by']})")
    imports = call(sys.executable, "import_time.py")
    print(f"import lamina: {1e3 * imports['lamina']:.0f} ms, of which NumPy {1e3 * imports['numpy']:.0f} ms")
    result: dict[str, Any] = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": about,
        "limit": limit,
        "import_seconds": imports,
        "rounds": given.rounds,
        "versions": {},
        "rungs": {},
    }
    for name in given.rungs:
        reports = run_rounds(given, RUNGS[name])
        result["rungs"][name] = figures(RUNGS[name], reports)
        result["versions"].update({peer: of_peer[0]["versions"] for peer, of_peer in reports.items()})
        show(name, result["rungs"][name]["peers"], limit["gigaflops"])
    if not given.dry:
        path = HERE / "results" / f"{result['date']}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(result, indent=1) + "\n")
        print(f"wrote {path.relative_to(HERE.parent)}")


if __name__ == "__main__":
    main()
