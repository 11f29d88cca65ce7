"""The device that numbers are computed on."""

import platform
from pathlib import Path
from typing import Literal

import torch

from spikernel.errors import DeviceError

DeviceName = Literal["auto", "cpu", "cuda"]


def choose_device(name: DeviceName) -> torch.device:
    """Return the device for `auto`, `cpu` or `cuda`.

    Raises:
        DeviceError: a GPU was asked for and PyTorch sees none, or the name is unknown.

    """
    if name not in ("auto", "cpu", "cuda"):
        raise DeviceError(f"unknown device '{name}': use auto, cpu or cuda")
    if name == "cuda" and not torch.cuda.is_available():
        build = torch.version.cuda or "a CPU build"
        raise DeviceError(
            f"device cuda was asked for, but PyTorch {torch.__version__} ({build}) sees no GPU: "
            "run on a GPU node, install a CUDA build of PyTorch, or set device: cpu"
        )
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def describe_device(device: torch.device) -> str:
    """Return the device in words, for records: the model of the GPU or CPU and its threads."""
    if device.type == "cuda":
        return f"cuda: {torch.cuda.get_device_name(device)}"
    return f"cpu: {_cpu_model()}, {torch.get_num_threads()} threads"


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
