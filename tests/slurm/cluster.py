"""What a test sees and does of the cluster that with_cluster.sh started."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

PROFILE = ("--profile", "profiles/slurm", "--slurm-init-seconds-before-status-checks", "2")


def wait_for(condition: Callable[[], object], what: str, seconds: float = 240) -> None:
    """Wait until `condition` holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.1)


def jobs() -> list[dict[str, str]]:
    """Return every job that slurmctld remembers, by SLURM's field names, oldest first."""
    shown = subprocess.run(
        ["scontrol", "show", "job", "--oneliner"], capture_output=True, text=True, check=True
    )
    lines = [line for line in shown.stdout.splitlines() if line.startswith("JobId=")]
    return [dict(re.findall(r"(\w+(?:/\w+)?)=(\S*)", line)) for line in lines]


def jobs_of(rule: str, since: int = 0) -> list[dict[str, str]]:
    """Return the jobs of a rule that were submitted after job `since`."""
    return [
        job
        for job in jobs()
        if int(job["JobId"]) > since and job.get("Comment", "").startswith(f"rule_{rule}_wildcards")
    ]


def newest() -> int:
    """Return the number of the newest job."""
    return max((int(job["JobId"]) for job in jobs()), default=0)


def running() -> list[str]:
    """Return the numbers of the jobs that are queued or running."""
    queue = subprocess.run(["squeue", "--noheader", "--format=%i"], capture_output=True, text=True)
    return queue.stdout.split()


def stop_node(node: str, folder: Path, job: str) -> None:
    """Stop everything on a node at once, as a power failure does; nobody is told."""
    doomed = [int((folder / "run" / f"slurmd-{node}.pid").read_text())]
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            command = (process / "cmdline").read_bytes()
            variables = (process / "environ").read_bytes().split(b"\0")
        except OSError:
            continue  # ended meanwhile
        if command.startswith(b"slurmstepd: [%s." % job.encode()) or (
            b"SLURMD_NODENAME=%s" % node.encode() in variables
        ):
            doomed.append(int(process.name))
    for pid in doomed:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def start_node(node: str) -> None:
    """Start a stopped node again, and wait until it takes jobs."""
    subprocess.run(["slurmd", "-N", node], check=True)

    def idle() -> bool:
        command = ["sinfo", "--noheader", "--nodes", node, "--partition=cpu", "--format=%t"]
        state = subprocess.run(command, capture_output=True, text=True)
        return state.stdout.strip() in ("idle", "mix", "alloc")

    wait_for(idle, f"{node} to come back")
