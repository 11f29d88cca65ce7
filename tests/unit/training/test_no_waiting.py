"""Nothing in an epoch waits for the device, as far as it can be seen without one.

On a GPU a host that reads a value, or sends one from pageable memory, waits for all queued work.
"""

import traceback
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from toy import fresh_net, load

from spikernel.config import TrainingConfig
from spikernel.training import loop
from spikernel.training.progress import Progress

READS = ("_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "equal", "lift_fresh")
"""Operators that read values on the host or whose size depends on them, or that bring in a
tensor made on the host."""
SETTINGS = TrainingConfig.model_validate(
    {
        "recipe": "modern", "epochs": 2, "batch_size": 32, "randaugment_operations": 2,
        "mix_probability": 1.0, "gradient_clip": 1.0,
    }
)  # fmt: skip


class Watch(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.name().split("::")[1].split(".")[0]
        stack = "".join(traceback.format_stack(limit=10)) if name in READS else ""
        # AdamW counts its steps on the host, whatever the device.
        if "torch/optim" not in stack:
            self.seen.add(name)
        return func(*args, **(kwargs or {}))


def test_watch_sees_reads() -> None:
    with Watch() as watch:
        float(torch.ones(()).sum())
        torch.tensor([1.0])
    assert {"_local_scalar_dense", "lift_fresh"} <= watch.seen


def test_an_epoch_reads_nothing_back(digits_manifest: Path) -> None:
    trainer = loop.Trainer(fresh_net(digits_manifest), *load(digits_manifest), SETTINGS, 0)
    progress = Progress(2, len(trainer.labels))
    trainer.train_epoch(1, progress)  # the optimiser makes its state
    with Watch() as watch:
        trainer.train_epoch(2, progress)
    assert "convolution" in watch.seen
    assert "convolution_backward" in watch.seen
    assert not watch.seen & set(READS)
