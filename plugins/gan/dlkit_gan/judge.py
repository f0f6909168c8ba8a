"""The judge: a small classifier of our own, whose features tell how like two sets of images are, and how sure it is.

Of digits it is a classifier trained once on MNIST and on scikit-learn's digits (``tests/benchmarks/train_judge.py``
made its file of weights, so that figures can be compared anywhere). Of images without labels it learns, at the start of
a run, to tell by how many quarter turns an image was turned (Gidaris et al. 2018, arXiv 1803.07728).

``frechet`` over its features is made like the Fréchet inception distance (Heusel et al. 2017, arXiv 1706.08500) and is
not that: other network, other features, other numbers.
"""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from safetensors.torch import load
from torch import Tensor, nn

from dlkit.data.randomness import forked, rng
from dlkit.engine.device import Cpu
from dlkit.metrics.total import Total, reduce_all
from dlkit.nn.layers import convolution
from dlkit.task import SumOverRanks
from dlkit_gan.info import GanInfo
from dlkit_gan.options import Look

SIDE = 28
"""Digits are looked at in MNIST's own size."""
TURNED_SIDE = 32
"""Other images were looked at in this size, by runs that do not say in which."""
WIDE = 64
"""From this side on a judge halves the image once more before it looks closer."""
FEATURES = 128
KNOWN = {"scikit-learn's": 0.9967, "MNIST's": 0.9916}
"""What share of their test digits the judge of digits tells right (``tests/benchmarks/train_judge.py``)."""
TURNS = ["upright", "quarter turn", "half turn", "three quarters"]

_BATCH = 250
_EPOCHS, _LEAST, _MOST = 8, 300, 1500
"""Passes over the images to learn their turns from; at least, and at most so many steps."""


class Judge(nn.Module):
    """Images float32 [N,C,S,S] in [−1, 1] → features [N,128] and, by ``head``, logits [N,classes]; three stages, four
    where S is WIDE or more."""

    def __init__(self, channels: int, classes: int, side: int = SIDE) -> None:
        super().__init__()
        first = [*convolution(channels, 16), nn.MaxPool2d(2)] if side >= WIDE else []
        self.body = nn.Sequential(
            *first,
            *convolution(16 if first else channels, 32),
            nn.MaxPool2d(2),
            *convolution(32, 64),
            nn.MaxPool2d(2),
            *convolution(64, FEATURES),
        )
        self.head = nn.Linear(FEATURES, classes)

    def features(self, images: Tensor) -> Tensor:
        """[N,128], not negative: the mean over places."""
        found: Tensor = self.body(images).mean((2, 3))
        return found

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.features(images))
        return logits


def of_digits() -> npt.NDArray[np.float32]:
    """The weights of the judge of digits, flat."""
    judge = Judge(1, 10)
    judge.load_state_dict(load(files("dlkit_gan").joinpath("judge.safetensors").read_bytes()))
    return flattened(judge)


def of_turns(images: npt.NDArray[np.uint8], seed: int = 0, steps: int = 0) -> npt.NDArray[np.float32]:
    """The weights, flat, of a judge that has learnt to tell the turns of these images, uint8 [N,C,S,S], at their size.

    ``steps`` 0: a few passes over the images, within bounds. The same on one machine for the same images; kept with a
    run, it is not made again.
    """
    with forked(seed, "judge"):
        judge = Judge(images.shape[1], len(TURNS), images.shape[2])
        learn(judge, scaled(torch.from_numpy(images)), None, seed, steps or _steps(len(images)))
    return flattened(judge)


@torch.no_grad()
def told_right(judge: Judge, images: npt.NDArray[np.uint8]) -> float:
    """The share of turned images, all four turns of these uint8 [N,C,S,S], whose turn the judge tells right."""
    right = 0
    for part in torch.split(torch.from_numpy(images), _BATCH):
        for turn in range(len(TURNS)):
            right += int((judge(scaled(part).rot90(turn, (2, 3))).argmax(1) == turn).sum())
    return right / (len(TURNS) * len(images))


