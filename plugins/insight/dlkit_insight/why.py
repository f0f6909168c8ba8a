"""Why a model of images says what it says: the places that speak for a score, as heat over the picture."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from dlkit.data.encoding import Encoding
from dlkit.data.letterbox import Letterbox
from dlkit.data.splits import Split
from dlkit.engine.trainer import evaluation_mode
from dlkit.errors import UsageError, nearest
from dlkit.image_predictor import ImageInfo, ImagePredictor, as_pictures
from dlkit.json_types import JsonObject
from dlkit.metrics.selection import some_indices
from dlkit.predictor import Answer
from dlkit.question_schema import NUMBER, SHARE, TEXT, fields, several
from dlkit.samples import Images, Sample
from dlkit.task import AnyTask, Info
from dlkit_insight.options import GradCamConfig, OcclusionConfig, SaliencyConfig, WhyConfig
from dlkit_insight.pictures import (
    Numbers,
    Pixels,
    blurred,
    enlarged,
    in_colour,
    overlaid,
    resized,
    scaled,
    side_by_side,
)
from dlkit_insight.probing import (
    Probed,
    blank,
    device_of,
    gradients_of,
    image_encoding,
    lacks_images,
    map_layer,
    probing,
)  # fmt: skip

_SHOWN = 12
"""Images at most that samples explain."""
_LONGEST = 1024
"""Pixels of the longer side of a photograph over which heat is laid."""
_SIDE = 240
"""Pixels that a drawn picture's longer side has at least."""
_PASSED = 64
"""Covered images that go through the model together."""
_NOISE_SEED = 0x5A11

WhyT = TypeVar("WhyT", bound=WhyConfig)


@dataclass(frozen=True)
class Explained:
    """``heat`` float32 [H,W] in [0, 1] over an image as the model sees it; of which score, by name, and how high."""

    heat: Numbers
    of: str
    score: float

    @property
    def peak(self) -> tuple[float, float]:
        """Where it is hottest: x, y in pixels of the image as the model sees it, the middle of that pixel."""
        row, column = np.unravel_index(int(self.heat.argmax()), self.heat.shape)
        return float(column) + 0.5, float(row) + 0.5


