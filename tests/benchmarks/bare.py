"""The loop that everybody would write by hand: what the engine is measured against.

Per-epoch permutation, one gather a column, forward, backward, optimizer; no logging, no evaluation, no checkpoints.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dlkit.data.randomness import rng


def train(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    images: Tensor,
    labels: Tensor,
    *,
    epochs: int,
    batch_size: int,
    seed: int,
) -> None:
    """Train on images [N, …] and labels [N] for whole epochs, a partial last batch left out."""
    loss_of = nn.CrossEntropyLoss()
    for epoch in range(epochs):
        order = torch.from_numpy(rng(seed, "order", epoch).permutation(len(images)))
        for i in range(len(images) // batch_size):
            index = order[i * batch_size : (i + 1) * batch_size]
            loss = loss_of(model(images.index_select(0, index)), labels.index_select(0, index))
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
