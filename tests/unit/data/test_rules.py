from typing import Any

import pytest

from spikernel.config import WorkflowConfig
from spikernel.data.rules import check_datasets, image_size
from spikernel.errors import ConfigError


def parse(changes: dict[str, Any]) -> WorkflowConfig:
    return WorkflowConfig.parse(
        {"experiment": "x", "datasets": {"digits": {}}, **changes}, "config"
    )


def test_sides_of_images() -> None:
    given = {"digits": {}, "cifar10": {}, "cifar100": {}, "tinyimagenet": {}}
    mine = {"mine": {"kind": "imagefolder", "image_size": 20}}
    config = parse({"datasets": given | mine})
    check_datasets(config)
    sides = [image_size(name, settings) for name, settings in config.datasets.items()]
    assert sides == [8, 32, 32, 64, 20]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"kernel_impact": {"kernel_sizes": [1, 3, 5, 9]}},
            "kernel size 9 is larger than the 8x8 images of data set digits: remove that size",
        ),
        (
            {"datasets": {"mine": {"kind": "imagefolder"}}},
            "data set mine: kind imagefolder needs image_size",
        ),
        (
            {"datasets": {"cifar10": {"image_size": 16}}},
            "data set cifar10: image_size is fixed for cifar10: remove it",
        ),
        (
            {"datasets": {"cifar10": {"accept_altered": True}}},
            "datasets/cifar10: accept_altered has no meaning for kind cifar10: remove it",
        ),
    ],
)
def test_what_a_kind_does_not_allow(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_datasets(parse(changes))
