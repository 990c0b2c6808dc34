"""Models as estimators of scikit-learn, which is imported with the first of them."""

from typing import Any

from lamina.errors import required

_NAMES = ("SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer")


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module 'lamina.wrappers' has no attribute {name!r}; it has {', '.join(_NAMES)}")
    required("sklearn", "sklearn")
    from lamina.wrappers import estimators

    return getattr(estimators, name)


def __dir__() -> list[str]:
    return list(_NAMES)
