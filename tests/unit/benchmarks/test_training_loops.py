"""The loops that training speed is measured against train the same net in the same way."""

from pathlib import Path

import pytest
import torch
from snasnet_loop import ReferenceNet
from spikingjelly.activation_based import functional
from spikingjelly_loop import SpikingJellyNet, SpikingJellyTraining
from torch import Tensor, nn
from toy import load
from train_speed import LOOPS, measure, measure_share
from training_loops import Setup, convolutions_of, copy_weights

from spikernel.config import NetworkConfig, TrainingConfig
from spikernel.network.spiking_net import SpikingNet, build_net
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell
from spikernel.study.shapes import image_shape
from spikernel.training.progress import Progress
from spikernel.training.trainer import make_trainer

# A low threshold, so that spikes reach the outputs of so small a net from the start.
NETWORK = NetworkConfig(
    time_steps=3, channels=4, pool=2, hidden=32, votes=2, dropout=0.0, threshold=0.4
)
CELLS = ["k3-zero-skip-k3-zero-k3", "k3-skip-k1-avg-k3-k1"]


def our_net(archid: str, images: ImageShape) -> SpikingNet:
    architecture = Architecture(Cell.from_archid(archid), NETWORK, images)
    return build_net(architecture, 0, torch.device("cpu"))


@pytest.mark.parametrize("archid", CELLS)
@pytest.mark.parametrize("net_type", [ReferenceNet, SpikingJellyNet])
def test_same_weights_same_outputs(archid: str, net_type: type[nn.Module]) -> None:
    images = ImageShape(channels=1, size=8, classes=10)
    ours = our_net(archid, images)
    theirs = net_type(ours.architecture.cell, NETWORK, images)
    x = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 3
    with torch.no_grad():
        for _ in range(20):
            ours.train()(x)  # running statistics
        copy_weights(ours, theirs)
        expected = ours.eval()(x).mean(0)
        outputs = theirs.eval()(x)
    functional.reset_net(theirs)
    outputs = outputs.mean(0) if outputs.dim() == 3 else outputs
    assert expected.std() > 0  # spikes reach the outputs
    torch.testing.assert_close(outputs, expected, rtol=1e-5, atol=1e-6)


def test_fifty_steps_give_the_losses_of_the_spikingjelly_loop(digits_manifest: Path) -> None:
    """Augmentation off, float32: the same losses to rounding.

    Spikes hide small differences of the weights below them, unless one lands on the other side
    of the threshold; so small a net with these seeds has no such case.
    """
    train, validation = load(digits_manifest)
    settings = TrainingConfig(
        epochs=5, batch_size=18, flip="none", crop_padding=0, learning_rate=0.03,
        final_lr_fraction=1.0, weight_decay=5e-4,
    )  # fmt: skip
    net = our_net(CELLS[0], image_shape(train.manifest))
    theirs = SpikingJellyNet(net.architecture.cell, NETWORK, net.architecture.images)
    copy_weights(net, theirs)
    reference = SpikingJellyTraining(theirs, learning_rate=0.03)
    trainer = make_trainer(net, (train, validation), settings, seed=0)
    seen: list[tuple[Tensor, Tensor]] = []
    step = trainer.train_batch

    def remember(chosen: Tensor, number: int) -> tuple[Tensor, Tensor]:
        seen.append((trainer.normalise(trainer.images[chosen]), trainer.labels[chosen]))
        return step(chosen, number)

    trainer.train_batch = remember  # type: ignore[method-assign]
    progress = Progress([1] * 5, len(train.labels))
    ours = torch.cat(
        [trainer.train_epoch(trainer.begin_epoch(epoch), progress) for epoch in range(1, 6)]
    )
    expected = torch.tensor([reference.step(*batch) for batch in seen])
    assert len(expected) == 50
    assert expected[-5:].mean() < expected[:5].mean() - 0.3  # it learns
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5)
    copied = our_net(CELLS[0], net.architecture.images)
    copy_weights(theirs, copied)
    for name, weight in copied.named_parameters():
        torch.testing.assert_close(net.get_parameter(name), weight, rtol=1e-3, atol=1e-5)


def test_speed_of_all_loops_is_measured(digits_manifest: Path) -> None:
    setup = Setup(
        digits_manifest, CELLS[0], NETWORK, batch_size=4, workers=1, threads=1,
        device=torch.device("cpu"), seed=0,
    )  # fmt: skip
    result = measure(setup, steps=1, rounds=1, warmup=1)
    assert set(result["images_per_s"]) == set(result["peak_memory_mb"]) == set(LOOPS)
    rate = result["images_per_s"]
    assert result["vs_snasnet_loop"] == rate["ours"] / rate["snasnet"]
    assert result["vs_spikingjelly_loop"] == rate["ours"] / rate["spikingjelly"]
    # Stem 1 to 4 channels at 8x8, 3x3: 4 * 9 * 64 products, forward and for its weights; then,
    # three times (inputs too) and at 3 time steps: three 3x3 convolutions of 4 channels at 8x8,
    # the transition to 8, three of 8 channels at 4x4, and the head, 8 * 2 * 2 to 32 to 20.
    stem, body = 4 * 9 * 64, 9 * (64 * (3 * 16 + 32) + 16 * 3 * 64) + 32 * 32 + 32 * 20
    assert result["training_flop_per_image"] == 2 * (2 * stem + 3 * 3 * body)
    assert result["mfu"] > 0


def test_convolutions_of_a_step_by_hand() -> None:
    network = NetworkConfig.parse(
        {
            "macro": "compact", "channels": 4, "stages": 2, "stage_widths": [1, 2],
            "stem_channels": 6, "neuron": "if_soft", "time_steps": 3,
        },
        "toy",
    )  # fmt: skip
    cell = Cell.from_archid("zero-zero-k3-zero-zero-zero")
    net = build_net(Architecture(cell, network, ImageShape(1, 8, 10)), 0, torch.device("cpu"))
    found = [(shape, wanted) for _, shape, wanted in convolutions_of(net.train(), batch_size=5)]
    # The stem reads 5 images once; the others 3 steps of them, before each pooling.
    assert found == [
        ((5, 1, 8, 8), False),
        ((15, 6, 8, 8), True),
        ((15, 4, 4, 4), True),
        ((15, 4, 4, 4), True),
        ((15, 8, 2, 2), True),
    ]


def test_share_of_the_convolutions_is_measured(digits_manifest: Path) -> None:
    network = NetworkConfig(
        macro="compact", channels=4, stages=2, stage_widths=(1, 2), stem_channels=6
    )
    setup = Setup(
        digits_manifest, "zero-zero-k3-zero-zero-zero", network, batch_size=8, workers=0, threads=1,
        device=torch.device("cpu"), seed=0, recipe="engine",
    )  # fmt: skip
    found = measure_share("integer", setup, steps=1, rounds=1, warmup=1)
    rate = found["images_per_s"]
    assert found["share_of_convolutions"] == rate["ours"] / rate["convolutions"] > 0
    assert found["dtype"] == "float32"
