"""Callbacks: who hears of training as it goes, and may steer it."""

from typing import NoReturn

from lamina.callbacks.backup import BackupAndRestore as BackupAndRestore
from lamina.callbacks.base import Callback as Callback
from lamina.callbacks.base import CallbackList as CallbackList
from lamina.callbacks.base import History as History
from lamina.callbacks.base import LambdaCallback as LambdaCallback
from lamina.callbacks.board import TensorBoard as TensorBoard
from lamina.callbacks.files import CSVLogger as CSVLogger
from lamina.callbacks.files import ModelCheckpoint as ModelCheckpoint
from lamina.callbacks.monitor import EarlyStopping as EarlyStopping
from lamina.callbacks.monitor import MonitorCallback as MonitorCallback
from lamina.callbacks.monitor import ReduceLROnPlateau as ReduceLROnPlateau
from lamina.callbacks.progress import ProgbarLogger as ProgbarLogger
from lamina.callbacks.steering import LearningRateScheduler as LearningRateScheduler
from lamina.callbacks.steering import SwapEMAWeights as SwapEMAWeights
from lamina.callbacks.steering import TerminateOnNaN as TerminateOnNaN

_NOT_HERE = {
    "RemoteMonitor": "sends numbers to a server: write a LambdaCallback whose on_epoch_end does so",
    "OrbaxCheckpoint": "writes JAX's format: use ModelCheckpoint, whose files Keras opens, or BackupAndRestore",
}


def __getattr__(name: str) -> NoReturn:
    more = f": Keras's class {_NOT_HERE[name]}" if name in _NOT_HERE else ""
    raise AttributeError(f"module 'lamina.callbacks' has no attribute {name!r}{more}")
