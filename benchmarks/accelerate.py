"""The part that times `lamina.accelerate`: a whole fit of a Keras model on Lamina's core against Lamina's own fit."""

from __future__ import annotations

from typing import Any

from rounds import Setting, call, epochs_of
from rungs import RUNGS


def accelerate(setting: Setting) -> dict[str, Any]:
    return {name: accelerated(setting, name) for name in setting.rungs}


def accelerated(setting: Setting, name: str) -> dict[str, Any]:
    """Weights and optimizer state on their way to the Keras model and back are part of the time."""
    words = (name, str(setting.epochs or epochs_of(RUNGS[name])))
    reports = [call(setting.python, "accelerated_fit.py", *words) for _ in range(setting.rounds)]
    own, keras = (min(report[key] for report in reports) for key in ("own", "accelerated"))
    seen = {"seconds": {"own": own, "accelerated": keras}, "ratio": keras / own, "rounds": reports}
    print(f"{name:16} a fit through Keras's model in {seen['ratio']:.2f} × the time of Lamina's own", flush=True)
    return seen
