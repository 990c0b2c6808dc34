"""Plain PyTorch: a loop over batches, the fused Adam, batches cut from one permutation by index_select.

What an epoch reports is computed once at its end, from the outputs that the steps kept, and the rows that validate
are one batch. `torch.compile`, of the cost or of the whole step, was measured on every rung and was no faster.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from area import BUCKETS, under_roc
from peer import Mark
from rungs import (
    BINARY,
    CLASSES,
    CODES,
    DROPPED,
    EMBEDDED,
    EPSILON,
    LEARNING_RATE,
    MOMENTUM,
    NUMBER,
    SEED,
    Rows,
    Rung,
    Table,
)

PACKAGES = ("torch", "numpy")
ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh}
OPTIMIZERS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=LEARNING_RATE, fused=True),
    "rmsprop": lambda parameters: torch.optim.RMSprop(parameters, lr=LEARNING_RATE, alpha=0.9, eps=1e-7, foreach=True),
}
LOSSES: dict[str, Callable[..., Tensor]] = {
    BINARY: functional.binary_cross_entropy_with_logits,
    CLASSES: functional.cross_entropy,
    NUMBER: functional.mse_loss,
}


class Embeddings(nn.Module):
    """Numbers beside the embeddings of codes; one table holds those of all columns."""

    def __init__(self, columns: int):
        super().__init__()
        self.table = nn.Embedding(columns * CODES, EMBEDDED)
        self.register_buffer("begins", torch.arange(columns) * CODES)

    def forward(self, numbers: Tensor, codes: Tensor) -> Tensor:
        return torch.cat([numbers, self.table(codes + self.begins).flatten(1)], dim=1)


class Network(nn.Module):
    def __init__(self, rung: Rung):
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, units in pairwise(rung.sizes[:-1]):
            layers += [nn.Linear(inputs, units), ACTIVATIONS[rung.activation]()]
            if rung.dressed:
                layers += [nn.BatchNorm1d(units, eps=EPSILON, momentum=1 - MOMENTUM), nn.Dropout(DROPPED)]
        self.embeddings = Embeddings(rung.code_columns) if rung.code_columns else None
        self.dense = nn.Sequential(*layers, nn.Linear(*rung.sizes[-2:]))

    def forward(self, *x: Tensor) -> Tensor:
        return self.dense(self.embeddings(*x) if self.embeddings else x[0])


class Tensors(NamedTuple):
    x: tuple[Tensor, ...]
    y: Tensor
    weight: Tensor | None

    def take(self, chosen: Tensor) -> Tensors:
        x = tuple(a.index_select(0, chosen) for a in self.x)
        weight = None if self.weight is None else self.weight.index_select(0, chosen)
        return Tensors(x, self.y.index_select(0, chosen), weight)


def tensors(rows: Rows) -> Tensors:
    y = torch.from_numpy(rows.y)
    weight = None if rows.weight is None else torch.from_numpy(rows.weight)
    return Tensors(tuple(map(torch.from_numpy, rows.x)), y if y.is_floating_point() else y.long(), weight)


def cost(rung: Rung, outputs: Tensor, rows: Tensors) -> Tensor:
    if rows.weight is None:
        return LOSSES[rung.answer](outputs, rows.y)
    return (LOSSES[rung.answer](outputs, rows.y, reduction="none").flatten() * rows.weight).mean()


def figures(rung: Rung, outputs: Tensor, y: Tensor) -> dict[str, Any]:
    """Accuracy, and the area under the ROC curve of all outputs, from logits."""
    right = (outputs > 0) == (y > 0) if rung.answer == BINARY else outputs.argmax(1) == y.argmax(1)
    bucket = (outputs.sigmoid() * (BUCKETS - 1)).long() + BUCKETS * y.long()
    counts = bucket.flatten().bincount(minlength=2 * BUCKETS).view(2, BUCKETS)
    return {"accuracy": right.float().mean(), "auc": under_roc(counts.numpy())}


def train_epoch(rung: Rung, model: Network, optimizer: torch.optim.Optimizer, data: Tensors) -> dict[str, Any]:
    model.train()
    total, kept = torch.zeros(()), []
    order = torch.randperm(len(data.y))
    for chosen in order.split(rung.batch):
        rows = data.take(chosen)
        outputs = model(*rows.x)
        loss = cost(rung, outputs, rows)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(chosen)
        kept.append(outputs.detach())
    logs = {"loss": total / len(order)}
    return logs | figures(rung, torch.cat(kept), data.y.index_select(0, order)) if rung.dressed else logs


@torch.inference_mode()
def validate(rung: Rung, model: Network, held: Tensors) -> dict[str, Any]:
    model.eval()
    outputs = model(*held.x)
    logs = {"loss": cost(rung, outputs, held)} | figures(rung, outputs, held.y)
    return {f"val_{name}": value for name, value in logs.items()}


def train(rung: Rung, table: Table, epochs: int, mark: Mark) -> Network:
    torch.manual_seed(SEED)
    # Its tuning guide: small operators are faster on one thread than on many.
    torch.set_num_threads(1 if max(rung.sizes) <= 100 else torch.get_num_threads())
    model = Network(rung)
    optimizer = OPTIMIZERS[rung.optimizer](model.parameters())
    data, held = (rows and tensors(rows) for rows in table)
    for _ in range(epochs):
        logs = train_epoch(rung, model, optimizer, data)
        mark(logs | validate(rung, model, held) if held else logs)
    return model
