"""``components``: what an autoencoder's codes span, beside principal components of as many numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from dlkit.data.splits import Split
from dlkit.errors import UsageError
from dlkit.predictor import Answer, Predictor
from dlkit.present.shades import mixed
from dlkit.samples import Curve, Images, Sample, Table
from dlkit.task import AnyTask, Info
from dlkit_insight.plane import Floats
from dlkit_insight.representation_options import ComponentsConfig

BATCH = 250


class Components(Predictor[Info, ComponentsConfig]):
    """The principal components of reconstructions, against those of the images themselves.

    A linear autoencoder's optimum is the projection on the images' first components (Baldi and Hornik 1989), whatever
    rows its weights have: any invertible mix of them is as good. What comes back from it shows the space that it
    found, and its components can be laid beside those of the images.
    """

    usage = "nothing: dlkit sample shows components of the validation split"

    @classmethod
    def lacks(cls, task: AnyTask, model: nn.Module, info: Info) -> str:
        outputs = task.outputs
        fits = not isinstance(outputs, str) and {"image", "code"} <= set(getattr(outputs, "keys", list)())
        return "" if fits else "it compares images with what comes back from their codes, and this task has none"

    def read(self, arguments: Sequence[str]) -> list[str]:
        raise UsageError("components are of the validation split: dlkit sample RUN --inference components")

    def predict(self, inputs: Sequence[object]) -> list[Answer]:
        raise UsageError("components are of the validation split: dlkit sample RUN --inference components")

    def samples(self, count: int, rng: np.random.Generator, examples: Split | None) -> Sequence[Sample]:
        """Both kinds of components as pictures, how much of the variance each holds, and what they lose."""
        if examples is None or len(examples) < 2:
            return ()
        images, back, size = self._both(examples)
        most = min(self.config.shown, size, len(images) - 1)
        own, variances = _principal(back.reshape(len(back), -1))
        true, expected = _principal(images.reshape(len(images), -1))
        known = getattr(self.info, "principal", None)  # of the training images, where the task keeps them
        if known is not None and len(known) > size:
            true = np.asarray(known[1:], np.float64)
            expected = np.var(images.reshape(len(images), -1) @ true.T, axis=0)
        near = _cosines(true[:most], own[:size])
        # The weights' own rows may be any mix of them: of each component, what of it the model has.
        rows = [*true[:most], *(true[:most] @ own[:size].T @ own[:size])]
        pictures = [_picture(row.reshape(images.shape[1:])) for row in rows]
        captions = [*(f"PCA {i}" for i in range(1, most + 1)), *(f"{value:.2f}" for value in near)]
        title = "Principal components above; below, what of each lies in the space that the codes span, and its length"
        places = list(range(1, most + 1))
        return [
            Images(name="components", title=title, images=np.stack(pictures), captions=captions, columns=most),
            Curve(name="variance", title="Variance along each component", x=places, x_label="component",
                  lines={"images": expected[:most].tolist(), "reconstructions": variances[:most].tolist()}),
            self._losses(images, back, size, near, known if known is not None and len(known) > size else None),
        ]  # fmt: skip

    def example(self, examples: Split | None, rng: np.random.Generator, folder: Path) -> list[str]:
        return []

    def _both(self, examples: Split) -> tuple[Floats, Floats, int]:
        """Images [N,C,H,W], what comes back, and how many numbers a code has."""
        count = min(self.config.images, len(examples))
        places = torch.linspace(0, len(examples) - 1, count).round().long()
        images, back, size = [], [], 1
        for some in torch.split(places, BATCH):
            image = examples.take(some)["image"]
            outputs = self.forward(image)
            images.append(image.float().cpu())
            back.append(outputs["image"])
            size = outputs["code"].shape[1]
        return torch.cat(images).numpy(), torch.cat(back).numpy(), size

    def _losses(self, images: Floats, back: Floats, size: int, near: Floats, known: Floats | None) -> Table:
        """Of the model and of both optima: no projection on as many directions loses less on images than their own
        components, and none that is learnt from the training images can be expected to lose less than theirs."""
        flat = images.reshape(len(images), -1).astype(np.float64)
        own, _ = _principal(flat)
        losses = {"this model": float(((back.reshape(flat.shape) - flat) ** 2).mean())}
        if known is not None:
            losses[f"{size} principal components of the training images"] = _lost(flat - known[0], known[1 : size + 1])
        losses[f"{size} principal components of these images"] = _lost(flat - flat.mean(0), own[:size])
        rows: list[list[str | float]] = [[who, float(f"{lost:.4g}")] for who, lost in losses.items()]
        rows.append(["mean share of a component that the model spans", round(float(near.mean()), 3)])
        title = f"Mean squared error of {len(images)} validation images"
        return Table(name="losses", title=title, headers=["", "error"], rows=rows)


def _lost(centred: Floats, rows: Floats) -> float:
    return float(((centred - centred @ rows.T @ rows) ** 2).mean())


def _principal(values: Floats) -> tuple[Floats, Floats]:
    """[N,D] → the components in rows, the largest first, and the variance along each."""
    centred = np.asarray(values, np.float64) - np.mean(values, 0, dtype=np.float64)
    _, sizes, rows = np.linalg.svd(centred, full_matrices=False)
    signs = np.where(rows[np.arange(len(rows)), np.abs(rows).argmax(1)] < 0, -1, 1)
    return rows * signs[:, None], sizes**2 / len(values)


def _cosines(components: Floats, span: Floats) -> Floats:
    """Of each component, the length of its part within the space that the other rows (orthonormal) span: 1, if it lies
    in there."""
    found: Floats = np.sqrt(np.clip(((components @ span.T) ** 2).sum(1), 0, 1))
    return found


def _picture(component: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """[C,H,W] → [H,W,3]: below 0 blue, above orange; of colours, the mean over channels."""
    plane = component.mean(0)
    plane = plane / max(float(np.abs(plane).max()), 1e-12)
    return np.array([[mixed(value) for value in row] for row in plane.tolist()], np.uint8)
