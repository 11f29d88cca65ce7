"""A Git and DVC repository of the project, with a study of few jobs as its demo."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from project import FEW_JOBS, ROOT, copy_project, planned_jobs

CONFIG = "config/demo.yaml"
TOY = {**FEW_JOBS, "experiment": "demo"}
LEDGER = (
    *("dvc.yaml", "studies/dvc.yaml", ".dvcignore", ".gitignore"),
    *(".dvc/config", ".dvc/.gitignore"),
)
"""What DVC reads of the project."""
PULL = ("dvc", "pull", "--with-deps", "bookkeeping")
"""Brings the demo; without a target DVC complains about studies that were never run."""


class Clone:
    """A clone, with a state and a cache of its own, as on another machine."""

    def __init__(self, origin: Path, folder: Path) -> None:
        """Clone `origin` into `folder`."""
        self.folder = folder
        self.environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            # Otherwise one database per machine remembers checksums of files.
            "DVC_SITE_CACHE_DIR": f"{folder}.state",
            "DVC_GLOBAL_CONFIG_DIR": f"{folder}.state",
            **{f"GIT_{who}_NAME": "test" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "test@example.org" for who in ("AUTHOR", "COMMITTER")},
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        subprocess.run(["git", "clone", "--quiet", origin, folder], check=True)

    def attempt(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command; `stdout` holds both streams."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )

    def run(self, *command: str) -> str:
        """Run a command that must succeed, and return both streams."""
        done = self.attempt(*command)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"
        return done.stdout

    def jobs(self) -> dict[str, int]:
        """Return how many jobs of each rule `dvc repro` runs."""
        output = self.run("dvc", "repro")
        return planned_jobs(output) if "Job stats:" in output else {}

    def commit(self) -> None:
        """Commit everything and hand it to the origin."""
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--message", "results")
        self.run("git", "push", "--quiet", "origin", "HEAD")

    def planned(self) -> dict[str, int]:
        """Return what Snakemake alone would run."""
        return planned_jobs(self.run("snakemake", "--dry-run", "--configfile", CONFIG))

    def configure(self, **changes: object) -> None:
        """Change sections of the demo's configuration."""
        text = yaml.safe_dump({**TOY, **changes}, sort_keys=False)
        (self.folder / CONFIG).write_text(text)


def make_origin(folder: Path) -> Path:
    """Return a bare repository with the project as it is now."""
    project = copy_project(folder / "project")
    pointers = [str(path.relative_to(ROOT)) for path in (ROOT / "data").glob("*.dvc")]
    for part in (*LEDGER, *pointers):
        (project / part).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / part, project / part)
    (project / CONFIG).write_text(yaml.safe_dump(TOY, sort_keys=False))
    origin = folder / "origin.git"
    author = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    for command in (
        ["init", "--quiet", "--initial-branch", "main"],
        ["add", "--all"],
        [*author, "commit", "--quiet", "--message", "project"],
        ["clone", "--quiet", "--bare", ".", str(origin)],
    ):
        subprocess.run(["git", *command], cwd=project, check=True)
    return origin


@contextmanager
def s3_server() -> Iterator[str]:
    """Serve S3 on loopback, with one bucket `store`, and yield its address."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    try:
        import boto3

        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        client = boto3.client("s3", endpoint_url=address, region_name="us-east-1", **keys)
        client.create_bucket(Bucket="store")
        yield address
    finally:
        server.stop()


def contents(folder: Path) -> dict[str, bytes]:
    """Return the content of every file below `folder`, by its relative path."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
