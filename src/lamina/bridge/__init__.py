"""Keras beside Lamina: models of one become models of the other, and a Keras model can train on Lamina's core."""

from lamina.bridge.accelerate import Accelerated as Accelerated
from lamina.bridge.accelerate import accelerate as accelerate
from lamina.bridge.convert import from_keras as from_keras
from lamina.bridge.convert import to_keras as to_keras
