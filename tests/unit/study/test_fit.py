"""Whether weights are those of a training: what rounding may change, and what it may not."""

from pathlib import Path

import pytest

from spikernel.config import NetworkConfig
from spikernel.errors import DataError
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell
from spikernel.study.fit import check_metrics

ARCHID = "zero-zero-k3-zero-zero-zero"
ARCHITECTURE = Architecture(
    Cell.from_archid(ARCHID), NetworkConfig(pool=2, hidden=8), ImageShape(1, 8, 10)
)


@pytest.mark.parametrize(
    ("images", "right", "most"),
    [
        (10_000, 9369, 10),  # a thousandth
        (359, 355, 3),  # three images
    ],
)
def test_accuracies_may_differ_by_rounding_alone(images: int, right: int, most: int) -> None:
    recorded = {"archid": ARCHID, "test_accuracy_percent": 100 * right / images}
    for apart in (0, most, -most):
        reached = 100 * (right + apart) / images
        check_metrics(ARCHITECTURE, reached, images, recorded, Path("metrics.json"))
    for apart in (most + 1, -most - 1):
        reached = 100 * (right + apart) / images
        with pytest.raises(DataError, match="altered or are of another training"):
            check_metrics(ARCHITECTURE, reached, images, recorded, Path("metrics.json"))
