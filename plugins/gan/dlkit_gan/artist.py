"""``artist``: draws images from seeds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from dlkit.data.splits import Split
from dlkit.json_types import JsonObject
from dlkit.portable import Portable
from dlkit.predictor import Answer, Predictor
from dlkit.question_schema import INTEGER, SHARE, Schema, choice, fields
from dlkit.samples import Images, Sample
from dlkit_gan.info import GanInfo
from dlkit_gan.judge import Judge, of_info, prepared
from dlkit_gan.latents import drawn, of_seeds
from dlkit_gan.networks import Elsewhere, graphs
from dlkit_gan.options import ArtistConfig
from dlkit_gan.seeds import accepted_seed, read_seeds
from dlkit_gan.storage import ENCODING

BATCH = 250
COLUMNS = 8
STRIPS = 4
"""Walks from one latent to another that samples show, COLUMNS steps each."""


class Artist(Predictor[GanInfo, ArtistConfig]):
    """A seed is one image, the same one always; what is drawn from noise, it shows beside walks between two images."""

    usage = "seeds: whole numbers such as 7, or ranges such as 0-15"
    asks = "seed"
    label = "seed"
    placeholder = "a whole number, or a range such as 0-15"
    draws = True

    def __init__(self, model: nn.Module, info: GanInfo, config: ArtistConfig) -> None:
        super().__init__(model, info, config)
        self._judge: Judge | None = None

    def accept(self, value: object) -> int:
        """A seed: a whole number, or one as text."""
        return accepted_seed(value)

    def schema(self) -> Schema:
        judged: dict[str, JsonObject] = {"class": choice(self.info.classes), "sure": SHARE}
        answer = fields({"seed": INTEGER, **(judged if self.info.look == "digits" else {})})
        question: JsonObject = {**INTEGER, "minimum": 0, "maximum": 2**63 - 1, "description": "which image is drawn"}
        return Schema(question=question, answer=answer, example=7)

    def read(self, arguments: Sequence[str]) -> list[int]:
        """The seeds that are named; UsageError says what is not a seed."""
        return read_seeds(arguments)

    def portable(self) -> Portable:
        model: Any = self.model
        known = {"latent": model.latent, "kinds": model.kinds, "temperature": self.config.temperature}
        classes = list(self.info.classes) if self.info.look == "digits" else []
        return Portable(graphs(model, self.info), {**known, "classes": classes}, partial(Elsewhere, model))

    def predict(self, inputs: Sequence[int]) -> list[Answer]:
        """``seed``; of digits also ``class`` and ``sure``, what the judge takes the image for and how sure it is."""
        answers: list[Answer] = []
        for first in range(0, len(inputs), BATCH):
            seeds = [int(value) for value in inputs[first : first + BATCH]]
            answers += self._described(seeds, self.drawn(self.latents(seeds)))
        return answers

    def draw(self, value: int, answer: Answer) -> Image.Image:
        return Image.fromarray(ENCODING.pixels(self.drawn(self.latents([int(value)])))[0])

    def stem(self, value: object) -> str:
        return f"seed-{value}"

    def show(self, inputs: Sequence[int], answers: Sequence[Answer]) -> Sequence[Sample]:
        """The images, below each its seed and what the judge says of it."""
        pictures = ENCODING.pixels(self.drawn(self.latents([int(value) for value in inputs])))
        captions = [_caption(answer) for answer in answers]
        return [Images(name="images", images=pictures, captions=captions, columns=COLUMNS)]

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        """``count`` images from latents drawn with ``rng``, and walks from one image to another."""
        # The same noise at every sampling time: pictures of different steps can be compared.
        latents, ends = self._latents(count, rng), self._latents(2 * STRIPS, rng)
        walks = torch.cat([between(ends[2 * i], ends[2 * i + 1], COLUMNS) for i in range(STRIPS)])
        drawn, walked = (ENCODING.pixels(self.drawn(part)) for part in (latents, walks))
        return [
            Images(name="drawn", title="Drawn from noise", images=drawn, columns=COLUMNS),
            Images(name="walks", title="From one image to another, a row each", images=walked, columns=COLUMNS),
        ]

    def example(self, examples: Split | None, rng: np.random.Generator, folder: Path) -> list[str]:
        return ["0-15", "7"]

    def latents(self, seeds: Sequence[int]) -> Tensor:
        """[len(seeds),Z]: the same for a seed on every machine."""
        return of_seeds(self.model, seeds, self.config.temperature)

    def drawn(self, latents: Tensor) -> Tensor:
        """Latents [N,Z] → images float32 [N,C,H,W] in [−1, 1], on the CPU."""
        model: Any = self.model.eval()
        device = next(self.model.parameters()).device
        with torch.no_grad():
            parts = torch.split(latents, BATCH)
            images: Tensor = torch.cat([model.generator(part.to(device)).float().cpu() for part in parts])
        return images

    def _latents(self, count: int, rng: np.random.Generator) -> Tensor:
        """[count,Z], drawn with ``rng``."""
        return drawn(self.model, count, rng, self.config.temperature)

    def _described(self, seeds: Sequence[int], images: Tensor) -> list[Answer]:
        if self.info.look != "digits":
            return [{"seed": seed} for seed in seeds]
        if self._judge is None:
            self._judge = of_info(self.info)
        sure, label = self._judge(prepared(images, self.info.look, self.info.side)).softmax(1).max(1)
        named = [self.info.classes[i] for i in label.tolist()]
        return [
            {"seed": seed, "class": name, "sure": round(p, 4)}
            for seed, name, p in zip(seeds, named, sure.tolist(), strict=True)
        ]


def between(one: Tensor, other: Tensor, steps: int) -> Tensor:
    """Latents [steps,Z] along the arc from one to the other, which keeps their length (Shoemake 1985; White 2016)."""
    cosine = torch.dot(one / one.norm(), other / other.norm()).clamp(-1, 1)
    angle = torch.acos(cosine)
    way = torch.linspace(0, 1, steps)[:, None]
    if angle < 1e-4:
        return one + (other - one) * way
    return (torch.sin((1 - way) * angle) * one + torch.sin(way * angle) * other) / torch.sin(angle)


def _caption(answer: Answer) -> str:
    return f"{answer['seed']}: {answer['class']} {answer['sure']:.0%}" if "class" in answer else str(answer["seed"])
