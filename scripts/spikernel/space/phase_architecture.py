"""The net of a phase of a training: as the whole one, but for what the phase names. No torch."""

from dataclasses import replace

from spikernel.config import NetworkConfig, PhaseConfig
from spikernel.errors import ConfigError
from spikernel.space.architecture import Architecture
from spikernel.space.counts import neuron_parameters

OTHER_PARAMETERS = (
    "its neurons have other parameters than those of the network: choose neurons that have the same"
)


def phase_architecture(whole: Architecture, phase: PhaseConfig, where: str) -> Architecture:
    """Return the architecture of a phase: with its time steps, neurons and image size.

    Args:
        whole: that of the net which is kept.
        phase: its settings.
        where: they stand, for messages.

    Raises:
        ConfigError: such a net cannot be, it has a head of another size, or its gradient would not
            reach all parameters.

    """
    changes = {
        name: value
        for name, value in (("time_steps", phase.time_steps), ("neuron", phase.neuron))
        if value is not None
    }
    network = whole.network
    if changes:
        network = NetworkConfig.parse({**network.model_dump(mode="json"), **changes}, where)
    size = phase.image_size or whole.images.size
    if size > whole.images.size:
        raise ConfigError(
            f"{where}/image_size is {size}, but the images have {whole.images.size} pixels a side"
        )
    try:
        found = Architecture(whole.cell, network, replace(whole.images, size=size))
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None
    if found.head_features != whole.head_features:
        raise ConfigError(
            f"{where}/image_size {size} gives the head {found.head_features} inputs instead of "
            f"{whole.head_features}: train with images of full size, or set head: gap"
        )
    if neuron_parameters(network) != neuron_parameters(whole.network):
        raise ConfigError(f"{where}: {OTHER_PARAMETERS}")
    if phase.gradient == "rate" and whole.cell.has_feedback:
        raise ConfigError(
            f"{where}/gradient: cell {whole.cell.archid} has feedback from step to step, which "
            "rates do not show: choose gradient: time"
        )
    if phase.gradient == "rate" and neuron_parameters(network):
        raise ConfigError(
            f"{where}/gradient: rates do not train the neurons' own parameters: set learnable_tau: "
            "false, or choose gradient: time"
        )
    return found


def check_end(kept: NetworkConfig, last: NetworkConfig, where: str) -> None:
    """Check that the last phase trains the neurons that are kept.

    Args:
        kept: network that is tested.
        last: that of the last phase.
        where: the phases stand, for messages.

    Raises:
        ConfigError: it trains others.

    """
    if last.neuron != kept.neuron:
        raise ConfigError(
            f"{where}: the last one trains neurons '{last.neuron}', but the net that is tested and "
            f"kept spikes by '{kept.neuron}', which it was not trained with: end with a phase of "
            "these"
        )
