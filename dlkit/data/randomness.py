"""Everything random is a function: of the seed, and of what it is for.

No generator is carried from one use to the next, so nothing that is left out, repeated or done in another process
changes what comes after. (The exception is a model's own dropout, which draws from torch's generator; its state is in
every checkpoint, and ``forked`` protects it.)
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from operator import index
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from dlkit.data.seeds import derive, rng

if TYPE_CHECKING:
    import torch

__all__ = ["DeviceGenerator", "content_seeds", "derive", "forked", "rng", "seed_all"]


class DeviceGenerator(Protocol):
    """The generator of a run's device, from which its kernels draw (``dlkit.engine.device.Device`` is one)."""

    @property
    def kind(self) -> str:
        """``cuda``, ``mps``, …"""

    @property
    def torch_device(self) -> torch.device:
        """What torch calls it, with its number among others of the kind."""

    def seed(self, seed: int) -> None:
        """Seed it."""

    def generator_state(self) -> torch.Tensor | None:
        """Its state; None: the device has none besides the CPU's."""

    def set_generator_state(self, state: torch.Tensor) -> None:
        """Put its state back."""


def content_seeds(rows: torch.Tensor) -> list[int]:
    """A 32-bit seed for each row [N,…], by what is in it: for what a model draws outside training.

    Its place would not do: what is measured of a split must not depend on how that is cut into batches. Waits for the
    device.
    """
    return [zlib.crc32(row.contiguous().numpy().tobytes()) for row in rows.detach().cpu()]


def seed_all(seed: int, device: DeviceGenerator | None = None) -> None:
    """Seed the global generators of Python, NumPy and torch, and that of the run's device."""
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed every GPU, other runs' too
    if device is not None:
        device.seed(seed)


@contextmanager
def forked(seed: int, *purpose: int | str, device: DeviceGenerator | None = None) -> Iterator[np.random.Generator]:
    """Run something on streams of its own, ``derive(seed, *purpose)``, and put the global generators back after.

    Evaluation, samples and whatever people ask of a running job go through here: training never notices them. Give the
    run's ``device`` where what runs may draw on it.
    """
    import torch

    # Put back even after an error: whoever catches it goes on training.
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    drawn_on = device.generator_state() if device is not None else None
    seed_all(derive(seed, *purpose), device)
    try:
        yield rng(seed, *purpose)
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        torch.set_rng_state(before[2])
        if device is not None and drawn_on is not None:
            device.set_generator_state(drawn_on)


def generators(device: DeviceGenerator | None = None) -> dict[str, object]:
    """The state of every global generator, to be stored: Python's, NumPy's, torch's, the run's device's."""
    import torch

    version, internal, gauss = random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state()
    state: dict[str, object] = {
        "python": [version, np.asarray(internal, np.int64), gauss],  # as a list it took 0.5 ms to take apart
        "numpy": [name, np.asarray(keys), int(position), int(has_gauss), float(cached)],
        "torch": torch.get_rng_state(),
    }
    own = device.generator_state() if device is not None else None
    if device is not None and own is not None:
        state["device"] = {"kind": device.kind, "state": own}
    return state


def restore_generators(state: Mapping[str, Any], device: DeviceGenerator | None = None) -> None:
    """Put ``generators()`` back; what another kind of device had drawn from is left out."""
    import torch

    version, internal, gauss = state["python"]
    random.setstate((version, tuple(index(number) for number in internal), gauss))  # of what is no integer: TypeError
    name, keys, position, has_gauss, cached = state["numpy"]
    np.random.set_state((name, keys, position, has_gauss, cached))
    torch.set_rng_state(state["torch"])
    own = _own_state(state, device) if device is not None else None
    if device is not None and own is not None:
        device.set_generator_state(own)


def _own_state(state: Mapping[str, Any], device: DeviceGenerator) -> torch.Tensor | None:
    stored = state.get("device")
    if stored is not None:
        found: torch.Tensor | None = stored["state"] if stored["kind"] == device.kind else None
        return found
    every = state.get(device.kind, ())  # older checkpoints hold the generators of all devices of a kind, by number
    number = device.torch_device.index or 0
    return every[number] if number < len(every) else None
