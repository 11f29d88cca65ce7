import math

import pytest
import torch
from toy import NETWORK

from spikernel.config import TrainingConfig
from spikernel.network.spiking_net import build_net
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell
from spikernel.training.optimiser import learning_rate, make_optimiser, set_learning_rate


def test_reference_schedule_equals_pytorchs() -> None:
    """SNASNet: CosineAnnealingLR over the epochs, down to 1 % of the peak."""
    settings = TrainingConfig(epochs=10)
    optimiser = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=10, eta_min=0.001)
    for epoch in range(10):
        for step in range(7):
            ours = learning_rate(settings, 0.1, epoch * 7 + step, 7)
            assert ours == pytest.approx(optimiser.param_groups[0]["lr"], abs=1e-9)
        optimiser.step()
        scheduler.step()


def test_warm_up_then_cosine_per_step_by_hand() -> None:
    settings = TrainingConfig(
        epochs=3,
        warmup_fraction=1 / 3,
        schedule_interval="step",
        final_lr_fraction=0,
    )
    rates = [learning_rate(settings, 1.0, step, 4) for step in range(12)]
    assert rates[:4] == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert rates[4] == 1.0
    assert rates[8] == pytest.approx(0.5)
    assert rates[11] == pytest.approx((1 + math.cos(math.pi * 7 / 8)) / 2)


def test_straight_line_by_hand_for_every_group() -> None:
    settings = TrainingConfig.parse(
        {
            "epochs": 2, "learning_rate": 0.8, "norm_learning_rate": 0.4, "head_learning_rate": 0.2,
            "schedule": "linear", "schedule_interval": "step", "final_lr_fraction": 0.5,
        },
        "t",
    )  # fmt: skip
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.Linear(2, 2, bias=False))
    optimiser = make_optimiser(net, settings)
    rates = []
    for step in range(4):
        set_learning_rate(optimiser, settings, step, 2)
        rates.append([group["lr"] for group in optimiser.param_groups])
    # From the peak towards half of it, in four steps: 8/8, 7/8, 6/8, 5/8 of it.
    assert rates == [
        pytest.approx(row)
        for row in ([0.8, 0.4, 0.2], [0.7, 0.35, 0.175], [0.6, 0.3, 0.15], [0.5, 0.25, 0.125])
    ]


@pytest.mark.parametrize("decay_norm", [True, False])
@pytest.mark.parametrize("name", ["sgd", "adamw", "muon"])
def test_groups_hold_every_parameter_once(name: str, decay_norm: bool) -> None:
    cell = Cell.from_archid("k3-zero-skip-k1-zero-k3")
    net = build_net(Architecture(cell, NETWORK, ImageShape(1, 8, 10)), 0, torch.device("cpu"))
    settings = TrainingConfig.model_validate(
        {"optimizer": name, "decay_norm": decay_norm, "weight_decay": 0.5, "momentum": 0.8}
    )
    groups = make_optimiser(net, settings).param_groups
    counted = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(counted) == sorted(id(parameter) for parameter in net.parameters())
    assert groups[0]["weight_decay"] == 0.5
    assert groups[1]["weight_decay"] == 0.5 * decay_norm
    assert all(parameter.ndim == 1 for parameter in groups[1]["params"])
