"""The arithmetic of benchmarks/macro_ablation.py; its trainings are not tested."""

import math

import pytest
from macro_ablation import ASIDE, TRAIN_IMAGES, images_for, summarise
from macro_variants import CELLS, CHANNELS, MODERN, SMALL, VARIANTS, equal_parameters

from spikernel.config import NetworkConfig
from spikernel.errors import ConfigError
from spikernel.space.architecture import ImageShape
from spikernel.space.counts import parameter_count

IMAGES = ImageShape(3, 32, 10)


@pytest.mark.parametrize("archid", CELLS)
def test_all_variants_have_about_the_same_parameters(archid: str) -> None:
    budget = parameter_count(VARIANTS["snasnet"].architecture(archid, IMAGES, CHANNELS)).total
    for name in VARIANTS:
        params = parameter_count(equal_parameters(name, archid, IMAGES, CHANNELS)).total
        assert params == pytest.approx(budget, rel=0.2), name


def test_variants_differ_from_modern_in_one_part() -> None:
    modern = NetworkConfig.parse({"macro": MODERN, **SMALL}, "n").model_dump()
    for name, variant in VARIANTS.items():
        if variant.macro == MODERN and name not in (MODERN, "fc-head"):  # a head is five settings
            given = {"macro": MODERN, **SMALL, **variant.changes}
            other = NetworkConfig.parse(given, "n").model_dump()
            changed = [key for key in modern if modern[key] != other[key]]
            assert len(changed) + bool(variant.sizes) == 1, name


def test_differences_are_taken_in_pairs() -> None:
    counted = dict.fromkeys(
        ("params", "effective_acs", "effective_macs", "energy_pj", "seconds"), 1.0
    )
    accuracies = {
        (MODERN, "a", 0): 40.0, (MODERN, "a", 1): 50.0, (MODERN, "b", 0): 10.0,
        ("strided", "a", 0): 41.0, ("strided", "a", 1): 53.0, ("strided", "b", 0): 10.5,
    }  # fmt: skip
    rows = [
        {"variant": name, "archid": cell, "seed": seed, "accuracy_percent": value, **counted}
        for (name, cell, seed), value in accuracies.items()
    ]
    found = summarise("strided", rows)
    # Differences 1, 3 and 0.5: mean 1.5, variance (0.25 + 2.25 + 1) / 2 = 1.75.
    assert found["difference_percent"] == pytest.approx(1.5)
    assert found["standard_error_percent"] == pytest.approx(math.sqrt(1.75 / 3))
    assert summarise(MODERN, rows)["difference_percent"] == 0
    assert summarise("strided", [rows[0], rows[3]])["standard_error_percent"] is None


@pytest.mark.parametrize("train_images", [2000, TRAIN_IMAGES, 10_000])
def test_as_many_images_are_kept_aside_whatever_is_trained_on(train_images: int) -> None:
    dataset = images_for(train_images)
    assert dataset.train_images == max(train_images, TRAIN_IMAGES) + ASIDE
    assert dataset.validation_fraction * dataset.train_images == pytest.approx(ASIDE)
    with pytest.raises(ConfigError, match="must be 1 to 46000, got 46001"):
        images_for(46_001)
