"""A model of neurons is one new file: nothing else is touched."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import spikernel

TOY = '''
import torch
from torch import Tensor, nn

from spikernel.network.neuron import NeuronLayer

PARAMETERS = 2


class Neuron(NeuronLayer):
    """Memoryless neurons with a learned gain and offset."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)
        self.gain, self.offset = (nn.Parameter(torch.empty(())) for _ in range(2))
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        self.gain.fill_(1.5)
        self.offset.fill_(0.5)

    def step(self, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        smooth = torch.sigmoid(self.gain * x + self.offset - self.threshold)
        return (smooth > 0.5).float() + smooth - smooth.detach(), smooth
'''

RUN = """
import torch
from spikernel.config import NetworkConfig
from spikernel.errors import ExportError
from spikernel.export.lowering import lower
from spikernel.network.activity import measure_activity
from spikernel.network.spiking_net import build_net
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell
from spikernel.space.counts import CellCounter, parameter_count

settings = NetworkConfig(neuron="toy", time_steps=3, channels=4, pool=2, hidden=6, votes=1)
assert settings.parts() == ["spikernel.network.neurons.toy"]
for archid in ("k3-zero-skip-k1-avg-k3", "k3-skip-k1-k3r-avgr-k1"):
    architecture = Architecture(Cell.from_archid(archid), settings, ImageShape(2, 8, 3))
    net = build_net(architecture, 0, torch.device("cpu"))
    logits = net(torch.randn(4, 2, 8, 8))
    assert logits.shape == (3, 4, 3)
    logits.square().sum().backward()
    assert all(neuron.gain == 1.5 and neuron.gain.grad != 0 for neuron in net.neurons())
    counted = sum(parameter.numel() for parameter in net.parameters())
    assert parameter_count(architecture).total == counted
    assert CellCounter(settings, architecture.images).total(architecture.cell) == counted
    activity = measure_activity(net, [torch.randn(4, 2, 8, 8)])
    assert 0 < activity.firing_rate < 1
    assert {layer.kind for layer in activity.layers} >= {"toy", "conv"}
    try:
        lower(net, (0.5, 0.5), (0.2, 0.2), "abc")
    except ExportError as error:
        print(error)
"""


def run(folder: Path, toy: str, program: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a copy of the library that has one more file."""
    source = Path(spikernel.__file__).parent
    shutil.copytree(source, folder / "spikernel", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "spikernel" / "network" / "neurons" / "toy.py").write_text(toy)
    return subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True,
        env={"PYTHONPATH": str(folder)},
    )  # fmt: skip


FAULTY = """
import torch
from spikernel.config import NetworkConfig
from spikernel.network.spiking_net import build_net
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell
from spikernel.study.training_run import check_count

settings = NetworkConfig(neuron="toy", time_steps=3, channels=4, pool=2, hidden=6, votes=1)
cell = Cell.from_archid("k3-zero-skip-k1-avg-k3")
net = build_net(Architecture(cell, settings, ImageShape(2, 8, 3)), 0, torch.device("cpu"))
check_count(net)
"""


@pytest.mark.parametrize(
    ("was", "becomes", "error"),
    [
        ("PARAMETERS = 2", "", "ConfigError: .* must assign PARAMETERS, how many each layer has"),
        ("reset_parameters", "fill", "TypeError: .*: Neuron must define reset_parameters"),
        ("    def step", "    levels = 3\n\n    def step", "ConfigError: .* set time_steps to 1"),
    ],
    ids=["uncounted", "unfilled", "levels"],
)
def test_what_a_file_leaves_out_is_said(tmp_path: Path, was: str, becomes: str, error: str) -> None:
    done = run(tmp_path, TOY.replace(was, becomes), FAULTY)
    assert re.search(error, done.stderr.splitlines()[-1])


def test_a_file_in_the_folder_is_all_it_takes(tmp_path: Path) -> None:
    done = run(tmp_path, TOY, RUN)
    assert done.returncode == 0, done.stderr
    refused = "neurons of class Neuron in spikernel.network.neurons.toy state no rule of their own"
    assert done.stdout.count(f"cell1.neurons.0: {refused} (`dynamics`), so they cannot be") == 2