class Why(ImagePredictor[ImageInfo, WhyT]):
    """Base of what explains: ``explain`` gives heat over images. A task says what it can be asked (``Task.scores``)."""

    draws = True
    blur: ClassVar[float] = 0.0
    """Standard deviation by which heat is smoothed, as a share of the image's shorter side."""

    @classmethod
    def lacks(cls, task: AnyTask, model: nn.Module, info: Info) -> str:
        if missing := lacks_images(task, info):
            return missing
        with evaluation_mode(model), torch.enable_grad(), probing(model) as probed:
            image = blank(model, info).requires_grad_()
            scores = task.scores(model(image), info)
            if not scores:
                return f"it asks for a score, and task {task.name!r} does not say which its models give"
            return cls.lacks_of(next(iter(scores.values())), probed, model)

    @classmethod
    def lacks_of(cls, score: Tensor, probed: Probed, model: nn.Module) -> str:
        """What else it needs, of a score [1] of a blank image and what led to it."""
        return "" if score.requires_grad else "it follows gradients, and the model gives none"

    def make_encoding(self) -> Encoding:
        return image_encoding(self.info, self.info.shape[0])  # type: ignore[arg-type]

    @abstractmethod
    def heat(self, images: Tensor, chosen: Sequence[str]) -> Tensor:
        """Of model inputs [N,C,H,W], why each has the score of its name: [N,h,w] of any size, above 0 what counts."""

    def explain(self, images: Tensor) -> list[Explained]:
        """Of model inputs [N,C,H,W]; UsageError if there is no score of the option's name."""
        images = images.to(device_of(self.model))
        with evaluation_mode(self.model):
            with torch.no_grad():
                scores = self.scores(images)
            chosen = self._chosen(scores)
            maps = self.heat(images, chosen).detach().float().cpu().numpy()
        found = []
        for number, (name, values) in enumerate(zip(chosen, maps, strict=True)):
            smooth = blurred(
                resized(np.maximum(values, 0), self.height, self.width), self.blur * min(self.info.shape[1:])
            )
            found.append(Explained(scaled(smooth), name, float(scores[name][number])))
        return found

    def scores(self, images: Tensor) -> Mapping[str, Tensor]:
        """What the task can be asked about model inputs: [N] by name."""
        assert self.task is not None, "built by dlkit, which says for which task"
        return self.task.scores(self.model(images), self.info)

    def picked(self, images: Tensor, chosen: Sequence[str]) -> Tensor:
        """Of each image the score of its name: [N]."""
        scores = self.scores(images)
        return torch.stack([scores[name][number] for number, name in enumerate(chosen)])

    def _chosen(self, scores: Mapping[str, Tensor]) -> list[str]:
        target, count = self.config.target, len(next(iter(scores.values())))
        if target and target not in scores:
            raise UsageError(f"inference.target = {target!r}: no such score; {nearest(target, scores)}")
        if target:
            return [target] * count
        names = list(scores)
        return [names[i] for i in torch.stack([*scores.values()]).argmax(0).tolist()]

    def predict(self, inputs: Sequence[object]) -> list[Answer]:
        """``of``: what is asked about; its ``score`` as the task has it; ``peak`` [x, y]: where the heat is highest, as
        shares of the width and height of the image as the model sees it; for files, ``file``."""
        answers: list[Answer] = []
        for value in inputs:
            (found,) = self.explain(self._encoded([value]))
            peak = [round(found.peak[0] / self.width, 4), round(found.peak[1] / self.height, 4)]
            answers.append(self.with_file({"of": found.of, "score": found.score, "peak": peak}, value))
        return answers

    def answer_schema(self) -> JsonObject:
        peak: JsonObject = {**several(SHARE), "minItems": 2, "maxItems": 2}
        return fields({"of": TEXT, "score": NUMBER, "peak": peak})

    def show(self, inputs: Sequence[object], answers: Sequence[Answer]) -> Sequence[Sample]:
        shown = inputs[:_SHOWN]
        return [self._pairs("why", np.stack([self.seen(value) for value in shown]), self.explain(self._encoded(shown)))]

    def draw(self, value: object, answer: Answer) -> Image.Image:
        (found,) = self.explain(self._encoded([value]))
        (picture,) = as_pictures(self.seen(value)[None])
        photograph = self.opened(value)
        photograph.thumbnail((_LONGEST, _LONGEST))
        pixels = np.asarray(photograph)
        large = [enlarged(one, _SIDE) for one in (in_colour(picture), overlaid(pixels, self._over(found.heat, pixels)))]
        return side_by_side(large, ["as the model sees it", f"why {_titled(found)}"])

    def _over(self, heat: Numbers, pixels: Pixels) -> Numbers:
        """Heat [H,W] over what the model sees → over the whole image of ``pixels``: [h,w], 0 where it sees nothing."""
        height, width = pixels.shape[:2]
        if self.info.fit == "letterbox":
            box = Letterbox((width, height), (self.width, self.height))
            (x, y), (across, down) = box.corner, box.inner
            return resized(heat[y : y + down, x : x + across], height, width)
        scale = max(self.width / width, self.height / height)
        across, down = min(width, round(self.width / scale)), min(height, round(self.height / scale))
        x, y = (width - across) // 2, (height - down) // 2
        found = np.zeros((height, width), np.float32)
        found[y : y + down, x : x + across] = resized(heat, down, across)
        return found

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        if examples is None:
            return ()
        batch = examples.take(some_indices(len(examples), min(count, _SHOWN), rng))
        pictures = self.encoding.pixels(batch["image"])
        return [self._pairs("why", pictures, self.explain(batch["image"]))]

    def _encoded(self, inputs: Sequence[object]) -> Tensor:
        return self.encoding.encode(torch.from_numpy(np.stack([self.seen(value) for value in inputs])))

    def _pairs(self, name: str, pixels: Pixels, found: Sequence[Explained]) -> Images:
        """Each image, and beside it the same with its heat."""
        pictures = as_pictures(pixels) if pixels.ndim == 4 and pixels.shape[1] in (1, 3) else pixels
        pairs = [
            (in_colour(picture), overlaid(picture, one.heat)) for picture, one in zip(pictures, found, strict=True)
        ]
        captions = [text for one in found for text in ("", _titled(one))]
        title = f"Why: what speaks for the score ({type(self).__name__.lower()})"
        return Images(
            name=name, title=title, images=np.stack([p for pair in pairs for p in pair]), captions=captions, columns=6
        )


