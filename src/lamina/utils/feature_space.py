"""FeatureSpace: raw columns of a table → one array of features, from a few words about each column."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lamina import config, saving
from lamina.errors import LaminaError
from lamina.layers.discretization import Discretization
from lamina.layers.encoding import CategoryEncoding, checked_mode
from lamina.layers.hashing import HashedCrossing, Hashing
from lamina.layers.in_dataset import is_symbolic, mapped
from lamina.layers.input_layer import Input
from lamina.layers.layer import Layer
from lamina.layers.lookup import IntegerLookup, StringLookup
from lamina.layers.preprocessing import Normalization, Rescaling
from lamina.layers.tensor import KerasTensor
from lamina.models.functional import Functional
from lamina.tree import map_leaves
from lamina.utils.columns import batches_of, column_of, columns_of
from lamina.utils.features import Cross, Feature, TFDConcat, TFDIdentity, cardinality, learns


class FeatureSpace(Layer):
    """Raw columns of a table as features, in the order of their names, crosses last.

    Args:
        features: for each column a kind by name (``"float"``, ``"float_rescaled"``, ``"float_normalized"``,
            ``"float_discretized"``, ``"integer_categorical"``, ``"string_categorical"``, ``"integer_hashed"``,
            ``"string_hashed"``) or what the method of that name returns.
        output_mode: ``"concat"`` for one array, ``"dict"`` for one each.
        crosses: lists of the names of features that count together, or what ``FeatureSpace.cross`` returns.
        crossing_dim, hashing_dim, num_discretization_bins: bins where the kind is given by name.
        name: made from the class's name by default.

    Example:
        >>> space = FeatureSpace({"age": "float_normalized", "city": "string_categorical"})
        >>> space.adapt({"age": [30.0, 50.0], "city": ["Bern", "Genf"]})
        >>> space({"age": [40.0], "city": ["Bern"]})
        array([[0., 0., 0., 1.]], dtype=float32)

    Source: Keras's class of the same name.
    """

    not_parts = Layer.not_parts | {"_functional", "inputs", "encoded_features"}

    def __init__(
        self,
        features: Mapping[str, Any],
        output_mode: str = "concat",
        crosses: Sequence[Any] | None = None,
        crossing_dim: int = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
    ):
        super().__init__(name=name)
        if not features:
            raise ValueError("The `features` argument cannot be None or empty.")
        self.crossing_dim, self.hashing_dim = crossing_dim, hashing_dim
        self.num_discretization_bins = num_discretization_bins
        self.output_mode = checked_mode("FeatureSpace", output_mode, ("dict", "concat"))
        self.features = {name: self._feature(name, feature) for name, feature in features.items()}
        self.crosses = [self._cross(cross) for cross in crosses or ()]
        self.inputs = {name: Input((1,), dtype=f.dtype, name=name) for name, f in self.features.items()}
        self.preprocessors = {name: feature.preprocessor for name, feature in self.features.items()}
        self.crossers = {cross.name: HashedCrossing(cross.crossing_dim, name=cross.name) for cross in self.crosses}
        self.one_hot_encoders: dict[str, Layer] = {}
        self.concat: Layer | None = None
        self.encoded_features: Any = None
        self._functional: Functional | None = None
        self._adapted = False

    # -- kinds of features

    @classmethod
    def cross(cls, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot") -> Cross:
        """Features that count together; see ``Cross``."""
        return Cross(feature_names, crossing_dim, output_mode)

    @classmethod
    def feature(cls, dtype: str, preprocessor: Any, output_mode: str) -> Feature:
        """A feature with a layer of your own; see ``Feature``."""
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Feature:
        """Numbers as they are."""
        return Feature("float32", TFDIdentity(name=_named(name, "float")), "float")

    @classmethod
    def float_rescaled(
        cls, scale: builtins.float = 1.0, offset: builtins.float = 0.0, name: str | None = None
    ) -> Feature:
        """x · scale + offset."""
        return Feature("float32", Rescaling(scale, offset, name=_named(name, "float_rescaled")), "float")

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """Numbers of mean 0 and variance 1."""
        return Feature("float32", Normalization(axis=-1, name=_named(name, "float_normalized")), "float")

    @classmethod
    def float_discretized(
        cls,
        num_bins: int | None = None,
        bin_boundaries: Sequence[builtins.float] | None = None,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """Numbers by the interval that they lie in."""
        layer = Discretization(bin_boundaries, num_bins, name=_named(name, "float_discretized"))
        return Feature("float32", layer, output_mode)

    @classmethod
    def integer_categorical(
        cls, max_tokens: int | None = None, num_oov_indices: int = 1, output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:  # fmt: skip
        """Ids by their place in a vocabulary."""
        layer = IntegerLookup(max_tokens, num_oov_indices, name=_named(name, "integer_categorical"))
        return Feature("int32", layer, output_mode)

    @classmethod
    def string_categorical(
        cls, max_tokens: int | None = None, num_oov_indices: int = 1, output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:  # fmt: skip
        """Text by its place in a vocabulary."""
        layer = StringLookup(max_tokens, num_oov_indices, name=_named(name, "string_categorical"))
        return Feature("string", layer, output_mode)

    @classmethod
    def string_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """Text in bins."""
        return Feature("string", Hashing(num_bins, name=_named(name, "string_hashed")), output_mode)

    @classmethod
    def integer_hashed(cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None) -> Feature:
        """Ids in bins."""
        return Feature("int32", Hashing(num_bins, name=_named(name, "integer_hashed")), output_mode)

    def _feature(self, name: str, feature: Any) -> Feature:
        if isinstance(feature, Feature):
            return feature
        bins = {
            "float_discretized": self.num_discretization_bins,
            "integer_hashed": self.hashing_dim,
            "string_hashed": self.hashing_dim,
        }
        if feature not in KINDS:
            raise ValueError(
                f"Invalid feature type: {feature!r} of the feature {name!r}; one of {', '.join(KINDS)}, or what "
                "FeatureSpace's method of that name returns"
            )
        make: Callable[..., Feature] = getattr(self, feature)
        return make(bins[feature], name=name) if feature in bins else make(name=name)

    def _cross(self, cross: Any) -> Cross:
        made = cross if isinstance(cross, Cross) else Cross(cross, self.crossing_dim)
        unknown = [name for name in made.feature_names if name not in self.features]
        if unknown:
            raise ValueError(
                "All features referenced in the `crosses` argument should be present in the `features` dict. "
                f"Received unknown features: {unknown}"
            )
        if not made.crossing_dim:
            raise ValueError(
                "When specifying `crosses`, the argument `crossing_dim` (dimensionality of the crossing space) should "
                "be specified as well."
            )
        return made

    # -- adapting

    def adapt(self, dataset: Any) -> None:
        """Learn vocabularies, means and intervals.

        Args:
            dataset: a dictionary of columns, a data frame, or batches or single rows as dictionaries of arrays: a
                ``tf.data.Dataset``, a generator, any iterable.

        Raises:
            DataError: data of another kind, or without a column for a feature.
        """
        layers = {name: layer for name, layer in self.preprocessors.items() if learns(layer)}
        for layer in layers.values():
            layer.reset_state()
        for name, batch in batches_of(dataset, list(layers)):
            layers[name].update_state(batch)
        for layer in layers.values():
            layer.finalize_state()
        self._adapted = True
        self.get_encoded_features()
        self.built = True

    def get_inputs(self) -> dict[str, Any]:
        """The Inputs of a model on these features, by name.

        Raises:
            LaminaError: ``adapt`` is needed first.
        """
        self.get_encoded_features()
        return self.inputs

    def get_encoded_features(self) -> Any:
        """What the Inputs become: a KerasTensor, or one for each feature by name.

        Raises:
            LaminaError: ``adapt`` is needed first.
        """
        if not self._adapted and any(map(learns, self.preprocessors.values())):
            raise LaminaError("You need to call `.adapt(dataset)` on the FeatureSpace before you can start using it.")
        if self.encoded_features is None:
            self.encoded_features = self._merged(self._preprocessed())
            self._functional = Functional(self.inputs, self.encoded_features)
        return self.encoded_features

    def _preprocessed(self) -> dict[str, tuple[Any, str]]:
        """Each feature and cross, in order, with its output mode."""
        found = {name: self.preprocessors[name](x) for name, x in self.inputs.items()}
        crossed = {c.name: self.crossers[c.name]([found[name] for name in c.feature_names]) for c in self.crosses}
        modes = {name: feature.output_mode for name, feature in self.features.items()}
        modes |= {cross.name: cross.output_mode for cross in self.crosses}
        return {name: ((found | crossed)[name], modes[name]) for name in (*sorted(found), *sorted(crossed))}

    def _merged(self, preprocessed: Mapping[str, tuple[Any, str]]) -> Any:
        encoded = {
            name: self._one_hot(name, x) if mode == "one_hot" else x for name, (x, mode) in preprocessed.items()
        }
        if self.output_mode == "dict":
            return encoded
        for name, x in encoded.items():
            if not x.dtype.startswith("float"):
                raise ValueError(
                    f"Cannot concatenate features because feature '{name}' has not been encoded (it has dtype "
                    f"{x.dtype}). Consider using `output_mode='dict'`."
                )
        self.concat = self.concat or TFDConcat(axis=-1)
        return self.concat(list(encoded.values()))

    def _one_hot(self, name: str, x: Any) -> Any:
        if x.dtype != "int32":
            raise ValueError(
                f"Feature '{name}' has `output_mode='one_hot'`. Thus its preprocessor should return an integer dtype. "
                f"Instead it returns a {x.dtype} dtype."
            )
        size = cardinality(self.preprocessors.get(name) or self.crossers[name])
        if size is None:
            raise ValueError(
                f"Feature '{name}' has `output_mode='one_hot'`. However it isn't a standard feature and the "
                "dimensionality of its output space is not known, thus it cannot be one-hot encoded. Try using "
                "`output_mode='int'`."
            )
        encoder = self.one_hot_encoders.setdefault(name, CategoryEncoding(size, output_mode="multi_hot"))
        return encoder(x)

    # -- computing

    def __call__(self, data: Any) -> Any:
        """The features of some rows, or of one.

        Args:
            data: a dictionary of columns (rows,) or (rows, 1), or a data frame; or of single values for one row. Inside
                ``tf.data.Dataset.map`` a dictionary of its tensors.

        Returns:
            An array (rows, features), or a dictionary of arrays; without the rows' axis for one row.

        Raises:
            DataError: something else than a dictionary, or without a column for a feature.
            LaminaError: ``adapt`` is needed first.
        """
        features = self.get_encoded_features()
        if isinstance(data, Mapping) and any(map(is_symbolic, data.values())):
            single = any(x.shape.rank == 0 for x in data.values())
            return mapped(self, dict(data), map_leaves(_of_one_row, features) if single else features)
        columns = columns_of(data, list(self.features))
        assert self._functional is not None
        single = any(np.ndim(column) == 0 for column in columns.values())
        outputs = self._functional({name: column_of(column) for name, column in columns.items()})
        return map_leaves(lambda array: array[0], outputs) if single else outputs

    # -- config and files

    def get_config(self) -> dict[str, Any]:
        """What Keras writes for this class."""
        names = ("features", "output_mode", "crosses", "crossing_dim", "hashing_dim", "num_discretization_bins")
        return {name: getattr(self, name) for name in names}

    def get_build_config(self) -> dict[str, Any]:
        """The shapes that the preprocessors were built with."""
        return {name: layer.get_build_config() for name, layer in self.preprocessors.items()}

    def build_from_config(self, config: Mapping[str, Any] | None) -> None:
        """Build the preprocessors; what they learned is read from the file next."""
        for name, shapes in (config or {}).items():
            self.preprocessors[name].build_from_config(shapes)
        self._adapted = self.built = True

    def save(self, filepath: Any) -> None:
        """Write everything to a ``.keras`` file, which ``load_model`` reads, Keras's too."""
        saving.save_model(self, filepath)


KINDS = (
    "float", "float_rescaled", "float_normalized", "float_discretized", "integer_categorical", "string_categorical",
    "integer_hashed", "string_hashed",
)  # fmt: skip


def _of_one_row(tensor: KerasTensor) -> KerasTensor:
    """The tensor without the rows' axis."""
    row = KerasTensor(tensor.shape[1:], tensor.dtype)
    row._keras_history = tensor._keras_history
    return row


def _named(name: str | None, kind: str) -> str:
    return f"{name or config.unique_name(kind)}_preprocessor"
