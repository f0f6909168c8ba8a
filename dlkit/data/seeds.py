"""Seeds for a purpose; no torch: an exported model draws the same."""

from __future__ import annotations

import hashlib

import numpy as np


def derive(seed: int, *purpose: int | str) -> int:
    """A 63-bit seed for one purpose: ``derive(seed, "order", epoch)``."""
    text = ":".join([str(seed), *map(str, purpose)])
    # A hash, not hash(): that differs from process to process. 63 bits: torch takes a signed seed.
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def rng(seed: int, *purpose: int | str) -> np.random.Generator:
    """A generator for one purpose, the same on every machine and device (Philox, keyed; about 10 µs)."""
    # Philox, not NumPy's default: it is counted, so that a key is all its state, and cheap to make for a single use.
    return np.random.Generator(np.random.Philox(key=derive(seed, *purpose)))
