"""Devices: the only room that knows what CUDA, MPS and the CPU each need. Elsewhere there is a ``Device``."""

from dlkit.engine.device.base import Copies, Device, Identity, Memory, is_out_of_memory
from dlkit.engine.device.choose import all_devices, choose_device, same_again
from dlkit.engine.device.cpu import Cpu, cpu_flags, set_threads, torch_threads
from dlkit.engine.device.placement import Placement, choose_autocast

__all__ = [
    "Copies",
    "Cpu",
    "Device",
    "Identity",
    "Memory",
    "Placement",
    "all_devices",
    "choose_autocast",
    "choose_device",
    "cpu_flags",
    "is_out_of_memory",
    "same_again",
    "set_threads",
    "torch_threads",
]
