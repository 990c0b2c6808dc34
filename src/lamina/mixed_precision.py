"""``lamina.mixed_precision``: Keras's older names of dtype policies and of the optimizer that scales losses."""

from lamina.config import DTypePolicy as DTypePolicy
from lamina.config import dtype_policy as dtype_policy
from lamina.config import set_dtype_policy as set_dtype_policy
from lamina.optimizers import LossScaleOptimizer as LossScaleOptimizer

Policy = DTypePolicy
global_policy = dtype_policy
set_global_policy = set_dtype_policy
