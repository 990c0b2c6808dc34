"""The arguments that all optimizers share, declared once, in the base's constructor."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

from lamina.optimizers.optimizer import Optimizer

Constructor = TypeVar("Constructor", bound=Callable[..., None])
_, _, *SHARED, REST = inspect.signature(Optimizer.__init__).parameters.values()  # but self and learning_rate


def with_shared_arguments(init: Constructor) -> Constructor:
    """Let a constructor take what all optimizers take, by position too: Keras's place is before what it takes by name.

    Args:
        init: an ``__init__`` that passes its ``**kwargs`` on.

    Example:
        >>> from lamina.optimizers import SGD
        >>> list(inspect.signature(SGD).parameters)[:6]
        ['learning_rate', 'momentum', 'nesterov', 'weight_decay', 'clipnorm', 'clipvalue']
    """
    own = [p for p in inspect.signature(init).parameters.values() if p.kind is not p.VAR_KEYWORD]
    first = [p for p in own if p.kind is not p.KEYWORD_ONLY]
    later = [p.replace(kind=p.POSITIONAL_OR_KEYWORD) for p in own if p.kind is p.KEYWORD_ONLY]
    shared = [p for p in SHARED if p.name not in {q.name for q in own}]
    signature = inspect.Signature([*first, *shared, *later, REST])

    @functools.wraps(init)
    def bound(*args: Any, **kwargs: Any) -> None:
        given = signature.bind(*args, **kwargs).arguments
        rest = given.pop(REST.name, {})
        init(**given, **rest)

    bound.__signature__ = signature  # type: ignore[attr-defined]
    return cast(Constructor, bound)
