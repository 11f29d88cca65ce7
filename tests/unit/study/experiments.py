"""Small experiments, and what is wrong with them."""

from typing import Any

import pytest

from spikernel.config import WorkflowConfig
from spikernel.config.problems import RefusedError
from spikernel.study import experiment

# Digits are 8x8 pixels: maps of 8x8 and 4x4. Around its cells of 4 and 8 channels the net has
# 9 * 4 + 8 and 8 + 9 * 32 + 16 for stem and transition, 16 + 2 * 2 * 8 * 8 + 9 * 10 for the head:
# 718 parameters. The smallest cells have a 1x1 convolution each: 16 + 8 and 64 + 16 more, 822.
SMALL = {"time_steps": 2, "channels": 4, "pool": 2, "hidden": 8, "votes": 1}


def config(**changes: Any) -> WorkflowConfig:
    given = {"experiment": "x", "datasets": {"digits": None}, "network": SMALL, **changes}
    given.setdefault("tradeoff_report", {"memory_budgets_mb": [1]})
    return WorkflowConfig.parse(given, "config")


def problems(**changes: Any) -> list[str]:
    with pytest.raises(RefusedError) as caught:
        experiment.check(config(**changes), "config")
    return [line.removeprefix("config: ") for line in str(caught.value).splitlines()]
