"""Released weights that a training starts from, or learns from."""

import logging
from pathlib import Path

import torch

from spikernel.data.manifest import Manifest
from spikernel.errors import ConfigError
from spikernel.inference.released import Preprocessing, load_model
from spikernel.network.spiking_net import SpikingNet
from spikernel.training.widen import is_wider, widened

LOG = logging.getLogger(__name__)


def load_known(
    key: str, path: str, manifest: Manifest, device: torch.device
) -> tuple[SpikingNet, Preprocessing]:
    """Return a released net of the classes of a data set, and what its images go through.

    A net that may have been trained on images that the new one is judged by is named in the log.

    Args:
        key: what names it in the section training.
        path: of model.safetensors.
        manifest: of the data set.
        device: where the net lives.

    Raises:
        ConfigError: it is of other classes or channels.
        DataError: its file is missing or damaged.

    """
    net, preprocessing = load_model(Path(path), device)
    channels = net.architecture.images.channels
    if preprocessing.classes != list(manifest.classes) or channels != len(manifest.mean):
        raise ConfigError(
            f"training/{key}: {path} is of other classes or channels than {manifest.dataset}: "
            "choose a net that was trained on the same classes"
        )
    if not preprocessing.is_of_split(manifest):
        LOG.warning(
            "training/%s: %s was trained on other images than the training split of %s, or on "
            "another size of them: it may know images that this net is judged by",
            key, path, manifest.dataset,
        )  # fmt: skip
    return net, preprocessing


@torch.no_grad()
def start_from(net: SpikingNet, path: str, manifest: Manifest) -> None:
    """Give a net the weights and running statistics of a released one, which may be narrower.

    Raises:
        ConfigError: that is another net.
        DataError: its file is missing or damaged.

    """
    device = next(net.parameters()).device
    known, _ = load_known("initial_weights", path, manifest, device)
    state = known.state_dict()
    if is_wider(net.architecture, known.architecture):
        state = widened(state, {name: value.shape for name, value in net.state_dict().items()})
    elif known.architecture != net.architecture:
        raise ConfigError(
            f"training/initial_weights: {path} is of cell {known.architecture.cell.archid} with "
            f"{known.architecture.network.channels} channels, or differs in another setting of "
            f"the network from the net of cell {net.architecture.cell.archid} with "
            f"{net.architecture.network.channels} channels that is trained: give weights of the "
            "same net, or of the same with fewer channels"
        )
    net.load_state_dict(state)
