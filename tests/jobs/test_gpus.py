"""The GPUs as the driver tells of them, in torch's numbering."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from dlkit.gpus import Gpu, gpus, visible

ROOT = Path(__file__).parents[2]
THREE = [Gpu(i, f"GPU-{i}{i}{i}a-b", "NVIDIA H200", 80, 80, {}) for i in range(3)]


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (None, [0, 1, 2]),
        ("", []),
        ("-1", []),
        ("1", [1]),
        ("2,0", [2, 0]),
        (" 2 , 0 ", [2, 0]),
        ("0,7,1", [0]),
        ("0,-1,1", [0]),
        ("0,,1", [0]),
        ("GPU-111", [1]),
        ("GPU-222a-b,GPU-000", [2, 0]),
        ("GPU-111,GPU-9", [1]),
        ("GPU-", []),  # names three
        ("nonsense", []),
    ],
)
def test_cuda_visible_devices_chooses_and_numbers(names: str | None, chosen: list[int]) -> None:
    found = visible(THREE, names)
    assert [gpu.uuid for gpu in found] == [THREE[i].uuid for i in chosen]
    assert [gpu.position for gpu in found] == list(range(len(chosen)))


def test_what_is_not_visible_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert gpus() == []


def test_without_the_binding_there_is_none() -> None:
    code = "import sys; sys.modules['pynvml'] = None; from dlkit.gpus import gpus; print(gpus())"
    assert _python(code) == "[]"


def test_without_a_driver_there_is_none() -> None:
    """NVML loads the driver's library by name: here the loader cannot find it, whatever the machine has."""
    code = (
        "import ctypes\n"
        "class Absent(ctypes.CDLL):\n"
        "    def __init__(self, name, *a, **k): super().__init__('no-such-library.so', *a, **k)\n"
        "ctypes.CDLL = Absent\n"
        "from dlkit.gpus import gpus\n"
        "import sys\n"
        "print(gpus(), gpus(), sys.platform.startswith('linux') and 'pynvml' in sys.modules)"
    )
    assert _python(code) == "[] [] False", "nor is the binding imported to be told so"


def test_the_jobs_layer_s_decisions_load_nothing_heavy() -> None:
    code = "import json, sys\nimport dlkit.gpus, dlkit.jobs.scheduler\nprint(json.dumps([*sys.modules]))"
    assert not set(json.loads(_python(code))) & {"torch", "pydantic", "numpy", "psutil", "pynvml", "pluggy"}


def test_what_the_driver_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    found = gpus()
    if not found:
        pytest.skip("no GPU here")
    assert [gpu.position for gpu in found] == list(range(len(found)))
    assert len({gpu.uuid for gpu in found}) == len(found)
    for gpu in found:
        assert gpu.uuid.startswith("GPU-")
        assert gpu.name
        assert 0 <= gpu.free <= gpu.total
        assert all(pid > 0 and (used is None or used >= 0) for pid, used in gpu.processes.items())
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", found[-1].uuid)
    (last,) = gpus()
    assert (last.position, last.uuid) == (0, found[-1].uuid)


ANSWERS: dict[str, Any] = {
    "nvmlInit": lambda: None,
    "nvmlShutdown": lambda: None,
    "nvmlDeviceGetCount": lambda: 2,
    "nvmlDeviceGetHandleByIndex": lambda index: index,
    "nvmlDeviceGetUUID": lambda device: f"GPU-{device}",
    "nvmlDeviceGetName": lambda device: b"H200",
    "nvmlDeviceGetMemoryInfo": lambda device: SimpleNamespace(total=8, free=5),
    "nvmlDeviceGetComputeRunningProcesses": lambda device: [SimpleNamespace(pid=7, usedGpuMemory=3)],
    "nvmlDeviceGetUtilizationRates": lambda device: SimpleNamespace(gpu=40),
    "nvmlDeviceGetTemperature": lambda device, sensor: 61,
    "nvmlDeviceGetPowerUsage": lambda device: 250_500,
}
WHOLE: dict[str, Any] = {"name": "H200", "total": 8, "free": 5, "processes": {7: 3}, "use": 40, "celsius": 61,
                         "watts": 250.5}  # fmt: skip


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A driver of two GPUs: ``driver.broken = "nvmlDeviceGetName"`` makes that call fail for the first of them."""
    nvml: Any = ModuleType("pynvml")
    nvml.NVMLError, nvml.broken = type("NVMLError", (Exception,), {}), ""

    def answer(name: str) -> Any:
        def call(*device: int) -> Any:
            if nvml.broken == name and device[:1] in ((), (0,)):
                raise nvml.NVMLError(name)
            return ANSWERS[name](*device)

        return call

    for name in ANSWERS:
        setattr(nvml, name, answer(name))
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    module: ModuleType = nvml
    return module


@pytest.mark.parametrize(
    ("broken", "missing"),
    [
        ("nvmlDeviceGetName", {"name": "NVIDIA GPU"}),
        ("nvmlDeviceGetMemoryInfo", {"total": 0, "free": 0}),
        ("nvmlDeviceGetComputeRunningProcesses", {"processes": {}}),
        ("nvmlDeviceGetUtilizationRates", {"use": None}),
        ("nvmlDeviceGetTemperature", {"celsius": None}),
        ("nvmlDeviceGetPowerUsage", {"watts": None}),
        ("nvmlShutdown", {}),
    ],
)
def test_a_call_that_fails_hides_nothing_else(driver: Any, broken: str, missing: dict[str, Any]) -> None:
    driver.broken = broken
    assert gpus() == [Gpu(0, "GPU-0", **{**WHOLE, **missing}), Gpu(1, "GPU-1", **WHOLE)]


@pytest.mark.parametrize("broken", ["nvmlDeviceGetHandleByIndex", "nvmlDeviceGetUUID"])
def test_a_gpu_that_cannot_be_named_hides_no_other(driver: Any, broken: str) -> None:
    driver.broken = broken
    assert gpus() == [Gpu(1, "GPU-1", **WHOLE)]


@pytest.mark.parametrize("broken", ["nvmlInit", "nvmlDeviceGetCount"])
def test_a_driver_that_does_not_answer_has_none(driver: Any, broken: str) -> None:
    driver.broken = broken
    assert gpus() == []


def _python(code: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()
