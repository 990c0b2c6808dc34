"""``lamina.ops``: the language for layers, losses and metrics of your own.

The names and signatures are Keras's. Arrays give arrays, nodes give nodes, KerasTensors give KerasTensors. Most lines
bind a name to its equation in ``graph``; the functions written out are those where Keras's arguments differ from the
graph's.
"""

from types import SimpleNamespace

from lamina.errors import refusal
from lamina.ops import control as _control
from lamina.ops import elementwise as _elementwise
from lamina.ops import filled as _filled
from lamina.ops import indexing as _indexing
from lamina.ops import networks as _networks
from lamina.ops import products as _products
from lamina.ops import reductions as _reductions
from lamina.ops import sorting as _sorting
from lamina.ops import structure as _structure
from lamina.ops import tensors as _tensors
from lamina.ops.control import *  # noqa: F403
from lamina.ops.dispatch import Array as Array
from lamina.ops.dispatch import Dual as Dual
from lamina.ops.dispatch import dual as dual
from lamina.ops.elementwise import *  # noqa: F403
from lamina.ops.elsewhere import ABSENT
from lamina.ops.filled import *  # noqa: F403
from lamina.ops.indexing import *  # noqa: F403
from lamina.ops.networks import *  # noqa: F403
from lamina.ops.products import *  # noqa: F403
from lamina.ops.reductions import *  # noqa: F403
from lamina.ops.sorting import *  # noqa: F403
from lamina.ops.structure import *  # noqa: F403
from lamina.ops.tensors import *  # noqa: F403

__all__ = [
    *_control.__all__,
    *_elementwise.__all__,
    *_filled.__all__,
    *_indexing.__all__,
    *_networks.__all__,
    *_products.__all__,
    *_reductions.__all__,
    *_sorting.__all__,
    *_structure.__all__,
    *_tensors.__all__,
]

__getattr__ = refusal(__name__, ABSENT)

# Keras's other places of the same functions.
linalg = nn = numpy = SimpleNamespace(**{name: globals()[name] for name in __all__})
