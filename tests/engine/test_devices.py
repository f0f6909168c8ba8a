"""Which device a run gets, what it says of itself, and that no run touches the devices of others."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dlkit.data.randomness import forked, generators, restore_generators, seed_all
from dlkit.engine.device import Cpu, all_devices, choose_device, same_again
from dlkit.engine.device.base import Memory
from dlkit.engine.device.cuda import Cuda
from dlkit.engine.device.mps import Mps
from dlkit.engine.distributed import join
from dlkit.errors import UsageError
from dlkit.gpus import Gpu
from pretend_device import Pretend
from toy import finish, toy_attempt


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``machine(gpus=2, mps=1)``: a machine that has them."""

    def have(gpus: int = 0, mps: int = 0) -> None:
        monkeypatch.setattr(Cuda, "count", lambda: gpus)
        monkeypatch.setattr(Mps, "count", lambda: mps)
        monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)

    return have


@pytest.mark.parametrize(
    ("gpus", "mps", "wanted", "found"),
    [
        (0, 0, "auto", "cpu"),
        (0, 1, "auto", "mps"),
        (2, 1, "auto", "cuda:0"),
        (2, 1, "cpu", "cpu"),
        (2, 1, "mps", "mps"),
        (2, 0, "cuda", "cuda:0"),
        (2, 0, "cuda:1", "cuda:1"),
    ],
)
def test_what_a_setting_means(machine: Any, gpus: int, mps: int, wanted: str, found: str) -> None:
    machine(gpus, mps)
    device = choose_device(wanted)
    assert str(device) == found and device.torch_device == torch.device(found)
    assert device.kind == found.partition(":")[0]


@pytest.mark.parametrize(
    ("gpus", "wanted", "message"),
    [
        (2, "cuda:2", "engine.device = 'cuda:2': no such device here; there are: cpu, cuda:0, cuda:1"),
        (0, "cuda", "engine.device = 'cuda': no such device here; there are: cpu"),
        (0, "mps", "engine.device = 'mps': not available here; there is: cpu"),
        (1, "gpu", "device 'gpu': must be auto, cpu, mps, cuda or cuda:N"),
        (1, "cuda:", "device 'cuda:': must be auto, cpu, mps, cuda or cuda:N"),
        (1, "cuda:x", "device 'cuda:x': must be auto, cpu, mps, cuda or cuda:N"),
        (1, "cpu:0", "device 'cpu:0': must be auto, cpu, mps, cuda or cuda:N"),
        (1, "", "device '': must be auto, cpu, mps, cuda or cuda:N"),
    ],
)
def test_what_is_not_there(machine: Any, gpus: int, wanted: str, message: str) -> None:
    machine(gpus)
    with pytest.raises(UsageError) as raised:
        choose_device(wanted)
    assert str(raised.value) == message


def test_of_several_processes_each_takes_its_own(machine: Any) -> None:
    machine(gpus=4)
    assert str(choose_device("auto", 3)) == "cuda:3" == str(choose_device("cuda", 3))
    assert str(choose_device("cpu", 3)) == "cpu"
    with pytest.raises(UsageError, match="no such device here"):
        choose_device("cuda", 4)


def test_several_processes_name_no_single_device(machine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(gpus=4)
    for name, value in (("WORLD_SIZE", "2"), ("RANK", "0")):
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=r"engine\.device = 'cuda:1': several processes take a GPU each"):
        join("cuda:1")


@pytest.mark.parametrize(
    ("gpus", "mps", "wanted", "message"),
    [
        (2, 0, "auto", "no device for each of so many processes: engine.device = 'cuda': no such device here; there "),
        (2, 0, "cuda", "no device for each of so many processes: engine.device = 'cuda': no such device here; there "),
        (0, 1, "auto", "processes cannot share mps; give fewer with --nproc, or --device cpu"),
        (0, 1, "mps", "processes cannot share mps; give fewer with --nproc, or --device cpu"),
    ],
)
def test_more_processes_than_devices_are_refused_before_they_meet(
    machine: Any, monkeypatch: pytest.MonkeyPatch, gpus: int, mps: int, wanted: str, message: str
) -> None:
    machine(gpus, mps)
    for name, value in (("WORLD_SIZE", "4"), ("RANK", "3"), ("LOCAL_RANK", "3")):
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError) as raised:
        join(wanted)
    assert str(raised.value).startswith(f"job.nproc = 4: {message}")
    assert raised.value.exit_code == 2


