"""Nested structures as layers and models use them: the functions of ``lamina.tree``."""

from lamina.tree import flatten as flatten
from lamina.tree import is_nested as is_nested
from lamina.tree import map_leaves as map_leaves
from lamina.tree import pack as pack
from lamina.tree import paths as paths
