"""What a run says of each finished job, from records as Snakemake's logger makes them."""

import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from spikernel.study.run_log import RunLog


class Run:
    """A run whose clock is set by hand, in minutes."""

    def __init__(self, **stats: int) -> None:
        self.minutes = 0.0
        self.log = RunLog(lambda: 60 * self.minutes)
        self.say("RUN_INFO", stats={**stats, "all": 1, "total": sum(stats.values()) + 1})

    def say(self, event: str, text: str = "", **fields: Any) -> str:
        record = logging.LogRecord("snakemake", logging.INFO, "", 0, text, None, None)
        record.__dict__.update(event=SimpleNamespace(name=event), **fields)
        assert self.log.filter(record)
        return record.getMessage()

    def start(self, number: int, rule: str, *outputs: Path, message: str | None = None) -> None:
        files = list(map(str, outputs))
        self.say("JOB_INFO", jobid=number, rule_name=rule, rule_msg=message, output=files)

    def end(self, number: int, minutes: float) -> str:
        self.minutes = minutes
        return self.say("JOB_FINISHED", f"Finished jobid: {number}", job_id=number)


def test_time_accuracy_and_time_left(tmp_path: Path) -> None:
    metrics = tmp_path / "metrics.json"
    metrics.write_text(json.dumps({"val_accuracy_percent": 80.0, "test_accuracy_percent": 79.125}))
    run = Run(train=3, report=1)
    run.start(1, "train", metrics, message="Training a net")
    # Two trainings of 10 minutes are left, and a report of which nothing is known.
    assert run.end(1, 10) == (
        "Finished after 0:10:00: Training a net: test accuracy 79.12 %; at least 0:20:00 left "
        "(not counted: 1 report)"
    )
    run.start(2, "train", message="Training another")
    run.start(3, "train", message="Training a third")
    run.end(2, 30)
    # 10, 20 and 20 minutes of work in 30.
    run.start(4, "report")
    assert run.end(3, 30) == "Finished after 0:20:00: Training a third"
    assert run.end(4, 31.5) == "Finished after 0:01:30: report"


def test_jobs_at_once_shorten_the_time_left() -> None:
    run = Run(train=6)
    for number in (1, 2):
        run.start(number, "train")
    run.end(1, 10)
    # Four of 10 minutes are left, and two have run at once.
    assert run.end(2, 10) == "Finished after 0:10:00: train; about 0:20:00 left"


def test_a_net_without_a_test_is_judged_by_validation(tmp_path: Path) -> None:
    found = {"kernel_impact": {"val_accuracy_percent": 71.5}, "search": {"accuracy": 1}}
    paths = {name: tmp_path / name / "metrics.json" for name in found}
    for name, path in paths.items():
        path.parent.mkdir()
        path.write_text(json.dumps(found[name]))
    run = Run(kernel_impact=1, search=1, deployment=1)
    run.start(1, "kernel_impact", tmp_path / "impact.csv", paths["kernel_impact"])
    assert run.end(1, 1) == "Finished after 0:01:00: kernel_impact: validation accuracy 71.50 %"
    run.start(2, "search", paths["search"], tmp_path / "missing" / "metrics.json")
    assert run.end(2, 2) == "Finished after 0:01:00: search"
    deployed = tmp_path / "deployment.json"
    deployed.write_text('{"int8_test_accuracy_percent": null}')
    run.start(3, "deployment", deployed)
    assert run.end(3, 3) == "Finished after 0:01:00: deployment"


def test_other_records_stay_as_they_are() -> None:
    run = Run(train=1)
    assert run.end(7, 1) == "Finished jobid: 7"  # no job that began in this run
    record = logging.LogRecord("snakemake", logging.INFO, "", 0, "a line", None, None)
    assert run.log.filter(record)
    assert record.getMessage() == "a line"
