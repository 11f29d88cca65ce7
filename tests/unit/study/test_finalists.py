"""Finalists of a search on real digits: resumed, sharded, repeatable; files in, files out."""

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from toy import NETWORK

from spikernel.config import FinalistConfig, SearchConfig, TrainingConfig
from spikernel.errors import ConfigError, TableError, TrainingError
from spikernel.report.tables.records import Search
from spikernel.search.journal import Evaluation
from spikernel.space.architecture import Architecture
from spikernel.study import (
    finalist_ranking,
    finalist_rung,
    finalists,
    inputs,
    nas_search,
    train_final,
    training_run,
)
from spikernel.study.candidate import Candidate
from spikernel.study.inputs import Machine
from spikernel.study.search_job import Settings as SearchSettings
from spikernel.training.trainer import Trainer

CPU = Machine("cpu")
HOW = FinalistConfig.parse({"beside": 1, "rungs": [1, 2], "reduction_factor": 2}, "toy")
SHARDED = HOW.model_copy(update={"shards": 3})


@dataclass(frozen=True)
class Study:
    """A finished search, and its finalists: the best 3, and 1 beside them."""

    manifest: Path
    searched: Path

    def inputs(self, parts: list[Path]) -> finalists.Inputs:
        return finalists.Inputs(self.manifest, self.searched / "candidates.csv", parts)

    def train_shard(self, folder: Path, how: FinalistConfig, rung: int, shard: int) -> Path:
        """Train a shard of a rung and return its file."""
        before = [folder / f"rung-{rung - 1}/{number}.jsonl" for number in range(how.shards)]
        part = folder / f"rung-{rung}/{shard}.jsonl"
        settings = finalist_rung.Settings(
            finalists=3, network=NETWORK, training=how, rung=rung, shard=shard
        )
        inputs = self.inputs(before if rung > 1 else [])
        finalist_rung.run(inputs, finalist_rung.Outputs(part), settings, CPU)
        return part

    def train(self, folder: Path, how: FinalistConfig) -> list[Path]:
        """Train all rungs and return all parts."""
        return [
            self.train_shard(folder, how, rung, shard)
            for rung in range(1, len(how.rungs) + 1)
            for shard in range(how.shards)
        ]

    def rank(self, folder: Path, how: FinalistConfig, parts: list[Path]) -> pd.DataFrame:
        """Write the ranking and return candidates.csv."""
        outputs = finalist_ranking.Outputs(folder / "candidates.csv", folder / "search.json")
        inputs = finalist_ranking.Inputs(
            **vars(self.inputs(parts)), search=self.searched / "search.json"
        )
        settings = finalists.Settings(finalists=3, network=NETWORK, training=how)
        finalist_ranking.run(inputs, outputs, settings)
        return pd.read_csv(outputs.ranked)


