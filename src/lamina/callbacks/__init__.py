"""Callbacks: who hears of training as it goes, and may steer it."""

from lamina.callbacks.base import Callback as Callback
from lamina.callbacks.base import CallbackList as CallbackList
from lamina.callbacks.base import History as History
from lamina.callbacks.base import LambdaCallback as LambdaCallback
from lamina.callbacks.files import CSVLogger as CSVLogger
from lamina.callbacks.files import ModelCheckpoint as ModelCheckpoint
from lamina.callbacks.monitor import EarlyStopping as EarlyStopping
from lamina.callbacks.monitor import MonitorCallback as MonitorCallback
from lamina.callbacks.monitor import ReduceLROnPlateau as ReduceLROnPlateau
from lamina.callbacks.progress import ProgbarLogger as ProgbarLogger
