"""Hashing: any text or number in one of a fixed number of bins, without a vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamina import config
from lamina.errors import DtypeError, ShapeError
from lamina.graph.express import as_node
from lamina.host.recipes import Cross, Hash
from lamina.layers.arguments import dtype_record
from lamina.layers.encoding import MODES, array_of, checked_mode, encode, refuse_sparse
from lamina.layers.host_layer import HostLayer
from lamina.tree import flatten


class Binned(HostLayer):
    """Base: bins by number, or encoded; whole numbers are int64 unless ``dtype`` says int32."""

    num_bins: int

    def __init__(self, output_mode: str, dtype: Any, **kwargs: Any):
        self._declared = _name(dtype) or ("int64" if output_mode == "int" else config.floatx())
        super().__init__(dtype=self._declared, **kwargs)

    def _depth(self) -> int:
        return self.num_bins

    def _array_dtype(self) -> str:
        return self._declared


class Hashing(Binned):
    """Text, or whole numbers by their digits, in bins.

    Computed on the host before the program runs; floats lose what stands after the point.

    Args:
        num_bins: how many.
        mask_value: a value that gets bin 0 for itself.
        salt: one or two whole numbers: bins that nobody can crowd who does not know them (SipHash-2-4); without one
            FarmHash's Fingerprint64 is used.
        output_mode: ``"int"``, ``"one_hot"``, ``"multi_hot"`` or ``"count"``.
        sparse: must be False.

    Example:
        >>> Hashing(5)(["A", "B", "C"])
        array([4, 3, 2])

    Source: Keras's layer of the same name: the same bins.
    """

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        **kwargs: Any,
    ):
        super().__init__(output_mode, dtype, **kwargs)
        if num_bins is None or num_bins <= 0:
            raise ValueError(
                f"The `num_bins` for `Hashing` cannot be `None` or non-positive values. Received: num_bins={num_bins}."
            )
        if output_mode == "int" and not self._declared.startswith("int"):
            raise ValueError(
                'When `output_mode="int"`, `dtype` should be an integer type, \'int32\' or \'int64\'. '
                f"Received: dtype={self._declared}"
            )
        self.num_bins = num_bins
        self.mask_value = mask_value
        self.salt = salt_of("Hashing", salt)
        self.output_mode = checked_mode(f"Hashing {self.name!r}", output_mode, MODES)
        self.sparse = sparse
        refuse_sparse(f"Hashing {self.name!r}", sparse, output_mode)

    @property
    def recipe(self) -> Hash:
        """The hash: FarmHash, or SipHash with a salt; a mask takes bin 0 for itself."""
        masked = self.mask_value is not None and self.num_bins > 1
        salt = None if self.salt is None else (self.salt[0], self.salt[1])
        return Hash(self.num_bins - masked, salt, int(masked), self.mask_value if masked else None)

    def get_config(self) -> dict[str, Any]:
        """See ``Layer.get_config``."""
        return super().get_config() | {"dtype": dtype_record(self._declared)}


class HashedCrossing(Binned):
    """Two or more features of an example, together in one of a number of bins.

    Computed on the host before the program runs.

    Args:
        num_bins: how many.
        output_mode: ``"int"`` or ``"one_hot"``.
        sparse: must be False.

    Shapes: a list of (batch,) or (batch, 1), all alike, of text or whole numbers.

    Example:
        >>> HashedCrossing(5)((["A", "B"], [101, 102]))
        array([1, 1])

    Source: Keras's layer of the same name: the same bins.
    """

    def __init__(
        self,
        num_bins: int,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ):
        super().__init__(output_mode, dtype, name=name)
        self.num_bins = num_bins
        self.output_mode = checked_mode(f"HashedCrossing {self.name!r}", output_mode, MODES[:2])
        self.sparse = sparse
        refuse_sparse(f"HashedCrossing {self.name!r}", sparse, output_mode)

    @property
    def recipe(self) -> Cross:
        """The cross of TensorFlow's ``sparse.cross_hashed``."""
        return Cross(self.num_bins)

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        """See ``Layer.__call__``; each input may be a list of Python values, too."""
        if not isinstance(inputs, list | tuple):
            raise ValueError(f"`HashedCrossing` should be called on a list or tuple of inputs. Received: {inputs!r}")
        if len(inputs) < 2:
            raise ValueError(
                f"`HashedCrossing` should be called on at least two inputs. Received: {len(inputs)} input(s)"
            )
        return super().__call__([array_of(x) for x in inputs], **kwargs)

    def call(self, inputs: Any) -> Any:
        """The bin of what the inputs of a row are together."""
        nodes = [as_node(x) for x in flatten(inputs)]
        _check_crossed(nodes)
        return encode(self._hosted(*nodes), self.output_mode, self.num_bins, self.dtype)

    def get_config(self) -> dict[str, Any]:
        """What Keras writes for this class."""
        return {
            "num_bins": self.num_bins, "output_mode": self.output_mode, "sparse": self.sparse,
            "name": self.name, "dtype": self._declared,
        }  # fmt: skip


def _check_crossed(nodes: list[Any]) -> None:
    shape = nodes[0].shape
    if len(shape) > 2 or (len(shape) == 2 and shape[-1] != 1):
        raise ShapeError(
            "All `HashedCrossing` inputs should have shape `()`, `(batch_size)` or `(batch_size, 1)`. "
            f"Received: shapes {[x.shape for x in nodes]}"
        )
    if any(x.shape != shape for x in nodes):
        raise ShapeError(
            f"All `HashedCrossing` inputs should have equal shape. Received: shapes {[x.shape for x in nodes]}"
        )
    if any(x.dtype.startswith("float") for x in nodes):
        raise DtypeError(
            "All `HashedCrossing` inputs should have an integer or string dtype. "
            f"Received: dtypes {[x.dtype for x in nodes]}; put a Discretization layer before it"
        )


def salt_of(owner: str, salt: Any) -> list[int] | None:
    """A hash's key as two numbers, as Keras keeps it.

    Raises:
        ValueError: something else than one or two whole numbers.
    """
    if salt is None:
        return None
    if isinstance(salt, list | tuple) and len(salt) == 2:
        return list(salt)
    if isinstance(salt, int):
        return [salt, salt]
    raise ValueError(
        f"The `salt` argument for `{owner}` can only be a tuple of size 2 integers, or a single integer. "
        f"Received: salt={salt}."
    )


def _name(dtype: Any) -> str | None:
    """An element type's name, from a name, a policy or a policy's record."""
    if isinstance(dtype, Mapping):
        dtype = dtype["config"]["name"]
    return None if dtype is None else str(getattr(dtype, "name", dtype))
