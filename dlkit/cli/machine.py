"""What this machine has: versions, devices, disk, terminal; and what is wrong with it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from dlkit.cores import own_cores
from dlkit.monitor.machine_words import LITTLE_DISK
from dlkit.present.numbers import size
from dlkit.present.output import colours
from dlkit.present.text import first_line

if TYPE_CHECKING:
    from dlkit.engine.device import Device
    from dlkit.jobs.logind import Logout

PACKAGES = (
    "dlkit",
    "torch",
    "torchvision",
    "textual",
    "pluggy",
    "pydantic",
    "numpy",
    "safetensors",
    "tomlkit",
    "sentencepiece",
    "pillow",
    "tqdm",
    "psutil",
    "nvidia-ml-py",
)
NEEDED = ("torch", "pluggy", "pydantic", "numpy", "safetensors", "tomlkit")
_INSTRUCTIONS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "bf16")


class Problem(TypedDict):
    """What is wrong, what to do, and whether nothing can be trained before."""

    what: str
    hint: str
    stops_training: bool


class DeviceReport(TypedDict):
    """``bf16``: how fast it is, in words; ``error``: why the device cannot be used, else empty."""

    device: str
    name: str
    details: list[str]
    bf16: str
    error: str


class WorkspaceReport(TypedDict):
    path: str
    exists: bool
    writable: bool
    free_bytes: int
    runs: int
    data_bytes: int


class NetworkReport(TypedDict):
    offline: bool
    mirror: str
    text: str


class TerminalReport(TypedDict):
    tty: bool
    colours: bool
    term: str
    text: str


def problem(what: str, hint: str, *, stops: bool) -> Problem:
    return {"what": what, "hint": hint, "stops_training": stops}


def versions() -> dict[str, str]:
    """Of Python and the packages that matter; empty: not installed."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found


def version_problems(found: Mapping[str, str]) -> list[Problem]:
    missing = [name for name in NEEDED if name in found and not found[name]]
    hint = "install dlkit again, with its dependencies: pip install --force-reinstall dlkit"
    return [problem(f"{name} is not installed", hint, stops=True) for name in missing]


def devices() -> list[DeviceReport]:
    """CPU, CUDA devices and MPS, as torch sees them, each with what it makes of bf16; or why torch cannot be used."""
    try:
        import torch  # noqa: F401
    except Exception as error:  # a torch that cannot be imported is what this command is there to find
        return [{"device": "cpu", "name": platform.processor(), "details": [], "bf16": "unknown", "error": str(error)}]
    from dlkit.engine.device import all_devices

    return [_cpu(device) if device.kind == "cpu" else _accelerator(device) for device in all_devices()]


def _cpu(device: Device) -> DeviceReport:
    import torch

    from dlkit.engine.device import cpu_flags

    flags, own = [name for name in _INSTRUCTIONS if name in cpu_flags()], own_cores()
    return {
        "device": "cpu",
        "name": platform.processor() or platform.machine(),
        "details": [
            f"{os.cpu_count()} cores" + (f", {own} for dlkit" if own < (os.cpu_count() or 1) else ""),
            f"threads a step: up to {min(own, torch.get_num_threads())}",
            *([" ".join(flags)] if flags else []),
        ],
        "bf16": _speed(device.multiplies_bf16()),
        "error": "",
    }


def _accelerator(device: Device) -> DeviceReport:
    report: DeviceReport = {
        "device": str(device),
        "name": device.model_name(),
        "details": [],
        "bf16": "not used",
        "error": "",
    }
    if not device.lowers:
        return report
    try:
        used, total = device.memory()
    except RuntimeError as error:  # a GPU that is listed and does not answer
        return {**report, "bf16": "unknown", "error": first_line(str(error))}
    details = [f"{size(total)} memory", f"{size(total - used)} free"]
    return {**report, "details": details, "bf16": _speed(device.multiplies_bf16())}


def _speed(fast: bool) -> str:
    return "fast" if fast else "slow (auto takes float32)"


def device_problems(found: Sequence[DeviceReport], nvml: str) -> list[Problem]:
    """``nvml`` is what ``gpus.driver_version`` says."""
    problems = [
        problem(f"{d['device']}: {d['error']}", _hint(d), stops=d["device"] == "cpu") for d in found if d["error"]
    ]
    if nvml.startswith("error"):
        hint = "the driver's library and kernel module may differ: restart the machine, or reinstall the driver"
        problems.append(problem(f"NVIDIA driver: {nvml}", hint, stops=False))
    elif nvml and not any(d["device"].startswith("cuda") for d in found):
        hint = "torch may be a CPU build, or CUDA_VISIBLE_DEVICES empty; training on the CPU works"
        problems.append(problem(f"NVIDIA driver {nvml} is there, but torch sees no GPU", hint, stops=False))
    return problems


def _hint(device: DeviceReport) -> str:
    if device["device"] == "cpu":
        return "torch cannot be imported: install it again (https://pytorch.org/get-started)"
    return "look at nvidia-smi; train with --device cpu meanwhile"


def workspace(path: Path) -> WorkspaceReport:
    """Sizes and rights; of a workspace that is not there yet, those of the folder it would be made in."""
    existing = next(p for p in (path.absolute(), *path.absolute().parents) if p.exists())
    data = path / "data"
    return {
        "path": str(path.absolute()),
        "exists": path.is_dir(),
        "writable": existing.is_dir() and os.access(existing, os.W_OK | os.X_OK),
        "free_bytes": shutil.disk_usage(existing).free,
        "runs": sum(p.is_dir() and not p.name.startswith(".") for p in (path / "runs").glob("*")),
        "data_bytes": sum(p.lstat().st_size for p in data.rglob("*") if p.is_file()),
    }


def workspace_problems(found: WorkspaceReport) -> list[Problem]:
    problems = []
    if not found["writable"]:
        hint = "give another with --workspace DIR or DLKIT_WORKSPACE, or change its permissions"
        problems.append(problem(f"{found['path']} cannot be written", hint, stops=True))
    if found["free_bytes"] < LITTLE_DISK:
        hint = "free some: `dlkit clean` shows what can go"
        problems.append(problem(f"only {size(found['free_bytes'])} of disk left", hint, stops=found["free_bytes"] == 0))
    return problems


def logout_problems(found: Logout) -> list[Problem]:
    """Where the login manager ends a user's jobs when he logs out."""
    if not found.kills or found.lingers:
        return []
    what = f"the login manager ends your detached and queued jobs when you log out ({found.said_in}: KillUserProcesses)"
    hint = "loginctl enable-linger: jobs that are started from then on outlive your logins"
    return [problem(what, hint, stops=False)]


def network() -> NetworkReport:
    """Whether downloads are allowed; nothing is contacted."""
    offline = os.environ.get("DLKIT_OFFLINE", "") not in ("", "0")
    mirror = os.environ.get("DLKIT_MIRROR", "")
    text = (
        "DLKIT_OFFLINE is set: nothing is downloaded" if offline else "downloads are allowed (--offline forbids them)"
    )
    return {"offline": offline, "mirror": mirror, "text": text + (f"; mirror {mirror}" if mirror else "")}


def terminal() -> TerminalReport:
    is_terminal, coloured = sys.stdout.isatty(), colours()
    columns, lines = shutil.get_terminal_size()
    text = (
        f"{columns}×{lines}, {'colours' if coloured else 'no colours'}" if is_terminal else "output goes to no terminal"
    )
    return {"tty": is_terminal, "colours": coloured, "term": os.environ.get("TERM", ""), "text": text}
