"""``Device``: all that the engine asks of the thing it computes on. One class a kind, in one file each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor, nn

_NO_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "cannot allocate memory",
    "alloc_failed",
    "storage size calculation overflowed",
    "std::bad_alloc",
)
D = TypeVar("D", bound="Device")


class Memory(NamedTuple):
    """Bytes in use, by whomever, and of all there is."""

    used: int
    total: int


@dataclass(frozen=True)
class Identity:
    """What must be the same for bits to be: kind, model, how many of them this machine has, the driver's version."""

    kind: str
    model: str
    count: int
    driver: str


class Copies(Protocol):
    """Copies to the host that are under way."""

    def wait(self) -> None:
        """Return when all are complete; on any thread. Before that the buffers hold nothing."""


class Done:
    """Copies that were complete when the call that made them returned."""

    def wait(self) -> None:
        return


class Device(ABC):
    """One device, by its number where a machine may have several.

    ``kind`` is the name that settings and records have for it; ``torch_device`` what torch calls it. A kind says of
    itself what the engine would otherwise guess from the name: whether fused optimizers exist, whether convolutions
    are faster with channels last, how processes exchange gradients.
    """

    kind: ClassVar[str]
    fuses: ClassVar[bool] = False
    """Whether torch has fused optimizers for it."""
    channels_last: ClassVar[bool] = False
    """Whether 2-D convolutions are faster in that layout."""
    apart: ClassVar[bool] = True
    """Whether its memory is another than the host's, and what lies there is a copy."""
    lowers: ClassVar[bool] = True
    """Whether ``engine.precision = "auto"`` may take bf16 here, where hardware and model suit it."""
    activities: ClassVar[tuple[str, ...]] = ("CPU",)
    """What torch.profiler records of steps on it, as it calls that."""
    process_group: ClassVar[str] = "gloo"
    """What several processes exchange tensors by, as torch.distributed names it; empty: they cannot."""

    def __init__(self, index: int | None = None) -> None:
        self.index = index
        self.torch_device = torch.device(self.kind) if index is None else torch.device(self.kind, index)

    def __str__(self) -> str:
        return str(self.torch_device)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.index})"

    # Which there are

    @classmethod
    @abstractmethod
    def count(cls) -> int:
        """How many of this kind torch can use here; asking starts none of them."""

    @classmethod
    @abstractmethod
    def find(cls: type[D], wanted: str, index: int | None) -> D:
        """The one of this index, without one that torch would take; UsageError says what is there instead."""

    @classmethod
    def all(cls: type[D]) -> list[D]:
        """Every one of this kind that is here."""
        return [cls() for _ in range(cls.count())]

    # What it is

    @abstractmethod
    def model_name(self) -> str:
        """What its maker calls it."""

    def driver(self) -> str:
        """The version of its driver; empty: it has none of its own."""
        return ""

    def identity(self) -> Identity:
        """For records of what a result was computed on."""
        return Identity(self.kind, self.model_name(), self.count(), self.driver())

    def label(self, threads: int) -> str:
        """As people know it; ``threads``: those of the CPU in use."""
        return str(self)

    def claims(self) -> tuple[str, ...]:
        """The names under which processes claim it."""
        return (self.kind,)

    @abstractmethod
    def memory(self) -> Memory:
        """What is in use; RuntimeError where the device does not answer."""

    def peak(self) -> int | None:
        """Most bytes of its own memory that this process has had; None: it has none of its own, or does not tell."""
        return None

    def inexactness(self, deterministic: bool) -> str:
        """Why the same program may give other bits when it is run again; empty: it does not."""
        return ""

    # Computing on it

    def make_current(self) -> None:
        """What torch starts without naming a device goes to this one."""
        return

    def synchronize(self) -> None:
        """Wait until all that was started is done."""
        return

    def autocast(self, dtype: torch.dtype) -> torch.autocast:
        """Inside, layers that bear it compute in this precision."""
        return torch.autocast(self.torch_device.type, dtype)

    def multiplies_bf16(self) -> bool:
        """Whether the hardware multiplies bf16 itself."""
        return False

    def gains_from_bf16(self, model: nn.Module) -> bool:
        """Whether this model is faster in bf16 here."""
        return False

    def is_out_of_memory(self, error: BaseException) -> bool:
        """Whether this is why: the device's memory ran out, or the host's."""
        return is_out_of_memory(error)

    def peers(self) -> list[int] | None:
        """``device_ids`` of DistributedDataParallel."""
        return None

    # Putting things on it, and taking them back

    loader_options: Mapping[str, Any] = {}
    """Arguments of torch's DataLoader with which its batches arrive fastest."""

    def put(self, tensor: Tensor) -> Tensor:
        """The tensor on this device: itself, where it lies there already."""
        return tensor.to(self.torch_device)

    def place(self, model: nn.Module) -> nn.Module:
        """Move a model, in the memory layout that its layers are fastest in (channels last: 3 times, on AVX-512)."""
        model = model.to(self.torch_device)
        # Before optimizers are made: their state takes the layout of its parameters.
        if self.channels_last and any(isinstance(module, nn.Conv2d) for module in model.modules()):
            model = model.to(memory_format=torch.channels_last)
        return model

    def host_buffer(self, like: Tensor) -> Tensor:
        """Room on the host for copies of a tensor."""
        return torch.empty(like.shape, dtype=like.dtype)

    def stage(self, pairs: Iterable[tuple[Tensor, Tensor]]) -> Copies:
        """Copy (source, host buffer), as the sources are now: what is computed from here on does not show in them."""
        for source, buffer in pairs:
            buffer.copy_(source)
        return Done()  # copy_ to the host waits for the device, unless it is told not to

    # What is drawn on it. The CPU's generator, which every run has, is not its matter.

    def seed(self, seed: int) -> None:
        """Seed its generator."""
        return

    def generator_state(self) -> Tensor | None:
        """The state of its generator, a uint8 tensor on the host; None: it has none besides the CPU's."""
        return None

    def set_generator_state(self, state: Tensor) -> None:
        """Put it back."""
        return


def is_out_of_memory(error: BaseException) -> bool:
    """CUDA's error, Python's, or what says so in words alone: torch's allocators on the CPU and MPS, cuBLAS, cuDNN."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _NO_MEMORY)
