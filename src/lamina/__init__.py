"""Lamina: neural networks for tables of numbers. Keras's interface, an engine of its own, every number in view."""

from types import SimpleNamespace

from lamina import activations as activations
from lamina import backend as backend
from lamina import bridge as bridge
from lamina import callbacks as callbacks
from lamina import catalog as catalog
from lamina import config as config
from lamina import constraints as constraints
from lamina import dtype_policies as dtype_policies
from lamina import errors as errors
from lamina import export as export
from lamina import initializers as initializers
from lamina import layers as layers
from lamina import losses as losses
from lamina import metrics as metrics
from lamina import mixed_precision as mixed_precision
from lamina import models as models
from lamina import ops as ops
from lamina import optimizers as optimizers
from lamina import random as random
from lamina import regularizers as regularizers
from lamina import saving as saving
from lamina import tree as tree
from lamina import utils as utils
from lamina import wrappers as wrappers
from lamina.bridge import accelerate as accelerate
from lamina.bridge import from_keras as from_keras
from lamina.bridge import to_keras as to_keras
from lamina.compatibility import RematScope as RematScope
from lamina.compatibility import device as device
from lamina.compatibility import name_scope as name_scope
from lamina.compatibility import remat as remat
from lamina.compatibility import version as version
from lamina.constraints import Constraint as Constraint
from lamina.dtype_policies import DTypePolicy as DTypePolicy
from lamina.dtype_policies import FloatDTypePolicy as FloatDTypePolicy
from lamina.initializers import Initializer as Initializer
from lamina.layers import Input as Input
from lamina.layers import Layer as Layer
from lamina.layers.operation import Operation as Operation
from lamina.layers.spec import InputSpec as InputSpec
from lamina.layers.tensor import KerasTensor as KerasTensor
from lamina.losses import Loss as Loss
from lamina.metrics import Metric as Metric
from lamina.models import Functional as Functional
from lamina.models import Model as Model
from lamina.models import Sequential as Sequential
from lamina.models import fit_many as fit_many
from lamina.optimizers import Optimizer as Optimizer
from lamina.regularizers import Regularizer as Regularizer
from lamina.saving import load_model as load_model
from lamina.tape import GradientTape as GradientTape
from lamina.variables import Variable as Variable

__version__ = config.VERSION

# Keras's other place of two functions of utils.
preprocessing = SimpleNamespace(
    sequence=SimpleNamespace(pad_sequences=utils.pad_sequences),
    timeseries_dataset_from_array=utils.timeseries_dataset_from_array,
)
