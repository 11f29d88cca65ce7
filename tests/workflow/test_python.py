"""Which Python a job runs in."""

import os
from pathlib import Path

from project import copy_project, snakemake

MANIFEST = "results/tiny/digits/prepare_data/manifest.json"


def test_an_environment_that_is_not_activated_serves_its_jobs(tmp_path: Path) -> None:
    project = copy_project(tmp_path)
    # A first `python` that can do nothing, and Snakemake called by its path.
    wrong = tmp_path / "bin" / "python"
    wrong.parent.mkdir()
    wrong.write_text("#!/bin/sh\necho wrong python >&2\nexit 1\n")
    wrong.chmod(0o755)
    environment = {**os.environ, "PATH": f"{wrong.parent}{os.pathsep}/usr/bin{os.pathsep}/bin"}
    done = snakemake(project, MANIFEST, environment=environment)
    assert done.returncode == 0, done.stdout
    assert (project / MANIFEST).exists()
