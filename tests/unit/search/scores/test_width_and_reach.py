import math

import pytest
import torch

from spikernel.config import NetworkConfig, SearchConfig
from spikernel.search.scores import width_and_reach
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell


@pytest.mark.parametrize(
    ("archid", "reach"),
    [
        ("zero-zero-k1-zero-zero-zero", 1),
        ("zero-zero-k3-zero-zero-zero", 3),
        ("k3-zero-k7-skip-k3-k5", 7),  # 3x3, skip, 5x5 sees 7; 3x3, 3x3 sees 5; 7x7 sees 7
        ("k3-zero-skip-k3-zero-k3", 7),
        ("zero-zero-avg-zero-zero-k5", 1),  # pooling does not count, a node without input neither
    ],
)
def test_channels_and_the_widest_receptive_field(archid: str, reach: int) -> None:
    images = ImageShape(channels=3, size=32, classes=10)
    for channels in (4, 20):
        net = Architecture(Cell.from_archid(archid), NetworkConfig(channels=channels), images)
        found = width_and_reach.Score(SearchConfig(), [], torch.device("cpu")).score(net)
        assert found == pytest.approx(math.log(channels) + math.log(reach) / 3)


def test_no_way_through_is_no_score() -> None:
    net = Architecture(
        Cell.from_archid("k3-k3-zero-k3-zero-zero"), NetworkConfig(), ImageShape(3, 32, 10)
    )
    score = width_and_reach.Score(SearchConfig(), [], torch.device("cpu"))
    assert score.score(net) == -math.inf
