"""The whole DAG for real, in its smallest form, and what reruns after a change.

All tests share one finished run; each works on a copy of it.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from project import (
    TINY,
    copy_project,
    halted,
    holding,
    planned_jobs,
    snakemake,
    start_snakemake,
    write_config,
)

MODEL = "results/tiny/digits/train_final/k1-3/rank-1/seed-0"
REPORT = "results/tiny/tradeoff_report"


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_project(tmp_path_factory.mktemp("study"))
    result = snakemake(folder)
    assert result.returncode == 0, result.stdout
    return folder


@pytest.fixture
def project(finished: Path, tmp_path: Path) -> Path:
    # copytree keeps modification times, as a copy by the user would.
    copied = tmp_path / "project"
    shutil.copytree(finished, copied, symlinks=True)
    return copied


def replan(folder: Path, *arguments: str) -> dict[str, int]:
    result = snakemake(folder, "--dry-run", *arguments)
    assert result.returncode == 0, result.stdout
    return planned_jobs(result.stdout)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_promised_files_and_columns(finished: Path) -> None:
    candidates = pd.read_csv(finished / "results/tiny/digits/nas_search/k1-3/candidates.csv")
    edges = ["edge_01", "edge_02", "edge_03", "edge_12", "edge_13", "edge_23"]
    promised = ["archid", *edges, "params", "memory_mb_fp32", "score", "rank"]
    assert candidates.columns.tolist()[: len(promised)] == promised
    assert candidates["rank"].dropna().is_monotonic_increasing
    search = json.loads((finished / "results/tiny/digits/nas_search/k1-3/search.json").read_text())
    assert {"strategy", "evaluated", "distinct", "seconds", "device"} <= set(search)
    for name in (
        "metrics.json",
        "history.csv",
        "layers.csv",
        "model.safetensors",
        "provenance.json",
    ):
        assert (finished / MODEL / name).stat().st_size > 0
    models = pd.read_csv(finished / REPORT / "models.csv")
    assert models.columns.tolist()[:14] == [
        "dataset", "kernel_set", "rank", "archid", "seed", "params", "memory_mb_fp32",
        "memory_mb_int8", "val_accuracy_percent", "test_accuracy_percent", "firing_rate",
        "search_seconds", "train_seconds", "pareto",
    ]  # fmt: skip
    assert set(models["kernel_set"]) == {"k1-3", "design-1"}
    best = candidates.loc[candidates["rank"] == 1, "archid"].iloc[0]
    assert models.loc[models["kernel_set"] == "k1-3", "archid"].tolist() == [best]
    for kind in ("svg", "pdf", "png", "csv"):
        assert (finished / REPORT / f"figures/accuracy_vs_memory.{kind}").stat().st_size > 0
    assert best in (finished / REPORT / "report.html").read_text()
    for name in ("selection.md", "selection.tex", "models.md", "models.tex"):
        assert (finished / REPORT / "tables" / name).stat().st_size > 0


def test_every_link_of_the_page_leads_to_a_file(finished: Path) -> None:
    page = (finished / REPORT / "report.html").read_text().split("<script")[0]
    links = {link for link in re.findall(r'href="([^"#][^"]*)"', page) if link != "data:,"}
    assert f"../{MODEL.removeprefix('results/tiny/')}/model.safetensors" in links
    for link in links:
        assert (finished / REPORT / link).is_file(), link


def test_exported_model_is_the_one_the_report_names(finished: Path) -> None:
    folder = finished / "results/tiny/digits/export"
    made = json.loads((folder / "export.json").read_text())
    named = pd.read_csv(finished / REPORT / "selection.csv").iloc[0]
    assert (made["kernel_set"], made["archid"]) == (named["kernel_set"], named["archid"])
    assert made["chosen_for"]["budget_mb"] == 0.02
    assert made["c"]["int8"]["images"] == 60
    assert made["onnx"]["fp32"]["same_class"] == 60
    for name in ("MODEL_CARD.md", "model.onnx", "c_int8/model.c", "images.u8", "model.zip"):
        assert (folder / name).stat().st_size > 0


def test_every_job_leaves_its_provenance(finished: Path) -> None:
    results = finished / "results" / "tiny"
    folders = {path.parent for path in results.rglob("*.json")}
    for folder in folders:
        records = [json.loads(path.read_text()) for path in folder.glob("provenance*.json")]
        assert records, f"{folder} has no provenance"
        for record in records:
            assert record["outputs"]
            assert record["code"]
    assert not list(results.rglob(".*.tmp*"))
    assert not list(results.rglob("*.unfinished"))


def test_second_run_does_nothing(project: Path) -> None:
    result = snakemake(project)
    assert result.returncode == 0
    assert "Nothing to be done" in result.stdout


def test_same_seeds_give_the_same_files(project: Path, finished: Path) -> None:
    shutil.rmtree(project / "results")
    assert snakemake(project, f"{MODEL}/metrics.json").returncode == 0
    assert (project / MODEL / "model.safetensors").read_bytes() == (
        finished / MODEL / "model.safetensors"
    ).read_bytes()
    for path in ("metrics.json",):
        first = json.loads((project / MODEL / path).read_text())
        second = json.loads((finished / MODEL / path).read_text())
        for timed in ("train_seconds", "images_per_second"):
            del first[timed], second[timed]
        assert first == second


def test_shards_give_the_ranking_of_one_job(project: Path, finished: Path) -> None:
    search = {**TINY["nas_search"], "shards": 2}  # type: ignore[dict-item]
    write_config(project, {**TINY, "nas_search": search})
    target = "results/tiny/digits/nas_search/k1-3/candidates.csv"
    result = snakemake(project, target)
    assert result.returncode == 0, result.stdout
    merged, whole = (
        pd.read_csv(folder / target).drop(columns="seconds") for folder in (project, finished)
    )
    pd.testing.assert_frame_equal(merged, whole)


def test_finalists_rank_without_a_new_search(project: Path) -> None:
    halving = {
        "beside": 2,
        "rungs": [1, 2],
        "seeds": [0],
        "reduction_factor": 2,
        "training": {"recipe": "engine", "batch_size": 50},
    }
    search = {**TINY["nas_search"], "finalists": 2}  # type: ignore[dict-item]
    write_config(project, {**TINY, "nas_search": {**search, "finalist_training": halving}})
    # Two kernel sets, two rungs of one job each; and what follows the ranking.
    jobs = replan(project)
    assert (jobs["finalist_rung"], jobs["finalist_ranking"], jobs["train_final"]) == (4, 2, 2)
    assert not {"prepare_data", "kernel_impact", "kernel_set_design", "nas_search"} & set(jobs)
    target = "results/tiny/digits/finalists/k1-3/candidates.csv"
    result = snakemake(project, target)
    assert result.returncode == 0, result.stdout
    assert replan(project, target) == {}
    ranked = pd.read_csv(project / target)
    assert ranked["finalist_epochs"].tolist()[:4] == [2, 2, 1, 1]


def test_widths_are_added_to_a_finished_run(project: Path) -> None:
    final = {**TINY["train_final"], "widths": {"design-1": [1, 2]}}  # type: ignore[dict-item]
    write_config(project, {**TINY, "train_final": final})
    # What is there stays: one net is new, and the tables that show it.
    after = ("tradeoff_table", "export", "tradeoff_report")
    assert replan(project) == {"all": 1, **dict.fromkeys(("train_final", "deployment", *after), 1)}
    result = snakemake(project)
    assert result.returncode == 0, result.stdout
    said = r"Finished after 0:\d\d:\d\d: Training kernel set design-1, rank 1_width-2, on digits "
    assert re.search(said + r"\(seed 0\): test accuracy \d+\.\d\d %", result.stdout)
    assert "input:" not in result.stdout  # no list of paths: every job has a message
    assert replan(project) == {}
    models = pd.read_csv(project / REPORT / "models.csv").set_index(["kernel_set", "width"])
    assert set(models.index) == {("k1-3", 1), ("design-1", 1), ("design-1", 2)}
    one, two = (models.loc[("design-1", width)] for width in (1, 2))
    assert one["archid"] == two["archid"]
    assert two["params"] > 2 * one["params"]
    place = "train_final/design-1/rank-1_width-2/seed-0"
    made = json.loads((project / f"results/tiny/digits/{place}/metrics.json").read_text())
    assert (made["width"], made["params"]) == (2, two["params"])
    page = (project / REPORT / "report.html").read_text()
    assert f"../digits/{place}/model.safetensors" in page
    assert "design-1 rank 1 width 2" in page


def test_a_model_exported_by_hand_is_on_the_page(project: Path) -> None:
    command = ["scripts/export_models.py", "--run", "results/tiny/digits"]
    made = subprocess.run([sys.executable, *command], cwd=project, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    folders = sorted(path.name for path in (project / "results/tiny/digits").glob("export-*"))
    assert folders == ["export-design-1-rank-1", "export-k1-3-rank-1"]
    assert replan(project) == {"all": 1, "tradeoff_report": 1}
    result = snakemake(project)
    assert result.returncode == 0, result.stdout
    links = [f'href="../digits/{folder}/model.zip"' for folder in folders]
    page = (project / REPORT / "report.html").read_text()
    assert [link in page for link in links] == [True, True]
    # The first is now of another training than that whose weights lie there.
    record = project / "results/tiny/digits" / folders[0] / "provenance.json"
    made_of = json.loads(record.read_text())
    del made_of["record_sha256"]
    record.write_text(json.dumps({**made_of, "inputs": {"model.safetensors": "0" * 64}}))
    (project / REPORT / "report.html").unlink()
    result = snakemake(project)
    assert result.returncode == 0, result.stdout
    page = (project / REPORT / "report.html").read_text()
    assert [link in page for link in links] == [False, True]


def test_a_run_ends_with_its_result(project: Path) -> None:
    (project / REPORT / "report.html").unlink()
    result = snakemake(project)
    assert result.returncode == 0, result.stdout
    lines = result.stdout.splitlines()[-5:]
    assert [line.split()[0] for line in lines] == ["Model", "Accuracy", "Memory", "Page", "Export"]
    named = pd.read_csv(project / REPORT / "selection.csv").iloc[0]
    assert f"digits: {named['archid']}, rank 1" in lines[0]
    assert f"{named['test_accuracy_percent_mean']:.2f} % of 60 test images" in lines[1]
    for line in lines[3:]:
        assert (project / line.split()[1]).is_file()


def test_no_model_within_the_budget_still_gives_a_page(project: Path) -> None:
    """The smallest trained model needs more than the smallest that could have been found."""
    smallest = float(pd.read_csv(project / REPORT / "models.csv")["memory_mb_fp32"].min())
    budget = smallest - 0.0001
    write_config(project, {**TINY, "tradeoff_report": {"memory_budgets_mb": [budget]}})
    result = snakemake(project)
    assert result.returncode == 0, result.stdout
    assert "No trained model fits a memory budget" in (project / REPORT / "report.html").read_text()
    assert f"Model     digits: none fits {budget:g} MB" in result.stdout
    made = json.loads((project / "results/tiny/digits/export/export.json").read_text())
    assert made["chosen_for"]["fits"] is False
    assert made["params"] * 4 / 1e6 == smallest


@pytest.mark.skipif("__import__('torch').cuda.is_available()", reason="there is a GPU")
def test_missing_gpu_fails_when_asked_for(project: Path) -> None:
    write_config(project, {**TINY, "device": "cuda"})
    result = snakemake(project, f"{MODEL}/metrics.json")
    assert result.returncode != 0
    assert "device cuda was asked for" in result.stdout


def test_altered_data_is_noticed_before_training(project: Path) -> None:
    array = project / "results/tiny/digits/prepare_data/train_images.npy"
    data = bytearray(array.read_bytes())
    data[-1] ^= 1
    array.write_bytes(data)
    (project / MODEL / "metrics.json").unlink()
    result = snakemake(project, f"{MODEL}/metrics.json")
    assert result.returncode != 0
    assert "train_images.npy" in result.stdout
    assert "the manifest says" in result.stdout


def test_an_interrupted_run_ends_in_one_line_and_goes_on(project: Path, tmp_path: Path) -> None:
    final = {"seeds": [0], "training": {"recipe": "modern", "epochs": 8}}
    write_config(project, {**TINY, "train_final": final})
    target, hold = f"{MODEL}/metrics.json", tmp_path / "hold"
    log = project / "logs/tiny/digits/train_final/k1-3_rank-1_seed-0.log"
    log.unlink()
    process = start_snakemake(project, target, environment=holding(hold))
    deadline = time.monotonic() + 240
    while not halted(log):
        assert process.poll() is None, "the run ended before it could be interrupted"
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does at Ctrl-C
    output, _ = process.communicate(timeout=60)
    hold.unlink()
    line = "interrupted: what is done is kept; run the same command again to go on"
    assert process.returncode == 130
    assert output.splitlines()[-1] == line
    assert log.read_text().splitlines()[-1] == line
    assert "Error in rule" not in output
    result = snakemake(project, target)
    assert result.returncode == 0, result.stdout
    assert log.read_text().startswith("resumed after epoch")


def test_killed_run_leaves_no_result_and_goes_on(project: Path, tmp_path: Path) -> None:
    """Kill Snakemake and its job in the middle of a training; the next run resumes it."""
    final = {"seeds": [0], "training": {"recipe": "modern", "epochs": 8}}
    write_config(project, {**TINY, "train_final": final})
    target, hold = f"{MODEL}/metrics.json", tmp_path / "hold"
    log = project / "logs/tiny/digits/train_final/k1-3_rank-1_seed-0.log"
    log.unlink()
    process = start_snakemake(project, target, environment=holding(hold))
    deadline = time.monotonic() + 240
    while not halted(log):
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    hold.unlink()
    assert not (project / target).exists()
    assert list((project / MODEL).glob("*.unfinished"))
    assert snakemake(project, "--unlock").returncode == 0
    # Edits that cannot change the training leave its state as it is.
    for module, text in (("training/loop.py", "# A remark."), ("report/charts/style.py", "_X = 1")):
        path = project / "scripts/spikernel" / module
        path.write_text(f"{path.read_text()}\n{text}\n")
    result = snakemake(project, target)
    assert result.returncode == 0, result.stdout
    assert log.read_text().startswith("resumed after epoch")
    assert not list((project / MODEL).glob("*.unfinished"))
    assert len((project / MODEL / "history.csv").read_text().splitlines()) == 1 + 8
