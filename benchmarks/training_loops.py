"""Loops to be timed: three that train one net with equal weights, and its convolutions alone."""

import itertools
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
from common import wait_for
from snasnet_loop import AugmentedImages, ReferenceNet, ReferenceTraining
from spikingjelly_loop import SpikingJellyNet, SpikingJellyTraining
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torch.utils.flop_counter import FlopCounterMode

from spikernel.config import NetworkConfig, TrainingConfig
from spikernel.data.splits import Split, load_split
from spikernel.network.spiking_net import SpikingNet, build_net
from spikernel.space.architecture import Architecture
from spikernel.space.cell import Cell
from spikernel.study.shapes import image_shape
from spikernel.training.memory import keep_freed_memory
from spikernel.training.precision import in_bfloat16
from spikernel.training.progress import Progress
from spikernel.training.trainer import make_trainer


@dataclass(frozen=True)
class Setup:
    """What all loops share."""

    manifest: Path
    archid: str
    network: NetworkConfig
    batch_size: int
    workers: int
    threads: int
    device: torch.device
    seed: int
    learning_rate: float = 0.1
    cpu_bfloat16: bool | Literal["auto"] = False
    recipe: Literal["reference", "engine"] = "reference"

    def training(self) -> TrainingConfig:
        """Return the settings of our loop; `engine` has its own learning rates."""
        own = {"learning_rate": self.learning_rate} if self.recipe == "reference" else {}
        return TrainingConfig(
            recipe=self.recipe,
            batch_size=self.batch_size,
            mixed_precision=True,
            cpu_bfloat16=self.cpu_bfloat16,
            **own,
        )

    def in_bfloat16(self) -> bool:
        """Whether our loop, SpikingJelly's and the convolutions compute in bfloat16."""
        return in_bfloat16(self.training(), self.device)

    def net(self, split: Split) -> SpikingNet:
        """Return our net, whose weights all loops start from."""
        cell = Cell.from_archid(self.archid)
        architecture = Architecture(cell, self.network, image_shape(split.manifest))
        return build_net(architecture, self.seed, self.device)


def copy_weights(source: nn.Module, target: nn.Module) -> None:
    """Copy weights and running statistics into a net with the same layers in the same order."""
    kinds = (nn.Conv2d, nn.BatchNorm2d, nn.Linear)
    pairs = zip(
        (module for module in source.modules() if isinstance(module, kinds)),
        (module for module in target.modules() if isinstance(module, kinds)),
        strict=True,
    )
    for first, second in pairs:
        second.load_state_dict(first.state_dict())


class TimedLoop(Protocol):
    """A loop that goes on where it stopped."""

    def run(self, steps: int) -> None:
        """Train on that many batches."""


class Limited(Progress):
    """Ends an epoch after a number of batches."""

    def __init__(self, steps: int) -> None:
        super().__init__([1], 1)
        self._steps = steps

    def batches(self, batches: Sequence[Any], _epoch: int, _done: int = 0) -> Iterable[Any]:
        """Return the first batches, over and over where an epoch has too few."""
        return itertools.islice(itertools.cycle(batches), self._steps)


class OurLoop:
    """`Trainer`: the whole split on the device.

    bfloat16 on a GPU, and on a CPU where it is asked for.

    Args:
        setup: what all loops share.
        graph: run a step as one CUDA graph where that can be done, as `Trainer` does.

    """

    def __init__(self, setup: Setup, graph: bool = True) -> None:
        train, validation = (load_split(setup.manifest, name) for name in ("train", "validation"))
        self.trainer = make_trainer(
            setup.net(train), (train, validation), setup.training(), setup.seed
        )
        self.batch_size = setup.batch_size
        if not graph:
            self.trainer.learn = self.trainer.learn_eagerly

    def run(self, steps: int) -> None:
        """Train on that many batches."""
        self.trainer.steps_per_epoch = steps  # as if the epoch had no more
        self.trainer.train_epoch(self.trainer.begin_epoch(1), Limited(steps))

    def flop_per_image(self) -> float:
        """Return the FLOP of convolutions and matrix products, forward and backward."""
        with FlopCounterMode(display=False) as counter:
            self.run(1)
        return counter.get_total_flops() / self.batch_size


class LoaderLoop:
    """A reference: a net and its step, fed by a DataLoader that is never charged for its start."""

    def __init__(self, setup: Setup, split: Split, training: Any) -> None:
        self._training, self._device = training, setup.device
        # As many workers as published, on whatever machine.
        warnings.filterwarnings("ignore", "This DataLoader will create")
        self._loader = DataLoader(
            AugmentedImages(split),
            batch_size=setup.batch_size,
            shuffle=True,
            drop_last=True,
            pin_memory=setup.device.type == "cuda",
            num_workers=setup.workers,
            # The default on Linux; a process that was itself spawned would spawn them.
            multiprocessing_context="fork" if setup.workers else None,
        )
        self._batches = self._endless()

    def _endless(self) -> Iterator[Sequence[Tensor]]:
        while True:
            yield from self._loader

    def run(self, steps: int) -> None:
        """Train on that many batches."""
        for images, labels in itertools.islice(self._batches, steps):
            self._training.step(images.to(self._device), labels.to(self._device))


