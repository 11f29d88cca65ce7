"""A wider net begins with the outputs of the narrower one."""

from pathlib import Path

import pytest
import torch
from toy import ARCHID, FEEDBACK, MODERN, NETWORK, fresh_net, load

from spikernel.config import NetworkConfig, TrainingConfig
from spikernel.errors import ConfigError
from spikernel.inference.released import save_model
from spikernel.network.spiking_net import SpikingNet
from spikernel.training.loop import train
from spikernel.training.widen import is_wider, widened

COMPACT = NetworkConfig.parse(
    {"macro": "compact", "channels": 4, "stages": 2, "stage_widths": [1, 2], "stem_channels": 8},
    "toy",
)
DEPTHWISE = "d3-zero-skip-avg-zero-f3"


def wide(net: SpikingNet, manifest: Path, archid: str, **widths: object) -> SpikingNet:
    network = net.architecture.network.model_copy(update=widths)
    wider = fresh_net(manifest, seed=1, network=network, archid=archid)
    assert is_wider(wider.architecture, net.architecture)
    shapes = {name: value.shape for name, value in wider.state_dict().items()}
    wider.load_state_dict(widened(net.state_dict(), shapes))
    return wider


@pytest.mark.parametrize(
    ("network", "archid", "widths"),
    [(NETWORK, ARCHID, {"channels": 6, "hidden": 12}), (NETWORK, FEEDBACK, {"channels": 8}),
     (MODERN, DEPTHWISE, {"channels": 9}), (COMPACT, ARCHID, {"channels": 6}),
     (COMPACT, ARCHID, {"stage_widths": (1, 3)})],
)  # fmt: skip
def test_it_computes_the_same(
    digits_manifest: Path, network: NetworkConfig, archid: str, widths: dict[str, object]
) -> None:
    net = fresh_net(digits_manifest, network=network, archid=archid)
    for name, value in net.state_dict().items():
        if name.endswith("running_mean"):  # as after a training, different for each channel
            value.normal_(0, 0.2, generator=torch.Generator().manual_seed(len(name)))
        if name.endswith("norm.weight") or "hidden" in name:  # else neurons are silent
            value.mul_(4)
    wider = wide(net, digits_manifest, archid, **widths)
    images = torch.randn(40, 1, 8, 8, generator=torch.Generator().manual_seed(0)).double()
    outputs = [each.double().eval()(images) for each in (net, wider)]
    assert outputs[0].std() > 0
    # A spike whose membrane lies within rounding of the threshold may differ.
    assert ((outputs[0] - outputs[1]).abs() < 1e-6).double().mean() > 0.99
    assert sum(value.numel() for value in wider.parameters()) > sum(
        value.numel() for value in net.parameters()
    )


def test_shares_of_a_channel_and_its_copies_by_hand() -> None:
    known = {"conv": torch.tensor([[1.0, 2.0], [3.0, 4.0]]).view(2, 2, 1, 1)}
    weights = widened(known, {"conv": torch.Size([3, 3, 1, 1])})["conv"].flatten(1)
    assert torch.equal(weights[2], weights[0])  # the third channel is a copy of the first
    assert torch.equal(weights[:2, 1], torch.tensor([2.0, 4.0]))
    torch.testing.assert_close(weights[:2, 0] + weights[:2, 2], torch.tensor([1.0, 3.0]))
    assert 0.2 < weights[0, 2] < 0.8
    assert weights[0, 2] != weights[0, 0]


def test_another_net_is_not_a_wider_one(digits_manifest: Path) -> None:
    net = fresh_net(digits_manifest, network=MODERN).architecture
    for network, archid in (
        (MODERN.model_copy(update={"channels": 3}), ARCHID),
        (MODERN.model_copy(update={"channels": 8, "time_steps": 3}), ARCHID),
        (MODERN.model_copy(update={"channels": 8}), DEPTHWISE),
    ):
        other = fresh_net(digits_manifest, network=network, archid=archid).architecture
        assert not is_wider(other, net)


def test_a_training_starts_from_a_narrower_net(digits_manifest: Path, tmp_path: Path) -> None:
    narrow = fresh_net(digits_manifest, seed=5, network=MODERN)
    path = tmp_path / "model.safetensors"
    save_model(path, narrow, load(digits_manifest)[0].manifest)
    wider = fresh_net(digits_manifest, network=MODERN.model_copy(update={"channels": 6}))
    settings = {
        "epochs": 1,
        "batch_size": 60,
        "learning_rate": 1e-9,
        "initial_weights": str(path),
    }
    trained = train(wider, load(digits_manifest), TrainingConfig.parse(settings, "t"), 0).net
    # The image has one channel in both nets, so nothing is shared; at this rate no weight moves.
    stem = trained.stem.conv.weight
    torch.testing.assert_close(stem[:4], narrow.stem.conv.weight, rtol=0, atol=1e-6)
    torch.testing.assert_close(stem[4:], stem[:2], rtol=0, atol=1e-6)


def test_a_narrower_net_is_refused(digits_manifest: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_model(path, fresh_net(digits_manifest, network=MODERN), load(digits_manifest)[0].manifest)
    settings = TrainingConfig.parse({"epochs": 1, "initial_weights": str(path)}, "t")
    narrower = fresh_net(digits_manifest, network=MODERN.model_copy(update={"channels": 3}))
    with pytest.raises(ConfigError, match=r"with 4 channels.* with 3 channels.*fewer channels"):
        train(narrower, load(digits_manifest), settings, 0)
