"""Every step is killed at a random moment, or runs on a full disk; the next run sets it right."""

import os
import random
import resource
from functools import partial
from pathlib import Path

import pytest
from study import STEPS, Step, Study

from spikernel import cli

KILLS = int(os.environ.get("FAULTS_KILLS", "2"))
LIMITS = 3
every_step = pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name.replace(" ", "-"))


@every_step
def test_killed_steps_go_on(
    step: Step, study: Study, tmp_path: Path, generator: random.Random
) -> None:
    folder = study.before(step, tmp_path / "study")
    seconds = step.run(study.before(step, tmp_path / "timed")).seconds
    for _ in range(KILLS):
        step.run(folder, kill_after=generator.uniform(0, seconds))
    ending = step.run(folder)
    assert ending.status == 0, ending.text
    assert study.difference(step, folder) == []


@every_step
def test_a_full_disk_is_one_line(
    step: Step, study: Study, tmp_path: Path, generator: random.Random
) -> None:
    folder = study.before(step, tmp_path / "study")
    largest = max((study.folder / name).stat().st_size for name in study.made[step.name])
    for limit in [0, *(generator.randrange(largest) for _ in range(LIMITS - 1))]:
        # What a file may grow to; writing more fails as on a full disk.
        full = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (limit, limit))
        ending = step.run(folder, before=full)
        assert ending.status == cli.EXIT_BAD_INPUT, ending.text
        assert "error: " in ending.text
        assert "Traceback" not in ending.text
    ending = step.run(folder)
    assert ending.status == 0, ending.text
    assert study.difference(step, folder) == []
