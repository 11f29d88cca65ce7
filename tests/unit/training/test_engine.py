"""Recipe `engine` as a whole."""

from pathlib import Path

import pytest
import torch
from toy import MODERN, fresh_net, load

from spikernel.config import TrainingConfig
from spikernel.errors import UnfinishedError
from spikernel.training.loop import Trained, train

# Equal on every CPU: bfloat16 is what the processor decides on otherwise.
SETTINGS = TrainingConfig.parse(
    {
        "recipe": "engine", "epochs": 12, "batch_size": 36, "cpu_bfloat16": False, "flip": "none",
        "crop_padding": 0,
    },
    "toy",
)  # fmt: skip


def run(manifest: Path, **where: object) -> Trained:
    net = fresh_net(manifest, network=MODERN)
    return train(net, load(manifest), SETTINGS, 0, **where)  # type: ignore[arg-type]


def test_engine_learns_and_goes_on_to_the_same_weights(
    digits_manifest: Path, tmp_path: Path
) -> None:
    whole = run(digits_manifest)
    assert whole.history[-1].train_accuracy_percent > 40  # ten classes: chance is 10 %
    state = tmp_path / "state"
    for _ in range(9):  # of 5 steps and a validation an epoch: into the second one
        with pytest.raises(UnfinishedError):
            run(digits_manifest, state_path=state, max_seconds=1e-6)
    joined = run(digits_manifest, state_path=state)
    weights = whole.net.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in joined.net.state_dict().items())
