"""How many epochs of a training fit into minutes, by the time that its steps take."""

import statistics
import time
from collections.abc import Sequence

from common import wait_for
from training_loops import Limited

from spikernel.training.trainer import Trainer

SAME_COST = 0.1
"""Part of a step's time by which a part may differ and still have the epochs of the base."""
PACE_STEPS, PACE_TURNS = 8, 3


def seconds_per_step(trainers: Sequence[Trainer]) -> list[float]:
    """Return the time of a step of each, the median of turns; the first turn only warms up."""
    seconds: list[list[float]] = [[] for _ in trainers]
    for _ in range(1 + PACE_TURNS):
        for trainer, times in zip(trainers, seconds, strict=True):
            trainer.steps_per_epoch = PACE_STEPS  # as if the epoch had no more
            start = time.perf_counter()
            trainer.train_epoch(trainer.begin_epoch(1), Limited(PACE_STEPS))
            wait_for(trainer.device)
            times.append((time.perf_counter() - start) / PACE_STEPS)
    return [statistics.median(times[1:]) for times in seconds]


def epochs_for(
    minutes: float, steps: int, base_seconds: float, own_seconds: float, base_epochs: int | None
) -> int:
    """Return the epochs of a part.

    Args:
        minutes: of one training.
        steps: of an epoch.
        base_seconds: of a step of the base, measured beside the next.
        own_seconds: of a step of the part.
        base_epochs: that the base has; None: it is the base.

    """
    if base_epochs is None:
        return max(1, round(60 * minutes / (steps * base_seconds)))
    cost = own_seconds / base_seconds
    return base_epochs if abs(cost - 1) <= SAME_COST else max(1, round(base_epochs / cost))
