"""``filter``: what kernels make of images, side by side; of one that is learnt, the kernel as it forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from dlkit.answering import Given
from dlkit.data.encoding import Encoding
from dlkit.data.splits import Split
from dlkit.errors import DataError
from dlkit.image_predictor import ImagePredictor
from dlkit.json_types import JsonObject
from dlkit.predictor import Answer
from dlkit.question_schema import INTEGER, NUMBER, by_name, fields
from dlkit.samples import Images, Sample, Table
from dlkit.task import AnyTask, Info, first_batch
from dlkit_insight.kernels.info import KernelsInfo
from dlkit_insight.kernels.metrics import kernel_error
from dlkit_insight.kernels.options import FilterConfig
from dlkit_insight.pictures import Numbers, Pixels, enlarged, grey, in_colour, side_by_side, signed

_KEPT = 0.1
"""A kernel whose weights add up to more than this much of their sizes keeps an image's brightness: shown as pixels."""
_CELL = 160
"""Pixels of a drawn kernel's longer side, at least."""
_TABLE = 7
"""Columns of a kernel up to which its numbers are shown."""


class Filter(ImagePredictor[KernelsInfo, FilterConfig]):
    """Answers images at their own size. Its pictures have the image first, then each kernel's."""

    draws = True

    @classmethod
    def lacks(cls, task: AnyTask, model: nn.Module, info: Info) -> str:
        return "" if callable(getattr(model, "kernels", None)) else "it needs a model that has kernels()"

    def make_encoding(self) -> Encoding:
        return Encoding(np.zeros(self.channels), np.ones(self.channels))

    def accept(self, value: object) -> object:
        found = super().accept(value)
        self._large_enough(self.opened(found))
        return found

    def predict(self, inputs: Sequence[object]) -> list[Answer]:
        """``width``, ``height`` and ``kernels``: of each by name the ``least``, ``greatest`` and ``mean`` of the
        filtered image, pixels being in [0, 1]; for files, ``file``."""
        return [self.with_file(self._answer(self._filtered(value)), value) for value in inputs]

    def given(self) -> Given:
        return {"kernels": list(self._named())}

    def answer_schema(self) -> JsonObject:
        kernel = fields({"least": NUMBER, "greatest": NUMBER, "mean": NUMBER})
        return fields({"width": INTEGER, "height": INTEGER, "kernels": by_name(kernel)})

    def show(self, inputs: Sequence[object], answers: Sequence[Answer]) -> Sequence[Sample]:
        return [self._pictures(f"image-{n}", *self._drawn(value)) for n, value in enumerate(inputs, 1)]

    def draw(self, value: object, answer: Answer) -> Image.Image:
        return side_by_side(*self._drawn(value))

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        found: list[Sample] = [self._kernels()]
        if table := self._numbers():
            found.append(table)
        if examples is None:
            return found
        batch = first_batch(examples, 1)
        image, target = batch["image"][0], batch["filtered"][0]
        outputs = self.forward(batch["image"])[0]
        pictures, titles = self._of(image, outputs)
        wanted = self._shown(target, self.info.kernel, clipped=self.info.clipped)
        return [self._pictures("filtered", [*pictures, wanted], [*titles, f"wanted: {self._wanted()}"]), *found]

    def _filtered(self, value: object) -> tuple[Tensor, Tensor]:
        """An image [C,H,W] and what each kernel makes of it [K,C,H,W]."""
        opened = self._large_enough(self.opened(value))
        pixels = np.asarray(opened, np.float32).reshape(opened.height, opened.width, self.channels)
        image = torch.from_numpy(np.ascontiguousarray(np.moveaxis(pixels, -1, 0))) / 255
        return image, self.forward(image[None])[0]

    @staticmethod
    def _large_enough(opened: Image.Image) -> Image.Image:
        if min(opened.size) < 2:
            raise DataError(f"an image of {opened.width} × {opened.height} pixels is too small: 2 × 2 at least")
        return opened

    def _answer(self, found: tuple[Tensor, Tensor]) -> Answer:
        image, outputs = found
        told = {
            name: {"least": values.min().item(), "greatest": values.max().item(), "mean": values.mean().item()}
            for name, values in zip(self._named(), outputs, strict=True)
        }
        return {"width": image.shape[2], "height": image.shape[1], "kernels": told}

    def _named(self) -> Mapping[str, Tensor]:
        found: Mapping[str, Tensor] = self.model.kernels()  # type: ignore[operator]
        return found

    def _wanted(self) -> str:
        return self.info.kernel_name or "the filtered image"

    def _drawn(self, value: object) -> tuple[list[Pixels], list[str]]:
        return self._of(*self._filtered(value))

    def _of(self, image: Tensor, outputs: Tensor) -> tuple[list[Pixels], list[str]]:
        kernels = self._named()
        shown = [self._shown(out, kernel.cpu().numpy()) for out, kernel in zip(outputs, kernels.values(), strict=True)]
        return [in_colour(_levels(image, 0, 1)), *shown], ["image", *kernels]

    def _shown(self, values: Tensor, kernel: Numbers | None, *, clipped: bool = False) -> Pixels:
        """A filtered image [C,H,W] as a picture [H,W,3]."""
        way = self.config.show
        if way == "auto":
            keeps = kernel is None or abs(kernel.sum()) > _KEPT * np.abs(kernel).sum()
            way = "clip" if keeps or clipped else "magnitude"
        most = float(values.abs().max())
        if way == "signed":
            return in_colour(_levels(values, -most, most))
        return in_colour(_levels(values, 0, 1) if way == "clip" else _levels(values.abs(), 0, most))

    def _pictures(self, name: str, pictures: Sequence[Pixels], titles: Sequence[str]) -> Images:
        return Images(name=name, title="Filtered", images=np.stack(pictures), captions=titles, columns=4)

    def _kernels(self) -> Sample:
        """The model's kernels as colours, and last the one that is looked for, on one scale."""
        known = {} if self.info.kernel is None else {f"wanted: {self._wanted()}": self.info.kernel}
        shown = {**{name: kernel.cpu().numpy() for name, kernel in self._named().items()}, **known}
        height, width = (max(kernel.shape[axis] for kernel in shown.values()) for axis in (0, 1))
        pictures = []
        for kernel in shown.values():
            canvas = np.full((height, width, 3), 128, np.uint8)
            top, left = (height - kernel.shape[0]) // 2, (width - kernel.shape[1]) // 2
            canvas[top : top + kernel.shape[0], left : left + kernel.shape[1]] = signed(kernel)
            pictures.append(enlarged(canvas, _CELL))
        title = "Kernels: blue below 0, red above, each on its own scale"
        return Images(name="kernels", title=title, images=np.stack(pictures), captions=list(shown), columns=4)

    def _numbers(self) -> Table | None:
        """The numbers of a single kernel, with those it is to become beside them."""
        (name, kernel), *others = self._named().items()
        if others or kernel.shape[1] > _TABLE:
            return None
        known, headers = self.info.kernel, [""] * kernel.shape[1]
        rows: list[list[str | float]] = [[round(number, 4) for number in row] for row in kernel.tolist()]
        off = "" if known is None else f", {kernel_error(kernel.cpu(), torch.from_numpy(np.float32(known))):.2g} off"
        if known is not None and known.shape == tuple(kernel.shape):
            headers += ["", *headers]
            rows = [[*row, "", *(f"{number:g}" for number in wanted)] for row, wanted in zip(rows, known, strict=True)]
        return Table(name="numbers", title=f"The kernel that is {name}{off}", headers=headers, rows=rows)


def preview(info: KernelsInfo, split: Split, count: int) -> Sequence[Sample]:
    """Images, and what is to be made of them."""
    batch = first_batch(split, count)
    found = []
    for image, target in zip(batch["image"], batch["filtered"], strict=True):
        most = 1.0 if info.clipped else max(float(target.abs().max()), 1e-12)
        found += [in_colour(_levels(image, 0, 1)), in_colour(_levels(target.abs(), 0, most))]
    titles = ["image", f"filtered by {info.kernel_name or 'whatever it was'}"] * len(batch["image"])
    return [Images(name="images", title="Images, and filtered", images=np.stack(found), captions=titles, columns=2)]


def _levels(values: Tensor, low: float, high: float) -> Pixels:
    """[C,H,W] as [H,W] or [H,W,3]."""
    levels = grey(values.numpy(), low, high)
    return levels[0] if len(levels) == 1 else np.moveaxis(levels, 0, -1)
