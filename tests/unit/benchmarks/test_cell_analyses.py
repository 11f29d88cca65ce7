"""One command makes every file that the page on trained cells shows."""

import json
import subprocess
from pathlib import Path

import cell_analyses
import pytest

from spikernel import artifacts
from spikernel.errors import DataError

STORED = Path(__file__).parents[3] / "docs" / "measurements"


def test_files_are_made_of_the_last_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        name = Path(command[1]).name
        return subprocess.CompletedProcess(command, 0, f"shown\n{json.dumps({'by': name})}\n")

    monkeypatch.setattr(cell_analyses.subprocess, "run", run)
    (tmp_path / cell_analyses.SECONDS).touch()
    cell_analyses.main(tmp_path, Path("images"))
    assert all(Path(command[1]).exists() for command in commands)
    assert artifacts.read_json(tmp_path / "transfer.json") == {"by": "transfer.py"}
    regret = artifacts.read_json(tmp_path / "finalists-regret.json")
    by_regret = {"by": "finalists_regret.py"}
    assert regret == {"same_parameters": by_regret, "same_width": by_regret}
    timed = [command for command in commands if "--times" in command]
    assert [command[3] for command in timed] == [str(tmp_path / cell_analyses.TABLE)]
    scored = [command for command in commands if "images" in command]
    assert {Path(command[1]).name for command in scored} == {"proxy_validation.py"}
    (chosen,) = (command for command in commands if command[1].endswith("first_choices.py"))
    assert Path(chosen[-1]).name == "kernel-cells-first-choices.csv"
    assert "shown" in capsys.readouterr().out
    # What is written is what is stored, with the same keys.
    for path in tmp_path.glob("*.json"):
        there, here = (
            set(artifacts.read_json(folder / path.name)) for folder in (STORED, tmp_path)
        )
        assert here in ({"by"}, there)


def test_an_analysis_that_fails_is_named(tmp_path: Path) -> None:
    # The tables are not there.
    with pytest.raises(DataError, match=r"kernel_findings\.py failed with status"):
        cell_analyses.main(tmp_path, measured=False)
