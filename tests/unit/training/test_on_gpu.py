"""Trainings on a GPU; the nets that they give are those that a CPU runs."""

from pathlib import Path

import pytest
import torch
from toy import fresh_net, load

from spikernel.config import NetworkConfig, TrainingConfig
from spikernel.inference.normaliser import Normaliser
from spikernel.inference.predict import binary_logits, to_device
from spikernel.training.loop import train

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
COMPACT = {
    "macro": "compact",
    "stage_widths": [1, 2],
    "stem_channels": 8,
    "stem_weights": "learned",
}
NETWORKS = {
    "integer": COMPACT,
    "if_soft": {**COMPACT, "neuron": "if_soft", "time_steps": 4},
    "lif": {"macro": "modern", "time_steps": 2},
    "plif": {"macro": "modern", "time_steps": 2, "learnable_tau": True},
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_net_trained_on_a_gpu_gives_the_same_classes_on_a_cpu(
    digits_manifest: Path, name: str
) -> None:
    network = NetworkConfig.parse({"channels": 8, "stages": 2, **NETWORKS[name]}, "toy")
    settings = TrainingConfig.parse(
        {"recipe": "engine", "epochs": 12, "batch_size": 36, "flip": "none", "crop_padding": 0},
        "toy",
    )
    splits = load(digits_manifest)
    net = fresh_net(digits_manifest, network=network).to("cuda")
    trained = train(net, splits, settings, 0)
    assert trained.history[-1].train_accuracy_percent > 40  # ten classes: chance is 10 %
    logits = {}
    for place in ("cuda", "cpu"):
        device = torch.device(place)
        images, _ = to_device(splits[1], device)
        manifest = splits[1].manifest
        normalise = Normaliser(manifest.mean, manifest.sd, device)
        logits[place] = binary_logits(trained.net.to(device), images, normalise).cpu()
    assert torch.equal(logits["cuda"].argmax(1), logits["cpu"].argmax(1))
    torch.testing.assert_close(logits["cuda"], logits["cpu"], rtol=1e-3, atol=1e-3)
