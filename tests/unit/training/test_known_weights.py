from pathlib import Path

import pytest
import torch
from toy import MODERN, fresh_net, load

from spikernel.config import TrainingConfig
from spikernel.errors import ConfigError
from spikernel.inference.released import save_model
from spikernel.network.spiking_net import SpikingNet
from spikernel.training.loop import train


@pytest.fixture(scope="module")
def known(digits_manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("known") / "model.safetensors"
    net = fresh_net(digits_manifest, seed=5, network=MODERN)
    save_model(path, net, load(digits_manifest)[0].manifest)
    return path


def trained_from(known: Path | None, manifest: Path, net: SpikingNet) -> SpikingNet:
    named = None if known is None else str(known)
    settings = {"epochs": 1, "batch_size": 60, "learning_rate": 1e-9, "initial_weights": named}
    return train(net, load(manifest), TrainingConfig.parse(settings, "t"), 0).net


def test_training_starts_from_known_weights(digits_manifest: Path, known: Path) -> None:
    # At this learning rate a weight moves by less than a millionth.
    source = dict(fresh_net(digits_manifest, seed=5, network=MODERN).named_parameters())
    drawn = fresh_net(digits_manifest, seed=0, network=MODERN)
    started = trained_from(known, digits_manifest, fresh_net(digits_manifest, network=MODERN))
    for name, value in started.named_parameters():
        torch.testing.assert_close(value, source[name], rtol=0, atol=1e-6)
    name = "stem.conv.weight"
    assert not torch.allclose(started.get_parameter(name), drawn.get_parameter(name))


def test_weights_of_another_net_are_refused(digits_manifest: Path, known: Path) -> None:
    other = fresh_net(digits_manifest, network=MODERN, archid="k3-zero-zero-zero-zero-k3")
    with pytest.raises(ConfigError, match=r"is of cell .* from the net of cell .* that is trained"):
        trained_from(known, digits_manifest, other)
