import math
from pathlib import Path

import pytest
import recipe_ablation as ablation
from paired import Results, summarise

from spikernel import artifacts
from spikernel.config import TrainingConfig
from spikernel.errors import ConfigError

BASE = {"recipe": "modern", "epochs": 2}
MACHINE = {"device": "cpu"}


def row(part: str, seed: int, accuracy: float) -> dict[str, object]:
    return {
        "part": part, "seed": seed, "val_accuracy_percent": accuracy, "train_loss": 1.0,
        "seconds": 2.0,
    }  # fmt: skip


def test_every_part_changes_something_in_the_recipe() -> None:
    base = TrainingConfig.model_validate(BASE)
    for part, changes in ablation.PARTS.items():
        changed = ablation.variant(BASE, part)
        assert changed != base, part
        for name, value in changes.items():
            assert getattr(changed, name) == value
    with pytest.raises(ConfigError, match="unknown part 'no_sleep'"):
        ablation.variant(BASE, "no_sleep")


def test_paired_differences_by_hand(tmp_path: Path) -> None:
    results = Results(tmp_path / "r.csv", {"epochs": 2}, MACHINE)
    for part, seed, accuracy in (
        ("base", 0, 40.0), ("base", 1, 44.0), ("base", 2, 42.0),
        ("no_tet", 0, 39.0), ("no_tet", 1, 41.0), ("no_tet", 3, 10.0), ("no_ema", 2, 45.0),
    ):  # fmt: skip
        results.add(row(part, seed, accuracy))
    summary = summarise(results, ["no_tet", "no_ema", "no_crop"])
    # Seeds 0 and 1 are in both: -1 and -3, mean -2, deviation sqrt(2), error sqrt(2) / sqrt(2).
    assert summary["no_tet"]["mean_difference_percent"] == pytest.approx(-2.0)
    assert summary["no_tet"]["standard_error_percent"] == pytest.approx(math.sqrt(2) / math.sqrt(2))
    assert summary["no_tet"]["seeds"] == 2
    assert summary["no_ema"] == {
        "mean_difference_percent": 3.0, "standard_error_percent": None, "seeds": 1,
    }  # fmt: skip
    assert "no_crop" not in summary


def test_finished_trainings_are_found_again_and_not_mixed(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    Results(path, {"epochs": 2}, MACHINE).add(row("base", 1, 40.0))
    again = Results(path, {"epochs": 2}, MACHINE)
    assert again.has("base", 1)
    assert not again.has("base", 0)
    assert again.rows == [row("base", 1, 40.0)]
    for _ in range(2):
        elsewhere = Results(path, {"epochs": 2}, {"device": "another"})
        assert elsewhere.has("base", 1)  # accuracies do not hang on the machine
    # Seconds do, so each is named once.
    assert artifacts.read_json(path.with_suffix(".json"))["device"] == "cpu; another"
    with pytest.raises(ConfigError, match="was made with other settings"):
        Results(path, {"epochs": 3}, MACHINE)
