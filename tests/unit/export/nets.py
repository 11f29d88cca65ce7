"""Nets that fire, without training them for long, and their images."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from spikernel.config import NetworkConfig
from spikernel.export import compiler
from spikernel.export.c_source import c_files
from spikernel.export.program import Program
from spikernel.network.dynamics import Dynamics
from spikernel.network.neurons import lif
from spikernel.network.spiking_net import SpikingNet, build_net
from spikernel.network.whitening import whiten
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell

MEAN, SD = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)
CLASSES = ("a", "b", "c", "d")
FORWARD = "k3-zero-skip-k1-avg-k5"
FEEDBACK = "k3r-skip-k1-k3r-avgr-k1"
SKIPS = "skip-skip-skip-skip-k1-skip"
"""Its node 2 is twice the cell's input, and node 3 four times: one value is added repeatedly."""

FACTORS = "k3-d3-k1-f5-avg-d5"
THRESHOLDS = "k3t0.5-k1t1.5-skip-k3-avg-k3t0.7"
"""Two convolutions leave its node 0 behind neurons of their own."""
MODERN = {
    "macro": "modern",
    "channels": 4,
    "stages": 3,
    "cells_per_stage": (1, 2, 1),
    "stem_convolutions": 2,
    "time_steps": 3,
    "votes": 2,
}
"""Residual cells, a deeper stem, learned time constants, global pooling."""

COMPACT: dict[str, Any] = {
    "macro": "compact",
    "channels": 4,
    "stage_widths": (1, 2, 2),
    "stem_channels": 6,
}
"""Max-pooling, on the 5x5 maps of its first stage over windows that leave out a row, and a whitened
stem; no norm but behind convolutions, with a fixed scale."""


def lif_rule(tau: float, threshold: float) -> Dynamics:
    """Return the rule of LIF neurons."""
    return Dynamics(neuron="lif", tau=tau, threshold=threshold, reset="zero")


def images(count: int = 12, side: int = 10) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8, generator=generator)


def normalised(pixels: Tensor) -> Tensor:
    mean, sd = (torch.tensor(numbers).view(1, -1, 1, 1) for numbers in (MEAN, SD))
    return (pixels.float() / 255 - mean) / sd


@torch.no_grad()
def active_net(archid: str, **settings: Any) -> SpikingNet:
    """Return a net whose neurons fire, in evaluation mode, with statistics of real inputs."""
    given = {"time_steps": 3, "channels": 5, "pool": 2, "hidden": 9, "votes": 3} | settings
    architecture = Architecture(
        Cell.from_archid(archid), NetworkConfig(**given), ImageShape(3, 10, len(CLASSES))
    )
    net = build_net(architecture, 0, torch.device("cpu")).train()
    if architecture.network.stem_weights == "whitened":
        whiten(net, images(), normalised)
    generator = torch.Generator().manual_seed(1)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.bias.uniform_(-0.2, 0.9, generator=generator)
            module.momentum = 0.7
        elif isinstance(module, nn.Linear):
            module.weight.normal_(0.2, 0.5, generator=generator)
        elif isinstance(module, lif.Neuron) and module.w is not None:
            module.w.uniform_(-0.5, 1.5, generator=generator)
    for _ in range(5):  # until the running statistics have settled
        net(normalised(images()))
    return net.eval()


@torch.no_grad()
def logits(net: SpikingNet, pixels: Tensor) -> Tensor:
    value: Tensor = net(normalised(pixels)).mean(0)
    return value


def run_c(program: Program, pixels: Tensor, folder: Path) -> compiler.Answers:
    """Compile a program's C code and run it on images [N, C, H, W]."""
    compilers = compiler.find_compiler()
    assert compilers is not None
    compiler.write_sources(folder, c_files(program, "test"))
    path = folder / "images.u8"
    path.write_bytes(pixels.permute(0, 2, 3, 1).contiguous().numpy().tobytes())
    answers = compiler.classify(compiler.build(folder, compilers), path)
    assert answers.classes.tolist() == answers.logits.argmax(1).tolist()
    return answers
