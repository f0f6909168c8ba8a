"""Where batches go: what a split needs to know of the device that computes on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor


class Destination(Protocol):
    """What a run's device offers to splits. (``dlkit.engine.device.Device`` is one; data knows nothing of engines.)"""

    @property
    def torch_device(self) -> torch.device:
        """What torch calls it."""

    @property
    def loader_options(self) -> Mapping[str, Any]:
        """Arguments of torch's DataLoader with which its batches reach the device fastest."""

    def put(self, tensor: Tensor) -> Tensor:
        """The tensor on the device: itself, where it lies there already."""


@dataclass(frozen=True)
class TorchDestination:
    """A device as torch knows it, reached by plain copies."""

    torch_device: torch.device
    loader_options: Mapping[str, Any] = field(default_factory=dict)

    def put(self, tensor: Tensor) -> Tensor:
        return tensor.to(self.torch_device)


# What splits arrive at until a run says otherwise, and for predictors.
HOST: Destination = TorchDestination(torch.device("cpu"))
