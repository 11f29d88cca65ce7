"""What a run says of each finished job: how long it took, the accuracy of its net, the time left.

Read by the process that controls a workflow, so without pandas.
"""

import json
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

_ACCURACIES = {
    "metrics.json": (
        ("test_accuracy_percent", "test accuracy"),
        ("val_accuracy_percent", "validation accuracy"),
    ),
    "deployment.json": (("int8_test_accuracy_percent", "test accuracy with int8 weights"),),
}
"""By name of an output: keys for the accuracy of a net, of which the first that it has is said."""

_NO_JOBS = ("total", "all")
"""Snakemake's sum, and the rule that does nothing."""


@dataclass(frozen=True)
class _Job:
    rule: str
    message: str
    outputs: Sequence[str]
    start: float


class RunLog(logging.Filter):
    """Puts into Snakemake's line for a finished job what its number does not say.

    It reads the records of Snakemake's logger: the number of jobs of each rule, what a job does
    and writes, and its end.

    Args:
        clock: returns seconds.

    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._waiting: Counter[str] = Counter()
        self._jobs: dict[int, _Job] = {}
        self._seconds: defaultdict[str, list[float]] = defaultdict(list)
        self._begin = clock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Take notice of a record, and change that of a finished job."""
        event = getattr(getattr(record, "event", None), "name", None)
        given = record.__dict__
        if event == "RUN_INFO":
            stats = given["stats"].items()
            counts = {rule: count for rule, count in stats if rule not in _NO_JOBS}
            self._waiting, self._begin = Counter(counts), self._clock()
        elif event == "JOB_INFO":
            message = given["rule_msg"] or given["rule_name"]
            job = _Job(given["rule_name"], message, given["output"], self._clock())
            self._jobs[given["jobid"]] = job
        elif event == "JOB_FINISHED" and given["job_id"] in self._jobs:
            record.msg = self._line(self._jobs.pop(given["job_id"]))
        return True

    def _line(self, job: _Job) -> str:
        seconds = self._clock() - job.start
        self._seconds[job.rule].append(seconds)
        self._waiting[job.rule] -= 1
        parts = [job.message, *_accuracy(job.outputs)]
        return f"Finished after {_shown(seconds)}: {': '.join(parts)}{self._left()}"

    def _left(self) -> str:
        """Return how long the rest takes, by the mean time of each rule's jobs so far.

        As many jobs run at once as did until now, on the mean. Rules of which no job is finished
        are named, since they are left out.
        """
        waiting = {rule: count for rule, count in self._waiting.items() if count > 0}
        known = {rule: times for rule, times in self._seconds.items() if rule in waiting}
        total = sum(waiting[rule] * sum(times) / len(times) for rule, times in known.items())
        if not total:
            return ""
        busy = sum(map(sum, self._seconds.values()))
        elapsed = self._clock() - self._begin
        left = total / max(1.0, busy / elapsed if elapsed else 1.0)
        others = ", ".join(f"{n} {rule}" for rule, n in waiting.items() if rule not in known)
        if others:
            return f"; at least {_shown(left)} left (not counted: {others})"
        return f"; about {_shown(left)} left"


def _accuracy(outputs: Sequence[str]) -> list[str]:
    for path in map(Path, outputs):
        if path.name not in _ACCURACIES or not path.is_file():
            continue
        found = json.loads(path.read_text(encoding="utf-8"))
        for key, word in _ACCURACIES[path.name]:
            if found.get(key) is not None:
                return [f"{word} {found[key]:.2f} %"]
    return []


def _shown(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
