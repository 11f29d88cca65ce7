import math

import pytest
import torch

from spikernel.config import NetworkConfig, SearchConfig
from spikernel.search.scores import convolutions_after_clean_up, longest_convolution_path
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell


@pytest.mark.parametrize(
    ("archid", "longest", "convolutions"),
    [
        ("k3-zero-skip-k1-zero-k5", 3, 3),
        ("k3-k3-k3-k3-k3-k3", 3, 6),
        ("skip-k3-k3-zero-skip-skip", 1, 2),
        ("zero-zero-skip-k3-k3-k3", 0, 0),  # nodes 1 and 2 get nothing from the input
        ("k3-k3-zero-k3-zero-zero", -math.inf, 0),  # nothing reaches the output
        ("k3-zero-k3-zero-avg-zero", 1, 2),
        ("k3-k3-k3-zero-k3-k3r", 2, 3),  # node 2 hears from the output but tells nobody
        ("k3-zero-k3-k3r-k3-zero", 2, 3),
        ("zero-k3-k3-k3r-k5-zero", 1, 4),  # 0-2, back to 1, 1-3: a path over time only
    ],
)
def test_longest_path_and_convolutions(archid: str, longest: float, convolutions: int) -> None:
    images = ImageShape(channels=3, size=32, classes=10)
    architecture = Architecture(Cell.from_archid(archid), NetworkConfig(channels=4), images)
    nothing = (SearchConfig(), [], torch.device("cpu"))
    assert longest_convolution_path.Score(*nothing).score(architecture) == longest
    assert convolutions_after_clean_up.Score(*nothing).score(architecture) == convolutions
