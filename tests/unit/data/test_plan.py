import dataclasses

import numpy as np
import pytest

from spikernel.config import DatasetConfig
from spikernel.data.collection import Collection, array_pool
from spikernel.errors import ConfigError, DataError
from spikernel.study.prepare_data import make_plan


def pool(per_class, classes=3):
    labels = np.tile(np.arange(classes), per_class)
    return array_pool(np.zeros((len(labels), 1, 8, 8), np.uint8), labels)


def collection(**changes):
    base = Collection(("a", "b", "c"), 1, pool(40), pool(10), None, ())
    return dataclasses.replace(base, **changes)


def plan(data, **settings):
    made = make_plan("toy", data, DatasetConfig(kind="digits", **settings))
    return {split: chosen for split, (_, chosen) in made.items()}


def test_validation_is_cut_from_train():
    made = plan(collection(), validation_fraction=0.25)
    assert np.array_equal(np.union1d(made["train"], made["validation"]), np.arange(120))
    assert not np.intersect1d(made["train"], made["validation"]).size
    assert len(made["validation"]) == 30
    assert made["test"].tolist() == list(range(30))


def test_test_split_is_cut_from_the_pool_where_there_is_none():
    made = plan(collection(test=None))
    assert len(made["test"]) == 24
    together = np.concatenate(list(made.values()))
    assert np.array_equal(np.sort(together), np.arange(120))


def test_given_validation_images_are_taken_as_they_are():
    data = collection(validation=pool(5))
    made = make_plan("toy", data, DatasetConfig(kind="digits"))
    assert made["validation"][0] is data.validation
    assert [len(made[split][1]) for split in ("train", "validation", "test")] == [120, 15, 30]


def test_subsets_are_stratified_and_exact():
    made = plan(collection(), train_images=61, test_images=7, validation_fraction=0.1)
    assert len(made["train"]) + len(made["validation"]) == 61
    assert np.bincount(made["validation"] % 3).tolist() == [2, 2, 2]
    assert np.bincount(made["test"] % 3).tolist() == [3, 2, 2]


def test_seed_decides_and_one_setting_does_not_move_another():
    data = collection(test=None)
    same, other = plan(data, split_seed=4), plan(data, split_seed=5)
    again = plan(data, split_seed=4, test_images=9)
    for split in ("train", "validation"):
        assert np.array_equal(again[split], same[split])
        assert not np.array_equal(other[split], same[split])
    assert set(again["test"]) < set(same["test"])


@pytest.mark.parametrize(
    ("data", "settings", "kind", "message"),
    [
        ({}, {"train_images": 121}, ConfigError, "train_images asks for 121 .* there are 120"),
        ({}, {"test_images": 31}, ConfigError, "test_images asks for 31 images, .* are 30"),
        ({}, {"train_images": 2}, ConfigError, "no training image of class 'c'.*at least 6"),
        ({"train": pool(1)}, {}, DataError, "no class has two training images"),
        ({"train": pool(9, 2)}, {}, DataError, "no training image of class c: add some, or remove"),
        ({"test": pool(0)}, {}, DataError, "there is no test image"),
        ({"classes": ("a",)}, {}, DataError, "images of 1 class; two are needed"),
    ],
)
def test_impossible_plans_are_refused(data, settings, kind, message):
    with pytest.raises(kind, match=message):
        plan(collection(**data), **settings)
