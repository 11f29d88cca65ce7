"""What no net can be below is indeed below what real ones take."""

from typing import Any

import pytest
import torch

from spikernel.config import NetworkConfig, SearchConfig
from spikernel.export.lowering import lower
from spikernel.export.memory_plan import plan
from spikernel.export.quantise import quantise
from spikernel.network.spiking_net import build_net
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell
from spikernel.study import limits
from spikernel.study.bounds import Bounds

SMALL = {"time_steps": 2, "channels": 4, "pool": 2, "hidden": 8, "votes": 3}
MODERN = {"macro": "modern", "channels": 4, "stages": 2, "votes": 2}
COMPACT = {"macro": "compact", "channels": 4, "stage_widths": [1, 2, 2], "stem_channels": 6}
STRIDED = {**SMALL, "downsampling": "stride", "learnable_tau": True}


@pytest.mark.parametrize("given", [SMALL, MODERN, COMPACT, STRIDED])
def test_real_nets_take_more(given: dict[str, Any]) -> None:
    network, images = NetworkConfig.parse(given, "network"), ImageShape(1, 16, 10)
    cell = Cell.from_archid("zero-zero-k1-zero-zero-zero")  # the smallest
    net = build_net(Architecture(cell, network, images), 0, torch.device("cpu"))
    program = quantise(lower(net, [0.5], [0.5], [str(label) for label in range(10)]))
    least = limits.least_flash_bytes(Bounds(SearchConfig(), network, images), [1, 3])
    assert 0.3 * program.parameter_bytes < least < program.parameter_bytes
    largest = limits.largest_map_bytes(network, images)
    assert 0.1 * plan(program).ram_bytes < largest < plan(program).ram_bytes
    assert largest == 4 * max(step.target.size for step in program.steps)


def test_by_hand() -> None:
    images = ImageShape(1, 8, 10)
    network = NetworkConfig.parse(SMALL, "network")
    # The 822 parameters of test_experiment.py, which has one vote.
    assert limits.least_flash_bytes(Bounds(SearchConfig(), network, images), [1, 3]) == 822
    # The transition's 8 channels at full size; where it strides, the stem's 4.
    assert limits.largest_map_bytes(network, images) == 4 * 8 * 8**2
    network = NetworkConfig.parse(STRIDED, "network")
    assert limits.largest_map_bytes(network, images) == 4 * 4 * 8**2
