"""Plain PyTorch: a loop over batches, the fused Adam, batches cut from one permutation by index_select.

`torch.compile`, of the cost or of the whole step, was measured on every rung and was no faster.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import nn

from peer import Mark
from rungs import LEARNING_RATE, SEED, Rung

PACKAGES = ("torch", "numpy")


def network(sizes: tuple[int, ...]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, units in pairwise(sizes):
        layers += [nn.Linear(inputs, units), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def train(rung: Rung, x: np.ndarray, y: np.ndarray, epochs: int, mark: Mark) -> None:
    torch.manual_seed(SEED)
    # Its tuning guide: small operators are faster on one thread than on many.
    torch.set_num_threads(1 if max(rung.sizes) < 100 else torch.get_num_threads())
    model = network(rung.sizes)
    cost = nn.BCEWithLogitsLoss() if rung.binary else nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=True)
    rows = torch.from_numpy(x)
    target = torch.from_numpy(y).float()[:, None] if rung.binary else torch.from_numpy(y).long()
    for _ in range(epochs):
        total = torch.zeros(())
        for chosen in torch.randperm(len(rows)).split(rung.batch):
            loss = cost(model(rows.index_select(0, chosen)), target.index_select(0, chosen))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(chosen)
        mark(total / len(rows))
