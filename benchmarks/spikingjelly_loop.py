"""The same net as its users write it in SpikingJelly 2: multi-step layers, AMP, a DataLoader.

Layers of `activation_based` in step mode 'm', which fold time into the batch themselves; one
LIF per convolution edge; the stem once per image; bfloat16 autocast on a GPU; loss and accuracy
read back at every step, as in SpikingJelly's own examples.

Shapes: T time steps, N batch.
"""

import torch
from common import load_cifar10  # noqa: F401  (puts the library on the path)
from spikingjelly.activation_based import functional, layer, neuron, surrogate
from torch import Tensor, nn
from torch.nn import functional as F

from spikernel.config import NetworkConfig
from spikernel.space.architecture import ImageShape
from spikernel.space.cell import Cell


def _lif(settings: NetworkConfig) -> nn.Module:
    return neuron.LIFNode(
        tau=settings.tau,
        v_threshold=settings.threshold,
        v_reset=0.0,
        surrogate_function=surrogate.ATan(settings.surrogate_alpha),
        detach_reset=True,
    )


def _edge(name: str, channels: int, settings: NetworkConfig) -> nn.Module:
    if name == "skip":
        return nn.Identity()
    if name == "avg":
        return layer.AvgPool2d(3, stride=1, padding=1)
    size = int(name[1:])
    return nn.Sequential(
        _lif(settings),
        layer.Conv2d(channels, channels, size, padding=size // 2, bias=False),
        layer.BatchNorm2d(channels),
    )


class _Cell(nn.Module):
    def __init__(self, cell: Cell, channels: int, settings: NetworkConfig) -> None:
        super().__init__()
        self.connections = cell.connections()
        self.edges = nn.ModuleList(
            _edge(name, channels, settings) for _, _, name in self.connections
        )

    def forward(self, x: Tensor) -> Tensor:
        nodes = {0: x}
        for edge, (source, target, _) in zip(self.edges, self.connections, strict=True):
            out = edge(nodes[source])
            nodes[target] = nodes[target] + out if target in nodes else out
        return nodes[3]


class SpikingJellyNet(nn.Module):
    """The macro-structure in multi-step layers."""

    def __init__(self, cell: Cell, settings: NetworkConfig, images: ImageShape) -> None:
        super().__init__()
        channels = settings.channels
        side = ((images.size - 1) // settings.stem_stride + 1) // 2 // settings.pool
        self.time_steps = settings.time_steps
        self.votes = settings.votes
        self.stem = nn.Sequential(
            nn.Conv2d(images.channels, channels, 3, settings.stem_stride, 1, bias=False),
            nn.BatchNorm2d(channels),
        )
        self.body = nn.Sequential(
            _Cell(cell, channels, settings),
            layer.BatchNorm2d(channels),
            _lif(settings),
            layer.Conv2d(channels, 2 * channels, 3, padding=1, bias=False),
            layer.BatchNorm2d(2 * channels),
            layer.AvgPool2d(2),
            _Cell(cell, 2 * channels, settings),
            layer.BatchNorm2d(2 * channels),
            _lif(settings),
            layer.AvgPool2d(settings.pool),
            layer.Flatten(),
            layer.Dropout(settings.dropout),
            layer.Linear(2 * channels * side * side, settings.hidden, bias=False),
            _lif(settings),
            layer.Linear(settings.hidden, settings.votes * images.classes),
        )
        functional.set_step_mode(self.body, "m")

    def forward(self, images: Tensor) -> Tensor:
        """Return the outputs of every time step, [T, N, classes]."""
        x = self.stem(images).unsqueeze(0).repeat(self.time_steps, 1, 1, 1, 1)
        votes: Tensor = self.body(x)
        return votes.unflatten(2, (-1, self.votes)).mean(3)


class SpikingJellyTraining:
    """An idiomatic training step; `mixed_precision` is bfloat16 autocast."""

    def __init__(
        self, net: SpikingJellyNet, learning_rate: float, mixed_precision: bool = False
    ) -> None:
        self.net = net.train()
        self._optimiser = torch.optim.SGD(
            net.parameters(), learning_rate, momentum=0.9, weight_decay=5e-4
        )
        device = next(net.parameters()).device
        self._autocast = torch.autocast(device.type, torch.bfloat16, enabled=mixed_precision)
        self.correct = 0.0

    def step(self, images: Tensor, labels: Tensor) -> float:
        """Train on one batch and return its loss."""
        self._optimiser.zero_grad()
        with self._autocast:
            outputs = self.net(images).mean(0)
            loss = F.cross_entropy(outputs, labels)
        loss.backward()
        self._optimiser.step()
        functional.reset_net(self.net)
        self.correct += (outputs.argmax(1) == labels).float().sum().item()
        return loss.item()
