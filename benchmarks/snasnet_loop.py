"""SNASNet's search and training loops, re-stated, as references to measure against.

Written from the published method (Kim et al., ECCV 2022), with its habits kept on purpose:
single-step modules in a Python loop over time, one LIF per convolution edge, zeroized edges
executed, a fresh shuffled loader with worker processes for each mini-batch, hooks that make two
dense products per call in float32, and one copy of a B x B matrix to the host per LIF per step.
The training loop has a loader with four worker processes and reads loss and accuracy back at
every step.
"""

import random
from collections.abc import Iterator

import numpy as np
import torch
from common import load_cifar10  # noqa: F401  (puts the library on the path)
from spikingjelly.activation_based import functional, layer, neuron, surrogate
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from spikernel.config import NetworkConfig
from spikernel.data.splits import Split
from spikernel.space.architecture import ImageShape
from spikernel.space.cell import Cell

OPERATIONS = ("zero", "skip", "k1", "k3", "avg")


class AugmentedImages(Dataset[tuple[Tensor, int]]):
    """Training images with random crop and flip, one at a time on the host."""

    def __init__(self, split: Split) -> None:
        side = split.manifest.image_size
        self._split = split
        self._transform = transforms.Compose(
            [
                transforms.ToPILImage(),
                transforms.RandomCrop(side, padding=side // 8),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize(split.manifest.mean, split.manifest.sd),
            ]
        )

    def __len__(self) -> int:
        return len(self._split.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = np.ascontiguousarray(self._split.images[index].transpose(1, 2, 0))
        return self._transform(image), int(self._split.labels[index])


def _lif(settings: NetworkConfig) -> nn.Module:
    return neuron.LIFNode(
        tau=settings.tau,
        v_threshold=settings.threshold,
        v_reset=0.0,
        surrogate_function=surrogate.ATan(),
        detach_reset=True,
    )


class _Zero(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * 0.0


def _edge(name: str, channels: int, settings: NetworkConfig) -> nn.Module:
    if name == "zero":
        return _Zero()
    if name == "skip":
        return nn.Identity()
    if name == "avg":
        return nn.AvgPool2d(3, stride=1, padding=1)
    size = int(name[1:])
    return nn.Sequential(
        _lif(settings),
        nn.Conv2d(channels, channels, size, padding=size // 2, bias=False),
        nn.BatchNorm2d(channels),
    )


class _Cell(nn.Module):
    def __init__(self, cell: Cell, channels: int, settings: NetworkConfig) -> None:
        super().__init__()
        self.edges = nn.ModuleList(_edge(name, channels, settings) for name in cell.operations)

    def forward(self, x0: Tensor) -> Tensor:
        e01, e02, e03, e12, e13, e23 = self.edges
        x1 = e01(x0)
        x2 = e02(x0) + e12(x1)
        out: Tensor = e03(x0) + e13(x1) + e23(x2)
        return out


class ReferenceNet(nn.Module):
    """The macro-structure, one time step at a time."""

    def __init__(self, cell: Cell, settings: NetworkConfig, images: ImageShape) -> None:
        super().__init__()
        channels = settings.channels
        side = ((images.size - 1) // settings.stem_stride + 1) // 2 // settings.pool
        self.time_steps = settings.time_steps
        self.stem = nn.Sequential(
            nn.Conv2d(images.channels, channels, 3, settings.stem_stride, 1, bias=False),
            nn.BatchNorm2d(channels),
        )
        self.cell1 = _Cell(cell, channels, settings)
        self.down = nn.Sequential(
            nn.BatchNorm2d(channels),
            _lif(settings),
            nn.Conv2d(channels, 2 * channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(2 * channels),
            nn.AvgPool2d(2),
        )
        self.cell2 = _Cell(cell, 2 * channels, settings)
        self.last = nn.Sequential(
            nn.BatchNorm2d(2 * channels), _lif(settings), nn.AvgPool2d(settings.pool)
        )
        self.classifier = nn.Sequential(
            layer.Dropout(settings.dropout),
            nn.Linear(2 * channels * side * side, settings.hidden, bias=False),
            _lif(settings),
            nn.Linear(settings.hidden, settings.votes * images.classes),
        )
        self.vote = nn.AvgPool1d(settings.votes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_uniform_(module.weight, a=2)
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, 0, 0.01)

    def forward(self, images: Tensor) -> Tensor:
        """Return the time mean of the outputs, [B, classes]."""
        constant = self.stem(images)
        outputs = torch.zeros((), device=images.device)
        for _ in range(self.time_steps):
            x = self.cell2(self.down(self.cell1(constant)))
            x = self.classifier(self.last(x).flatten(1))
            outputs = outputs + self.vote(x.unsqueeze(1)).squeeze(1)
        return outputs / self.time_steps


class ReferenceTraining:
    """The published training step: SGD, cross-entropy of the time mean, float32."""

    def __init__(self, net: ReferenceNet, learning_rate: float) -> None:
        self.net = net.train()
        self._optimiser = torch.optim.SGD(
            net.parameters(), learning_rate, momentum=0.9, weight_decay=5e-4
        )
        # As published, for its reproducibility.
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.benchmark = False
        self.correct = 0.0

    def step(self, images: Tensor, labels: Tensor) -> float:
        """Train on one batch and return its loss."""
        self._optimiser.zero_grad()
        outputs = self.net(images)
        loss = F.cross_entropy(outputs, labels)
        loss.backward()
        self._optimiser.step()
        best = outputs.topk(5, 1).indices == labels.unsqueeze(1)  # top-1 and top-5, as there
        self.correct += best[:, :1].sum().item()
        functional.reset_net(self.net)
        return loss.item()


class _HostKernel:
    """The hook: float32 products on the device, sums in NumPy on the host."""

    def __init__(self, batch: int) -> None:
        self.sum = np.zeros((batch, batch))
        self.calls = 0

    def __call__(self, _module: nn.Module, _inputs: object, out: Tensor) -> None:
        x = (out.flatten(1) > 0).float()
        images, neurons = x.shape
        rate = x.sum(1, keepdim=True) / neurons
        norm = (rate @ (1 - rate.t()) + (1 - rate) @ rate.t()) * neurons
        distance = x @ (1 - x.t()) + (1 - x) @ x.t()
        full = torch.ones(images, images, device=x.device) * neurons
        kernel = full - 0.5 * neurons / (norm + 1e-3) * distance
        self.sum = self.sum + kernel.cpu().numpy()
        self.calls += 1


class ReferenceSearch:
    """Scores candidates one after the other, as the published loop does."""

    def __init__(
        self,
        split: Split,
        settings: NetworkConfig,
        images: ImageShape,
        batch: int,
        workers: int,
        device: torch.device,
    ) -> None:
        self._settings, self._images, self._batch, self._device = settings, images, batch, device
        self._loader = DataLoader(
            AugmentedImages(split), batch_size=batch, shuffle=True, num_workers=workers
        )

    @torch.no_grad()
    def score(self, cell: Cell, repeats: int) -> float:
        """Score one candidate on `repeats` fresh mini-batches."""
        net = ReferenceNet(cell, self._settings, self._images).to(self._device)
        hook = _HostKernel(self._batch)
        for module in net.modules():
            if isinstance(module, neuron.LIFNode):
                module.register_forward_hook(hook)
        scores = []
        for _ in range(repeats):
            hook.__init__(self._batch)  # type: ignore[misc]
            images, _labels = next(iter(self._loader))  # starts the workers anew
            net(images.to(self._device))
            functional.reset_net(net)
            scores.append(np.linalg.slogdet(hook.sum / hook.calls)[1])
        return float(np.mean(scores))


def samples(generator: random.Random) -> Iterator[Cell]:
    """Yield accepted random cells, duplicates included, cleaned as the published loop does."""
    while True:
        cell = Cell(tuple(generator.choice(OPERATIONS) for _ in range(6)))
        if cell.accepted:
            yield cell.cleaned()
