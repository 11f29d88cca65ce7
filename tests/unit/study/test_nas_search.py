import json
import math
from pathlib import Path

import pytest
from toy import NETWORK

from spikernel.config import SearchConfig
from spikernel.errors import ConfigError, SpikernelError, TableError
from spikernel.search import engine
from spikernel.search.journal import Evaluation
from spikernel.space import ImageShape
from spikernel.study import nas_search
from spikernel.study.inputs import Machine
from spikernel.study.nas_search import Subject, choose_subject, rank_table
from spikernel.study.train_final import read_candidate

SETTINGS = SearchConfig(iterations=6, batch_size=16, batches=1, seed=5)
SUBJECT = Subject("k1-3", (1, 3), NETWORK)


def search(manifest: Path, folder: Path, settings: SearchConfig = SETTINGS) -> Path:
    candidates = folder / "candidates.csv"
    machine = Machine.choose("cpu", 1)
    nas_search.run(manifest, SUBJECT, settings, machine, candidates, folder / "search.json")
    return candidates


def test_ranking_puts_finite_scores_first_and_small_nets_before_large() -> None:
    cells = {
        "zero-zero-k3-zero-zero-zero": 1.0,
        "zero-zero-k1-zero-zero-zero": 1.0,  # the same score with fewer parameters
        "k1-zero-k1-zero-k1-zero": math.nan,
        "k3-zero-k1-zero-k1-zero": math.inf,
        "k3-zero-k3-zero-k3-zero": 2.0,
        "k3-zero-skip-zero-k3-zero": -math.inf,
    }
    table = rank_table(
        [Evaluation(archid, score, 0.1) for archid, score in cells.items()],
        NETWORK,
        ImageShape(1, 8, 10),
    )
    assert table["archid"].tolist()[:3] == [
        "k3-zero-k3-zero-k3-zero",
        "zero-zero-k1-zero-zero-zero",
        "zero-zero-k3-zero-zero-zero",
    ]
    assert table["rank"].tolist()[:3] == [1, 2, 3]
    assert table["rank"].isna().tolist() == [False] * 3 + [True] * 3
    assert table.columns.tolist() == [
        "archid", "edge_01", "edge_02", "edge_03", "edge_12", "edge_13", "edge_23",
        "params", "memory_mb_fp32", "score", "rank", "seconds",
    ]  # fmt: skip


def test_same_seed_same_ranking_and_files_in_files_out(
    digits_manifest: Path, tmp_path: Path
) -> None:
    one = search(digits_manifest, tmp_path / "one")
    two = search(digits_manifest, tmp_path / "two")

    def without_seconds(path: Path) -> list[str]:
        return [line.rsplit(",", 1)[0] for line in path.read_text().splitlines()]

    assert without_seconds(one) == without_seconds(two)
    found = json.loads((tmp_path / "one" / "search.json").read_text())
    assert found["evaluated"] == 6
    assert found["distinct"] == len(without_seconds(one)) - 1
    assert found["best_archid"] == read_candidate(one, 1).archid
    assert sorted(path.name for path in one.parent.iterdir()) == [
        "candidates.csv",
        "provenance.json",
        "search.json",
    ]
    with pytest.raises(TableError, match=r"no candidate of rank 99, only \d are ranked"):
        read_candidate(one, 99)


def test_killed_search_resumes_to_the_same_ranking(
    digits_manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = search(digits_manifest, tmp_path / "whole")
    scored = []
    original = nas_search.Scorer.score

    def score(self: nas_search.Scorer, architecture: object) -> float:
        scored.append(architecture)
        if len(scored) == 3:
            raise KeyboardInterrupt
        return original(self, architecture)  # type: ignore[arg-type]

    monkeypatch.setattr(nas_search.Scorer, "score", score)
    with pytest.raises(KeyboardInterrupt):
        search(digits_manifest, tmp_path / "killed")
    assert not (tmp_path / "killed" / "candidates.csv").exists()
    monkeypatch.setattr(nas_search.Scorer, "score", original)
    resumed = search(digits_manifest, tmp_path / "killed")
    scores = [line.split(",")[:-1] for line in resumed.read_text().splitlines()]
    assert scores == [line.split(",")[:-1] for line in whole.read_text().splitlines()]


def test_a_search_without_a_finite_score_is_an_error(
    digits_manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nas_search.Scorer, "score", lambda *_: -math.inf)
    with pytest.raises(SpikernelError, match="candidates of k1-3 has a finite score"):
        search(digits_manifest, tmp_path)
    assert not (tmp_path / "candidates.csv").exists()


def test_subject_is_a_file_and_a_name_or_the_sizes(tmp_path: Path) -> None:
    sets = tmp_path / "kernel_sets.json"
    sets.write_text(json.dumps({"sets": [{"name": "design-1", "sizes": [3, 5]}]}))
    assert choose_subject(sets, "design-1", None, NETWORK).kernel_sizes == (3, 5)
    assert choose_subject(None, None, [5, 1], NETWORK).kernel_set == "k1-5"
    for wrong in ((None, None, None), (sets, None, None), (sets, "design-1", [1])):
        with pytest.raises(ConfigError, match="give either --kernel-sizes, or both"):
            choose_subject(*wrong, NETWORK)
    with pytest.raises(ConfigError, match="odd and positive, got 4"):
        choose_subject(None, None, [4], NETWORK)


def test_progress_is_reported(
    digits_manifest: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger=engine.__name__):
        search(digits_manifest, tmp_path)
    assert any("cells, 0 s left" in record.getMessage() for record in caplog.records)
