"""Trainings that kernel sets share: taken over where all that they depend on is the same."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from spikernel import artifacts, tables
from spikernel.config import FinalistConfig, NetworkConfig, TrainingConfig
from spikernel.search.journal import Evaluation
from spikernel.space.cell import Cell
from spikernel.study import finalist_rung, finalists, train_final, training_run
from spikernel.study.inputs import Machine

CPU = Machine("cpu")
NETWORK = NetworkConfig(time_steps=2, channels=4, pool=2, hidden=16, votes=2, dropout=0.0)
SETTINGS = train_final.Settings(
    network=NETWORK, training=TrainingConfig(recipe="modern", epochs=1, batch_size=60)
)
CELLS = ("k3-zero-skip-k3-zero-k3", "k3-zero-skip-zero-k3-zero", "zero-zero-k3-zero-zero-zero")


def search(folder: Path, kernel_set: str, cells: tuple[str, ...], channels: int = 4) -> Path:
    """Write the ranking of a search by score, and its record."""
    rows = [
        {
            "archid": Cell.from_archid(name).archid, "rank": rank, "score": -rank, "params": 1000,
            "channels": channels,
        }
        for rank, name in enumerate(cells, start=1)
    ]  # fmt: skip
    tables.write_csv(folder / kernel_set / "candidates.csv", rows)
    record = {
        "dataset": "digits", "kernel_set": kernel_set, "best_archid": rows[0]["archid"],
        "kernel_sizes": [1, 3] if kernel_set == "k1-3" else [3, 5],
    }  # fmt: skip
    artifacts.write_json(folder / kernel_set / "search.json", record)
    return folder / kernel_set


class Final:
    """Final trainings of a study, counted."""

    def __init__(self, manifest: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.manifest, self.root, self.count = manifest, root, 0
        honest = training_run.make_net

        def counted(*arguments: object) -> object:
            self.count += 1
            return honest(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(training_run, "make_net", counted)

    def run(self, kernel_set: str, settings: train_final.Settings, channels: int = 4) -> Path:
        """Train the best cell of a set and return metrics.json."""
        found = search(self.root / "nas_search", kernel_set, CELLS, channels)
        share = self.root / "train_final"
        seed = f"seed-{settings.seed}"
        outputs = train_final.Outputs.in_folder(share / kernel_set / "rank-1" / seed)
        inputs = train_final.Inputs(self.manifest, found / "candidates.csv", found / "search.json")
        train_final.run(inputs, outputs, replace(settings, share=share), CPU)
        return outputs.metrics


@pytest.fixture
def final(digits_manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Final:
    return Final(digits_manifest, tmp_path, monkeypatch)


def test_the_training_of_the_same_net_is_taken_over(final: Final) -> None:
    first, second = final.run("k1-3", SETTINGS), final.run("design-1", SETTINGS)
    assert final.count == 1
    for name in ("model.safetensors", "history.csv", "layers.csv"):
        assert first.with_name(name).read_bytes() == second.with_name(name).read_bytes()
    one, two = (json.loads(path.read_text()) for path in (first, second))
    assert {key for key in one if one[key] != two[key]} == {"kernel_set", "kernel_sizes"}
    assert (two["kernel_set"], two["kernel_sizes"]) == ("design-1", [3, 5])
    made = json.loads(second.with_name("provenance.json").read_text())
    assert made["outputs"]["metrics.json"] == artifacts.file_hash(second)
    assert any(path.endswith("design-1/candidates.csv") for path in made["inputs"])


def test_what_differs_is_trained(final: Final) -> None:
    final.run("k1-3", SETTINGS)
    final.run("design-1", replace(SETTINGS, seed=1))
    final.run("design-2", SETTINGS, channels=5)
    training = SETTINGS.training.model_copy(update={"label_smoothing": 0.2})
    final.run("design-3", replace(SETTINGS, training=training))
    assert final.count == 4


def test_an_altered_training_is_named_and_not_taken_over(
    final: Final, caplog: pytest.LogCaptureFixture
) -> None:
    final.run("k1-3", SETTINGS).with_name("history.csv").write_text("epoch\n")
    final.run("design-1", SETTINGS)
    assert final.count == 2
    assert "history.csv was altered since it was made" in caplog.text


def test_finalists_that_another_set_has_trained_are_not_trained_again(
    digits_manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[str] = []

    def train(_job: finalist_rung._Rung, archid: str, _seed: int) -> Evaluation:
        trained.append(archid)
        return Evaluation(archid, 50.0 + len(trained), 1.0)

    def rung(kernel_set: str, cells: tuple[str, ...], channels: int = 4) -> list[float | None]:
        found = search(tmp_path / "nas_search", kernel_set, cells, channels)
        settings = finalist_rung.Settings(
            finalists=2, network=NETWORK, training=how, share=tmp_path / "finalists"
        )
        part = tmp_path / "finalists" / kernel_set / "rung-1" / "0.jsonl"
        inputs = finalists.Inputs(digits_manifest, found / "candidates.csv")
        finalist_rung.run(inputs, finalist_rung.Outputs(part), settings, CPU)
        return [item.val_accuracy_percent for item in finalists.Part.read(part).trainings]

    how = FinalistConfig.parse({"beside": 0, "rungs": [1], "seeds": [0]}, "toy")
    monkeypatch.setattr(finalist_rung._Rung, "_train", train)
    assert rung("k1-3", CELLS[:2]) == [51, 52]
    # The second and third cell: the second is known.
    assert rung("design-1", CELLS[1:]) == [52, 53]
    assert rung("design-2", CELLS[1:], channels=5) == [54, 55]
    (tmp_path / "finalists/k1-3/rung-1/0.jsonl").write_text("{")
    shutil.rmtree(tmp_path / "finalists/design-1")
    assert rung("design-3", CELLS[1:]) == [56, 57]
    how = how.model_copy(update={"rungs": (2,)})
    assert rung("design-4", CELLS[1:]) == [58, 59]
