"""The study through profiles/slurm, on a real cluster of two nodes.

The profile is taken as it is; only the jobs are polled sooner. Run by `make test-slurm`.
"""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from cluster import PROFILE, jobs, jobs_of, newest, running, start_node, stop_node, wait_for
from project import (
    FEW_JOBS,
    copy_project,
    halted,
    holding,
    snakemake,
    start_snakemake,
    write_config,
)

CLUSTER = os.environ.get("SPIKERNEL_TEST_CLUSTER")
pytestmark = pytest.mark.skipif(CLUSTER is None, reason="needs a SLURM cluster: make test-slurm")

EPOCHS = 8  # each training that is interrupted halts after epoch 3 until then
STUDY = {
    **FEW_JOBS,
    "train_final": {"seeds": [0, 1], "training": {"recipe": "modern", "epochs": EPOCHS}},
}
FINAL = "results/tiny/digits/train_final/k1-3/rank-1"


def training_log(project: Path, seed: int) -> Path:
    return project / f"logs/tiny/digits/train_final/k1-3_rank-1_seed-{seed}.log"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the study as one machine makes it."""
    folder = copy_project(tmp_path_factory.mktemp("local"))
    write_config(folder, STUDY)
    result = snakemake(folder)
    assert result.returncode == 0, result.stdout
    return folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Run the study; stop node2 while it trains. Return the folder and the stopped job."""
    assert CLUSTER
    hold = tmp_path_factory.mktemp("hold") / "file"
    folder = copy_project(tmp_path_factory.mktemp("slurm"))
    write_config(folder, STUDY)
    with (folder / "snakemake.log").open("w") as stream:
        process = start_snakemake(folder, *PROFILE, environment=holding(hold), stdout=stream)
        stopped: dict[str, str] = {}

        def trains_on_node2() -> bool:
            assert process.poll() is None, (folder / "snakemake.log").read_text()
            for job in jobs_of("train_final"):
                seed = int(job["Comment"].rsplit("_", 1)[1])
                if job["NodeList"] == "node2" and halted(training_log(folder, seed)):
                    stopped.update(job)
            return bool(stopped)

        wait_for(trains_on_node2, "a training on node2", seconds=600)
        stop_node("node2", Path(CLUSTER), stopped["JobId"])
        hold.unlink()
        assert process.wait(timeout=900) == 0, (folder / "snakemake.log").read_text()
    start_node("node2")
    return folder, stopped["JobId"]


@pytest.fixture
def project(local: Path, tmp_path: Path) -> Path:
    wait_for(lambda: not running(), "the jobs of other tests to end")
    copied = tmp_path / "project"
    shutil.copytree(local, copied, symlinks=True)
    return copied


@pytest.mark.usefixtures("finished")
def test_jobs_run_on_both_nodes() -> None:
    shards = jobs_of("nas_search_shard")
    for spread in (shards, jobs_of("kernel_impact")):
        assert {job["NodeList"] for job in spread} == {"node1", "node2"}
    for job in [*shards, *jobs_of("train_final"), *jobs_of("deployment")]:
        assert job["Partition"] == "gpu"
        assert job["TresPerJob"] == "gres:gpu:1"
    assert jobs_of("prepare_data")[0]["Partition"] == "cpu"
    # Table, export and figures share a job, as do table and design: fifteen steps, twelve jobs.
    assert len(jobs()) == 12


def test_run_survives_the_loss_of_a_node(finished: tuple[Path, str]) -> None:
    folder, number = finished
    (job,) = [job for job in jobs() if job["JobId"] == number]
    assert job["Restarts"] == "1"
    assert job["NodeList"] == "node1"
    assert job["JobState"] == "COMPLETED"
    seed = int(job["Comment"].rsplit("_", 1)[1])
    assert training_log(folder, seed).read_text().startswith("resumed after epoch")
    assert snakemake(folder, "--dry-run").stdout.count("Nothing to be done") == 1


def timed(name: str) -> bool:
    """Whether a column or key holds a time, or the ratio of two."""
    return "second" in name or name == "ratio"


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if not timed(k)}
    return value


