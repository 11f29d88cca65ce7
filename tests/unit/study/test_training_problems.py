"""What is wrong with trainings, said before a study starts."""

from typing import Any

import pytest
from experiments import SMALL, config, problems

from spikernel.config import TrainingConfig
from spikernel.errors import ConfigError
from spikernel.study import experiment


def test_a_step_that_takes_more_images_than_there_are() -> None:
    # Of 100 images 10 are held out; rounded in each of 10 classes, so that a few more may be left.
    data = {"digits": {"train_images": 100}}
    training = {"training": {"batch_size": 101}}
    assert problems(datasets=data, kernel_impact=training, train_final=training) == [
        f"{section}/training/batch_size: a step takes 101 training images, but data set digits has "
        "90 at most: lower it"
        for section in ("kernel_impact", "train_final")
    ]
    training = {"training": {"batch_size": 100}}
    experiment.check(config(datasets=data, train_final=training), "config")
    # How many images a folder holds is not known.
    data = {"digits": {"kind": "imagefolder", "image_size": 8}}
    training = {"training": {"batch_size": 10**6}}
    experiment.check(config(datasets=data, train_final=training), "config")


def test_the_same_of_finalists_whose_recipe_has_large_batches() -> None:
    data = {"digits": {"train_images": 200}}
    assert problems(datasets=data, nas_search={"finalists": 2}) == [
        "nas_search/finalist_training/training/batch_size: a step takes 200 training images, but "
        "data set digits has 180 at most: lower it"
    ]
    how = {"training": {"recipe": "engine", "batch_size": 50}}
    search = {"finalists": 2, "finalist_training": how}
    experiment.check(config(datasets=data, nas_search=search), "config")


@pytest.mark.parametrize(
    ("phase", "network", "said"),
    [
        ({"image_size": 64}, {}, "phases/0/image_size is 64, but the images have 8 pixels a side"),
        ({"image_size": 4}, {}, "phases/0: kernel size 7 is larger than the 4x4 images"),
        ({"image_size": 7}, {}, "phases/0/image_size 7 gives the head 8 inputs instead of 32"),
        ({"neuron": "lif"}, {"macro": "compact"}, "the last one trains neurons 'lif', but the net"),
        ({"time_steps": 4}, {"macro": "compact"}, "neurons 'integer' have no memory from one time"),
        ({"gradient": "rate"}, {"learnable_tau": True}, "rates do not train the neurons' own"),
        ({"neuron": "if_soft"}, {"learnable_tau": True}, "its neurons have other parameters"),
    ],
)
def test_a_phase_that_cannot_be_trained(
    phase: dict[str, Any], network: dict[str, Any], said: str
) -> None:
    small = {**({"channels": 4, "stem_channels": 4} if "macro" in network else SMALL), **network}
    training = {"training": {"phases": [{"epochs": 1, **phase}]}}
    found = problems(network=small, train_final=training)
    assert found[0].startswith("train_final/training/phases")
    assert said in found[0]


def test_weights_that_finalists_need_are_looked_for() -> None:
    place = "nas_search/finalist_training/training"

    def found(**training: Any) -> list[str]:
        how = {"training": {"recipe": "engine", "batch_size": 50, **training}}
        return problems(nas_search={"finalists": 2, "finalist_training": how})

    assert found(objective="distil") == [
        f"{place}/objective: distil needs a teacher: name released weights"
    ]
    assert found(objective="distil", teacher="none.safetensors") == [
        f"{place}/teacher: none.safetensors is missing: train it first, or correct the path"
    ]
    assert "which have different cells" in found(initial_weights="any.safetensors")[0]


@pytest.mark.parametrize(
    ("phase", "said"),
    [
        ({"gradient": "rate"}, "has feedback from step to step"),
        ({"neuron": "integer", "time_steps": 1}, "has feedback to the next time step"),
    ],
)
def test_a_phase_that_cells_with_feedback_cannot_be_trained_in(
    phase: dict[str, Any], said: str
) -> None:
    training = {"training": {"phases": [{"epochs": 1, **phase}, {"epochs": 1}]}}
    network = {**SMALL, "neuron": "if_soft"}
    experiment.check(config(network=network, train_final=training), "config")
    search = {"cells": "feedback"}
    found = problems(network=network, train_final=training, nas_search=search)
    assert found[0].startswith("train_final/training/phases")
    assert said in found[0]


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ({"cutout": 9}, "cutout: on data set digits: 9 is larger than the images of 8 pixels"),
        ({"crop_padding": 8, "crop_fill": "reflect"}, "crop_padding: on data set digits: 8 cannot"),
    ],
)
def test_augmentation_that_does_not_fit_the_images(key: dict[str, Any], said: str) -> None:
    training = {"training": {"recipe": "engine", "batch_size": 50, **key}}
    assert problems(train_final=training)[0].startswith(f"train_final/training/{said}")
    found = problems(nas_search={"finalists": 2, "finalist_training": training})
    assert found[0].startswith(f"nas_search/finalist_training/training/{said}")


def test_a_teacher_that_is_not_listened_to_is_refused() -> None:
    with pytest.raises(ConfigError, match="teacher: a teacher is of no use to objective mean"):
        TrainingConfig.parse({"teacher": "x.safetensors"}, "training")
