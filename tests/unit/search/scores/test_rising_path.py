import math
from fractions import Fraction

import pytest
import torch

from spikernel.config import NetworkConfig, SearchConfig
from spikernel.search.scores.rising_path import Score, fan_in
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell

NETWORK = NetworkConfig(channels=4)
IMAGES = ImageShape(channels=3, size=32, classes=10)
HUGE = ImageShape(channels=3, size=4096, classes=10)


RISING_PATH = Score(SearchConfig(), [], torch.device("cpu"))


def score(archid: str, network: NetworkConfig = NETWORK, images: ImageShape = IMAGES) -> float:
    return RISING_PATH.score(Architecture(Cell.from_archid(archid), network, images))


def test_fan_in_counts_the_weights_that_touch_the_map() -> None:
    assert fan_in(1, channels=4, side=32) == 4
    # Three pixels in a row: a kernel of 3 touches 2, 3 and 2 of them, 7/3 on average.
    assert fan_in(3, channels=4, side=3) == 4 * Fraction(7, 3) ** 2
    # On a single pixel every size touches just that pixel.
    assert fan_in(7, channels=4, side=1) == 4
    # From the middle of two pixels on, larger kernels see no more.
    assert fan_in(3, channels=1, side=2) == fan_in(7, channels=1, side=2) == 4


def test_rising_path_by_hand() -> None:
    """Steps of a convolution: log fan-in over that of a 3x3; 4 channels, then 8."""
    assert score("zero-zero-skip-zero-zero-zero") == 0
    assert score("zero-zero-k3-zero-zero-zero") == 2  # one step in each of two cells
    assert score("k3-zero-skip-k3-zero-k3") == pytest.approx(6)
    assert score("k1-zero-zero-k1-zero-zero") == -math.inf
    # A 3x3 on the 32 and on the 16 pixels touches 2 of its 3 rows at both borders:
    # (3 * 32 - 2) / 32 and (3 * 16 - 2) / 16 rows on average. A 1x1 has a fan-in of 4, then of 8.
    first = math.log(4) / math.log(4 * (94 / 32) ** 2)
    second = math.log(8) / math.log(8 * (46 / 16) ** 2)
    assert score("zero-zero-k1-zero-zero-zero") == pytest.approx(first + second, abs=1e-12)


def test_thresholds_that_rise_along_a_path() -> None:
    # Two steps and a rise of 1.5 - 0.5 in each of two cells.
    assert score("k3t0.5-zero-skip-zero-k3t1.5-zero") == pytest.approx(2 * (2 + 1.0))
    assert score("k3t1.5-zero-skip-zero-k3t0.5-zero") == pytest.approx(2 * (2 - 1.0))
    assert score("k3t1.5-zero-skip-zero-k3-zero") == pytest.approx(2 * (2 - 0.5))
    # One layer of neurons has no rise, and what lies between first and last does not count.
    assert score("zero-zero-k3t0.5-zero-zero-zero") == 2
    assert score("k3t0.5-zero-skip-k3t9-zero-k3t1") == pytest.approx(2 * 3.5)
    # 0-3 with one step; 0-1-3 with two steps that fall by 1.4: the best path is the short one.
    assert score("k3t1.5-zero-k3-zero-k3t0.1-zero") == pytest.approx(2 * 1)
    # In thresholds of the net: a rise of 1 is half of a threshold of 2.
    network = NetworkConfig(channels=4, threshold=2.0)
    assert score("k3t0.5-zero-skip-zero-k3t1.5-zero", network) == pytest.approx(2 * 2.5)


def test_fan_in_of_factors_counts_independent_weights() -> None:
    # Parameters per output channel: 4 + 49 and 2 * 4 * 7, where dense has 4 * 49.
    side = 10**6
    assert float(fan_in(7, 4, side, "depthwise")) == pytest.approx(4 + 49, rel=1e-4)
    assert float(fan_in(7, 4, side, "factorised")) == pytest.approx(2 * 4 * 7, rel=1e-4)
    # On a single pixel every tap but the centre lies in the padding.
    assert fan_in(7, 4, 1, "depthwise") == 4 + 1
    assert fan_in(7, 4, 1, "factorised") == 4 + 4


def test_rising_path_of_a_deeper_macro_by_hand() -> None:
    """Three stages, the first with two cells: four cells of one step each."""
    network = NetworkConfig(channels=4, stages=3, cells_per_stage=(2, 1, 1), residual=True)
    assert score("zero-zero-k3t0.5-zero-zero-zero", network) == pytest.approx(4)


def test_what_the_output_does_not_see_counts_for_nothing() -> None:
    assert score("zero-k7-k3-zero-k7-zero") == score("zero-zero-k3-zero-zero-zero")
    assert score("k3-zero-k1-zero-skip-zero") == score("zero-k3-k1-zero-zero-skip")


def test_beside_the_best_path_nothing_counts() -> None:
    assert score("k3-k1-k5-k3-zero-k3") == score("k3-skip-skip-k3-zero-k3")
    assert score("k3-zero-skip-k3-zero-k3") == score("k3-skip-skip-k3-zero-k3")


def test_depth_and_kernel_sizes_are_ordered() -> None:
    ordered = [
        "zero-zero-skip-zero-zero-zero",
        "zero-zero-k1-zero-zero-zero",
        "zero-zero-k3-zero-zero-zero",
        "zero-zero-k5-zero-zero-zero",
        "zero-zero-k7-zero-zero-zero",
        "k3-zero-skip-zero-k3-zero",  # two 3x3 in a row beat one 7x7
        "k3-zero-skip-k3-zero-k3",
        "k5-zero-skip-k3-zero-k3",
        "k7-zero-skip-k7-zero-k7",
    ]
    scores = [score(archid, NetworkConfig()) for archid in ordered]
    assert scores == sorted(scores)
    assert len(set(scores)) == len(scores)


def test_a_large_map_hides_the_border() -> None:
    """A k x k convolution: log(C k^2), here with C = 4 and 8."""
    expected = math.log(4 * 49) / math.log(4 * 9) + math.log(8 * 49) / math.log(8 * 9)
    assert score("zero-zero-k7-zero-zero-zero", images=HUGE) == pytest.approx(expected, abs=0.01)


def test_equal_cells_tie_exactly() -> None:
    """Each has a path of the same two convolutions, in another order."""
    twins = ["k3-zero-skip-zero-k5-zero", "zero-k5-skip-zero-zero-k3", "k5-zero-skip-zero-k3-zero"]
    assert len({score(archid) for archid in twins}) == 1