def numbers(folder: Path) -> dict[str, Any]:
    """Return every result that is a number, without times, by path."""
    found: dict[str, Any] = {}
    for path in sorted((folder / "results").rglob("*")):
        name = str(path.relative_to(folder))
        if path.suffix in (".safetensors", ".npy"):
            found[name] = path.read_bytes()
        elif path.suffix == ".csv":
            table = pd.read_csv(path)
            found[name] = table.drop(columns=[c for c in table if timed(c)]).to_csv()
        elif path.suffix == ".json" and not path.name.startswith("provenance"):
            found[name] = without_times(json.loads(path.read_text()))
    return found


def test_results_equal_those_of_one_machine(finished: tuple[Path, str], local: Path) -> None:
    here, there = numbers(local), numbers(finished[0])
    assert set(here) == set(there)
    assert f"{FINAL}/seed-1/model.safetensors" in here
    for name, value in here.items():
        assert there[name] == value, name


def test_too_little_memory_and_time_are_raised(project: Path, tmp_path: Path) -> None:
    """In one run: both trainings halt; seed 0 gets too little time, seed 1 too little memory."""
    before, hold = newest(), tmp_path / "hold"
    shutil.rmtree(project / FINAL)
    for seed in (0, 1):
        training_log(project, seed).unlink()
    targets = [f"{FINAL}/seed-{seed}/metrics.json" for seed in (0, 1)]
    # The command line replaces this whole section of the profile.
    resources = (
        "train_final:mem_mb=200*attempt**3 if int(wildcards.seed) else 16000*attempt",
        "train_final:runtime=30*attempt if int(wildcards.seed) else attempt**4",
    )

    def tried() -> list[list[tuple[str, str, str]]]:
        found = jobs_of("train_final", since=before)
        return [
            [
                (job["JobState"], job["TimeLimit"], job["MinMemoryNode"])
                for job in found
                if job["Comment"].endswith(f"_{seed}")
            ]
            for seed in (0, 1)
        ]

    with (project / "snakemake.log").open("w") as stream:
        process = start_snakemake(
            project, *targets, *PROFILE, "--set-resources", *resources,
            environment=holding(hold), stdout=stream,
        )  # fmt: skip
        wait_for(lambda: all(len(each) == 2 for each in tried()), "both to be submitted again")
        hold.unlink()
        assert process.wait(timeout=300) == 0, (project / "snakemake.log").read_text()
    assert tried() == [
        [("TIMEOUT", "00:01:00", "16000M"), ("COMPLETED", "00:16:00", "32000M")],
        [("FAILED", "00:30:00", "200M"), ("COMPLETED", "01:00:00", "1600M")],
    ]
    assert training_log(project, 0).read_text().startswith("resumed after epoch")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_controller_resumes(project: Path, tmp_path: Path, how: signal.Signals) -> None:
    target, hold = f"{FINAL}/seed-0/metrics.json", tmp_path / "hold"
    shutil.rmtree(project / FINAL / "seed-0")
    log = training_log(project, 0)
    log.unlink()
    with (project / "snakemake.log").open("w") as stream:
        process = start_snakemake(
            project, target, *PROFILE, environment=holding(hold), stdout=stream
        )
        wait_for(lambda: halted(log), "the training to begin")
        os.killpg(process.pid, how)
        process.wait(timeout=240)  # the plugin looks at its jobs at least every 180 s
    if how is signal.SIGKILL:
        # Nobody told SLURM: the job goes on, and docs/slurm.md says to cancel it.
        assert len(running()) == 1
        subprocess.run(["scancel", "--user", "root"], check=True)
        assert snakemake(project, "--unlock").returncode == 0
    wait_for(lambda: not running(), "the job to be cancelled")
    assert not (project / target).exists()
    hold.unlink()
    result = snakemake(project, target, *PROFILE)
    assert result.returncode == 0, result.stdout
    assert log.read_text().startswith("resumed after epoch")
    assert len((project / FINAL / "seed-0/history.csv").read_text().splitlines()) == 1 + EPOCHS
