"""The part that times `fit_many`: sixteen networks of the small rung at once against one after another."""

from __future__ import annotations

from typing import Any

from rounds import Setting, call

NETS, EPOCHS, RUNG = 16, 10, "small"


def many(setting: Setting) -> dict[str, Any]:
    """The round with the least time of each; the bits are the same only if they are in every round."""
    words = (RUNG, str(NETS), str(setting.epochs or EPOCHS))
    reports = [call(setting.python, "many_nets.py", *words) for _ in range(setting.rounds)]
    alone, together = (min(report[key] for report in reports) for key in ("alone", "together"))
    seen = {
        "nets": NETS,
        "seconds": {"alone": alone, "together": together},
        "share": together / alone,
        "rounds": reports,
        "same_bits": all(report["same_bits"] for report in reports),
    }
    same = "the same" if seen["same_bits"] else "OTHER"
    print(f"{NETS} nets at once in {seen['share']:.2f} × the time of one after another, {same} bits", flush=True)
    return seen
