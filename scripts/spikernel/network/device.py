"""The device that numbers are computed on."""

import platform
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def exact_products() -> Iterator[None]:
    """Let a GPU convolve in float32, where cuDNN would round its inputs to 10 bits (TF32).

    A rounded input moves integer neurons to other levels, and a GPU would then test another net
    than the one that a CPU runs.
    """
    rounded = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = rounded
