"""ProgbarLogger: one live line in a terminal, Keras's plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lamina.callbacks.base import Callback, Logs

EVERY = 0.1  # seconds between two pictures of the live line


class ProgbarLogger(Callback):
    """Shows how training goes: ``verbose`` 1 (or ``"auto"``) one live line, 2 plain lines, 0 nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._screen: Any = None
        self._running = ""  # what runs now: "train", "test" or nothing
        self._shown = 0.0

    @property
    def live(self) -> Callable[[int, Callable[[], Logs]], None] | None:
        """What to call while an epoch runs, if somebody is looking."""
        return self._within_epoch if self._screen is not None else None

    def _verbose(self) -> int:
        given = self.params.get("verbose", 1)
        return 1 if given == "auto" else int(given)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._running, self._place, self._line, self._shown = "train", "", "", 0.0
        if self._verbose() == 1 and sys.stdout.isatty():
            self._screen = _live_line()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._begin = time.perf_counter()
        epochs = self.params.get("epochs", 1)
        self._place = f"Epoch {epoch + 1}/{epochs}" if epochs > 1 else ""
        if self._place and self._screen is None:
            self._print(self._place)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self._line = self._summary(logs or {})
        if self._screen is None:
            self._print(self._line)
        elif time.perf_counter() - self._shown > EVERY:
            self._show(self._placed(self._line))

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self._screen is not None:
            self._show(self._placed(self._line))
        self.release()

    def release(self) -> None:
        """Give the terminal back."""
        self._running = ""
        if self._screen is not None:
            self._screen.stop()
            self._screen = None

    def on_test_begin(self, logs: Logs | None = None) -> None:
        if not self._running:
            self._running, self._begin = "test", time.perf_counter()

    def on_test_end(self, logs: Logs | None = None) -> None:
        if self._running == "test":
            self._running = ""
            self._print(self._summary(logs or {}))

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._begin = time.perf_counter()

    def on_predict_end(self, logs: Logs | None = None) -> None:
        if self._verbose() == 2:
            self._print(self._summary({}))

    def _summary(self, logs: Logs) -> str:
        return summary_line(self.params.get("steps") or 0, time.perf_counter() - self._begin, logs)

    def _within_epoch(self, done: int, logs: Callable[[], Logs]) -> None:
        steps = max(self.params.get("steps") or 1, 1)
        if done < steps and time.perf_counter() - self._shown > EVERY:
            self._show(self._placed(f"{bar(done / steps)} {done}/{steps}{numbers(logs())}"))

    def _placed(self, text: str) -> str:
        return " - ".join(filter(None, [self._place, text]))

    def _show(self, text: str) -> None:
        self._screen.update(_plain(text), refresh=True)
        self._shown = time.perf_counter()

    def _print(self, text: str) -> None:
        print(text, flush=True)  # noqa: T201 - this is what verbose is for


def _plain(text: str) -> Any:
    from rich.text import Text

    return Text(text, no_wrap=True, overflow="ellipsis")


def _live_line() -> Any:
    from rich.live import Live

    line = Live(auto_refresh=False)
    line.start()
    return line


def bar(share: float, cells: int = 20) -> str:
    """A picture of a share."""
    full = int(share * cells)
    return "━" * full + "─" * (cells - full)


def summary_line(steps: int, seconds: float, logs: Mapping[str, Any]) -> str:
    """``2/2 - 0s - 48ms/step - loss: 0.1599``, as Keras writes it."""
    per_step = f" - {_time(seconds / steps)}/step" if steps else ""
    return (f"{steps}/{steps} - " if steps else "") + f"{seconds:.0f}s{per_step}{numbers(logs)}"


def _time(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"


def numbers(logs: Mapping[str, Any]) -> str:
    """`` - loss: 0.1599 - mae: 0.3374``; the validation's numbers come last."""
    names = sorted(logs, key=lambda name: name.startswith("val_"))
    return "".join(f" - {name}: {_number(logs[name])}" for name in names)


def _number(value: Any) -> str:
    value = float(np.mean(value))  # of a score for each class
    return f"{value:.4f}" if abs(value) > 1e-3 else f"{value:.4e}"
