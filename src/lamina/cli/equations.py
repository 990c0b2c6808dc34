"""``lamina equations``: the equations of a network, read from the graph that is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from lamina.graph.node import Graph, Node


def equations(
    model: Annotated[str, typer.Argument(help="A .keras file of Lamina or Keras.")],
    format: Annotated[str, typer.Option(help="text or latex.")] = "text",
) -> None:
    """Print a network's equations in the textbook's notation: Z, A, and the cost J.

    Examples are columns: each W is the transpose of a layer's kernel. Layers that change nothing when the network is
    used, such as Dropout, have no equation.
    """
    from lamina.cli import checks, model_file
    from lamina.errors import ModelFileError
    from lamina.lower.equations import FORMATS, LATEX, latex, text
    from lamina.lower.equations import equations as equations_of

    checks.one_of("--format", format, FORMATS)
    network = model_file.load(model, compile=True)
    if not network.built:
        raise ModelFileError(
            f"{model}: the network was never built, hence has no sizes: give it an Input."
        )
    graph, names = graph_of(network)
    lines = equations_of(graph, format, names)
    print(latex(lines) if format == LATEX else f"{text(lines)}\n{_NOTE}")


_NOTE = "Each column is one of the m examples; W[l] is the transpose of its layer's kernel."


def graph_of(model: Any) -> tuple[Graph, dict[str, str]]:
    """The graph of a model in use, with its cost if it is compiled, and what its inputs and outputs are called."""
    from lamina.graph.express import as_node
    from lamina.graph.node import Graph, leaf
    from lamina.trace import Trace
    from lamina.tree import flatten, pack

    tensors = flatten(model.input)
    with Trace(training=False).active():
        inputs = [leaf("input", t.shape, t.dtype, name=t.name) for t in tensors]
        y_pred = model(pack(model.input, inputs), training=False)
        answers = [as_node(y) for y in flatten(y_pred)]
        outputs = dict(zip(_numbered("Ŷ", len(answers)), answers, strict=True))
        if model.loss is not None:
            targets = _targets(model, answers)
            y = pack(y_pred, targets)
            outputs["J"] = as_node(model.compute_loss(x=inputs, y=y, y_pred=y_pred, training=False))
    names = {tensors[0].name: "X"} if len(tensors) == 1 else {}
    return Graph(outputs), names


def _targets(model: Any, answers: list[Node]) -> list[Node]:
    """A place for each target: like the output, or class numbers where the loss takes those."""
    from lamina.graph.node import leaf
    from lamina.models.compiled import Outputs

    losses = model._compiled_loss.wanted(Outputs(answers, model._output_names()))
    shapes = [a.shape[:-1] if _takes_classes(loss) else a.shape for a, loss in zip(answers, losses, strict=True)]
    named = zip(shapes, answers, _numbered("Y", len(answers)), strict=True)
    return [leaf("input", shape, answer.dtype, name=name) for shape, answer, name in named]


def _takes_classes(loss: Any) -> bool:
    from lamina import losses
    from lamina.models.checks import is_sparse

    found = losses.get(loss)
    return found is losses.sparse_categorical_crossentropy or is_sparse(found)


def _numbered(name: str, count: int) -> list[str]:
    return [name] if count == 1 else [f"{name}{i + 1}" for i in range(count)]
