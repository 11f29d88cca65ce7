"""A score is added by one file, here to a copy of the scripts."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

SCRIPTS = Path(__file__).parents[3] / "scripts"

SKIPS = """
from spikernel.search.score import ArchitectureScore


class Score(ArchitectureScore):
    def score(self, architecture):
        return float(architecture.cell.operations.count("skip"))
"""

SHARES = """
from spikernel.search.score import ArchitectureScore


class Score(ArchitectureScore):
    needs_images = True
    allows_prefilter = True
    allows_feedback = False

    def score(self, architecture):
        import torch

        assert [tuple(batch.shape) for batch in self.batches] == [(8, 1, 8, 8)] * 2
        return float(torch.cat(self.batches).shape[0] * architecture.cell.operations.count("avg"))

    def first_cell_scores(self, cells, network, images):
        return [float(cell.operations.count("avg")) for cell in cells]
"""


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    copy = tmp_path / "scripts"
    shutil.copytree(SCRIPTS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "spikernel/search/scores/skips.py").write_text(SKIPS)
    (copy / "spikernel/search/scores/shares.py").write_text(SHARES)
    return copy


def search(
    scripts: Path, manifest: Path, **settings: object
) -> tuple[subprocess.CompletedProcess[str], Path]:
    candidates = scripts.parent / "candidates.csv"
    given = {"strategy": "random", "iterations": 20, "batch_size": 8, **settings}
    command = [
        sys.executable, scripts / "nas_search.py", "--manifest", manifest, "--candidates",
        candidates, "--search-record", scripts.parent / "search.json", "--kernel-sizes", "1", "3",
        "--network", "{channels: 4}", "--search", json.dumps(given), "--device", "cpu",
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True), candidates


def test_a_search_ranks_by_a_score_of_one_new_file(scripts: Path, digits_manifest: Path) -> None:
    done, candidates = search(scripts, digits_manifest, score="skips")
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(candidates)
    assert table["score"].tolist() == sorted(table["archid"].str.count("skip"), reverse=True)


def test_a_measured_score_gets_images_and_its_own_prefilter(
    scripts: Path, digits_manifest: Path
) -> None:
    done, candidates = search(scripts, digits_manifest, score="shares", prefilter=3)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(candidates)
    assert table["score"].iloc[:3].tolist() == (16.0 * table["prefilter_score"].iloc[:3]).tolist()
    assert table["score"].notna().sum() == 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"score": "skips", "prefilter": 3}, "score skips allows no prefilter: remove prefilter"),
        ({"score": "shares", "cells": "feedback"}, "score shares knows forward cells only"),
        (
            {"score": "longest_convolution_path", "thresholds": [0.5, 1.0]},
            "score longest_convolution_path does not look at thresholds: remove thresholds",
        ),
        ({"score": "hops"}, "must be one of convolutions_after_clean_up, longest_convolution_path"),
    ],
)
def test_what_a_score_does_not_allow_is_refused_in_one_line(
    scripts: Path, digits_manifest: Path, settings: dict[str, object], message: str
) -> None:
    done, _ = search(scripts, digits_manifest, **settings)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_what_a_score_allows_is_known_without_torch(scripts: Path) -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from spikernel import registry\n"
        "from spikernel.search.score import score_class\n"
        "print(*(n for n in registry.names('score') if score_class(n).allows_prefilter))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=scripts, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["sahd_half", "sahd_half_n", "shares"]