def _steps(count: int) -> int:
    return min(_MOST, max(_LEAST, _EPOCHS * count // _BATCH))


def learn(judge: Judge, images: Tensor, labels: Tensor | None, seed: int, steps: int) -> None:
    """Train on images as ``prepared`` makes them: on their labels int64 [N], or on their turns. Adam, one cycle."""
    fast = Cpu().multiplies_bf16()
    judge.train().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(judge.parameters(), 3e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, steps)
    generator = rng(seed, "judge")
    for _ in range(steps):
        index = torch.from_numpy(generator.integers(0, len(images), min(_BATCH, len(images))))
        some = images[index]
        if labels is None:
            turns = torch.arange(len(some)) % len(TURNS)
            some = torch.stack([torch.rot90(image, int(turn), (1, 2)) for image, turn in zip(some, turns, strict=True)])
            wanted = turns
        else:
            some, wanted = jittered(some), labels[index]
        with torch.autocast("cpu", torch.bfloat16, enabled=fast):
            logits = judge(some.contiguous(memory_format=torch.channels_last))
        F.cross_entropy(logits.float(), wanted).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    judge.eval().to(memory_format=torch.contiguous_format)


def jittered(images: Tensor, angle: float = 12, scale: float = 0.12, shift: float = 0.1) -> Tensor:
    """Each image turned, resized and moved a little at random: degrees, share of its size, share of its side."""
    count = len(images)
    turn = (torch.rand(count) * 2 - 1) * (angle * torch.pi / 180)
    size = 1 + (torch.rand(count) * 2 - 1) * scale
    move = (torch.rand(count, 2, 1) * 2 - 1) * (2 * shift)
    cosine, sine = turn.cos() / size, turn.sin() / size
    matrix = torch.stack([torch.stack([cosine, -sine], 1), torch.stack([sine, cosine], 1)], 1)
    grid = F.affine_grid(torch.cat([matrix, move], 2), list(images.shape), align_corners=False)
    return F.grid_sample(images + 1, grid, align_corners=False) - 1  # beyond the border it is black, which is −1


def scaled(images: Tensor) -> Tensor:
    """uint8 images as float32 in [−1, 1]; others as they are."""
    return images.float() / 127.5 - 1 if images.dtype == torch.uint8 else images


def prepared(images: Tensor, look: Look, side: int = 0) -> Tensor:
    """Images float32 [N,C,H,W] in [−1, 1], or uint8, as a judge wants them: its size, digits without a wider border.

    ``side`` 0: 28 of digits, of others TURNED_SIDE.
    """
    images = scaled(images)
    height = images.shape[2]
    if look == "digits" and SIDE <= height <= SIDE + 4:
        border = (height - SIDE) // 2
        return images[:, :, border : border + SIDE, border : border + SIDE]
    side = side or (SIDE if look == "digits" else TURNED_SIDE)
    return images if height == side else F.interpolate(images, (side, side), mode="bilinear", antialias=True)


def of_info(info: GanInfo) -> Judge:
    """The judge that belongs to a run."""
    return restored(info.judge, info.shape[0], len(info.classes), info.side)


def restored(weights: npt.NDArray[np.float32], channels: int, classes: int, side: int = SIDE) -> Judge:
    """A judge of these weights, not to be trained on."""
    judge = Judge(channels, classes, side)
    state, first = {}, 0
    for name, tensor in judge.state_dict().items():
        part = weights[first : first + tensor.numel()]
        state[name], first = torch.from_numpy(part.copy()).view(tensor.shape).to(tensor.dtype), first + tensor.numel()
    judge.load_state_dict(state)
    return judge.eval().requires_grad_(False)


def flattened(judge: Judge) -> npt.NDArray[np.float32]:
    """All tensors of a judge, one after the other, in the order of its state."""
    return np.concatenate([tensor.detach().float().reshape(-1).numpy() for tensor in judge.state_dict().values()])


class Moments:
    """Count, sum and sum of outer products of features, in float64: they add up over batches and processes."""

    def __init__(self) -> None:
        self._count, self._sum, self._products = Total(), Total(), Total()

    @property
    def count(self) -> int:
        """Samples seen."""
        return int(sum(self._count.numbers()))

    def update(self, features: Tensor) -> None:
        """Add features [N,F]."""
        exact = (features.cpu() if features.device.type == "mps" else features).double()  # MPS has no float64
        self._count.add(torch.tensor(len(exact), dtype=torch.float64))
        self._sum.add(exact.sum(0))
        self._products.add(exact.T @ exact)

    def reduce(self, over_ranks: SumOverRanks) -> None:
        """Add up what several processes have seen."""
        reduce_all([self._count, self._sum, self._products], over_ranks)

    def mean_and_covariance(self) -> tuple[Tensor, Tensor]:
        """[F] and [F,F], the latter unbiased; ValueError for fewer than two samples."""
        count, total, products = self.count, self._sum.value, self._products.value
        if count < 2 or total is None or products is None:
            raise ValueError("moments need two samples at least")
        mean = total.cpu() / count
        return mean, (products.cpu() - count * torch.outer(mean, mean)) / (count - 1)


def frechet(one: Moments, other: Moments) -> float:
    """|μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½), the squared Fréchet distance of two normal distributions."""
    (mean1, covariance1), (mean2, covariance2) = one.mean_and_covariance(), other.mean_and_covariance()
    values, vectors = torch.linalg.eigh(covariance1)
    root = vectors @ values.clamp_min(0).sqrt().diag() @ vectors.T
    both = torch.linalg.eigvalsh(root @ covariance2 @ root).clamp_min(0).sqrt().sum()
    return float((mean1 - mean2).square().sum() + covariance1.trace() + covariance2.trace() - 2 * both)
