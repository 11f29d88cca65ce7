import pytest

from spikernel.config import FinalConfig, NetworkConfig, model_name, width_suffix
from spikernel.errors import ConfigError
from spikernel.space.macro import scaled


def test_widths_are_those_of_all_sets_or_of_the_sets_that_are_named() -> None:
    assert FinalConfig().widths_of("k1-3") == (1,)
    assert FinalConfig(widths=(0.5, 1)).widths_of("k1-3") == (0.5, 1)
    named = FinalConfig.parse({"widths": {"design-1": [0.5, 2]}}, "config")
    assert (named.widths_of("design-1"), named.widths_of("k1-3")) == ((0.5, 2), (1,))


@pytest.mark.parametrize(
    ("widths", "message"),
    [
        ([0.5, 0.5], r"widths: must list at least one value and none twice, got \[0.5, 0.5\]"),
        ({"design-1": [1, 0]}, r"widths/design-1/1: must be at least 0.01 \(found 0\)"),
        ({"design-1": []}, r"widths/design-1: must list at least one value"),
        (2, "widths: must be a list"),
    ],
)
def test_bad_widths_are_named(widths: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        FinalConfig.parse({"widths": widths}, "config")


def test_models_are_named_by_their_width_where_it_is_not_1() -> None:
    assert (width_suffix(1), width_suffix(0.5), width_suffix(2)) == ("", "_width-0.5", "_width-2")
    assert (model_name(3, 1), model_name(3, 0.25)) == ("rank 3", "rank 3 width 0.25")


def test_scaling_changes_channels_alone() -> None:
    network = NetworkConfig(macro="compact", channels=10)
    half = scaled(network, 0.25)
    assert half.channels == 2  # of 2.5, as Python rounds
    assert half.model_copy(update={"channels": 10}) == network
    with pytest.raises(ConfigError, match=r"network/channels 10 gives 0\.5 channels"):
        scaled(network, 0.05)
