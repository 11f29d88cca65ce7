"""Analyse the tables of trained cells anew: whatever docs/kernel-cells.md reports of them.

After a table has grown, one command runs every analysis and writes its figures beside the tables;
`make readme` then writes the tables of the pages. The scores that run the nets take most of the
time; `--no-measured` leaves their file as it is.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from common import ROOT

from spikernel import artifacts, cli
from spikernel.errors import DataError

TABLE, CIFAR100 = "kernel-cells.csv", "kernel-cells-cifar100.csv"
FIRST, SECOND = "kernel-cells-first.csv", "kernel-cells-second.csv"
IMPACT, SECONDS = "cifar10-kernel-impact.csv", "kernel-cells-seconds.csv"
WIDTH, PARAMETERS = "same_width", "same_parameters"


@dataclass(frozen=True)
class Run:
    """A benchmark and its options; those that end in .csv are files of the folder."""

    script: str
    options: Sequence[str]

    def command(self, folder: Path, more: Sequence[str] = ()) -> list[str]:
        """Return the command line that analyses the tables of a folder."""
        named = [str(folder / word) if word.endswith(".csv") else word for word in self.options]
        return [sys.executable, str(ROOT / "benchmarks" / self.script), *named, *more]


def _regret(control: str) -> Run:
    return Run("finalists_regret.py", ("--table", TABLE, "--control", control))


def _designed(made_on: str, control: str) -> Run:
    options = ("--made-on", made_on, "--table", TABLE, "--control", control)
    return Run("designed_scores.py", options)


def _scores(table: str, control: str) -> Run:
    options = ("--table", table, "--control", control, "--cells", "0", "--half", "all")
    return Run("proxy_validation.py", options)


RECORDS: Mapping[str, Mapping[str, Run]] = {
    "finalists-regret.json": {control: _regret(control) for control in (PARAMETERS, WIDTH)},
    "designed-scores.json": {
        f"{control}, made on {made_on}": _designed(made_on, control)
        for made_on, control in ((FIRST, PARAMETERS), (SECOND, PARAMETERS), (SECOND, WIDTH))
    },
    "transfer.json": {"": Run("transfer.py", ("--fitted", TABLE, "--judged", CIFAR100))},
}
"""File -> key in it -> what makes its value; a file with an empty key holds that value alone."""
MEASURED: Mapping[str, Mapping[str, Run]] = {
    "kernel-cells-scores.json": {
        control: _scores(TABLE, control) for control in (PARAMETERS, WIDTH)
    },
    "kernel-cells-cifar100-scores.json": {"": _scores(CIFAR100, PARAMETERS)},
}
"""The same, of scores that run the nets on images."""
FINDINGS = {
    "kernel-cells-findings.csv": TABLE,
    "kernel-cells-cifar100-findings.csv": CIFAR100,
}
"""File -> the table whose findings it holds."""
SETS = Run(
    "kernel_sets.py", ("--table", TABLE, "--impact", IMPACT, "--controls", PARAMETERS, WIDTH)
)
FIRST_CHOICES = Run("first_choices.py", ("--table", TABLE))


def last_line(command: Sequence[str]) -> str:
    """Run a command, show what it prints, and return the last line of it.

    Raises:
        DataError: it fails, or prints nothing.

    """
    print(f"{Path(command[1]).name} {' '.join(command[2:])}", flush=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    *shown, last = done.stdout.splitlines() or [""]
    print("\n".join(shown), flush=True)
    if done.returncode or not last:
        raise DataError(f"{command[1]} failed with status {done.returncode}: see above")
    return last


def record(runs: Mapping[str, Run], folder: Path, more: Sequence[str] = ()) -> object:
    """Return what the runs of one file print as their last lines."""
    found = {key: json.loads(last_line(run.command(folder, more))) for key, run in runs.items()}
    return found.get("", found)


def main(
    tables: Annotated[Path, "folder of the tables, and of what is written"],
    data: Annotated[Path, "folder that holds CIFAR-10 and CIFAR-100"] = Path("data"),
    measured: Annotated[bool, "also the scores that run the nets, which takes longest"] = True,
    threads: Annotated[int, "CPU threads of these"] = 1,
) -> None:
    """Write every file anew, each when its analysis is finished."""
    with tempfile.TemporaryDirectory() as figures:
        for name, table in FINDINGS.items():
            timed = table == TABLE and (tables / SECONDS).exists()
            run = Run("kernel_findings.py", ("--table", table, *(("--times", SECONDS) * timed)))
            more = ["--findings", str(tables / name), "--figures", figures]
            last_line(run.command(tables, more))
    last_line(SETS.command(tables, ["--findings", str(tables / "kernel-cells-sets.csv")]))
    chosen = tables / "kernel-cells-first-choices.csv"
    last_line(FIRST_CHOICES.command(tables, ["--output", str(chosen)]))
    for name, runs in RECORDS.items():
        artifacts.write_json(tables / name, record(runs, tables))
    if measured:
        more = ["--data", str(data), "--threads", str(threads), "--device", "cpu"]
        for name, runs in MEASURED.items():
            artifacts.write_json(tables / name, record(runs, tables, more))


if __name__ == "__main__":
    cli.run(main)
