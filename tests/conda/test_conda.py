"""`--use-conda` for real, with environments that a stand-in for conda makes with uv.

Shown: each environment holds what its scripts need, and no job imports anything from outside its
own. Not shown: that conda-forge resolves the files.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from environments import ENVS, scripts_of
from project import FEW_JOBS, ROOT, copy_project, snakemake, write_config

HERE = Path(__file__).parent
STAND_IN = HERE / "stand_in" / "bin"


def find_links() -> str:
    """Return the folders of wheels that pip is told of and uv is not (see the Makefile)."""
    command = [sys.executable, "-m", "pip", "config", "get", "global.find-links"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return ",".join(answer.stdout.split())


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the variables of a shell with conda, whose tests run without the project's own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    path = [STAND_IN, Path(sys.executable).parent, kept["PATH"]]
    own = tmp_path_factory.mktemp("own")  # packages of the user's, which jobs must not see
    (own / "safetensors.py").write_text("raise ImportError('a package of the user')\n")
    return kept | {
        "PYTHONPATH": str(own),
        "PATH": os.pathsep.join(map(str, path)),
        "CONDA_STAND_IN_CONSTRAINTS": str(ROOT / "requirements.lock"),
        "UV_FIND_LINKS": os.environ.get("UV_FIND_LINKS") or find_links(),
        "SPIKERNEL_TEST_RECORD": str(tmp_path_factory.mktemp("record") / "jobs.jsonl"),
    }


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Path:
    """Return a copy of the project with its environments made; nothing has run."""
    folder = copy_project(tmp_path_factory.mktemp("conda"))
    write_config(folder, FEW_JOBS)
    environment["SPIKERNEL_TEST_PROJECT"] = str(folder)
    made = snakemake(folder, "--use-conda", "--conda-create-envs-only", environment=environment)
    assert made.returncode == 0, made.stdout
    return folder


def made_environments(project: Path) -> dict[str, Path]:
    """Return name of the file in envs/ -> folder of the environment made from it.

    Snakemake makes one environment for files that are equal.
    """
    copies = list((project / ".snakemake" / "conda").glob("*.yaml"))
    return {
        env.stem: copy.with_suffix("")
        for env in ENVS
        for copy in copies
        if copy.read_bytes() == env.read_bytes()
    }


def packages(folder: Path) -> set[str]:
    names = (path.name for path in folder.glob("lib/python3*/site-packages/*.dist-info"))
    return {name.split("-")[0].lower().replace("_", "-") for name in names}


def asks_for(name: str, env: Path) -> bool:
    entries = yaml.safe_load(env.read_text())["dependencies"]
    return any(isinstance(entry, str) and entry.split()[0] == name for entry in entries)


def test_every_file_makes_an_environment_without_the_controller(
    project: Path, environment: dict[str, str]
) -> None:
    folders = made_environments(project)
    for env in ENVS:
        if env.stem in folders:
            continue
        # Only a rule that is no part of this run uses it.
        folder = project / ".snakemake" / "conda" / f"extra_{env.stem}"
        create = ["conda", "env", "create", "--file", env, "--prefix", folder]
        subprocess.run(create, env=environment, check=True)
        for script in scripts_of(env.stem):
            call = [folder / "bin" / "python", f"scripts/{script}.py", "--help"]
            subprocess.run(call, cwd=project, env=environment, check=True)
        folders[env.stem] = folder
    for name, folder in folders.items():
        held = packages(folder)
        assert held, f"{folder} is empty"
        assert not {"snakemake", "pytest", "dvc"} & held
        env = ROOT / "envs" / f"{name}.yaml"
        asked = asks_for("pytorch", env)
        assert ("torch" in held) == asked, name
    assert "torch" not in packages(folders["kernel_set_design"])
    assert "torch" not in packages(folders["tradeoff_report"])


def test_every_job_runs_inside_its_own_environment(
    project: Path, environment: dict[str, str]
) -> None:
    folders = made_environments(project)
    for folder in folders.values():
        (site,) = folder.glob("lib/python3*/site-packages")
        shutil.copy(HERE / "module_recorder.py", site)
        # Not as `sitecustomize`, of which Debian's Python has one of its own that comes first.
        (site / "module_recorder.pth").write_text("import module_recorder\n")
    run = snakemake(project, "--use-conda", environment=environment)
    assert run.returncode == 0, run.stdout
    lines = Path(environment["SPIKERNEL_TEST_RECORD"]).read_text().splitlines()
    jobs = [json.loads(line) for line in lines]
    assert [job for job in jobs if job["outside"]] == []
    ran = {(Path(job["script"]).stem, Path(job["prefix"])) for job in jobs}
    expected = {
        (script, folders[env])
        for env in folders
        for script in scripts_of(env)
        if not script.startswith("finalist_")  # of which the tiny study has none
    }
    assert ran == expected
    assert (project / "results/tiny/tradeoff_report/report.html").stat().st_size > 0