@pytest.mark.parametrize(
    ("gpus", "mps", "recorded", "processes", "setting"),
    [
        (2, 0, "cuda:1", 1, "cuda:1"),
        (1, 0, "cuda:1", 1, "cuda"),
        (0, 0, "cuda:1", 1, None),
        (0, 0, "cuda:1", 2, "cuda"),
        (4, 0, "cuda:0", 2, "cuda"),
        (0, 1, "mps", 1, "mps"),
        (0, 0, "mps", 1, None),
        (2, 1, "cpu", 1, "cpu"),
        (2, 1, "cpu", 3, "cpu"),
        (0, 0, "of a newer version", 1, None),
    ],
)
def test_where_a_resumed_run_goes(
    machine: Any, gpus: int, mps: int, recorded: str, processes: int, setting: str | None
) -> None:
    machine(gpus, mps)
    assert same_again(recorded, processes) == setting


def test_what_a_machine_has(machine: Any) -> None:
    machine(gpus=2, mps=1)
    assert [str(device) for device in all_devices()] == ["cpu", "cuda:0", "cuda:1", "mps"]


def test_the_cpu_says_what_it_is() -> None:
    cpu = Cpu()
    found = cpu.identity()
    assert (found.kind, found.count, found.driver) == ("cpu", 1, "") and found.model
    assert 0 < cpu.memory().used < cpu.memory().total
    assert cpu.label(3) == "cpu (3 threads)" and cpu.claims() == ("cpu",)
    assert cpu.inexactness(False) == ""
    assert cpu.generator_state() is None, "torch's own generator, which every run has"


@pytest.mark.parametrize("deterministic", [False, True])
def test_mps_never_promises_the_same_bits(deterministic: bool) -> None:
    """torch's deterministic mode refuses none of its kernels."""
    assert Mps().inexactness(deterministic) == "MPS kernels: equal to rounding"


def test_a_gpu_is_claimed_by_its_uuid(monkeypatch: pytest.MonkeyPatch) -> None:
    there = [Gpu(0, "GPU-a", "H200", 2, 1, {}), Gpu(1, "GPU-b", "H200", 2, 1, {})]
    monkeypatch.setattr("dlkit.engine.device.cuda.gpus", lambda: there)
    assert Cuda(1).claims() == ("GPU-b",)
    assert Cuda(2).claims() == ("cuda:2",), "the driver does not know it"
    assert Cuda(0).inexactness(False) == "CUDA kernels without engine.deterministic: equal to rounding"
    assert Cuda(0).inexactness(True) == ""
    assert Cuda(1).peers() == [1] and Cpu().peers() is None


def test_a_run_on_the_cpu_never_starts_cuda(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine with GPUs, where another run has them."""

    def refuse(*_: Any) -> None:
        raise AssertionError("CUDA was started")

    for name in ("_lazy_init", "synchronize", "get_rng_state_all", "set_rng_state_all", "current_device"):
        monkeypatch.setattr(torch.cuda, name, refuse)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    # SGD: torch's own Adam asks which stream the accelerator is at, whatever its parameters lie on.
    run = finish(toy_attempt(tmp_path, layer={"trainer": {"optimizer": "sgd"}}, checkpoint_every=1e-6))
    assert run.read()["state"] == "completed"


class Counted(Pretend):
    """The second GPU of a kind whose generators older checkpoints hold all of."""

    kind = "cuda"

    def __init__(self) -> None:
        super().__init__()
        self.torch_device = torch.device("cuda", 1)


def drawn(device: Pretend) -> list[float]:
    cpu = [random.random(), float(np.random.rand()), float(torch.rand(()))]
    return [*cpu, float(torch.rand((), generator=device.generator))]


def test_the_devices_generator_is_stored_and_restored() -> None:
    device = Pretend()
    seed_all(5, device)
    state = generators(device)
    expected = drawn(device)
    restore_generators(state, device)
    assert drawn(device) == expected
    assert state["device"]["kind"] == "pretend"
    assert "device" not in generators(Cpu())


def test_checkpoints_that_hold_all_gpus_generators_are_read() -> None:
    device = Counted()
    state = generators()
    state["cuda"] = [torch.Generator().manual_seed(n).get_state() for n in (1, 2, 3)]
    restore_generators(state, device)
    assert torch.equal(device.generator.get_state(), state["cuda"][1])
    device.seed(7)
    before = device.generator.get_state()
    state["cuda"] = state["cuda"][:1]
    restore_generators(state, device)
    assert torch.equal(device.generator.get_state(), before), "of a machine with one GPU: there is nothing for this one"
    restore_generators({**state, "device": {"kind": "mps", "state": before}}, device)


def test_what_is_forked_leaves_the_devices_generator_alone() -> None:
    device = Pretend()
    seed_all(5, device)
    expected = drawn(device)
    seed_all(5, device)
    with forked(1, "x", device=device):
        inside = drawn(device)
    assert drawn(device) == expected != inside
    with forked(1, "x", device=device):
        assert drawn(device) == inside


def test_memory_is_used_and_total() -> None:
    assert Pretend(room=10).memory() == Memory(0, 10)
