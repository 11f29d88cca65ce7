import json
import math
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest
from toy import NETWORK

from spikernel import code
from spikernel.config import Budget, SearchConfig
from spikernel.errors import ConfigError, SpikernelError, TableError
from spikernel.search import engine
from spikernel.search.journal import Evaluation
from spikernel.search.scorer import Scorer
from spikernel.search.strategies import Space
from spikernel.space.architecture import Architecture, ImageShape
from spikernel.space.cell import Cell
from spikernel.space.counts import parameter_count
from spikernel.space.enumeration import count_cells
from spikernel.space.operations import operation_set
from spikernel.study import inputs, nas_search, nas_search_shard, search_job
from spikernel.study.candidate import read_candidate
from spikernel.study.inputs import Machine
from spikernel.study.nas_search import rank_table
from spikernel.study.search_job import Inputs, Settings, choose_subject

ROOT = Path(__file__).parents[3]
SETTINGS = SearchConfig(score="sahd_half_n", iterations=6, batch_size=16, batches=1, seed=5)
CPU, TWO_THREADS = Machine("cpu"), Machine("cpu", 2)
IMAGES = ImageShape(1, 8, 10)


def search(
    manifest: Path,
    folder: Path,
    settings: SearchConfig = SETTINGS,
    parts: Sequence[Path] = (),
    sizes: tuple[int, ...] = (1, 3),
    machine: Machine = CPU,
) -> Path:
    outputs = nas_search.Outputs(folder / "candidates.csv", folder / "search.json")
    nas_search.run(
        nas_search.Inputs(manifest, parts=list(parts)), outputs, over(sizes, settings), machine
    )
    return outputs.candidates


def over(sizes: tuple[int, ...], settings: SearchConfig) -> Settings:
    return Settings(kernel_sizes=list(sizes), network=NETWORK, search=settings)


def score_shard(manifest: Path, settings: SearchConfig, shard: int, part: Path) -> None:
    nas_search_shard.run(
        Inputs(manifest),
        nas_search_shard.Outputs(part),
        nas_search_shard.Settings(
            kernel_sizes=[1, 3], network=NETWORK, search=settings, shard=shard
        ),
        CPU,
    )


def without_seconds(path: Path) -> pd.DataFrame:
    return pd.read_csv(path).drop(columns="seconds")


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
        Space.of(SETTINGS, (1, 3), NETWORK, ImageShape(1, 8, 10)),
        {},
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
    pd.testing.assert_frame_equal(without_seconds(one), without_seconds(two))
    found = json.loads((tmp_path / "one" / "search.json").read_text())
    assert found["evaluated"] == 6
    assert found["distinct"] == len(without_seconds(one))
    assert found["best_archid"] == read_candidate(one, 1)[0].archid
    assert sorted(path.name for path in one.parent.iterdir()) == [
        "candidates.csv",
        "provenance.json",
        "search.json",
    ]
    with pytest.raises(TableError, match=r"no candidate of rank 99, only \d are ranked"):
        read_candidate(one, 99)


def test_cells_that_fill_the_budget_have_their_channels_in_the_ranking(
    digits_manifest: Path, tmp_path: Path
) -> None:
    budget = {"max_memory_mb": 0.02, "precision": "int8", "fill": True}
    settings = SearchConfig.parse(
        {"strategy": "exhaustive", "score": "predicted_accuracy", "budget": budget}, "test"
    )
    found = pd.read_csv(search(digits_manifest, tmp_path, settings))
    assert found["params"].max() <= 20_000
    assert found["channels"].nunique() > 5
    # One more channel is too much; a 3x3 has nine times the weights of a 1x1.
    counts = {
        archid: parameter_count(Architecture(Cell.from_archid(archid), NETWORK.at(wide), IMAGES))
        for archid, wide in zip(found["archid"], found["channels"] + 1, strict=True)
    }
    assert min(count.total for count in counts.values()) > 20_000
    wide = found.set_index("archid")["channels"]
    assert wide["zero-zero-k1-zero-zero-zero"] > wide["zero-zero-k3-zero-zero-zero"]
    assert found["score"].is_monotonic_decreasing
    assert read_candidate(tmp_path / "candidates.csv", 1)[1] == found["channels"].iloc[0]