@pytest.fixture(scope="module")
def study(digits_manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("searched")
    nas_search.run(
        nas_search.Inputs(digits_manifest),
        nas_search.Outputs(folder / "candidates.csv", folder / "search.json"),
        SearchSettings(
            kernel_sizes=[1, 3], network=NETWORK, search=SearchConfig(iterations=12, seed=5)
        ),
        CPU,
    )
    return Study(digits_manifest, folder)


@pytest.fixture(scope="module")
def whole(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of finalists that were trained without an interruption."""
    folder = tmp_path_factory.mktemp("whole")
    study.rank(folder, HOW, study.train(folder, HOW))
    return folder


def trainings(part: Path) -> list[tuple[str, int, float | None]]:
    read = finalists.Part.read(part).trainings
    return [(item.archid, item.seed, item.val_accuracy_percent) for item in read]


def test_ranking_rests_on_the_last_rung_then_on_the_score(study: Study, whole: Path) -> None:
    table = pd.read_csv(whole / "candidates.csv")
    before = pd.read_csv(study.searched / "candidates.csv")
    assert sorted(table["archid"]) == sorted(before["archid"])
    assert table["rank"].tolist() == list(range(1, len(before) + 1))
    # 4 finalists, of whom 2 go on; all others by score.
    assert table["finalist_epochs"].tolist()[:4] == [2, 2, 1, 1]
    assert table["evidence"].tolist() == ["val_accuracy"] * 4 + ["score"] * (len(table) - 4)
    for rung in (table[:2], table[2:4]):
        assert rung["val_accuracy_percent"].is_monotonic_decreasing
    assert table["score_rank"][4:].is_monotonic_increasing
    assert set(before["archid"][:3]) < set(table["archid"][:4])
    ranks = before.set_index("archid")["rank"]
    assert (table["score_rank"] == table["archid"].map(ranks)).all()
    # The mean over both seeds, which are the same for all.
    last = trainings(whole / "rung-2/0.jsonl")
    assert [seed for _, seed, _ in last] == [0, 0, 1, 1]
    best = [accuracy for archid, _, accuracy in last if archid == table["archid"][0]]
    assert table["val_accuracy_percent"][0] == pytest.approx(sum(filter(None, best)) / 2)


def test_the_record_says_who_was_ranked_by_what(whole: Path) -> None:
    table = pd.read_csv(whole / "candidates.csv")
    made = json.loads((whole / "search.json").read_text())
    assert [(rung["epochs"], rung["finalists"], rung["trainings"]) for rung in made["rungs"]] == [
        (1, 4, 8),
        (2, 2, 4),
    ]
    assert made["finalist_seconds"] > 0
    read = Search.read(whole / "search.json")
    assert [item.score_rank for item in read.finalists] == table["score_rank"].tolist()[:4]
    assert read.finalist(5) is None
    # What is trained next takes these files as those of any search.
    candidate = Candidate.of_search(whole / "candidates.csv", whole / "search.json", 1)
    assert candidate.cell.archid == table["archid"][0]


def test_finalists_and_final_nets_have_the_channels_that_fill_the_budget(
    digits_manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = {"max_params": 20_000, "fill": True, "width": 2}
    search = SearchConfig.parse(
        {"iterations": 12, "seed": 5, "score": "predicted_accuracy", "budget": budget}, "test"
    )
    searched = tmp_path / "searched"
    nas_search.run(
        nas_search.Inputs(digits_manifest),
        nas_search.Outputs(searched / "candidates.csv", searched / "search.json"),
        SearchSettings(kernel_sizes=[1, 3], network=NETWORK, search=search),
        CPU,
    )
    wide = pd.read_csv(searched / "candidates.csv").set_index("archid")["channels"]
    trained: dict[str, int] = {}
    honest = training_run.make_net

    def noted(architecture: Architecture, *rest: Any) -> Any:
        trained[architecture.cell.archid] = architecture.network.channels
        return honest(architecture, *rest)

    monkeypatch.setattr(training_run, "make_net", noted)
    study, how = Study(digits_manifest, searched), HOW.model_copy(update={"rungs": (1,)})
    ranked = study.rank(tmp_path, how, study.train(tmp_path, how))
    assert len(trained) == 4
    assert trained == wide[list(trained)].to_dict()
    assert ranked.set_index("archid")["channels"].to_dict() == wide.to_dict()
    outputs = train_final.Outputs.in_folder(tmp_path / "final")
    files = (tmp_path / "candidates.csv", tmp_path / "search.json")
    training = TrainingConfig(epochs=1, batch_size=50)
    settings = train_final.Settings(rank=2, width=2, network=NETWORK, training=training)
    train_final.run(train_final.Inputs(digits_manifest, *files), outputs, settings, CPU)
    made = json.loads(outputs.metrics.read_text())
    assert made["channels"] == 2 * ranked["channels"][1]
    assert 15_000 < made["params"] <= 20_000


def test_shards_and_the_same_seeds_give_the_same_ranking(
    study: Study, whole: Path, tmp_path: Path
) -> None:
    parts = study.train(tmp_path, SHARDED)
    pd.testing.assert_frame_equal(
        study.rank(tmp_path, SHARDED, parts), pd.read_csv(whole / "candidates.csv")
    )
    assert len(trainings(parts[0])) == 3  # of 8: the first, fourth and seventh
    with pytest.raises(TableError, match="trainings of rung 2 are missing"):
        study.rank(tmp_path, SHARDED, parts[:-1])
    with pytest.raises(TableError, match="the files have 1 of 2 rungs"):
        study.rank(tmp_path, SHARDED, parts[:3])
    other = SHARDED.model_copy(update={"seeds": (0, 2)})
    with pytest.raises(TableError, match=r"0\.jsonl belongs to another search"):
        study.rank(tmp_path, other, parts)
    parts[0].write_text("{")
    with pytest.raises(TableError, match=r"0\.jsonl is missing or damaged"):
        study.rank(tmp_path, SHARDED, parts)


@pytest.mark.parametrize("killed_in", [1, 2, 3, 7, 8])
def test_a_killed_job_resumes_without_repeating_what_is_done(
    study: Study, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_in: int
) -> None:
    begun: list[int] = []
    original = Trainer.finish_epoch

    def finish(self: Trainer, now: object) -> None:
        begun.append(1)
        if len(begun) == killed_in:
            raise KeyboardInterrupt
        original(self, now)  # type: ignore[arg-type]

    # The second rung has 2 x 2 trainings of two epochs: 8 epochs in all.
    shutil.copytree(whole / "rung-1", tmp_path / "rung-1")
    monkeypatch.setattr(Trainer, "finish_epoch", finish)
    with pytest.raises(KeyboardInterrupt):
        study.train_shard(tmp_path, HOW, 2, 0)
    assert not (tmp_path / "rung-2/0.jsonl").exists()
    # Tried again on another node of the cluster.
    monkeypatch.setattr(inputs, "describe_device", lambda _: "cpu: another model, 1 threads")
    resumed = study.train_shard(tmp_path, HOW, 2, 0)
    assert trainings(resumed) == trainings(whole / "rung-2/0.jsonl")
    assert len(begun) == 8 + 1  # only the epoch that was killed is done twice
    assert [path.name for path in resumed.parent.iterdir()] == ["0.jsonl"]


def test_trainings_with_another_teacher_are_neither_resumed_nor_ranked_together(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how = HOW.model_copy(update={"seeds": (0,)})
    trained: list[str] = []
    train = finalist_rung._Rung._train

    def begin(job: finalist_rung._Rung, archid: str, seed: int) -> Evaluation:
        if len(trained) == 3:
            trained.clear()
            raise KeyboardInterrupt
        trained.append(archid)
        return train(job, archid, seed)

    def teach(version: str) -> None:
        hashes = {"teacher.safetensors": version}
        monkeypatch.setattr(training_run, "weights_hashes", lambda _: hashes)

    monkeypatch.setattr(finalist_rung._Rung, "_train", begin)
    teach("first")
    with pytest.raises(KeyboardInterrupt):
        study.train_shard(tmp_path, how, 1, 0)
    teach("second")
    with pytest.raises(KeyboardInterrupt):
        study.train_shard(tmp_path, how, 1, 0)  # three more: none was taken from the journal
    parts = [study.train_shard(tmp_path, how, 1, 0)]
    assert len(trained) == 1  # the fourth, since the teacher is the same
    teach("third")
    parts.append(study.train_shard(tmp_path, how, 2, 0))
    with pytest.raises(TableError, match=r"rung-2/0\.jsonl belongs to another search"):
        study.rank(tmp_path, how, parts)


def test_a_finalist_that_diverges_is_ranked_by_score(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how = HOW.model_copy(update={"seeds": (0,), "rungs": (1,)})
    best = pd.read_csv(study.searched / "candidates.csv")["archid"][0]
    original = finalist_rung.train

    def train(net: object, *arguments: object, **more: object) -> object:
        if arguments[4]["archid"] == best:  # type: ignore[index]
            raise TrainingError("the loss is not finite")
        return original(net, *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(finalist_rung, "train", train)
    parts = study.train(tmp_path, how)
    assert (best, 0, None) in trainings(parts[0])
    table = study.rank(tmp_path, how, parts)
    assert table["archid"].tolist().index(best) == 3
    assert table["evidence"].tolist()[:4] == [*["val_accuracy"] * 3, "score"]
    monkeypatch.setattr(finalist_rung, "train", lambda *_: (_ for _ in ()).throw(TrainingError()))
    with pytest.raises(TrainingError, match="every finalist diverged on rung 1"):
        study.train(tmp_path, HOW)
    with pytest.raises(TrainingError, match="every finalist diverged on rung 1"):
        study.rank(tmp_path, how, study.train(tmp_path, how))


def test_a_rung_or_shard_that_is_not_there_is_refused(study: Study, tmp_path: Path) -> None:
    for rung, shard in ((3, 0), (0, 0), (1, 1)):
        with pytest.raises(ConfigError, match=r"is not one of rungs 1\.\.2, shards 0\.\.0"):
            study.train_shard(tmp_path, HOW, rung, shard)
    settings = finalists.Settings(finalists=3, network=NETWORK, training=HOW)
    with pytest.raises(TableError, match="rung 2 follows from the files of rung 1"):
        finalists.members(study.inputs([]), settings, 2)
    every = finalists.members(study.inputs([]), replace(settings, finalists=99), 1)
    assert len(every) == len(pd.read_csv(study.searched / "candidates.csv"))


def test_a_last_rung_on_which_all_diverge_leaves_the_ranking_to_the_one_before(
    study: Study, tmp_path: Path
) -> None:
    how = HOW.model_copy(update={"seeds": (0,)})
    parts = study.train(tmp_path, how)
    whole = study.rank(tmp_path / "whole", how, parts)
    lines = parts[-1].read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    for entry in entries:
        if "val_accuracy_percent" in entry:
            entry["val_accuracy_percent"] = None
    parts[-1].write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    table = study.rank(tmp_path / "diverged", how, parts)
    assert table["evidence"].tolist()[:4] == ["val_accuracy"] * 4
    assert table["finalist_epochs"].tolist()[:4] == [1] * 4
    assert set(table["archid"][:4]) == set(whole["archid"][:4])
