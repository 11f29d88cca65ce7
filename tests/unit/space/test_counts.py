import pytest

from spikernel.config import NetworkConfig
from spikernel.errors import ConfigError
from spikernel.space import Architecture, Cell, ImageShape, memory_mb, parameter_count

CIFAR10 = ImageShape(3, 32, 10)
CIFAR100 = ImageShape(3, 32, 100)


def count(archid: str, images: ImageShape, **network: object) -> int:
    architecture = Architecture(Cell.from_archid(archid), NetworkConfig(**network), images)
    return parameter_count(architecture).total


def test_published_snasnet_cifar10() -> None:
    # Cell 0303 0030 2002 0200 with second average pooling 4; the paper states 19.52 M.
    params = count("k3-k1r-k3-k3-k1r-k1", CIFAR10, channels=256, pool=4)
    assert params == 19_520_356


def test_published_snasnet_cifar100() -> None:
    # Cell 0302 0030 3003 0000. The paper states 20.63 M, which is reached with the running
    # means and variances of the 2,688 batch norm channels.
    params = count("k3-k3r-k1-k3-zero-k3", CIFAR100, channels=128, pool=2, votes=5)
    assert params == 20_624_500
    assert round((params + 2 * 2_688) / 1e6, 2) == 20.63


@pytest.mark.parametrize("convolutions", range(7))
def test_spikenas_bench_formula(convolutions: int) -> None:
    operations = ["k3"] * convolutions + ["skip"] * (6 - convolutions)
    params = count("-".join(operations), CIFAR10, channels=128, pool=2)
    assert params == 17_179_620 + 738_048 * convolutions


def test_parts_by_hand() -> None:
    network = NetworkConfig(channels=2, pool=2, hidden=5, votes=3)
    cell = Cell.from_archid("zero-zero-k3-zero-zero-zero")
    parts = parameter_count(Architecture(cell, network, ImageShape(1, 8, 10)))
    assert parts.modules == {
        "stem": 1 * 2 * 9 + 2 * 2,
        "cell1": 2 * 2 * 9 + 2 * 2,
        "transition": 2 * 2 + 2 * 4 * 9 + 2 * 4,
        "cell2": 4 * 4 * 9 + 2 * 4,
        # Maps of 4x4 after the transition, 2x2 after the pooling: 16 features.
        "head": 2 * 4 + 16 * 5 + (5 + 1) * 30,
    }
    assert parts.total == 22 + 40 + 84 + 152 + 268


def test_global_average_pooling_head_by_hand() -> None:
    network = NetworkConfig(channels=2, head="gap", votes=3)
    cell = Cell.from_archid("zero-zero-skip-zero-zero-zero")
    parts = parameter_count(Architecture(cell, network, ImageShape(1, 8, 10)))
    assert parts.modules["head"] == 2 * 4 + (4 + 1) * 30


def test_memory() -> None:
    assert memory_mb(1_000_000, "fp32") == 4.0
    assert memory_mb(1_000_000, "fp16") == 2.0
    assert memory_mb(1_000_000, "int8") == 1.0


def test_impossible_architectures_say_what_to_change() -> None:
    cell = Cell.from_archid("zero-zero-k9-zero-zero-zero")
    with pytest.raises(ConfigError, match="kernel size 9 is larger than the 8x8 images"):
        Architecture(cell, NetworkConfig(), ImageShape(1, 8, 10))
    small = Cell.from_archid("zero-zero-k3-zero-zero-zero")
    with pytest.raises(ConfigError, match="network/pool 8 is larger than the 4x4 maps"):
        Architecture(small, NetworkConfig(pool=8), ImageShape(1, 8, 10))
