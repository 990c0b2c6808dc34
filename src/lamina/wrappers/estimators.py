"""SKLearnClassifier, SKLearnRegressor, SKLearnTransformer: a model in pipelines and searches of scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, TransformerMixin
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from lamina.models import Model, clone_model

ModelOrMaker = Model | Callable[..., Model]


class Wrapper(BaseEstimator):  # type: ignore[misc]
    """What the three have in common.

    Args:
        model: a compiled model, which each fit clones; or a function that makes one of ``X``, ``y`` and
            ``model_kwargs``.
        warm_start: whether a fit goes on with the model, and its weights, of the one before.
        model_kwargs: more arguments of the function.
        fit_kwargs: arguments of ``Model.fit``; those of ``fit`` go before them.

    Attributes:
        model_: the model that was fitted.
        history_: its History.
    """

    def __init__(
        self,
        model: ModelOrMaker,
        warm_start: bool = False,
        model_kwargs: Mapping[str, Any] | None = None,
        fit_kwargs: Mapping[str, Any] | None = None,
    ):
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Self:
        """Train.

        Args:
            X: features (rows, columns).
            y: targets (rows,) or (rows, outputs).
            kwargs: arguments of ``Model.fit``.

        Raises:
            RuntimeError: the model is not compiled, or has no loss.
            ValueError: data that scikit-learn does not accept.
        """
        X, y = validate_data(self, X, y, multi_output=True)
        targets = self._learn_targets(y)
        model = self._ready_model(X, targets)
        if not model.compiled or not model.loss or not model.optimizer:
            raise RuntimeError("Given model needs to be compiled, and have a loss and an optimizer.")
        self.history_ = model.fit(X, targets, **{**(self.fit_kwargs or {}), **kwargs})
        self.model_ = model
        return self

    def _ready_model(self, X: Any, y: Any) -> Model:
        if self.warm_start and hasattr(self, "model_"):
            return self.model_
        if isinstance(self.model, Model):
            return self.model if self.warm_start else clone_model(self.model)
        return self.model(X=X, y=y, **(self.model_kwargs or {}))

    def _learn_targets(self, y: np.ndarray) -> np.ndarray:
        """The targets as the model takes them."""
        _target_type(y)
        self._one_column = y.ndim == 1
        return y.reshape(-1, 1) if self._one_column else y

    def _outputs(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        outputs: np.ndarray = self.model_.predict(validate_data(self, X, reset=False), verbose=0)
        return outputs

    def predict(self, X: Any) -> np.ndarray:
        """The model's answers (rows,), or (rows, outputs)."""
        outputs = self._outputs(X)
        return np.squeeze(outputs, axis=1) if self._one_column and outputs.ndim == 2 else outputs

    def __sklearn_clone__(self) -> Self:
        """An estimator like this one, not fitted; the model is cloned by the fit."""
        return type(self)(self.model, self.warm_start, self.model_kwargs, self.fit_kwargs)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        return tags


class SKLearnClassifier(ClassifierMixin, Wrapper):  # type: ignore[misc]
    """A model as a classifier, trained on one column a class, as for ``categorical_crossentropy``; see ``Wrapper``.

    Attributes:
        classes_: the classes, in the order of the model's outputs.

    Source: Keras's class of the same name.

    Example:
        >>> import lamina
        >>> def make(X, y, units=8):
        ...     output = lamina.layers.Dense(y.shape[1], activation="softmax")
        ...     model = lamina.Sequential([lamina.Input((X.shape[1],)), lamina.layers.Dense(units), output])
        ...     model.compile("adam", "categorical_crossentropy")
        ...     return model
        >>> X = np.repeat([[0.0], [1.0]], 20, axis=0)
        >>> y = np.repeat(["no", "yes"], 20)
        >>> fitted = SKLearnClassifier(make, fit_kwargs={"epochs": 200, "verbose": 0}).fit(X, y)
        >>> fitted.predict([[0.0], [1.0]]).tolist()
        ['no', 'yes']
    """

    def _learn_targets(self, y: np.ndarray) -> np.ndarray:
        kind = _target_type(y)
        if kind not in ("binary", "multiclass"):
            raise ValueError(f"Only binary and multiclass target types are supported. Target type: {kind}")
        self.classes_, numbers = np.unique(y, return_inverse=True)
        if len(self.classes_) == 1:
            raise ValueError("Classifier can't train when only one class is present.")
        return np.eye(len(self.classes_))[numbers.reshape(-1)]

    def decision_function(self, X: Any) -> np.ndarray:
        """The model's outputs (rows, classes)."""
        return self._outputs(X)

    def predict(self, X: Any) -> np.ndarray:
        """The class with the greatest output, (rows,)."""
        chosen = np.argmax(self._outputs(X), axis=-1)
        found: np.ndarray = self.classes_[chosen]
        return found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags


class SKLearnRegressor(RegressorMixin, Wrapper):  # type: ignore[misc]
    """A model as a regressor; see ``Wrapper``.

    Source: Keras's class of the same name.
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


class SKLearnTransformer(TransformerMixin, Wrapper):  # type: ignore[misc]
    """A model whose outputs are features for the next step of a pipeline; see ``Wrapper``.

    Source: Keras's class of the same name.
    """

    def transform(self, X: Any) -> np.ndarray:
        """The model's outputs (rows, …)."""
        return self._outputs(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags


def _target_type(y: np.ndarray) -> str:
    kind: str = type_of_target(y)
    if kind == "unknown":
        raise ValueError(f"Unknown label type for data: {y!r}")
    return kind
