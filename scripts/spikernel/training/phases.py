"""The phases of a training: each trains the same weights in a net and with settings of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from spikernel.config import PhaseConfig, TrainingConfig
from spikernel.errors import ConfigError
from spikernel.network.spiking_net import SpikingNet
from spikernel.space import macro
from spikernel.space.architecture import Architecture
from spikernel.space.flop import forward_flop
from spikernel.space.phase_architecture import OTHER_PARAMETERS, check_end, phase_architecture
from spikernel.training.rate_gradient import rate_logits

SHRUNK_AT_ONCE = 1024
"""Images that are shrunk at once, to bound the memory."""
FLOP_RULE = (
    "3 x the forward pass, of which every product has two gradients (gradient: rate: the forward "
    "pass, and 3 x that of one time step), frozen layers included; 2 FLOP per product in "
    "convolutions and linear layers; nothing else is counted, nor a teacher"
)
"""How the FLOP of a training are counted."""


@dataclass(frozen=True)
class Phase:
    """One phase.

    Attributes:
        net: shares every weight with the net that is trained.
        settings: of this phase alone; its epochs are those of the phase.
        first_epoch: its first epoch, counted from 1 over all phases.
        trained: parameters that the net trains where nothing is frozen.
        frozen: leading modules of the net that are not trained.
        by_rates: the gradient is that of `rate_gradient`.

    """

    net: SpikingNet
    settings: TrainingConfig
    first_epoch: int
    trained: tuple[nn.Parameter, ...]
    frozen: tuple[str, ...]
    by_rates: bool

    @property
    def last_epoch(self) -> int:
        """Its last epoch, counted from 1 over all phases."""
        return self.first_epoch + self.settings.epochs - 1

    @property
    def flop_per_image(self) -> int:
        """FLOP of training on one image, by `FLOP_RULE`."""
        architecture = self.net.architecture
        if self.by_rates:
            return forward_flop(architecture) + 3 * forward_flop(architecture, time_steps=1)
        return 3 * forward_flop(architecture)

    def logits(self, images: Tensor) -> Tensor:
        """Return the logits [T, N, classes] of normalised images with their gradient.

        That of rates is the mean over T, [1, N, classes].
        """
        if self.by_rates:
            return rate_logits(self.net, images)
        logits: Tensor = self.net(images)
        return logits

    def _frozen_modules(self) -> list[nn.Module]:
        return [self.net.get_submodule(name) for name in self.frozen]

    def begin(self) -> None:
        """Say which weights are trained."""
        for parameter in self.trained:
            parameter.requires_grad_(True)
            parameter.grad = None  # that of a weight now frozen would count when gradients are cut
        for module in self._frozen_modules():
            module.requires_grad_(False)

    def train_mode(self) -> None:
        """Put the net into training mode, but for what is frozen, running statistics included."""
        self.net.train()
        for module in self._frozen_modules():
            module.eval()

    def images(self, images: Tensor) -> Tensor:
        """Return uint8 images [N, C, H, W] in the size of this phase."""
        size = self.net.architecture.images.size
        return images if images.shape[2] == size else shrink(images, size)


def shrink(images: Tensor, size: int) -> Tensor:
    """Return uint8 images [N, C, H, W] as [N, C, size, size], bilinear and antialiased."""
    from torchvision.transforms.v2 import functional  # here only: few trainings shrink images

    resize = partial(functional.resize, size=[size, size], antialias=True)
    return torch.cat([resize(part) for part in images.split(SHRUNK_AT_ONCE)])


def make_phases(net: SpikingNet, settings: TrainingConfig) -> list[Phase]:
    """Return the phases that a configuration asks for; one where it names none.

    Raises:
        ConfigError: a phase does not fit the net or the images.

    """
    given: Sequence[PhaseConfig] = settings.phases or (PhaseConfig(epochs=settings.epochs),)
    trained = tuple(parameter for parameter in net.parameters() if parameter.requires_grad)
    phases, first_epoch = [], 1
    for place, phase in enumerate(given):
        where = f"training/phases/{place}"
        changes: dict[str, Any] = {"epochs": phase.epochs, "phases": ()}
        if phase.learning_rate is not None:
            changes |= _rates(settings, phase.learning_rate)
        macro.check_leading(net.architecture.parts, phase.freeze, f"{where}/freeze")
        view = _view(net, phase_architecture(net.architecture, phase, where), where)
        own, by_rates = settings.model_copy(update=changes), phase.gradient == "rate"
        phases.append(Phase(view, own, first_epoch, trained, phase.freeze, by_rates))
        first_epoch += phase.epochs
    check_end(net.architecture.network, phases[-1].net.architecture.network, "training/phases")
    return phases


def _rates(settings: TrainingConfig, rate: float) -> dict[str, float]:
    """Return all learning rates, changed in proportion to the one that is given."""
    others = {
        name: value * rate / settings.learning_rate
        for name in ("norm_learning_rate", "head_learning_rate")
        if (value := getattr(settings, name)) is not None
    }
    return {"learning_rate": rate, **others}


def _view(net: SpikingNet, architecture: Architecture, where: str) -> SpikingNet:
    """Return a net of another architecture whose parameters and buffers are those of `net`."""
    if architecture == net.architecture:
        return net
    with torch.device("meta"):  # its own weights would be thrown away
        view = SpikingNet(architecture)
    try:
        view.load_state_dict(net.state_dict(keep_vars=True), strict=True, assign=True)
    except RuntimeError:
        raise ConfigError(f"{where}: {OTHER_PARAMETERS}") from None
    return view
