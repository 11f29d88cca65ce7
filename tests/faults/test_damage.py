"""Files of which a bit was flipped: a step refuses them, or its results are as they were."""

import os
import random
from pathlib import Path

import pytest
from study import BY_NAME, SEARCHED, STEPS, TRAINED, Step, Study

from spikernel import cli
from spikernel.errors import SpikernelError
from spikernel.study import nas_search

FLIPS = int(os.environ.get("FAULTS_FLIPS", "4"))


def flip(path: Path, generator: random.Random) -> None:
    """Flip one bit of a file."""
    data = bytearray(path.read_bytes())
    place = generator.randrange(8 * len(data))
    data[place // 8] ^= 1 << place % 8
    path.write_bytes(data)


def refused_or_equal(step: Step, study: Study, folder: Path) -> None:
    ending = step.run(folder)
    assert "Traceback" not in ending.text, ending.text
    if ending.status != cli.EXIT_BAD_INPUT:
        assert ending.status == 0, ending.text
        assert study.difference(step, folder) == [], ending.text


@pytest.mark.parametrize(
    ("step", "name"),
    [(step, name) for step in STEPS for name in step.reads],
    ids=lambda value: value.name.replace(" ", "-") if isinstance(value, Step) else Path(value).name,
)
def test_damaged_input(
    step: Step, name: str, study: Study, tmp_path: Path, generator: random.Random
) -> None:
    for number in range(FLIPS):
        folder = study.before(step, tmp_path / str(number))
        flip(folder / name, generator)
        refused_or_equal(step, study, folder)


@pytest.mark.parametrize("step", [BY_NAME["train_final"]], ids=["train_final"])
def test_damaged_state(step: Step, study: Study, tmp_path: Path, generator: random.Random) -> None:
    for number in range(FLIPS):
        folder = study.before(step, tmp_path / str(number))
        stopped = Step(step.name, step.script, (*step.arguments, "--max-seconds", "1e-9"), ())
        assert [stopped.run(folder).status for _ in range(2)] == [cli.EXIT_UNFINISHED] * 2
        flip(folder / TRAINED / ".model.unfinished", generator)
        refused_or_equal(step, study, folder)


def _stop(*_: object) -> None:
    raise SpikernelError("stopped")


@pytest.mark.parametrize("step", [BY_NAME["nas_search"]], ids=["nas_search"])
def test_damaged_journal(
    step: Step, study: Study, tmp_path: Path, generator: random.Random
) -> None:
    whole = Step(step.name, step.script, _without_parts(step.arguments), ())
    for number in range(FLIPS):
        folder = study.before(step, tmp_path / str(number))
        ending = whole.run(folder, before=lambda: setattr(nas_search, "rank_table", _stop))
        assert ending.status == cli.EXIT_BAD_INPUT
        flip(folder / SEARCHED / ".candidates.unfinished", generator)
        refused_or_equal(whole, study, folder)


def _without_parts(arguments: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(item for item in arguments if item != "--parts" and not item.endswith(".jsonl"))
