"""What leaves dlkit of a run: the way to the code and the way back, and what stands in for the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from dlkit.answering import RunGraph
from dlkit.portable import Graph
from dlkit_autoencoder.info import AutoencoderInfo


class Encoding(nn.Module):
    """image [N,C,H,W] → code [N,K]."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> Tensor:
        found: Mapping[str, Tensor] = self.model(image)
        return found["code"]


class Decoding(nn.Module):
    """code [N,K] → image [N,C,H,W], not bounded."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, code: Tensor) -> Tensor:
        model: Any = self.model
        image: Tensor = model.decode(code)
        return image


class Elsewhere(nn.Module):
    """The model, whose codes and images are made by exported networks; what else it says, the model says itself."""

    def __init__(self, model: nn.Module, run: RunGraph) -> None:
        super().__init__()
        self.model, self._run = model, run

    def forward(self, image: Tensor) -> Mapping[str, Tensor]:
        code = self._run("encoder", image=image.cpu().numpy())["code"]
        decoded = torch.from_numpy(self._run("decoder", code=code)["image"])
        own: Mapping[str, Tensor] = self.model(image)
        return {**own, "code": torch.from_numpy(code), "image": decoded}


def graphs(model: nn.Module, info: AutoencoderInfo) -> list[Graph]:
    """``encoder``: image [N,C,H,W] in [0, 1] → code [N,K]; ``decoder``: the reverse."""

    def images(count: int, sizes: Mapping[str, int], seed: int) -> Mapping[str, Tensor]:
        return {"image": torch.rand(count, *info.shape, generator=torch.Generator().manual_seed(seed))}

    encoding = Encoding(model).eval()

    def codes(count: int, sizes: Mapping[str, int], seed: int) -> Mapping[str, Tensor]:
        with torch.no_grad():
            return {"code": encoding(**images(count, sizes, seed))}

    return [
        Graph("encoder", encoding, {"image": ("N", "C", "H", "W")}, ["code"], images),
        Graph("decoder", Decoding(model), {"code": ("N", "K")}, ["image"], codes),
    ]
