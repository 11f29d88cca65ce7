"""The cost of an experiment from its FLOP alone."""

from pathlib import Path

import pytest
import yaml
from project import TINY

from spikernel.config import DatasetConfig, TrainingConfig, WorkflowConfig
from spikernel.data.manifest import Manifest
from spikernel.errors import ConfigError
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell
from spikernel.space.flop import forward_flop
from spikernel.study import flop_estimate
from spikernel.study.data_ahead import collection_ahead, manifest_ahead
from spikernel.study.estimate import Inputs, Settings, run
from spikernel.study.planned_nets import PlannedNet

CONFIG = WorkflowConfig.parse(TINY, "tiny")
ONE_CELL = Architecture(
    Cell.from_archid("zero-zero-k3-zero-zero-zero"),
    CONFIG.network,
    ImageShape(channels=1, size=8, classes=10),
)


def net(training: TrainingConfig) -> PlannedNet:
    return PlannedNet("train_final", ONE_CELL, training, jobs=1)


def manifest() -> Manifest:
    settings = DatasetConfig(kind="digits", train_images=200, test_images=60)
    return manifest_ahead("digits", settings, collection_ahead("digits", settings, Path()))


def test_a_training_is_three_passes_and_a_validation() -> None:
    training = TrainingConfig(recipe="modern", epochs=4)
    # 100 images three times and 20 once, in each of 4 epochs.
    assert flop_estimate.training_flop(net(training), 100, 20) == 4 * 320 * forward_flop(ONE_CELL)


def test_every_phase_counts_with_its_own_time_steps() -> None:
    phases = ({"epochs": 3, "time_steps": 1}, {"epochs": 1})
    training = TrainingConfig.parse({"recipe": "modern", "phases": phases}, "phases")
    short, whole = forward_flop(ONE_CELL, time_steps=1), forward_flop(ONE_CELL)
    expected = 3 * 3 * 100 * short + 3 * 100 * whole
    assert flop_estimate.training_flop(net(training), 100, 0) == expected


def test_rules_of_an_experiment() -> None:
    found = {cost.rule: cost for cost in flop_estimate.costs(CONFIG, {"digits": manifest()})}
    assert list(found) == ["kernel_impact", "nas_search", "train_final", "deployment"]
    # 3x3 once and 1x1 under two controls; a designed set and the baseline.
    assert [cost.jobs for cost in found.values()] == [3, 2, 2, 2]
    # A search scores five cells on one batch of 16 images, a training takes 140 images three times.
    assert found["nas_search"].flop < found["train_final"].flop


def test_hours_follow_from_the_rate_that_is_assumed() -> None:
    found = [flop_estimate.RuleFlop("d", "train_final", 3, 7.2e17)]
    shown = flop_estimate.describe(found, 2e14)
    # 7.2e17 FLOP at 2e14 a second are 3,600 s.
    assert [cell.strip() for cell in shown.splitlines()[2].split("|")[1:-1]] == [
        *("d", "train_final", "3", "720", "1"),
    ]
    assert "nothing was timed: about 1 h of one device" in shown
    with pytest.raises(ConfigError, match="--device-flops must be positive, got 0"):
        flop_estimate.describe(found, 0)


def test_the_command_times_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "tiny.yaml"
    # A device that is not there is not asked for.
    path.write_text(yaml.safe_dump({**TINY, "device": "cuda"}))
    run(Inputs(path, tmp_path), Settings(cores=1, device_flops=1e12))
    shown = capsys.readouterr().out
    assert "| digits   | kernel_impact |    3 |" in shown
    assert "assumed to sustain 1 TFLOP/s" in shown