class ConvolutionLoop:
    """The convolutions of a training step and nothing else, forward and backward.

    Each has an input of the shape, layout and type that it has in our loop, and computes the
    gradients that training needs of it.
    """

    def __init__(self, setup: Setup) -> None:
        if setup.device.type == "cpu":
            keep_freed_memory()  # as the trainer does
        net = setup.net(load_split(setup.manifest, "train")).train()
        self._autocast = torch.autocast(
            setup.device.type, torch.bfloat16, enabled=setup.in_bfloat16()
        )
        dtype = torch.bfloat16 if setup.in_bfloat16() else torch.float32
        self._work = []
        for convolution, shape, wanted in convolutions_of(net, setup.batch_size):
            x = torch.randn(shape, device=setup.device, dtype=dtype)
            x = x.to(memory_format=torch.channels_last).requires_grad_(wanted)
            with torch.no_grad(), self._autocast:
                gradient = torch.randn_like(convolution(x))
            self._work.append((convolution, x, gradient))

    def run(self, steps: int) -> None:
        """Do the convolutions of that many steps."""
        for _ in range(steps):
            for convolution, x, gradient in self._work:
                with self._autocast:
                    out = convolution(x)
                wanted = [value for value in (x, convolution.weight) if value.requires_grad]
                if wanted:
                    torch.autograd.grad(out, wanted, gradient)


def convolutions_of(
    net: SpikingNet, batch_size: int
) -> list[tuple[nn.Conv2d, tuple[int, ...], bool]]:
    """Return each convolution of a step, the shape of its input, and if that needs a gradient."""
    found: list[tuple[nn.Conv2d, tuple[int, ...], bool]] = []
    probe = 2  # images; batch norm needs more than one where maps have one pixel

    def note(module: nn.Module, inputs: tuple[Tensor, ...], _out: Tensor) -> None:
        assert isinstance(module, nn.Conv2d)
        (x,) = inputs
        shape = (len(x) // probe * batch_size, *x.shape[1:])
        found.append((module, shape, x.requires_grad))

    layers = [module for module in net.modules() if isinstance(module, nn.Conv2d)]
    handles = [layer.register_forward_hook(note) for layer in layers]
    images = net.architecture.images
    device = next(net.parameters()).device
    net(torch.randn(probe, images.channels, images.size, images.size, device=device))
    for handle in handles:
        handle.remove()
    return found


def make_loop(name: str, setup: Setup) -> TimedLoop:
    """Return the loop `ours`, `kernel_by_kernel`, `convolutions`, `snasnet` or `spikingjelly`."""
    if name in ("ours", "kernel_by_kernel"):
        return OurLoop(setup, graph=name == "ours")
    if name == "convolutions":
        return ConvolutionLoop(setup)
    split = load_split(setup.manifest, "train")
    ours = setup.net(split)
    kind: type[ReferenceNet | SpikingJellyNet] = ReferenceNet
    if name == "spikingjelly":
        kind = SpikingJellyNet
    net = kind(ours.architecture.cell, setup.network, ours.architecture.images)
    net.to(setup.device)
    copy_weights(ours, net)
    if isinstance(net, SpikingJellyNet):
        training: Any = SpikingJellyTraining(net, setup.learning_rate, setup.in_bfloat16())
    else:
        training = ReferenceTraining(net, setup.learning_rate)
    return LoaderLoop(setup, split, training)


def matmul_rate(device: torch.device, dtype: torch.dtype, repeats: int = 10) -> float:
    """Return the best measured FLOP/s of a large square product.

    On a CPU it is tried as a 1x1 convolution as well: PyTorch hands convolutions to oneDNN and
    float32 products to another library, which can be half as fast.
    """
    size = 8192 if device.type == "cuda" else 2048
    one, other = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    out = one @ other
    ways: list[Callable[[], Any]] = [lambda: torch.mm(one, other, out=out)]
    if device.type == "cpu":
        # Channels-last: the rows of `one` are pixels.
        pixels = one.view(size // 64, 8, 8, size).permute(0, 3, 1, 2)
        kernel = other.t().contiguous().view(size, size, 1, 1)
        ways.append(lambda: F.conv2d(pixels, kernel))
    seconds = []
    for _ in range(repeats):
        for product in ways:
            wait_for(device)
            start = time.perf_counter()
            product()
            wait_for(device)
            seconds.append(time.perf_counter() - start)
    return float(2 * size**3 / min(seconds))
