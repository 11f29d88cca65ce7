"""A copy of the project to run Snakemake in, away from the checkout."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import yaml

ROOT = Path(__file__).parents[2]
PARTS = ("Snakefile", "workflow", "scripts", "envs", "config", "profiles")

TINY = {
    "experiment": "tiny",
    "datasets": {"digits": {"train_images": 200, "test_images": 60}},
    "network": {"time_steps": 2, "channels": 4, "pool": 2, "hidden": 8, "votes": 1},
    "kernel_impact": {
        "kernel_sizes": [1, 3],
        "seeds": [0],
        "training": {"recipe": "modern", "epochs": 1},
    },
    "kernel_set_design": {"sizes_per_set": [1], "keep": 1},
    "nas_search": {"score": "sahd_half_n", "iterations": 5, "batch_size": 16, "batches": 1},
    "train_final": {"seeds": [0], "training": {"recipe": "modern", "epochs": 1}},
    "tradeoff_report": {"memory_budgets_mb": [0.02]},
}

# Fewer jobs for tests that run it through other programs; still every rule.
FEW_JOBS = {
    **TINY,
    "kernel_impact": {**TINY["kernel_impact"], "controls": ["plain"]},  # type: ignore[dict-item]
    "kernel_set_design": {"fixed": [[1, 3]]},
    "nas_search": {**TINY["nas_search"], "shards": 2},  # type: ignore[dict-item]
}


def copy_project(folder: Path) -> Path:
    """Copy what a run needs, and write the smallest configuration that reaches every rule."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(source, folder / part, ignore=ignored)
        else:
            shutil.copy(source, folder / part)
    write_config(folder, TINY)
    return folder


def write_config(folder: Path, config: object) -> None:
    """Write the configuration that `snakemake` below uses."""
    (folder / "config" / "tiny.yaml").write_text(yaml.safe_dump(config))


def surroundings() -> dict[str, str]:
    """Return the variables of a shell whose `python`, which jobs call, is that of the tests."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path}


def holding(file: Path) -> dict[str, str]:
    """Return variables with which final trainings halt after epoch 3 until `file` is removed."""
    file.touch()
    hold = {"PYTHONPATH": str(Path(__file__).parent / "hold"), "SPIKERNEL_TEST_HOLD": str(file)}
    return surroundings() | hold


def halted(log: Path) -> bool:
    """Whether the training of a log has come to where it halts."""
    return log.exists() and "epoch 3/" in log.read_text()


def start_snakemake(
    folder: Path,
    *arguments: str,
    config: str = "config/tiny.yaml",
    environment: Mapping[str, str] | None = None,
    stdout: IO[str] | int = subprocess.PIPE,
) -> subprocess.Popen[str]:
    """Start Snakemake with two cores, in a process group of its own, both streams together."""
    # --cores ends the list of --configfile, so that targets may follow.
    command = [sys.executable, "-m", "snakemake", "--configfile", config, "--cores", "2"]
    return subprocess.Popen(
        [*command, *arguments],
        cwd=folder,
        env=environment or surroundings(),
        text=True,
        stdout=stdout,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        # Tests send Ctrl-C, which a run in the background of a shell would ignore.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def snakemake(
    folder: Path,
    *arguments: str,
    config: str = "config/tiny.yaml",
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run Snakemake to its end; `stdout` holds both streams."""
    process = start_snakemake(folder, *arguments, config=config, environment=environment)
    output, _ = process.communicate(timeout=900)
    return subprocess.CompletedProcess(process.args, process.returncode, output)


def planned_jobs(output: str) -> dict[str, int]:
    """Return the job table of a dry run; empty where there is nothing to do."""
    if "Nothing to be done" in output:
        return {}
    table = output.split("Job stats:")[1].split("total")[0]
    rows = [line.split() for line in table.splitlines()]
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}
