"""What leaves dlkit of a run: the generator, of digits the judge of its images, and what stands in for the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from dlkit.answering import RunGraph
from dlkit.portable import Graph
from dlkit_gan.info import GanInfo
from dlkit_gan.judge import Judge, of_info, prepared
from dlkit_gan.options import Look

Model = Any
"""A ``dcgan.Adversaries``, or what has its parts."""


class Judged(nn.Module):
    """Drawn images [N,C,H,W] → the judge's logits [N,classes]."""

    def __init__(self, judge: Judge, look: Look, side: int) -> None:
        super().__init__()
        self.judge, self._look, self._side = judge.eval(), look, side

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = self.judge(prepared(image, self._look, self._side))
        return logits


class Elsewhere(nn.Module):
    """The model, whose images are drawn by an exported generator."""

    def __init__(self, model: Model, run: RunGraph) -> None:
        super().__init__()
        self.latent, self.kinds, self._model = model.latent, model.kinds, model
        self.generator = _Drawing(run)

    def joined(self, noise: Tensor, kind: Tensor) -> Tensor:
        found: Tensor = self._model.joined(noise, kind)
        return found

    def forward(self, images: Tensor) -> Mapping[str, Tensor]:
        own: dict[str, Tensor] = self._model(images)
        drawn = self.generator(self._model.latents_beside(images))
        return {"image": drawn, "real": own["real"], "fake": self._model.discriminator(drawn)}


class _Drawing(nn.Module):
    def __init__(self, run: RunGraph) -> None:
        super().__init__()
        self._run = run

    def forward(self, latent: Tensor) -> Tensor:
        return torch.from_numpy(self._run("generator", latent=latent.cpu().numpy())["image"])


def graphs(model: Model, info: GanInfo) -> list[Graph]:
    """``generator``: latent [N,Z] → image [N,C,H,W] in [−1, 1]; of digits ``judge``: image → logits [N,classes]."""

    def latents(count: int, sizes: Mapping[str, int], seed: int) -> Mapping[str, Tensor]:
        noise = torch.randn(count, model.latent, generator=torch.Generator().manual_seed(seed))
        return {"latent": model.joined(noise, torch.arange(count) % max(1, model.kinds))}

    def images(count: int, sizes: Mapping[str, int], seed: int) -> Mapping[str, Tensor]:
        drawn = torch.rand(count, *info.shape, generator=torch.Generator().manual_seed(seed))
        return {"image": drawn * 2 - 1}

    made = [Graph("generator", model.generator, {"latent": ("N", "Z")}, ["image"], latents)]
    if info.look == "digits":
        judge = Judged(of_info(info), info.look, info.side)
        made.append(Graph("judge", judge, {"image": ("N", "C", "H", "W")}, ["logits"], images))
    return made
