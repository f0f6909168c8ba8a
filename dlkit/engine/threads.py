"""How many CPU threads the steps of a run take: decided once, where it starts, and kept by every resume.

In this order: ``engine.threads``; the user's OMP_NUM_THREADS; on other devices, torch's own choice; one, where a step
is too small to be shared; as many as there are free cores, and no more than torch would take.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from dlkit.config import EngineConfig
from dlkit.cores import ALLOTTED, Cores, own_cores
from dlkit.data.randomness import forked
from dlkit.data.trees import tensors_of
from dlkit.engine.device import Device, torch_threads
from dlkit.engine.distributed import World
from dlkit.engine.trainer import evaluation_mode
from dlkit.runs.folder import RunFolder
from dlkit.runs.run_record import RunRecord
from dlkit.runs.stored import stored_threads

SMALL = 500_000
"""Multiplications an operation, on average over the forward pass of a step, below which one thread takes the step.

Two threads are met again after every operation, for microseconds. Below this they gained at most 1.08 (textgen's
transformer, batch 1: 0.39 million an operation) and lost up to a quarter (digits' mlp: 0.12); above it they gain 1.1 to
1.8 where the machine has the cores, but for small convolutions (cnn, batch 64: 0.97 million, 1.00). The sum over a step
tells less: 366 million in a gru's 1,821 operations gained 1.01, 17 million in an mlp's nine 1.44.
``tests/benchmarks/bench_threads.py --models`` prints both for every model.
"""


AskCores = Callable[[int], Cores]
"""Number of processes → the cores of each."""


def all_cores(processes: int) -> Cores:
    """As if nobody else was there."""
    return Cores(max(1, own_cores() // processes))


@dataclass(frozen=True)
class Threads:
    """``number`` of a step, and ``why`` (empty: nothing else was asked for, or possible); ``building``: those with
    which data and model were made, before it was known how large a step is.
    """

    number: int
    building: int
    why: str = ""

    @classmethod
    def recorded(cls, run: RunFolder, record: RunRecord) -> Threads | None:
        """Those that a run was started with, if it says so: another number would round sums in another order."""
        number = stored_threads(run, record)
        if not number:
            return None
        # Of a run of a time before steps had their own it was the same.
        building = stored_threads(run, record, "building_threads") or number
        there, cores = f"as the run was started, {record.get('threads_why', '')}".rstrip(", "), own_cores()
        return cls(number, building, there if number <= cores else f"{there}, though there are {cores} cores")

    @property
    def record(self) -> RunRecord:
        """What run.json says besides the number itself."""
        return {"building_threads": self.building, "threads_why": self.why}

    def chosen(
        self, engine: EngineConfig, device: Device, world: World, work: Callable[[], float], ask: AskCores
    ) -> Threads:
        """Those of a run that begins, its model known: the same in every process, as rank 0 finds it."""
        number, why = choose_threads(engine, device, work, lambda: ask(world.size)) if world.rank_zero else (0, "")
        said: Mapping[str, Any] = world.share({"number": number, "why": why})
        return replace(self, number=int(said["number"]), why=str(said["why"]))


def before_the_model(engine: EngineConfig) -> Threads:
    """Those of making data and model; of the steps too, where nobody decides anew."""
    number = engine.threads or torch_threads()
    return Threads(number, number)


def choose_threads(
    engine: EngineConfig, device: Device, work: Callable[[], float], ask: Callable[[], Cores]
) -> tuple[int, str]:
    """The number for a run that begins, and why. ``work``: multiplications an operation in a process's step."""
    most = torch_threads()
    if engine.threads:
        return engine.threads, "engine.threads"
    if "OMP_NUM_THREADS" in os.environ and ALLOTTED not in os.environ:
        return most, f"OMP_NUM_THREADS = {os.environ['OMP_NUM_THREADS']}"
    if device.kind != "cpu":  # its threads feed the device
        return most, ""
    if most == 1:
        return 1, ""
    # Before anybody is looked at: what is small takes the same number whoever else computes, and gives the same bits.
    if (size := work()) < SMALL:
        return 1, f"operations of {size / 1e6:.2g} million multiplications are too small to share"
    free, why = ask()
    return (most, "") if free >= most else (max(1, free), why)


def step_work(
    model: nn.Module, inputs: tuple[Tensor, ...], engine: EngineConfig, device: Device, world: World
) -> float:
    """Multiplications an operation in the forward pass of a process's batch, told by a few samples' inputs."""
    samples = engine.batch_size / world.size
    try:
        with forked(engine.seed, "work", device=device):
            found = multiplications(model, inputs)
    # It has just been run without being looked at: kernels that cannot be looked at are no fault of the model.
    except Exception:
        return SMALL
    return found * samples / max(1, len(inputs[0]))


def multiplications(model: nn.Module, inputs: tuple[Tensor, ...]) -> float:
    """Mean over the operations of a forward pass: those of matrices, filters and attention, which are what threads
    share. 0 of a model that computes without torch.
    """
    counter = _Multiplications()
    with evaluation_mode(model), torch.no_grad(), counter:
        model(*inputs)
    return counter.found / max(1, counter.operations)


class _Multiplications(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts what passes through torch. (torch.utils.flop_counter does too, but imports triton: 0.2 s.)"""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found = self.operations = 0

    def __torch_dispatch__(
        self, func: Any, types: object, args: tuple[Any, ...] = (), kwargs: Mapping[str, object] | None = None
    ) -> object:
        outputs = func(*args, **(kwargs or {}))
        self.operations += 1
        count = _COUNTS.get(func.overloadpacket.__name__)
        if count is not None:
            self.found += count(args, next(tensors_of(outputs)))
        return outputs


def _convolution(args: tuple[Any, ...], output: Tensor) -> int:
    """Each number of the result, or of a transposed one's input, meets a filter."""
    weight, transposed = args[1], args[6]
    return int((args[0] if transposed else output).numel() * weight.numel() // weight.shape[0])


_COUNTS: Mapping[str, Callable[[tuple[Any, ...], Tensor], int]] = {
    "mm": lambda args, output: args[0].shape[1] * output.numel(),
    "bmm": lambda args, output: args[0].shape[2] * output.numel(),
    "addmm": lambda args, output: args[1].shape[1] * output.numel(),
    "baddbmm": lambda args, output: args[1].shape[2] * output.numel(),
    "convolution": _convolution,
    "mkldnn_rnn_layer": lambda args, output: args[0].shape[0] * args[0].shape[1] * (args[1].numel() + args[2].numel()),
    "_scaled_dot_product_flash_attention_for_cpu": lambda args, output: 2 * args[0].numel() * args[1].shape[-2],
}
"""By the name of torch's operation: its multiplications, from its arguments and its first result."""
