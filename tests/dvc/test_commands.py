"""The commands of DVC that the documentation names."""

import re

from project import ROOT

DOCUMENTED = (
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/*.md"),
    ROOT / "dvc.yaml",
    ROOT / "studies/dvc.yaml",
)


def test_no_command_names_a_study_beside_the_record_of_it() -> None:
    """No edge joins the two, so DVC would run them in any order."""
    commands = [
        command
        for path in DOCUMENTED
        for command in re.findall(r"dvc repro[^#`\n]*", path.read_text())
    ]
    assert "dvc repro studies/dvc.yaml:study@cifar10" in map(str.strip, commands)
    assert [
        command for command in commands if "study@" in command and "bookkeeping" in command
    ] == []
