"""Keras's names for what serves a session or a data set: seeds, names, feature spaces."""

from lamina.backend import is_keras_tensor as is_keras_tensor
from lamina.config import clear_session as clear_session
from lamina.config import disable_interactive_logging as disable_interactive_logging
from lamina.config import enable_interactive_logging as enable_interactive_logging
from lamina.config import is_interactive_logging_enabled as is_interactive_logging_enabled
from lamina.config import standardize_dtype as standardize_dtype
from lamina.models import PyDataset as PyDataset
from lamina.models.data import unpack_x_y_sample_weight as unpack_x_y_sample_weight
from lamina.random import set_random_seed as set_random_seed
from lamina.saving import CustomObjectScope as CustomObjectScope
from lamina.saving import custom_object_scope as custom_object_scope
from lamina.saving import deserialize_keras_object as deserialize_keras_object
from lamina.saving import get_custom_objects as get_custom_objects
from lamina.saving import get_registered_name as get_registered_name
from lamina.saving import get_registered_object as get_registered_object
from lamina.saving import register_keras_serializable as register_keras_serializable
from lamina.saving import serialize_keras_object as serialize_keras_object
from lamina.utils.arrays import get_source_inputs as get_source_inputs
from lamina.utils.arrays import normalize as normalize
from lamina.utils.arrays import pack_x_y_sample_weight as pack_x_y_sample_weight
from lamina.utils.arrays import pad_sequences as pad_sequences
from lamina.utils.arrays import to_categorical as to_categorical
from lamina.utils.datasets import split_dataset as split_dataset
from lamina.utils.datasets import timeseries_dataset_from_array as timeseries_dataset_from_array
from lamina.utils.feature_space import FeatureSpace as FeatureSpace
from lamina.utils.plotting import model_to_dot as model_to_dot
from lamina.utils.plotting import plot_model as plot_model
from lamina.utils.progbar import Progbar as Progbar
from lamina.utils.values import Config as Config

Sequence = PyDataset
