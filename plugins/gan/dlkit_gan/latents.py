"""What images are drawn from: latents as a function of whole numbers, the same ones on every machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor


def of_seeds(model: Any, seeds: Sequence[int], temperature: float = 1.0) -> Tensor:
    """[len(seeds),Z] on the CPU; of a seed below 2^63 always the same, whatever else is asked for."""
    rows = [drawn(model, 1, np.random.Generator(np.random.Philox(key=seed)), temperature) for seed in seeds]
    return torch.cat(rows)


def drawn(model: Any, count: int, rng: np.random.Generator, temperature: float = 1.0) -> Tensor:
    """[count,Z] on the CPU, for a model with ``latent`` numbers and perhaps ``kinds`` (``dcgan.Adversaries``)."""
    noise = torch.from_numpy(rng.standard_normal((count, model.latent), np.float32)) * temperature
    kinds = getattr(model, "kinds", 0)
    if not kinds:
        return noise
    found: Tensor = model.joined(noise, torch.from_numpy(rng.integers(kinds, size=count)))
    return found