def test_killed_search_resumes_to_the_same_ranking(
    digits_manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = search(digits_manifest, tmp_path / "whole")
    scored = []
    original = Scorer.score

    def score(self: Scorer, architecture: object) -> float:
        scored.append(architecture)
        if len(scored) == 3:
            raise KeyboardInterrupt
        return original(self, architecture)  # type: ignore[arg-type]

    monkeypatch.setattr(Scorer, "score", score)
    with pytest.raises(KeyboardInterrupt):
        search(digits_manifest, tmp_path / "killed")
    assert not (tmp_path / "killed" / "candidates.csv").exists()
    # Tried again on another node of the cluster.
    monkeypatch.setattr(inputs, "describe_device", lambda _: "cpu: another model, 1 threads")
    resumed = search(digits_manifest, tmp_path / "killed")
    pd.testing.assert_frame_equal(without_seconds(resumed), without_seconds(whole))
    assert len(scored) == len(pd.read_csv(whole)) + 1  # only the one that was killed, twice


def test_a_search_without_a_finite_score_is_an_error(
    digits_manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Scorer, "score", lambda *_: -math.inf)
    with pytest.raises(SpikernelError, match="candidates of k1-3 has a finite score"):
        search(digits_manifest, tmp_path)
    assert not (tmp_path / "candidates.csv").exists()


def test_subject_is_a_file_and_a_name_or_the_sizes(tmp_path: Path) -> None:
    sets = tmp_path / "kernel_sets.json"
    sets.write_text(json.dumps({"sets": [{"name": "design-1", "sizes": [3, 5]}]}))
    assert choose_subject(sets, Settings("design-1")).kernel_sizes == (3, 5)
    assert choose_subject(None, Settings(kernel_sizes=[5, 1])).kernel_set == "k1-5"
    for file, wrong in (
        (None, Settings()),
        (sets, Settings()),
        (sets, Settings("design-1", kernel_sizes=[1])),
    ):
        with pytest.raises(ConfigError, match="give either --kernel-sizes, or both"):
            choose_subject(file, wrong)
    with pytest.raises(ConfigError, match="odd and positive, got 4"):
        choose_subject(None, Settings(kernel_sizes=[4]))


def test_progress_is_reported(
    digits_manifest: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", logger=engine.__name__):
        search(digits_manifest, tmp_path)
    assert any("cells, 0 s left" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize("prefilter", [None, 5])
def test_shards_merge_to_the_ranking_of_one_job(
    digits_manifest: Path, tmp_path: Path, prefilter: int | None
) -> None:
    whole = search(
        digits_manifest,
        tmp_path / "whole",
        SETTINGS.model_copy(update={"iterations": 12, "prefilter": prefilter}),
    )
    settings = SETTINGS.model_copy(update={"iterations": 12, "prefilter": prefilter, "shards": 3})
    parts = tuple(tmp_path / f"{shard}.jsonl" for shard in range(3))
    for shard, part in enumerate(parts):
        score_shard(digits_manifest, settings, shard, part)
    merged = search(digits_manifest, tmp_path / "merged", settings, parts)
    pd.testing.assert_frame_equal(without_seconds(merged), without_seconds(whole))
    threads = search(digits_manifest, tmp_path / "threads", settings, parts, machine=TWO_THREADS)
    assert threads.read_bytes() == merged.read_bytes()
    with pytest.raises(TableError, match=r"the shards hold \d+ of \d+ cells"):
        search(digits_manifest, tmp_path / "torn", settings, parts[:2])
    parts[1].write_text("{")
    with pytest.raises(TableError, match=r"1\.jsonl is missing or damaged"):
        search(digits_manifest, tmp_path / "torn", settings, parts)
    other = settings.model_copy(update={"seed": 9})
    with pytest.raises(TableError, match=r"0\.jsonl belongs to another search"):
        search(digits_manifest, tmp_path / "torn", other, parts)
    with pytest.raises(ConfigError, match=r"shard 3 is not one of 0\.\.2"):
        score_shard(digits_manifest, settings, 3, parts[0])


def test_code_that_parts_must_agree_on_makes_shards_anew() -> None:
    """Snakemake keeps a shard by the code that its script reaches; merging asks for no more."""
    assert code.reached(search_job.__name__) < code.reached("nas_search_shard")
    assert ROOT / "scripts/spikernel/study/nas_search.py" not in code.reached("nas_search_shard")


def test_prefilter_scores_its_best_exactly_and_lists_the_rest(
    digits_manifest: Path, tmp_path: Path
) -> None:
    settings = SETTINGS.model_copy(update={"strategy": "exhaustive", "prefilter": 4})
    table = pd.read_csv(search(digits_manifest, tmp_path / "few", settings))
    assert len(table) == 6_838
    assert table["rank"].dropna().tolist() == [1, 2, 3, 4]
    assert table["score"].notna().sum() == 4
    best = table["prefilter_score"].nlargest(4, keep="all").min()
    assert (table.loc[table["score"].notna(), "prefilter_score"] >= best).all()
    # The exact scores are those of a search without a prefilter.
    budget = Budget(max_params=int(table["params"].iloc[0]))
    exact = SETTINGS.model_copy(update={"iterations": 40, "budget": budget})
    scores = pd.read_csv(search(digits_manifest, tmp_path / "exact", exact)).set_index("archid")
    for _, row in table.iloc[:4].iterrows():
        if row["archid"] in scores.index:
            assert row["score"] == scores.loc[row["archid"], "score"]


def test_evolution_finds_the_best_of_a_space_small_enough_to_enumerate(
    digits_manifest: Path, tmp_path: Path
) -> None:
    base = SETTINGS.model_copy(update={"operations": ("zero",)})
    found = {}
    for strategy, iterations in (("exhaustive", 1), ("evolution", 12)):
        settings = base.model_copy(
            update={
                "strategy": strategy, "iterations": iterations, "population": 4, "tournament": 3,
            }
        )  # fmt: skip
        candidates = search(digits_manifest, tmp_path / strategy, settings, sizes=(3,))
        found[strategy] = json.loads(candidates.with_name("search.json").read_text())
    # Over {zero, k3} there are 7 distinct cells; see the enumeration's test.
    assert found["exhaustive"]["distinct"] == 7
    assert found["evolution"]["best_archid"] == found["exhaustive"]["best_archid"]
    assert found["evolution"]["distinct"] <= 7


def test_feedback_cells_are_searched_like_forward_ones(
    digits_manifest: Path, tmp_path: Path
) -> None:
    settings = SETTINGS.model_copy(update={"cells": "feedback", "iterations": 8})
    table = pd.read_csv(search(digits_manifest, tmp_path / "random", settings))
    assert table["archid"].str.contains(r"k\dr|skipr|avgr").any()
    edges = table[[column for column in table if column.startswith("edge_")]]
    assert edges.agg("-".join, axis=1).tolist() == table["archid"].tolist()
    bred = settings.model_copy(
        update={"strategy": "evolution", "population": 3, "tournament": 2, "iterations": 8}
    )
    assert len(pd.read_csv(search(digits_manifest, tmp_path / "evolution", bred))) == 8


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("forward", {"raw": 15625, "accepted": 12500, "distinct": 7556, "canonical": 7012}),
        ("feedback", {"accepted": 236196, "distinct": 104708}),
    ],
)
def test_the_script_counts_the_space(kind: str, expected: dict[str, int]) -> None:
    script = Path(__file__).parents[3] / "scripts" / "cells.py"
    search = f"{{cells: {kind}}}"
    command = [sys.executable, script, "--kernel-sizes", "1", "3", "--search", search]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert expected.items() <= json.loads(result.stdout).items()


def test_spikenas_benchs_space_is_one_of_thresholds() -> None:
    """Zero, skip and 3x3 behind three thresholds: five operations, as SNASNet's."""
    operations = operation_set((3,), ("zero", "skip"), thresholds=(0.5, 1.0, 1.5))
    assert asdict(count_cells(operations, "forward")) == {
        "raw": 15625, "accepted": 12500, "distinct": 7556, "canonical": 7012,
    }  # fmt: skip


def test_thresholds_are_searched_and_rise_along_the_best_path(
    digits_manifest: Path, tmp_path: Path
) -> None:
    changes = {"thresholds": (0.5, 1.0, 1.5), "operations": ("zero", "skip")}
    settings = SETTINGS.model_copy(update={**changes, "score": "rising_path"})
    every = settings.model_copy(update={"strategy": "exhaustive"})
    table = pd.read_csv(search(digits_manifest, tmp_path / "all", every, sizes=(3,)))
    without_convolution = count_cells(("zero", "skip"), "forward").canonical
    assert len(table) == 7_012 - without_convolution
    best = Cell.from_archid(table["archid"].iloc[0])
    # Three in a chain with the largest rise; the threshold between is a tie.
    assert [best.operations[place] for place in (0, 5)] == ["k3t0.5", "k3t1.5"]
    assert best.kernel_sizes() == [3, 3, 3]
    measured = settings.model_copy(update={"score": "sahd_half", "iterations": 6})
    table = pd.read_csv(search(digits_manifest, tmp_path / "random", measured))
    assert table["archid"].str.contains(r"t(?:0\.5|1\.5)").any()
    assert table["rank"].notna().all()


def test_structural_score_ranks_without_running_a_net(
    digits_manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Scorer, "score", lambda *_: pytest.fail("a net was run"))
    settings = SETTINGS.model_copy(update={"score": "rising_path", "strategy": "exhaustive"})
    table = pd.read_csv(search(digits_manifest, tmp_path, settings))
    assert len(table) == 6_838
    best = Cell.from_archid(table["archid"].iloc[0])
    # Depth first: three 3x3 in a chain, and nothing with weights beside it.
    assert best.kernel_sizes() == [3, 3, 3]
    assert [best.operations[place] for place in (0, 3, 5)] == ["k3", "k3", "k3"]
