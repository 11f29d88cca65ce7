import pytest

from spikernel.data.chance import chance_percent


@pytest.mark.parametrize(
    ("per_class", "percent"), [((10, 10, 10, 10), 25), ((90, 10, 1), 9000 / 101), ((0, 7), 100)]
)
def test_guessing_the_largest_class(per_class: tuple[int, ...], percent: float) -> None:
    assert chance_percent(per_class) == pytest.approx(percent)
