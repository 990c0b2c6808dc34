"""The closed table of what a model file may name, with the places that Keras gives in its files.

To let files name a new class, enter it in its module's own table or add it here; nothing else can be loaded.
"""

from __future__ import annotations

from lamina import activations, constraints, initializers, layers, losses, metrics, optimizers, regularizers
from lamina.dtype_policies import DTypePolicy, DTypePolicyMap, FloatDTypePolicy
from lamina.layers.operation import FUNCTIONS
from lamina.models.functional import Functional
from lamina.models.model import Model
from lamina.models.sequential import Sequential
from lamina.optimizers import schedules
from lamina.registry import publish
from lamina.utils import FeatureSpace, features

publish("keras", DTypePolicy, FloatDTypePolicy, read_as=("keras.dtype_policies", "keras.mixed_precision"))
publish("keras.dtype_policies", DTypePolicyMap)
publish("keras", Sequential, read_as=("keras.models", "keras.src.models.sequential"), contains=True)
publish("keras", Model, read_as=("keras.models", "keras.src.models.model"), contains=True)
publish(
    "keras.src.models.functional", Functional, read_as=("keras.models",), registered_name="Functional", contains=True
)
publish("keras.utils", FeatureSpace)
for part in (features.Feature, features.Cross, features.TFDIdentity, features.TFDConcat):
    publish("keras.src.layers.preprocessing.feature_space", part, registered_name=part.__name__)
for function in FUNCTIONS.values():
    publish(function.module, function, registered_name=function.__name__)
for module, table in (
    ("keras.activations", activations.FUNCTIONS),
    ("keras.layers", layers.CLASSES),
    ("keras.initializers", initializers.CLASSES),
    ("keras.regularizers", regularizers.CLASSES),
    ("keras.constraints", constraints.CLASSES),
    ("keras.losses", losses.CLASSES),
    ("keras.losses", losses.FUNCTIONS),
    ("keras.metrics", metrics.CLASSES),
    ("keras.metrics", metrics.FUNCTIONS),
    ("keras.optimizers", optimizers.CLASSES),
    ("keras.optimizers", optimizers.WRAPPERS),
    ("keras.optimizers.schedules", schedules.CLASSES),
):
    publish(module, *table.values())
