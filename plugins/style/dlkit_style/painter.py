"""``painter``: the picture as it forms, and other pictures by the same recipe."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from dlkit.data.encoding import Encoding
from dlkit.data.names import shown_path
from dlkit.data.randomness import forked
from dlkit.data.splits import Split
from dlkit.errors import UsageError
from dlkit.image_predictor import ImagePredictor
from dlkit.json_types import JsonObject
from dlkit.portable import Portable
from dlkit.predictor import Answer
from dlkit.present.output import say_meanwhile, say_no_longer
from dlkit.question_schema import INTEGER, NUMBER, TEXT, fields
from dlkit.samples import Sample
from dlkit_style import gallery
from dlkit_style.info import StyleInfo
from dlkit_style.options import PainterConfig
from dlkit_style.picture import Picture
from dlkit_style.storage import Pixels, sized

_TOLD_EVERY = 0.25
"""Seconds between two looks of a person at how far a picture is."""
_SHOWN = 8
"""Pictures at most that are shown with the answers."""


@dataclass(frozen=True)
class Painted:
    """A picture [3,H,W] in [0, 1], and its losses by name."""

    image: Tensor
    losses: Mapping[str, float]


class Painter(ImagePredictor[StyleInfo, PainterConfig]):
    """The model is one picture: another is painted by as many steps of the run's own loss and trainer."""

    usage = "image files, or folders of them: each is painted as the run's own content was"
    draws = True

    def __init__(self, model: torch.nn.Module, info: StyleInfo, config: PainterConfig) -> None:
        super().__init__(model, info, config)
        self._painted: dict[object, Painted] = {}

    def make_encoding(self) -> Encoding:
        return Encoding([0.0], [1.0])

    def predict(self, inputs: Sequence[object]) -> list[Answer]:
        """``loss`` and its parts of each picture when it is finished, its ``width`` and ``height``, ``steps``,
        ``seconds``; for files, ``file``. The picture itself is drawn."""
        self._painted.clear()
        return [self._answered(value) for value in inputs]

    def answer_schema(self) -> JsonObject:
        sizes = {"width": INTEGER, "height": INTEGER, "steps": INTEGER}
        known = {"loss": NUMBER, **sizes, "seconds": NUMBER, "file": TEXT}
        return {**fields(known, optional=["file"]), "additionalProperties": NUMBER}

    def portable(self) -> Portable:
        raise UsageError("the model is one picture, and others are painted by training: no network answers them")

    def show(self, inputs: Sequence[object], answers: Sequence[Answer]) -> Sequence[Sample]:
        """The first pictures, and a table of all."""
        found: list[Sample] = []
        for number, value in enumerate(inputs[:_SHOWN], 1):
            title = shown_path(value) if isinstance(value, (str, Path)) else f"picture {number}"
            found.append(gallery.painted(self._painted[_key(value)].image, f"picture-{number}", title))
        return [*found, *super().show(inputs, answers)]

    def draw(self, value: object, answer: Answer) -> Image.Image:
        """The picture in the size that it was painted in."""
        return Image.fromarray(gallery.shown(self._painted[_key(value)].image))

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        """The picture, beside what it comes from, and its losses by layer."""
        found = self.forward(cast(Picture, self.model).content[None])
        losses = {kind: {name: float(value) for name, value in found[kind].items()} for kind in ("content", "style")}
        return gallery.samples(self.info, found["image"][0], losses)

    def example(self, examples: Split | None, rng: np.random.Generator, folder: Path) -> list[str]:
        """The first style, which then is painted in its own."""
        path = folder / f"{Path(self.info.names[1]).stem}.png"
        Image.fromarray(np.ascontiguousarray(np.moveaxis(self.info.styles[0], 0, -1))).save(path)
        return [str(path)]

    def _answered(self, value: object) -> Answer:
        began = time.perf_counter()
        image = self.opened(value, enough=self.config.size or self.info.size)
        content = sized(image, self.config.size or self.info.size)
        called = shown_path(value) if isinstance(value, (str, Path)) else "the picture"
        painted, steps = self._paint(content, called)
        self._painted[_key(value)] = painted
        height, width = painted.image.shape[1:]
        told = {"width": width, "height": height, "steps": steps, "seconds": round(time.perf_counter() - began, 1)}
        return self.with_file({**painted.losses, **told}, value)

    def _paint(self, content: Pixels, called: str) -> tuple[Painted, int]:
        if self.recipe is None:
            raise UsageError("a painter that was not made by a run has no recipe to paint other pictures by")
        engine, info = self.recipe.engine, self.info.model_copy(update={"content": content})
        with forked(engine.seed, "paint"):  # of a picture that begins as noise
            model = cast(Picture, self.model).fresh(info)
        steps = engine.steps or engine.epochs or 0  # an epoch is the one content
        trainer = self.recipe.trainer(model, info, steps)
        batch = {"content": model.content[None]}
        model.train()
        told = time.monotonic()
        values: Mapping[str, Tensor | float] = {}
        for step in range(steps):
            values = trainer.step([batch], step)
            if time.monotonic() - told > _TOLD_EVERY:
                told = time.monotonic()
                say_no_longer()
                say_meanwhile(f"painting {called}: step {step + 1} of {steps}, loss {float(values['train/loss']):.4g}")
        say_no_longer()
        names = [name for name in values if name.endswith("loss")]
        return Painted(model.image().cpu(), {name.removeprefix("train/"): float(values[name]) for name in names}), steps


def _key(value: object) -> object:
    """What an input is found again by: a file's name, or which object it is."""
    return str(value) if isinstance(value, (str, Path)) else id(value)
