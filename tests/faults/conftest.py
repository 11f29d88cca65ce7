"""What the tables, kills and damages share, and which of them a short run takes."""

import os
import random
from pathlib import Path

import pytest
from study import Study

SEED = int(os.environ.get("FAULTS_SEED", "0"))
ALL = os.environ.get("FAULTS") == "all"
SHORT = {"row": 40, "step": 6}
"""How many rows, and how many tests of steps, a short run takes."""
LONG_STEPS = ("tradeoff_report", "export")
"""Steps that take many seconds."""


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return Study(tmp_path_factory.mktemp("faults") / "study")


@pytest.fixture
def generator(request: pytest.FixtureRequest) -> random.Random:
    """Draws the same for a test, whichever others run."""
    return random.Random(f"{SEED} {request.node.name}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take a seeded sample, unless all are asked for or files are named."""
    here = Path(__file__).parent
    named = [Path(argument.split("::")[0]).absolute() for argument in config.args]
    if ALL or any(path.is_relative_to(here) for path in named):
        return
    ours = [item for item in items if here in item.path.parents]
    kept: set[str] = set()
    for kind, number in SHORT.items():
        names = sorted(item.nodeid for item in ours if _is(item, kind))
        kept.update(random.Random(SEED).sample(names, min(number, len(names))))
    left_out = [item for item in ours if item.nodeid not in kept]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]


def _is(item: pytest.Item, kind: str) -> bool:
    values = getattr(getattr(item, "callspec", None), "params", {})
    of_row = getattr(values.get("row"), "step", "")
    return kind in values and getattr(values.get("step"), "name", of_row) not in LONG_STEPS
