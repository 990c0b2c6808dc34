"""Layers: each one equation, in ``call``."""

from lamina.errors import refusal
from lamina.layers.activation import ELU as ELU
from lamina.layers.activation import Activation as Activation
from lamina.layers.activation import ActivityRegularization as ActivityRegularization
from lamina.layers.activation import Identity as Identity
from lamina.layers.activation import LeakyReLU as LeakyReLU
from lamina.layers.activation import PReLU as PReLU
from lamina.layers.activation import ReLU as ReLU
from lamina.layers.activation import Softmax as Softmax
from lamina.layers.dense import Dense as Dense
from lamina.layers.discretization import Discretization as Discretization
from lamina.layers.dropout import AlphaDropout as AlphaDropout
from lamina.layers.dropout import Dropout as Dropout
from lamina.layers.dropout import GaussianDropout as GaussianDropout
from lamina.layers.dropout import GaussianNoise as GaussianNoise
from lamina.layers.dropout import SpatialDropout1D as SpatialDropout1D
from lamina.layers.einsum_dense import EinsumDense as EinsumDense
from lamina.layers.elsewhere import ABSENT
from lamina.layers.embedding import Embedding as Embedding
from lamina.layers.encoding import CategoryEncoding as CategoryEncoding
from lamina.layers.hashing import HashedCrossing as HashedCrossing
from lamina.layers.hashing import Hashing as Hashing
from lamina.layers.input_layer import Input as Input
from lamina.layers.input_layer import InputLayer as InputLayer
from lamina.layers.lambda_layer import Lambda as Lambda
from lamina.layers.layer import Layer as Layer
from lamina.layers.lookup import IntegerLookup as IntegerLookup
from lamina.layers.lookup import StringLookup as StringLookup
from lamina.layers.masking import Masking as Masking
from lamina.layers.merging import Add as Add
from lamina.layers.merging import Average as Average
from lamina.layers.merging import Concatenate as Concatenate
from lamina.layers.merging import Dot as Dot
from lamina.layers.merging import Maximum as Maximum
from lamina.layers.merging import Minimum as Minimum
from lamina.layers.merging import Multiply as Multiply
from lamina.layers.merging import Subtract as Subtract
from lamina.layers.merging import add as add
from lamina.layers.merging import average as average
from lamina.layers.merging import concatenate as concatenate
from lamina.layers.merging import dot as dot
from lamina.layers.merging import maximum as maximum
from lamina.layers.merging import minimum as minimum
from lamina.layers.merging import multiply as multiply
from lamina.layers.merging import subtract as subtract
from lamina.layers.normalization import BatchNormalization as BatchNormalization
from lamina.layers.normalization import GroupNormalization as GroupNormalization
from lamina.layers.normalization import LayerNormalization as LayerNormalization
from lamina.layers.normalization import RMSNormalization as RMSNormalization
from lamina.layers.normalization import UnitNormalization as UnitNormalization
from lamina.layers.pooling import GlobalAveragePooling1D as GlobalAveragePooling1D
from lamina.layers.pooling import GlobalMaxPooling1D as GlobalMaxPooling1D
from lamina.layers.preprocessing import Normalization as Normalization
from lamina.layers.preprocessing import Pipeline as Pipeline
from lamina.layers.preprocessing import Rescaling as Rescaling
from lamina.layers.reshaping import Flatten as Flatten
from lamina.layers.reshaping import Permute as Permute
from lamina.layers.reshaping import RepeatVector as RepeatVector
from lamina.layers.reshaping import Reshape as Reshape
from lamina.layers.spec import InputSpec as InputSpec
from lamina.layers.wrapping import SpectralNormalization as SpectralNormalization
from lamina.layers.wrapping import TimeDistributed as TimeDistributed
from lamina.layers.wrapping import Wrapper as Wrapper
from lamina.naming import reader
from lamina.records import serialize_keras_object

CLASSES = {x.__name__: x for x in globals().values() if isinstance(x, type) and issubclass(x, Layer) and x is not Layer}

GlobalAvgPool1D = GlobalAveragePooling1D
GlobalMaxPool1D = GlobalMaxPooling1D
serialize = serialize_keras_object
deserialize = reader("layer", CLASSES)
__getattr__ = refusal(__name__, ABSENT)
