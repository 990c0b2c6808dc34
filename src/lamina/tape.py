"""GradientTape: gradients inside a training step of one's own."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from lamina.errors import LaminaError
from lamina.graph import express as e
from lamina.graph.node import Node
from lamina.rewrite.gradients import known_gradients
from lamina.trace import current
from lamina.tree import map_leaves
from lamina.variables import Variable


class GradientTape:
    """Gradients of a loss, in the words of Keras's guides for TensorFlow.

    Nothing is recorded: a loss knows the equations that it came from. So one tape serves any number of gradients, and
    of any node.

    Args:
        persistent, watch_accessed_variables: taken for TensorFlow's sake.

    Example:
        >>> import lamina
        >>> class Own(lamina.Sequential):
        ...     def train_step(self, data):
        ...         x, y = data
        ...         with lamina.GradientTape() as tape:
        ...             loss = self.compute_loss(y=y, y_pred=self(x, training=True))
        ...         self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
        ...         return {"own": loss}
        >>> model = Own([lamina.Input((2,)), lamina.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> list(model.fit(np.ones((8, 2)), np.ones((8, 1)), verbose=0).history)
        ['own']
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True):
        self.persistent = persistent

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Nothing to close."""

    def watch(self, tensor: Any) -> None:
        """Taken for TensorFlow's sake: every node has a gradient."""

    def gradient(self, target: Any, sources: Any, output_gradients: Any = None) -> Any:
        """∂target/∂x for each x in ``sources``.

        Args:
            target: a loss, or an array of which the sum is taken.
            sources: a variable or a node, or a list or dictionary of them.
            output_gradients: what the target's numbers are multiplied with before they are added.

        Returns:
            Nodes in the structure of ``sources``; None where the target does not depend on a source.

        Raises:
            LaminaError: outside of a step: there are no equations.
        """
        trace = current()
        if trace is None or not isinstance(target, Node):
            raise LaminaError(
                "GradientTape.gradient needs the equations of its target: call it inside `train_step`, on a loss that "
                f"was computed there with lamina.ops; got {target!r}"
            )
        wrt: list[Node] = []
        map_leaves(lambda x: wrt.append(trace.node(x) if isinstance(x, Variable) else e.as_node(x)), sources)
        weighted = target if output_gradients is None else target * output_gradients
        found = iter(known_gradients(e.sum(weighted) if weighted.shape else weighted, wrt))
        return map_leaves(lambda _: next(found), sources)