class Saliency(Why[SaliencyConfig]):
    """The gradient of a score by each pixel (Simonyan et al. 2014, arXiv 1312.6034), the largest of its channels; its
    mean over noisy copies (SmoothGrad, Smilkov et al. 2017, arXiv 1706.03825)."""

    def heat(self, images: Tensor, chosen: Sequence[str]) -> Tensor:
        total = torch.zeros_like(images)
        spread = self.config.noise * (images.amax((1, 2, 3), True) - images.amin((1, 2, 3), True))
        generator = torch.Generator().manual_seed(_NOISE_SEED)
        for number in range(self.config.smooth):
            # The first copy is the image itself: with one, this is its own gradient.
            noise = torch.randn(images.shape, generator=generator).to(images) * spread * bool(number)
            with torch.enable_grad():
                noisy = (images + noise).requires_grad_()
                (gradient,) = torch.autograd.grad(self.picked(noisy, chosen).sum(), noisy)
            total += gradient.abs()
        return total.amax(1)


class GradCam(Why[GradCamConfig]):
    """A layer's map times the score's gradient, summed over channels, smoothed by 1/24 of the image.

    By ``places`` each keeps its own gradient (HiResCAM, Draelos and Carin 2020, arXiv 2011.08891): dense layers and
    attention tell places apart; and what counts is how much a place decides, for or against. By ``channels`` it is
    Grad-CAM as published (Selvaraju et al. 2017, arXiv 1610.02391): each channel by its mean gradient, and of the sum
    what is positive.
    """

    blur = 1 / 24

    @classmethod
    def lacks_of(cls, score: Tensor, probed: Probed, model: nn.Module) -> str:
        if not any(isinstance(module, nn.Conv2d) for module in model.modules()):
            return "it needs a convolution, and the model has none"
        return super().lacks_of(score, probed, model)

    def heat(self, images: Tensor, chosen: Sequence[str]) -> Tensor:
        with torch.enable_grad(), probing(self.model) as probed:
            score = self.picked(images.detach().requires_grad_(), chosen)
            gradients = gradients_of(score, probed)
        layer = self._layer(probed, gradients)
        values, gradient = probed.outputs[layer].detach(), gradients.get(layer, torch.zeros_like(probed.outputs[layer]))
        if self.config.weigh == "places":
            return (values * gradient).sum(1).abs()
        return (values * gradient.mean((2, 3), keepdim=True)).sum(1).relu()

    def _layer(self, probed: Probed, gradients: dict[str, Tensor]) -> str:
        asked, able = self.config.layer, probed.maps()
        if asked and asked not in able:
            why = "gives no map" if asked in probed.outputs else "no such layer"
            raise UsageError(f"inference.layer = {asked!r}: {why}; {nearest(asked, able)}")
        found = asked or map_layer(self.model, probed, gradients) or (able[-1] if able else "")
        if not found:
            raise UsageError(
                "no layer of the model gives a map of more than one place: grad-cam has nothing to lay over"
            )
        return found


class Occlusion(Why[OcclusionConfig]):
    """What a score loses when a patch of the image is covered by its mean colour (Zeiler and Fergus 2014, arXiv
    1311.2901): at each pixel the mean over the patches that covered it."""

    @classmethod
    def lacks_of(cls, score: Tensor, probed: Probed, model: nn.Module) -> str:
        return ""  # it asks, and looks at nothing inside

    def heat(self, images: Tensor, chosen: Sequence[str]) -> Tensor:
        with torch.no_grad():
            return torch.stack([self._lost(image, name) for image, name in zip(images, chosen, strict=True)])

    def _lost(self, image: Tensor, name: str) -> Tensor:
        """Of one image [C,H,W]: [H,W]."""
        height, width = image.shape[1:]
        side = min(self.config.patch or max(1, min(height, width) // 6), height, width)
        stride = min(self.config.stride or max(1, side // 2), side)
        corners = [(y, x) for y in _starts(height, side, stride) for x in _starts(width, side, stride)]
        whole, fill = self.scores(image[None])[name], image.mean((1, 2), keepdim=True)
        lost, times = torch.zeros(height, width), torch.zeros(height, width)
        for first in range(0, len(corners), _PASSED):
            some = corners[first : first + _PASSED]
            covered = image.repeat(len(some), 1, 1, 1)
            for copy, (y, x) in zip(covered, some, strict=True):
                copy[:, y : y + side, x : x + side] = fill
            for drop, (y, x) in zip((whole - self.scores(covered)[name]).tolist(), some, strict=True):
                lost[y : y + side, x : x + side] += drop
                times[y : y + side, x : x + side] += 1
        return lost / times


def _starts(length: int, side: int, stride: int) -> list[int]:
    """Where patches begin, the last at the far border."""
    return sorted({*range(0, length - side + 1, stride), length - side})


def _titled(found: Explained) -> str:
    return f"{found.of} {found.score:.2g}"


AnyWhy = Why[Any]
