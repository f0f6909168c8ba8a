"""Everything random is a function: of the seed, and of what it is for.

No generator is carried from one use to the next, so nothing that is left out, repeated or done in another process
changes what comes after. (The exception is a model's own dropout, which draws from torch's generator; its state is in
every checkpoint, and ``forked`` protects it.)
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


def derive(seed: int, *purpose: int | str) -> int:
    """A 63-bit seed for one purpose: ``derive(seed, "order", epoch)``."""
    text = ":".join([str(seed), *map(str, purpose)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def rng(seed: int, *purpose: int | str) -> np.random.Generator:
    """A generator for one purpose, the same on every machine and device (Philox, keyed; about 10 µs)."""
    return np.random.Generator(np.random.Philox(key=derive(seed, *purpose)))


def seed_all(seed: int) -> None:
    """Seed the global generators of Python, NumPy and torch (all devices)."""
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


@contextmanager
def forked(seed: int, *purpose: int | str) -> Iterator[np.random.Generator]:
    """Run something on streams of its own, ``derive(seed, *purpose)``, and put the global generators back after.

    Evaluation, samples and whatever people ask of a running job go through here: training never notices them.
    """
    import torch

    cuda = torch.cuda.is_available() and torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    before_cuda = torch.cuda.get_rng_state_all() if cuda else []
    seed_all(derive(seed, *purpose))
    try:
        yield rng(seed, *purpose)
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        torch.set_rng_state(before[2])
        if cuda:
            torch.cuda.set_rng_state_all(before_cuda)
