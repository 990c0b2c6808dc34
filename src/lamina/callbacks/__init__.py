"""Callbacks: who hears of training as it goes, and may steer it."""

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
from lamina.errors import refusal

ABSENT = {
    "RemoteMonitor": "it sends numbers to a server: write a LambdaCallback whose on_epoch_end does so",
    "OrbaxCheckpoint": "it writes JAX's format: use ModelCheckpoint, whose files Keras opens, or BackupAndRestore",
}
__getattr__ = refusal(__name__, ABSENT)
