"""Keras's names for what serves a session or a data set: seeds, names, feature spaces."""

from lamina.config import clear_session as clear_session
from lamina.models import PyDataset as PyDataset
from lamina.random import set_random_seed as set_random_seed
from lamina.utils.feature_space import FeatureSpace as FeatureSpace
