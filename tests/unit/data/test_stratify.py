import numpy as np
import pytest

from spikernel.data import stratify

LABELS = np.repeat([0, 1, 2, 3], [10, 5, 2, 1])


def per_class(chosen):
    return np.bincount(LABELS[chosen], minlength=4).tolist()


def test_holdout_rounds_half_up_and_keeps_one_on_either_side():
    # 0.3 * (10, 5, 2, 1) = 3, 1.5, 0.6, 0.3
    assert per_class(stratify.holdout(LABELS, 0.3, 0)) == [3, 2, 1, 0]
    assert per_class(stratify.holdout(LABELS, 0.01, 0)) == [1, 1, 1, 0]
    assert per_class(stratify.holdout(LABELS, 0.89, 0)) == [9, 4, 1, 0]


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        (0, [0, 0, 0, 0]),
        # quotas 5, 2.5, 1, 0.5: the two halves compete, and the smaller index is served
        (9, [5, 3, 1, 0]),
        # quotas 5.56, 2.78, 1.11, 0.56: the remainder of class 1 is largest, then 0 and 3 tie
        (10, [6, 3, 1, 0]),
        (17, [9, 5, 2, 1]),
        (18, [10, 5, 2, 1]),
    ],
)
def test_subset_has_the_exact_total_by_largest_remainder(total, expected):
    chosen = stratify.subset(LABELS, total, 0)
    assert per_class(chosen) == expected
    assert len(set(chosen.tolist())) == total


def test_subset_refuses_more_than_there_is():
    with pytest.raises(ValueError, match="19 of 18"):
        stratify.subset(LABELS, 19, 0)


def test_draws_follow_the_seed_and_are_ascending():
    labels = np.arange(500) % 5
    first = stratify.holdout(labels, 0.2, 7)
    assert np.array_equal(first, stratify.holdout(labels, 0.2, 7))
    assert not np.array_equal(first, stratify.holdout(labels, 0.2, 8))
    assert (np.diff(first) > 0).all()


def test_a_smaller_subset_lies_within_a_larger_one():
    labels = np.arange(500) % 5
    small, large = (set(stratify.subset(labels, total, 3).tolist()) for total in (50, 200))
    assert small < large


def test_draw_is_a_permutation_of_each_class_in_turn():
    generator = np.random.default_rng(11)
    expected = [generator.permutation(np.flatnonzero(label == LABELS))[:1] for label in range(3)]
    assert stratify.holdout(LABELS, 0.01, 11).tolist() == sorted(np.concatenate(expected).tolist())


def test_without_is_the_complement():
    assert stratify.without(6, np.array([1, 4])).tolist() == [0, 2, 3, 5]
