"""The parts that time epochs: the plain rungs, the dressed ones, other shapes, threads and float64."""

from __future__ import annotations

from typing import Any

from rounds import LAMINA, Report, Setting, alternate, figures, least, training
from rungs import DRESSED, RUNGS, SHAPES, Rung

# Beside Lamina on the dressed rung: Lamina on the plain one.
PLAIN = "plain"


def able(peer: str, rung: Rung) -> bool:
    """scikit-learn has no batch normalisation, embeddings or RMSprop; Keras as it comes is seen on plain rungs only."""
    if peer == "keras_defaults":
        return rung.name in RUNGS
    return peer != "sklearn" or not (rung.dressed or rung.code_columns or rung.optimizer == "rmsprop")


def commands(setting: Setting, rung: Rung) -> dict[str, list[str]]:
    return {peer: training(setting, peer, rung.name) for peer in setting.peers if able(peer, rung)}


def compared(setting: Setting, rung: Rung) -> dict[str, Any]:
    """The rung with every peer that can train it."""
    return shown(rung.name, figures(rung, alternate(commands(setting, rung), setting.rounds)), setting)


def shown(name: str, seen: dict[str, Any], setting: Setting) -> dict[str, Any]:
    for peer, own in seen["peers"].items():
        own["share"] = share = own["gigaflops"] / setting.gigaflops
        time, ratio = 1e3 * own["epoch_seconds"], own["ratio"]
        print(f"{name:16} {peer:17} {time:9.2f} ms  ratio {ratio:6.2f}  {share:4.0%} of the limit", flush=True)
    return seen


def plain(setting: Setting) -> dict[str, Any]:
    return {name: compared(setting, RUNGS[name]) for name in setting.rungs}


def dressed(setting: Setting) -> dict[str, Any]:
    """`cost` is the time of a dressed epoch, validation included, over that of a plain one, for each row trained."""
    return {name: dressed_rung(setting, name) for name in setting.rungs}


def dressed_rung(setting: Setting, name: str) -> dict[str, Any]:
    rung = DRESSED[f"{name}_dressed"]
    run = commands(setting, rung) | {PLAIN: training(setting, LAMINA, name)}
    reports = alternate(run, setting.rounds)
    seconds = least(reports.pop(PLAIN)) * rung.trained / rung.rows
    seen = shown(rung.name, figures(rung, reports), setting)
    seen |= {"plain_seconds": seconds, "cost": least(reports[LAMINA]) / seconds}
    print(f"{rung.name:16} costs {seen['cost']:.2f} × the plain rung")
    return seen


def shapes(setting: Setting) -> dict[str, Any]:
    return {name: compared(setting, rung) for name, rung in SHAPES.items()}


def alternatives(setting: Setting, name: str, options: dict[str, dict[str, Any]]) -> dict[str, list[Report]]:
    """Lamina on a rung with some options or others."""
    run = {label: training(setting, LAMINA, name, **given) for label, given in options.items()}
    return alternate(run, setting.rounds)


def threads(setting: Setting) -> dict[str, Any]:
    return {name: threads_of(setting, name) for name in setting.rungs}


def threads_of(setting: Setting, name: str) -> dict[str, Any]:
    """Two threads against one: how many times as fast, and how many times as much of the processors' time."""
    one, two = alternatives(setting, name, {"one": {"threads": 1}, "two": {"threads": 2}}).values()
    seen = {
        "seconds": [least(one), least(two)],
        "speedup": least(one) / least(two),
        "cpu": processor_seconds(two) / processor_seconds(one),
        "idle_cpu": min(report["idle_cpu"] for report in two),
    }
    print(f"{name:16} two threads {seen['speedup']:.2f} × as fast, {seen['cpu']:.2f} × the processor time", flush=True)
    return seen


def processor_seconds(reports: list[Report]) -> float:
    return min(sum(report["cpu_seconds"][1:]) for report in reports)


def float64(setting: Setting) -> dict[str, Any]:
    """How fast float64 is, as a share of float32's speed."""
    names = [name for name in ("medium", "large") if name in setting.rungs]
    return {name: float64_of(setting, name) for name in names}


def float64_of(setting: Setting, name: str) -> dict[str, Any]:
    kinds = {dtype: {"dtype": dtype} for dtype in ("float32", "float64")}
    seconds = {dtype: least(reports) for dtype, reports in alternatives(setting, name, kinds).items()}
    seen = {"seconds": seconds, "speed": seconds["float32"] / seconds["float64"]}
    print(f"{name:16} float64 at {seen['speed']:.2f} × the speed of float32", flush=True)
    return seen
