"""Where a run's data lie: on its device, which is fastest, or on the host where they do not fit."""

from __future__ import annotations

from dlkit.config import EngineConfig
from dlkit.data.splits import Data, Split
from dlkit.engine.device import Device
from dlkit.errors import RunError


class TooLarge(RunError):
    """The device's memory ran out while the data were put there: smaller batches would change nothing."""

    def __init__(self, size: int, device: Device) -> None:
        super().__init__(
            f"out of memory on {device}: the data ({size / 1e9:.2f} GB) do not fit beside the model; "
            "give --engine.data_on host"
        )


def place(data: Data, engine: EngineConfig, device: Device) -> tuple[Split, Split]:
    """The training and validation splits, their batches arriving at the device; TooLarge if they do not fit there."""
    splits = data.train, data.val
    size = sum(split.nbytes for split in splits)
    if stays_on_host(size, engine, device):
        train, val = (split.kept_on_host(device, engine.workers) for split in splits)
        return train, val
    try:
        train, val = (split.to(device, engine.workers) for split in splits)
    # Whatever class the device's error has: it tells whether memory ran out.
    except Exception as error:
        if device.is_out_of_memory(error):
            raise TooLarge(size, device) from error
        raise
    return train, val


def stays_on_host(size: int, engine: EngineConfig, device: Device) -> bool:
    """Whether data of so many bytes are left on the host, and batches of them moved one by one."""
    if not device.apart or engine.data_on == "device":
        return False
    # Of all its memory, not of what is free now: a resume must come to the same.
    return engine.data_on == "host" or (size > 0 and size > device.memory().total / 2)
