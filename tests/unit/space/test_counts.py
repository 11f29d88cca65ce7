import pytest

from spikernel.config import NetworkConfig
from spikernel.errors import ConfigError
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell
from spikernel.space.counts import memory_mb, parameter_count

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


def test_modern_parts_by_hand() -> None:
    network = NetworkConfig(
        macro="modern", channels=2, stages=2, stem_convolutions=2, convolutions={5: "depthwise"}
    )
    cell = Cell.from_archid("d5-zero-k3-zero-skip-zero")
    parts = parameter_count(Architecture(cell, network, ImageShape(1, 8, 10)))
    # Every layer of neurons has a time constant; both convolutions leave node 0 and share one.
    first = (2 * 2 + 2 * 25 + 2 * 2) + (2 * 2 * 9 + 2 * 2) + 1
    second = (4 * 4 + 4 * 25 + 2 * 4) + (4 * 4 * 9 + 2 * 4) + 1
    assert parts.modules == {
        "stem": 1 * 2 * 9 + 2 * 2,
        "stem2": 1 + 2 * 2 * 9 + 2 * 2,
        "cell1": first,
        "cell1_2": first,
        "transition": 2 * 2 + 1 + 2 * 4 * 9 + 2 * 4,
        "cell2": second,
        "cell2_2": second,
        "head": 2 * 4 + 1 + (4 + 1) * 10,
    }


def test_modern_default_by_hand() -> None:
    stem = (3 * 64 * 9 + 128) + (64**2 * 9 + 128 + 1)
    transitions = (128 + 1 + 64 * 128 * 9 + 256) + (256 + 1 + 128 * 256 * 9 + 512)
    head = 2 * 256 + 1 + 257 * 10
    widths = (64, 128, 256)  # of three stages of two cells
    dense = sum(2 * (9 * width**2 + 2 * width) for width in widths)
    large = sum(2 * (width**2 + 49 * width + 2 * width) for width in widths)
    assert (dense, large) == (1_550_080, 217_728)
    neurons = 3 * 6  # the three firing nodes of the chain in six cells
    around = stem + transitions + head + neurons
    assert count("k3-zero-skip-k3-zero-k3", CIFAR10, macro="modern") == around + 3 * dense
    assert count("k3-zero-skip-k3-zero-d7", CIFAR10, macro="modern") == around + 2 * dense + large
    small = sum(2 * (width**2 + 9 * width + 2 * width) for width in widths)
    assert count("d3-zero-skip-d3-zero-d3", CIFAR10, macro="modern") == around + 3 * small
    # The dearest cell of SNASNet's own set fits ten million, with the head for a hundred classes.
    dearest = around + 6 * dense + 257 * 90
    assert count("k3-k3-k3-k3-k3-k3", CIFAR100, macro="modern") == dearest < 10_000_000


def test_compact_parts_by_hand() -> None:
    network = NetworkConfig(
        macro="compact", channels=4, stages=2, stage_widths=(1, 2), stem_channels=6
    )
    cell = Cell.from_archid("k3-zero-skip-d5-zero-k1")
    architecture = Architecture(cell, network, ImageShape(1, 16, 10))
    # Norms have a shift alone, and there is none but behind convolutions; neurons have nothing.
    assert parameter_count(architecture).modules == {
        "stem": 1 * 6 * 9 + 6,  # its weights are not trained, but stored
        "transition0": 6 * 4 * 9 + 4,
        "cell1": (4 * 4 * 9 + 4) + (4 * 4 + 4 * 25 + 4) + (4 * 4 + 4),
        "transition": 4 * 8 * 9 + 8,
        "cell2": (8 * 8 * 9 + 8) + (8 * 8 + 8 * 25 + 8) + (8 * 8 + 8),
        "head": (8 + 1) * 10,
    }


def test_compact_default_by_hand() -> None:
    stem = 3 * 24 * 9 + 24
    transitions = (24 * 64 + 64 * 256 + 256 * 256) * 9 + 64 + 256 + 256
    edges = sum(width**2 * 9 + width for width in (64, 256, 256))
    expected = stem + transitions + 3 * edges + 257 * 10
    assert count("k3-zero-skip-k3-zero-k3", CIFAR10, macro="compact") == expected


def test_memory() -> None:
    assert memory_mb(1_000_000, "fp32") == 4.0
    assert memory_mb(1_000_000, "fp16") == 2.0
    assert memory_mb(1_000_000, "int8") == 1.0


def test_impossible_architectures_say_what_to_change() -> None:
    cell = Cell.from_archid("zero-zero-k9-zero-zero-zero")
    with pytest.raises(ConfigError, match="kernel size 9 is larger than the 8x8 images"):
        Architecture(cell, NetworkConfig(), ImageShape(1, 8, 10))
    small = Cell.from_archid("zero-zero-k3-zero-zero-zero")
    with pytest.raises(ConfigError, match="8 pixels are too small for stem_stride 1 and 5 stages"):
        Architecture(small, NetworkConfig(stages=5, head="gap"), ImageShape(1, 8, 10))
    early = {"stages": 4, "early_transition": True, "head": "gap"}
    with pytest.raises(ConfigError, match="8 pixels are too small for stem_stride 1 and 4 stages"):
        Architecture(small, NetworkConfig(**early), ImageShape(1, 8, 10))
    with pytest.raises(ConfigError, match="network/pool 8 is larger than the 4x4 maps"):
        Architecture(small, NetworkConfig(pool=8), ImageShape(1, 8, 10))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stem_channels": 5}, "an even number of at most 18 channels, not 5: set stem_channels"),
        ({"stem_channels": 20}, "an even number of at most 18 channels, not 20"),
        ({"stem_channels": None, "channels": 7}, "an even number of at most 18 channels, not 7"),
        (
            {"early_transition": False},
            "stem_channels 6 is not the 4 channels of the first stage: leave it out, or set early",
        ),
    ],
)
def test_impossible_stems_say_what_to_change(changes: dict[str, object], message: str) -> None:
    cell = Cell.from_archid("zero-zero-k3-zero-zero-zero")
    given = {"macro": "compact", "channels": 4, "stem_channels": 6}
    Architecture(cell, NetworkConfig(**given), ImageShape(1, 16, 10))
    with pytest.raises(ConfigError, match=message):
        Architecture(cell, NetworkConfig(**given | changes), ImageShape(1, 16, 10))
