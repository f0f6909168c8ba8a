"""Principal components of the training images: what every code of as many numbers is measured against."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from dlkit.metrics.total import Total

Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]

_WHOLE = 2048
"""Values of an image up to which the covariance of all of them is made; beyond, only its largest directions."""
_MOST, _MOST_LARGE = 10_000, 2500
"""Images that the components are found on, evenly spread over all; of large ones fewer: of all of MNIST's it would
take five times as long, before every run."""
_CHUNK, _MORE, _TURNS = 1000, 8, 4


def principal(images: Pixels, count: int) -> Floats:
    """uint8 [N,…] → float32 [1 + K,D]: the mean of pixel / 255, then its ``count`` principal components, the largest
    first, or as many as there can be; of at most 10 000 images, evenly spread.

    Of images with more than 2 048 values the components are found by subspace iteration (Halko, Martinsson and Tropp
    2011, SIAM Review 53, algorithm 4.4), and on at most 2 500 of them.
    """
    most = _MOST if images[0].size <= _WHOLE else _MOST_LARGE
    images = images if len(images) <= most else images[np.arange(most) * len(images) // most]
    size, number = images[0].size, len(images)
    mean = sum((part.sum(0, dtype=np.float64) for part in _parts(images)), np.zeros(size)) / number
    count = min(count, size, number - 1)
    centre = mean.astype(np.float32)
    if size <= _WHOLE:
        covariance = np.zeros((size, size))
        for part in _parts(images):
            covariance += (part - centre).T @ (part - centre)
        found = np.linalg.eigh(covariance)[1][:, ::-1][:, :count].T
    else:
        found = _largest(images, centre, count)
    # In rows one after the other, as a checkpoint gives it back: another layout rounds differently.
    return np.ascontiguousarray(np.concatenate([centre[None], found.astype(np.float32)]))


def _largest(images: Pixels, centre: Floats, count: int) -> npt.NDArray[np.float64]:
    width = min(count + _MORE, len(images) - 1, len(centre))
    basis = np.linalg.qr(np.random.default_rng(0).standard_normal((len(centre), width)))[0].astype(np.float32)
    for _ in range(_TURNS):
        product = np.zeros((len(centre), width))
        for part in _parts(images):
            product += (part - centre).T @ ((part - centre) @ basis)
        basis = np.linalg.qr(product)[0].astype(np.float32)
    inside = np.zeros((width, width))
    for part in _parts(images):
        seen = (part - centre) @ basis
        inside += seen.T @ seen
    turned = np.linalg.eigh(inside)[1][:, ::-1][:, :count]
    found: npt.NDArray[np.float64] = (basis @ turned).T
    return found


def _parts(images: Pixels) -> Iterator[Floats]:
    for first in range(0, len(images), _CHUNK):
        part = images[first : first + _CHUNK]
        yield part.reshape(len(part), -1).astype(np.float32) / np.float32(255)


class Principal:
    """The squared error of the same images brought back from as many principal components as their codes have numbers.

    ``total`` is its sum over all values seen; it has nothing where the code is longer than the components that
    ``reference`` has, as ``principal`` makes it.
    """

    def __init__(self, reference: Floats | None) -> None:
        self.total = Total()
        self._reference = None if reference is None else torch.from_numpy(np.array(reference, np.float32))

    def add(self, image: Tensor, code: int) -> None:
        reference = self._reference
        if reference is None or not 0 < code < len(reference):
            return
        self._reference = reference = reference.to(image.device)
        centred, basis = image.flatten(1).float() - reference[0], reference[1 : 1 + code]
        self.total.add((centred - centred @ basis.T @ basis).square().sum())
